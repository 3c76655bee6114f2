#include "identity/graph_row.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "identity/application.h"
#include "identity/graph_text.h"

#include <stddef.h>

#define SECRET_SECONDS ((int64_t)2 * 365 * 86400) /* when the client does not say */
#define KEY_TEXT_MAX ((size_t)32 * 1024)

static const struct field key_fields[] = {
	{ "type", FIELD_TEXT, offsetof(struct graph_key_body, type), .max = 64 },
	{ "usage", FIELD_TEXT, offsetof(struct graph_key_body, usage), .max = 64 },
	{ "key", FIELD_TEXT, offsetof(struct graph_key_body, key), .max = KEY_TEXT_MAX,
	    .required = true },
	{ "displayName", FIELD_TEXT, offsetof(struct graph_key_body, name),
	    .max = APPLICATION_NAME_MAX },
	{ .name = NULL },
};

const struct field graph_application_fields[] = {
	{ "displayName", FIELD_TEXT, offsetof(struct graph_application_body, name),
	    .max = APPLICATION_NAME_MAX, .required = true },
	{ "keyCredentials", FIELD_LIST, offsetof(struct graph_application_body, keys),
	    .max = APPLICATION_CERTIFICATES_MAX, .fields = key_fields,
	    .size = sizeof(struct graph_key_body) },
	{ .name = NULL },
};

static const struct field credential_fields[] = {
	{ "displayName", FIELD_TEXT, offsetof(struct graph_password_body, name),
	    .max = APPLICATION_NAME_MAX },
	{ "endDateTime", FIELD_TEXT, offsetof(struct graph_password_body, end), .max = 64 },
	{ .name = NULL },
};

const struct field graph_password_fields[] = {
	{ "passwordCredential", FIELD_OBJECT, 0, .fields = credential_fields },
	{ .name = NULL },
};

const struct field graph_principal_fields[] = {
	{ "appId", FIELD_TEXT, offsetof(struct graph_principal_body, app_id), .max = 64,
	    .required = true },
	{ .name = NULL },
};

static bool
add_key(struct request *r, const struct graph_key_body *key, struct registration *registration,
    struct error *err)
{
	view der;

	if ((key->type.given && !view_eq(key->type.text, V("AsymmetricX509Cert"))) ||
	    (key->usage.given && !view_eq(key->usage.text, V("Verify"))))
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "Key credentials must be of type AsymmetricX509Cert and usage Verify.");
	if (!graph_certificate_parse(key->key.text, r->arena, &der))
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "Key credential must be an X.509 certificate in base64.");
	return registration_add_certificate(registration, key->name.given ? key->name.text : V(""),
	    der, err);
}

bool
graph_application_create(struct request *r, struct error *err)
{
	const struct graph_application_body *body = r->body;
	const struct graph_key_body *keys = body->keys.items;
	struct registration registration = {
		.tenant = r->caller.tenant,
		.name = body->name.text,
		.created = clock_wall(),
	};

	if (body->name.text.len == 0)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "Property displayName has an invalid value.");
	random_uuid(&registration.id);
	random_uuid(&registration.object);
	random_uuid(&registration.own);
	for (size_t i = 0; i < body->keys.count; i++) {
		if (!add_key(r, &keys[i], &registration, err))
			return false;
	}
	return registration_add(&r->tx, &registration, err) &&
	    graph_reply(r, 201, &graph_application, &registration, err);
}

/* An application has its service principal from the start: it is only shown. */
bool
graph_service_principal_create(struct request *r, struct error *err)
{
	const struct graph_principal_body *body = r->body;
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;
	struct uuid id;

	if (!uuid_parse(body->app_id.text, &id))
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "Invalid GUID: appId.");
	if (!registration_get(&r->tx, uuid_view(&r->caller.tenant), uuid_view(&id), STORE_READ,
		&document, &registration, err))
		return err->code != ERR_GRAPH_NOT_FOUND ? false
							: error_set(err, ERR_GRAPH_BAD_REQUEST,
							      "The appId '%s' of the service "
							      "principal does not reference a "
							      "valid application object.",
							      id.text);
	return graph_reply(r, 201, &graph_service_principal, &registration, err);
}

static bool
find_application(struct request *r, struct plain **document, struct registration *out,
    struct error *err)
{
	enum object_kind wanted = OBJECT_APPLICATION;

	return graph_find(&r->tx, &r->caller.tenant, r->params[0], &wanted, STORE_CHANGE, document,
	    out, err);
}

bool
graph_application_delete(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	if (!find_application(r, &document, &registration, err) ||
	    !registration_delete(&r->tx, &registration, err))
		return false;
	r->out->status = 204;
	return true;
}

static bool
password_end(const struct graph_password_body *body, int64_t *out, struct error *err)
{
	if (!body->end.given) {
		*out = clock_wall() + SECRET_SECONDS;
		return true;
	}
	return graph_time_parse(body->end.text, out) ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"Property endDateTime has an invalid value: it must be a time with a zone.");
}

bool
graph_application_add_password(struct request *r, struct error *err)
{
	const struct graph_password_body *body = r->body;
	AUTO(plain_done) struct plain *document = NULL, *text = NULL;
	struct registration registration;
	struct json *json;
	int64_t end;

	if (!password_end(body, &end, err) || !find_application(r, &document, &registration, err) ||
	    !registration_add_secret(&registration, body->name.given ? body->name.text : V(""), end,
		&text, err) ||
	    !registration_put(&r->tx, &registration, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	graph_context(r->authority, "microsoft.graph.passwordCredential", false, json);
	graph_secret(&registration.secrets[registration.secret_count - 1], plain_view(text), json);
	json_close(json, '}');
	return buf_ok(&r->out->body) || error_memory(err);
}
