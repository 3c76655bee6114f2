/*
 * Applications and service principals: made, changed, deleted.
 */
#include "base/clock.h"
#include "crypto/random.h"
#include "identity/administrators.h"
#include "identity/application.h"
#include "graph/row.h"
#include "graph/text.h"
#include "identity/principal.h"
#include "graph/redirect.h"

#include <stddef.h>

#define KEY_TEXT_MAX ((size_t)32 * 1024)
#define OF(member) offsetof(struct graph_application_body, member)

static const struct field key_fields[] = {
	{ "keyId", FIELD_TEXT, offsetof(struct graph_key_body, id), .max = 64 },
	{ "type", FIELD_TEXT, offsetof(struct graph_key_body, type), .max = 64 },
	{ "usage", FIELD_TEXT, offsetof(struct graph_key_body, usage), .max = 64 },
	{ "key", FIELD_TEXT, offsetof(struct graph_key_body, key), .max = KEY_TEXT_MAX },
	{ "displayName", FIELD_TEXT, offsetof(struct graph_key_body, name),
	    .max = APPLICATION_NAME_MAX },
	{ .name = NULL },
};

/* An object's fields are relative to its place in the struct. */
static const struct field redirect_fields[] = {
	{ "redirectUris", FIELD_TEXTS, 0, .max = APPLICATION_REDIRECTS_MAX },
	{ .name = NULL },
};

#define KEYS                                                                                  \
	{                                                                                     \
		"keyCredentials", FIELD_LIST, OF(keys), .max = APPLICATION_CERTIFICATES_MAX,  \
							.fields = key_fields,                 \
							.size = sizeof(struct graph_key_body) \
	}
#define REDIRECTS                                                                           \
	{ "web", FIELD_OBJECT, OF(web), .fields = redirect_fields },                        \
	    { "publicClient", FIELD_OBJECT, OF(public_client), .fields = redirect_fields }, \
	{                                                                                   \
		"spa", FIELD_OBJECT, OF(spa), .fields = redirect_fields                     \
	}

const struct field graph_application_fields[] = {
	{ "displayName", FIELD_TEXT, OF(name), .max = APPLICATION_NAME_MAX, .required = true },
	KEYS,
	REDIRECTS,
	{ .name = NULL },
};

const struct field graph_application_patch_fields[] = {
	{ "displayName", FIELD_TEXT, OF(name), .max = APPLICATION_NAME_MAX },
	KEYS,
	REDIRECTS,
	{ .name = NULL },
};

const struct field graph_principal_patch_fields[] = {
	{ .name = "accountEnabled", .kind = FIELD_FLAG, .offset = OF(enabled) },
	KEYS,
	{ .name = NULL },
};

const struct field graph_principal_fields[] = {
	{ "appId", FIELD_TEXT, offsetof(struct graph_principal_body, app_id), .max = 64,
	    .required = true },
	{ .name = NULL },
};

static bool
refused(struct error *err, const char *why)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST, "%s", why);
}

/* A key that a client read comes back without its certificate: it stays. */
static bool
keep_key(const struct graph_key_body *key, const struct registration *before,
    struct registration *registration)
{
	if (!key->id.given || (key->key.given && key->key.text.len > 0))
		return false;
	for (size_t i = 0; i < before->certificate_count; i++) {
		if (!view_ieq(key->id.text, uuid_view(&before->certificates[i].id)))
			continue;
		registration->certificates[registration->certificate_count++] =
		    before->certificates[i];
		return true;
	}
	return false;
}

static bool
add_key(struct request *r, const struct graph_key_body *key, struct registration *registration,
    struct error *err)
{
	view der;

	if ((key->type.given && !view_eq(key->type.text, V("AsymmetricX509Cert"))) ||
	    (key->usage.given && !view_eq(key->usage.text, V("Verify"))))
		return refused(err,
		    "Key credentials must be of type AsymmetricX509Cert and usage Verify.");
	if (!key->key.given || !graph_certificate_parse(key->key.text, r->arena, &der))
		return refused(err, "Key credential must be an X.509 certificate in base64.");
	return registration_add_certificate(registration, key->name.given ? key->name.text : V(""),
	    der, err);
}

/* Instead of those before; the list is no longer than what fits, but may name one twice. */
static bool
set_keys(struct request *r, const struct body_list *list, struct registration *registration,
    struct error *err)
{
	const struct graph_key_body *keys = list->items;
	struct registration *before;

	if (!list->given)
		return true;
	before = arena_alloc(r->arena, sizeof(*before));
	if (before == NULL)
		return error_memory(err);
	*before = *registration;
	registration->certificate_count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (!keep_key(&keys[i], before, registration) &&
		    !add_key(r, &keys[i], registration, err))
			return false;
	}
	return true;
}

