#include "arm/managed_identity.h"

#include "base/pack.h"
#include "identity/federated.h"
#include "identity/managed.h"

#define CREDENTIALS "federatedIdentityCredentials"
#define CREDENTIAL_TYPE IDENTITY_TYPE "/" CREDENTIALS
#define HIDDEN_FORMAT 1

static const char *const versions[] = { "2025-05-31-preview", "2025-01-31-preview", "2024-11-30",
	"2023-07-31-preview", "2023-01-31", "2022-01-31-preview", "2021-09-30-preview",
	"2018-11-30", "2015-08-31-preview", NULL };

struct identity_body {
	struct resource_body common;
	struct body_text isolation;
};

struct credential_body {
	struct resource_body common; /* says nothing */
	struct body_text issuer, subject;
	struct body_texts audiences;
};

/* clang-format off */

static const struct field identity_properties[] = {
	{ .name = "isolationScope", .kind = FIELD_TEXT, .max = 16,
	    .offset = offsetof(struct identity_body, isolation) },
	{ 0 },
};

static const struct field identity_fields[] = {
	RESOURCE_FIELDS(struct identity_body),
	{ .name = "properties", .kind = FIELD_OBJECT, .fields = identity_properties },
	{ 0 },
};

static const struct field credential_properties[] = {
	{ .name = "issuer", .kind = FIELD_TEXT, .max = FEDERATED_TEXT_MAX,
	    .offset = offsetof(struct credential_body, issuer) },
	{ .name = "subject", .kind = FIELD_TEXT, .max = FEDERATED_TEXT_MAX,
	    .offset = offsetof(struct credential_body, subject) },
	{ .name = "audiences", .kind = FIELD_TEXTS, .max = 1, .size = FEDERATED_TEXT_MAX,
	    .offset = offsetof(struct credential_body, audiences) },
	{ 0 },
};

static const struct field credential_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .fields = credential_properties },
	{ 0 },
};

/* clang-format on */

