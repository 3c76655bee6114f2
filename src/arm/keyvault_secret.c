/*
 * Secrets as resources of their vault: how templates set them.  Whoever may write here sets values
 * and never reads one: the replies have all but that.  Setting them counts against the vault's
 * limits as it does at the vault itself.
 */
#include "arm/keyvault.h"
#include "api/paging.h"
#include "secrets/secret.h"

/* clang-format off */

static const struct field property_fields[] = {
	{ .name = "value", .kind = FIELD_TEXT, .max = SECRET_VALUE_MAX,
	    .offset = offsetof(struct secret_body, value) },
	{ .name = "contentType", .kind = FIELD_TEXT, .max = (size_t)SECRET_CONTENT_TYPE_MAX * 4,
	    .offset = offsetof(struct secret_body, content_type) },
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attributes_fields,
	    .offset = offsetof(struct secret_body, attributes) },
	{ 0 },
};

static const struct field body_fields[] = {
	{ .name = "tags", .kind = FIELD_TAGS, .max = OBJECT_TAGS_MAX,
	    .offset = offsetof(struct secret_body, tags) },
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true,
	    .fields = property_fields },
	{ 0 },
};

/* clang-format on */

static void
write_uri(struct request *r, const char *name, const struct object *object, view version)
{
	json_text_open(&r->json, name);
	vault_uri(r, r->vault->name, "/secrets/");
	json_text_part(&r->json, object->name);
	if (version.len > 0) {
		json_text_part(&r->json, V("/"));
		json_text_part(&r->json, version);
	}
	json_text_close(&r->json);
}

static bool
write_secret(struct request *r, const struct object *object, const struct version *version,
    void *ctx, struct error *err)
{
	struct json *json = &r->json;
	struct secret secret;

	(void)ctx;
	if (!secret_unpack(version->content, &secret))
		return error_set(err, ERR_CORRUPT, "a secret's content can't be read");
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, r->vault->scope);
	json_text_part(json, V("/secrets/"));
	json_text_part(json, object->name);
	json_text_close(json);
	json_text(json, "name", object->name);
	json_text(json, "type", V(KEYVAULT "/vaults/secrets"));
	json_text(json, "location", r->vault->location);
	write_tags(r, version->tags);
	json_open_in(json, "properties", '{');
	if (secret.has_content_type)
		json_text(json, "contentType", secret.content_type);
	json_open_in(json, "attributes", '{');
	attributes_write(json, &version->attributes);
	json_close(json, '}');
	write_uri(r, "secretUri", object, V(""));
	write_uri(r, "secretUriWithVersion", object, version->id);
	json_close(json, '}');
	json_close(json, '}');
	return true;
}

/* A row's work on the vault that the path names, ${levels} segments further up. */
static bool
on_vault(struct request *r, unsigned levels, bool change, op_run *work, struct error *err)
{
	const struct vault *counted;
	struct resource resource;
	struct vault vault;
	bool fine;

	if (!vault_of(r, vault_path_less(r->path, levels), change, &resource, &vault, err))
		return false;
	/* What is read from a document has no counters: those are the mirror's. */
	counted = vaults_find(r->services->vaults, vault.name);
	vault.throttle = counted == NULL ? NULL : counted->throttle;
	r->vault = &vault;
	fine = work(r, err);
	r->vault = NULL;
	vault_release(counted);
	return fine;
}

/* For the audit log: what was set, as resource management calls it. */
static bool
reply_secret(struct request *r, const struct object *object, const struct version *version,
    struct error *err)
{
	if (!arena_join(r->arena, (const view[]){ r->vault->scope, V("/secrets/"), object->name },
		3, &r->object_id))
		return error_memory(err);
	(void)reply_json(r);
	return write_secret(r, object, version, NULL, err);
}

static bool
add_version(struct request *r, const struct secret_body *body, struct error *err)
{
	const struct secret secret = {
		.has_content_type = body->content_type.given,
		.content_type = body->content_type.text,
		.value = body->value.text,
	};
	AUTO(object_done) struct object object = { 0 };
	struct version version = { .attributes = { .enabled = true } };
	view name = r->params[3];

	return vault_charge(r, THROTTLE_SET, NULL, err) && object_name_check(name, err) &&
	    secret_fill(r, body, &secret, &version, err) &&
	    object_add_version(r, &secret_type, name, &object, &version, err) &&
	    reply_secret(r, &object, &version, err);
}

static bool
put(struct request *r, struct error *err)
{
	const struct secret_body *body = r->body;

	if (!body->value.given)
		return error_set(err, ERR_BAD_REQUEST,
		    "The request body must contain the property 'properties.value'.");
	return add_version(r, body, err);
}

/* A new value makes a new version; anything else changes the newest. */
static bool
patch(struct request *r, struct error *err)
{
	const struct secret_body *body = r->body;
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (body->value.given)
		return add_version(r, body, err);
	if (!vault_charge(r, THROTTLE_OTHER, NULL, err) ||
	    !object_require(r, &secret_type, r->params[3], V(""), TO_CHANGE, &object, &version,
		err))
		return false;
	return secret_amend(r, body, &object, &version, err) &&
	    reply_secret(r, &object, &version, err);
}

static bool
get(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	return object_require(r, &secret_type, r->params[3], V(""), TO_READ, &object, &version,
		   err) &&
	    reply_secret(r, &object, &version, err);
}

static bool
list(struct request *r, struct error *err)
{
	view after, last, which;
	size_t top;

	if (!arena_print(r->arena, &which, "armsecrets/%s", r->vault->id.text))
		return error_memory(err);
	if (!page_top(r, PAGE_MAX, PAGE_MAX, &top, err) || !page_marker(r, which, &after, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	if (!object_each(r, &secret_type, after, top, write_secret, NULL, &last, err))
		return false;
	json_close(&r->json, ']');
	if (!page_next_arm(r, which, last, err))
		return false;
	json_close(&r->json, '}');
	return true;
}

static bool
run_put(struct request *r, struct error *err)
{
	return on_vault(r, 2, true, put, err);
}

static bool
run_patch(struct request *r, struct error *err)
{
	return on_vault(r, 2, true, patch, err);
}

static bool
run_get(struct request *r, struct error *err)
{
	return on_vault(r, 2, false, get, err);
}

static bool
run_list(struct request *r, struct error *err)
{
	return on_vault(r, 1, false, list, err);
}

/* clang-format off */

#define ROW RESOURCE_ROW(vault_type), .guard = GUARD_SCOPE
#define SECRETS RESOURCE_GROUP_PATH KEYVAULT "/vaults/{vault}/secrets"
#define BODY .body = body_fields, .body_size = sizeof(struct secret_body)

const struct op keyvault_secret_ops[] = {
	{ "VaultSecretPut", ROW, .method = HTTP_PUT, .path = SECRETS "/{secret}",
	    .action = KEYVAULT "/vaults/secrets/write", BODY, .run = run_put },
	{ "VaultSecretPatch", ROW, .method = HTTP_PATCH, .path = SECRETS "/{secret}",
	    .action = KEYVAULT "/vaults/secrets/write", BODY, .run = run_patch },
	{ "VaultSecretGet", ROW, .method = HTTP_GET, .path = SECRETS "/{secret}",
	    .action = KEYVAULT "/vaults/secrets/read", .run = run_get },
	{ "VaultSecretList", ROW, .method = HTTP_GET, .path = SECRETS,
	    .action = KEYVAULT "/vaults/secrets/read", .run = run_list },
	{ 0 },
};

/* clang-format on */