static bool
apply(struct request *r, const struct graph_application_body *body,
    struct registration *registration, struct error *err)
{
	if (body->name.given) {
		if (body->name.text.len == 0 || !utf8_valid(body->name.text))
			return refused(err, "Property displayName has an invalid value.");
		registration->name = body->name.text;
	}
	return set_keys(r, &body->keys, registration, err) &&
	    redirects_set(registration, REDIRECT_WEB, &body->web, err) &&
	    redirects_set(registration, REDIRECT_PUBLIC, &body->public_client, err) &&
	    redirects_set(registration, REDIRECT_SPA, &body->spa, err);
}

bool
graph_application_create(struct request *r, struct error *err)
{
	struct graph_object object = { .kind = &graph_application };
	struct registration *registration = &object.as.registration;

	*registration = (struct registration){
		.tenant = r->caller.tenant,
		.created = clock_wall(),
	};
	random_uuid(&registration->id);
	random_uuid(&registration->object);
	random_uuid(&registration->own);
	return apply(r, r->body, registration, err) &&
	    registration_add(&r->tx, registration, err) && graph_reply(r, 201, &object, err);
}

bool
graph_application_patch(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object;

	return graph_target_load(r, STORE_CHANGE, &object, err) &&
	    apply(r, r->body, &object.as.registration, err) &&
	    registration_put(&r->tx, &object.as.registration, err) && graph_done(r);
}

/* Out of everything that the service principal is in. */
static bool
leave(struct request *r, const struct registration *registration, struct error *err)
{
	return administrators_leave(&r->tx, &registration->tenant, &registration->object, false,
		   err) &&
	    principal_leave(r->services->directory, &r->tx, &registration->object, err);
}

bool
graph_application_delete(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object;

	return graph_target_load(r, STORE_CHANGE, &object, err) &&
	    leave(r, &object.as.registration, err) &&
	    registration_delete(&r->tx, &object.as.registration, err) && graph_done(r);
}

static bool
no_application(struct error *err, const struct uuid *id)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "The appId '%s' of the service principal does not reference a valid application "
	    "object.",
	    id->text);
}

/*
 * An application has its service principal from the start: it is shown, so that clients which make
 * both one after the other find what they made.  One that was deleted is made again.
 */
bool
graph_principal_create(struct request *r, struct error *err)
{
	const struct graph_principal_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct registration *registration = &object.as.registration;
	struct uuid id;

	if (!uuid_parse(body->app_id.text, &id))
		return refused(err, "Invalid GUID: appId.");
	if (!graph_load_key(&r->tx, &r->caller.tenant, &graph_application, "appId", uuid_view(&id),
		STORE_CHANGE, &object, err))
		return err->code == ERR_GRAPH_NOT_FOUND && no_application(err, &id);
	if (registration->bare &&
	    (!registration_make_principal(&r->tx, registration, err) ||
		!registration_put(&r->tx, registration, err)))
		return false;
	object.kind = &graph_service_principal;
	return graph_reply(r, 201, &object, err);
}

/* Managed identities are resource management's. */
static bool
principal_load(struct request *r, struct graph_object *out, struct error *err)
{
	if (!graph_target_load(r, STORE_CHANGE, out, err))
		return false;
	return out->as.registration.kind != REGISTRATION_IDENTITY ||
	    error_set(err, ERR_GRAPH_DENIED,
		"Insufficient privileges to complete the operation: managed identities are "
		"changed where they were made.");
}

static bool
set_enabled(struct request *r, const struct body_flag *enabled, struct registration *registration,
    struct error *err)
{
	if (!enabled->given || enabled->value == !registration->disabled)
		return true;
	if (!enabled->value &&
	    !administrators_leave(&r->tx, &registration->tenant, &registration->object, true, err))
		return false;
	return registration_enable(&r->tx, registration, enabled->value, err);
}

bool
graph_principal_patch(struct request *r, struct error *err)
{
	const struct graph_application_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object;
	struct registration *registration = &object.as.registration;

	return principal_load(r, &object, err) && set_keys(r, &body->keys, registration, err) &&
	    set_enabled(r, &body->enabled, registration, err) &&
	    registration_put(&r->tx, registration, err) && graph_done(r);
}

/* The application stays, and can't sign in. */
bool
graph_principal_delete(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object;
	struct registration *registration = &object.as.registration;

	return principal_load(r, &object, err) && leave(r, registration, err) &&
	    registration_drop_principal(&r->tx, registration, err) &&
	    registration_put(&r->tx, registration, err) && graph_done(r);
}