bool
identity_name_valid(view name)
{
	if (name.len < 3 || name.len > 128 || name.ptr[0] == '-' || name.ptr[0] == '_')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* What the directory refuses is no business of Graph's here. */
static bool
refused(struct error *err)
{
	if (err->code == ERR_GRAPH_BAD_REQUEST)
		err->code = ERR_BAD_REQUEST;
	return false;
}

static bool
hide(struct arena *arena, const struct identity_ids *ids, view isolation, view *out,
    struct error *err)
{
	AUTO(buf_free) struct buf bytes = { 0 };

	pack_u8(&bytes, HIDDEN_FORMAT);
	pack_bytes(&bytes, uuid_view(&ids->tenant));
	pack_bytes(&bytes, uuid_view(&ids->object));
	pack_bytes(&bytes, uuid_view(&ids->application));
	pack_bytes(&bytes, isolation);
	return (buf_ok(&bytes) && arena_copy(arena, buf_view(&bytes), out)) || error_memory(err);
}

static bool
reveal(view hidden, struct identity_ids *ids, view *isolation)
{
	struct unpack in = unpack_of(hidden);
	bool fine = unpack_u8(&in) == HIDDEN_FORMAT &&
	    uuid_parse(unpack_bytes(&in), &ids->tenant) &&
	    uuid_parse(unpack_bytes(&in), &ids->object) &&
	    uuid_parse(unpack_bytes(&in), &ids->application);

	*isolation = unpack_bytes(&in);
	return fine && unpack_end(&in);
}

static const struct resource_type identity_type;

bool
identity_ids_of(const struct resource *resource, struct identity_ids *out)
{
	struct identity_ids ids;
	view isolation;

	if (resource->type != &identity_type || !reveal(resource->hidden, &ids, &isolation))
		return false;
	*out = ids;
	return true;
}

static bool
write_properties(struct resource_change *change, const struct identity_ids *ids, view isolation,
    struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct json json = json_to(&text);

	json_open(&json, '{');
	if (isolation.len > 0)
		json_text(&json, "isolationScope", isolation);
	json_text(&json, "tenantId", uuid_view(&ids->tenant));
	json_text(&json, "principalId", uuid_view(&ids->object));
	json_text(&json, "clientId", uuid_view(&ids->application));
	json_close(&json, '}');
	return (buf_ok(&text) &&
		   arena_copy(change->r->arena, buf_view(&text), &change->wanted->properties)) ||
	    error_memory(err);
}

static bool
check_isolation(const struct body_text *given, view *out, struct error *err)
{
	if (!given->given)
		return true;
	*out = view_ieq(given->text, V("Regional")) ? V("Regional") : V("None");
	return view_ieq(given->text, *out) ||
	    error_set(err, ERR_BAD_REQUEST, "The isolationScope must be 'None' or 'Regional'.");
}

static bool
create_identity(struct resource_change *change, struct identity_ids *ids, struct error *err)
{
	struct managed_identity identity = {
		.tenant = change->r->caller.tenant,
		.name = change->wanted->name,
		.resource = change->wanted->id,
	};

	if (!identity_name_valid(identity.name))
		return error_set(err, ERR_BAD_REQUEST,
		    "The resource name '%.*s' must have 3 to 128 letters, digits, hyphens and "
		    "underscores, and begin with a letter or digit.",
		    VIEW_ARG(identity.name));
	if (!managed_identity_create(&change->r->tx, &identity, err))
		return refused(err);
	*ids = (struct identity_ids){ identity.tenant, identity.object, identity.application };
	return true;
}

static bool
put_identity(struct resource_change *change, struct error *err)
{
	const struct identity_body *body = change->body;
	struct identity_ids ids;
	view isolation = V("");

	if (change->present == NULL) {
		if (!create_identity(change, &ids, err))
			return false;
	} else if (!reveal(change->present->hidden, &ids, &isolation)) {
		return error_set(err, ERR_CORRUPT, "an identity's document can't be read");
	}
	return check_isolation(&body->isolation, &isolation, err) &&
	    hide(change->r->arena, &ids, isolation, &change->wanted->hidden, err) &&
	    write_properties(change, &ids, isolation, err);
}

static bool
remove_identity(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	struct identity_ids ids;

	(void)caller;
	/* Gone from the directory already: then only the resource is left. */
	return !identity_ids_of(resource, &ids) ||
	    managed_identity_delete(tx, services->directory, &ids.object, err) ||
	    err->code == ERR_GRAPH_NOT_FOUND;
}

static const struct resource_type identity_type = {
	.space = IDENTITY_SPACE,
	.name = IDENTITY_TYPE,
	.versions = versions,
	.put = put_identity,
	.remove = remove_identity,
};

/* The directory's entry of the identity that a credential hangs off. */
static bool
take_parent(struct tx *tx, const struct services *services, view id, struct plain **document,
    struct registration *out, struct error *err)
{
	struct identity_ids ids;
	struct resource_id parsed;
	struct resource parent;
	bool found;

	if (!resource_id_parse(id, tx->arena, &parsed, err) ||
	    !resource_get(tx, services, parsed.parent, true, &parent, &found, err))
		return false;
	if (!found || !identity_ids_of(&parent, &ids))
		return error_set(err, ERR_GRAPH_NOT_FOUND, "The identity is not there.");
	return managed_identity_take(tx, &ids.object, document, out, err);
}

static bool
write_credential(struct resource_change *change, const struct federated_credential *credential,
    struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct json json = json_to(&text);

	json_open(&json, '{');
	json_text(&json, "issuer", credential->issuer);
	json_text(&json, "subject", credential->subject);
	json_open_in(&json, "audiences", '[');
	json_text(&json, NULL, credential->audience);
	json_close(&json, ']');
	json_close(&json, '}');
	return (buf_ok(&text) &&
		   arena_copy(change->r->arena, buf_view(&text), &change->wanted->properties)) ||
	    error_memory(err);
}

/* What the body says, over what was there. */
static bool
merge_credential(const struct credential_body *body, struct federated_credential *credential,
    struct error *err)
{
	if (body->issuer.given)
		credential->issuer = body->issuer.text;
	if (body->subject.given)
		credential->subject = body->subject.text;
	if (body->audiences.given && body->audiences.count == 1)
		credential->audience = body->audiences.texts[0];
	return (credential->issuer.len > 0 && credential->subject.len > 0 &&
		   credential->audience.len > 0) ||
	    error_set(err, ERR_BAD_REQUEST,
		"The federated identity credential must have an issuer, a subject and one "
		"audience.");
}

static bool
put_credential(struct resource_change *change, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct federated_credential credential = { .name = change->wanted->name,
		.description = V(""),
		.issuer = V(""),
		.subject = V(""),
		.audience = V("") };
	struct registration registration;
	struct tx *tx = &change->r->tx;
	size_t at;
	bool found;

	if (!take_parent(tx, change->r->services, change->wanted->id, &document, &registration,
		err))
		return false;
	found = federated_find(&registration, change->wanted->name, &at);
	if (found && change->patch)
		credential = registration.federated[at];
	if (!merge_credential(change->body, &credential, err))
		return false;
	if (!(found ? federated_change(&registration, at, &credential, err)
		    : federated_add(&registration, &credential, err)))
		return refused(err);
	return write_credential(change, &credential, err) &&
	    registration_put(tx, &registration, err);
}

static bool
remove_credential(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;
	size_t at;

	(void)caller;
	if (!take_parent(tx, services, resource->id, &document, &registration, err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	if (!federated_find(&registration, resource->name, &at))
		return true;
	federated_remove(&registration, at);
	return registration_put(tx, &registration, err);
}

static const struct resource_type credential_type = {
	.space = IDENTITY_SPACE,
	.name = CREDENTIAL_TYPE,
	.versions = versions,
	.placeless = true,
	.put = put_credential,
	.remove = remove_credential,
};

const struct provider managed_identity_provider = {
	.space = IDENTITY_SPACE,
	.types = (const struct resource_type *const[]){ &identity_type, &credential_type, NULL },
};

const struct op managed_identity_ops[] = {
	RESOURCE_ROWS("UserAssignedIdentity", IDENTITY_SPACE, IDENTITY_TYPE, identity_type,
	    identity_fields, struct identity_body),
	RESOURCE_CHILD_ROWS("FederatedIdentityCredential", IDENTITY_SPACE,
	    IDENTITY_TYPE "/{identity}/" CREDENTIALS, CREDENTIAL_TYPE, credential_type,
	    credential_fields, struct credential_body),
	{ 0 },
};
