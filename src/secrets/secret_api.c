#include "secrets/secret.h"

#include "api/body.h"
#include "base/base64.h"
#include "base/clock.h"
#include "pki/bundle.h"
#include "vault/attributes.h"
#include "vault/object_rows.h"

/* clang-format off */

#define COMMON_FIELDS \
	{ .name = "contentType", .kind = FIELD_TEXT, .max = (size_t)SECRET_CONTENT_TYPE_MAX * 4, \
	  .offset = offsetof(struct secret_body, content_type) }, \
	{ .name = "tags", .kind = FIELD_TAGS, .max = OBJECT_TAGS_MAX, \
	  .offset = offsetof(struct secret_body, tags) }, \
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attributes_fields, \
	  .offset = offsetof(struct secret_body, attributes) }

static const struct field set_fields[] = {
	{ .name = "value", .kind = FIELD_TEXT, .max = SECRET_VALUE_MAX, .required = true,
	  .offset = offsetof(struct secret_body, value) },
	COMMON_FIELDS,
	{ 0 },
};

static const struct field update_fields[] = {
	COMMON_FIELDS,
	{ 0 },
};

/* clang-format on */

enum value_shown { AS_ITEM, WITHOUT_VALUE, WITH_VALUE };

/* Members in the original's order. */
static void
write_members(struct request *r, const struct object *object, const struct version *version,
    const struct secret *secret, enum value_shown shown, view id_version)
{
	struct json *json = &r->json;

	if (shown == WITH_VALUE)
		json_text(json, "value", secret->value);
	if (secret->has_content_type)
		json_text(json, "contentType", secret->content_type);
	write_id(r, "id", secret_type.collection, object, id_version);
	write_managed(r, object);
	write_attributes(r, &version->attributes);
	write_tags(r, version->tags);
	if (object->managed && shown != AS_ITEM)
		write_id(r, "kid", "keys", object, version->id);
}

static void
write_bundle(struct request *r, const struct object *object, const struct version *version,
    enum value_shown shown, view id_version)
{
	struct secret secret;

	if (!secret_unpack(version->content, &secret))
		secret = (struct secret){ 0 };
	write_members(r, object, version, &secret, shown, id_version);
}

static void
write_secret(struct request *r, const struct object *object, const struct version *version)
{
	write_bundle(r, object, version, WITHOUT_VALUE, version->id);
}

static void
write_item(struct request *r, const struct object *object, const struct version *version,
    bool versioned)
{
	write_bundle(r, object, version, AS_ITEM, versioned ? version->id : V(""));
}

static const char *const reserved[] = { "restore", NULL };

const struct object_type secret_type = {
	.letter = 's',
	.noun = "secret",
	.title = "Secret",
	.collection = "secrets",
	.deleted = "deletedsecrets",
	.not_found = ERR_SECRET_NOT_FOUND,
	.disabled = ERR_SECRET_DISABLED,
	.managed = ERR_SECRET_MANAGED,
	.tag_name_max = 512,
	.tag_value_max = 512,
	.reserved = reserved,
	.write = write_secret,
	.write_item = write_item,
};

static void
reply_bundle(struct request *r, const struct object *object, const struct version *version,
    enum value_shown shown)
{
	json_open(reply_json(r), '{');
	write_bundle(r, object, version, shown, version->id);
	json_close(&r->json, '}');
}

bool
secret_fill(struct request *r, const struct secret_body *body, const struct secret *secret,
    struct version *version, struct error *err)
{
	AUTO(buf_free) struct buf content = { 0 };

	if (utf8_length(secret->content_type) > SECRET_CONTENT_TYPE_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Property contentType has invalid value\r\n");
	secret_pack(secret, &content);
	if (!buf_ok(&content) || !arena_copy(r->arena, buf_view(&content), &version->content))
		return error_memory(err);
	if (body->tags.given &&
	    !tags_pack(&secret_type, &body->tags, r->arena, &version->tags, err))
		return false;
	return attributes_apply(&body->attributes, &version->attributes, err);
}

static bool
run_set(struct request *r, struct error *err)
{
	const struct secret_body *body = r->body;
	const struct secret secret = {
		.has_content_type = body->content_type.given,
		.content_type = body->content_type.text,
		.value = body->value.text,
	};
	AUTO(object_done) struct object object = { 0 };
	struct version version = { .attributes = { .enabled = true } };

	if (!object_name_check(r->params[0], err) ||
	    !secret_fill(r, body, &secret, &version, err) ||
	    !object_add_version(r, &secret_type, r->params[0], &object, &version, err))
		return false;
	reply_bundle(r, &object, &version, WITH_VALUE);
	return true;
}

bool
secret_amend(struct request *r, const struct secret_body *body, const struct object *object,
    struct version *version, struct error *err)
{
	struct secret secret;

	if (!object_refuse_managed(&secret_type, object, "update", err))
		return false;
	if (!secret_unpack(version->content, &secret))
		return error_set(err, ERR_CORRUPT, "a secret's content can't be read");
	if (body->content_type.given) {
		secret.has_content_type = true;
		secret.content_type = body->content_type.text;
	}
	if (!secret_fill(r, body, &secret, version, err))
		return false;
	version->attributes.updated = clock_now();
	return object_write_version(r, &secret_type, object, version, err);
}

/* The value of a certificate's secret, taken apart and put together as PEM. */
static bool
pfx_to_pem(struct request *r, view value, struct plain **out, struct error *err)
{
	AUTO(bundle_free) struct bundle bundle = { 0 };
	char *pfx = arena_alloc(r->arena, value.len + 1);
	size_t len;

	if (pfx == NULL)
		return error_memory(err);
	return (base64_decode(BASE64, value, pfx, &len) ||
		   error_set(err, ERR_CORRUPT, "a certificate's secret can't be read")) &&
	    bundle_from_pfx((view){ pfx, len }, V(""), r->arena, &bundle, err) &&
	    bundle_to_pem(plain_view(bundle.key), &bundle.certificates, out, err);
}

/*
 * The original: a certificate's secret is given as PEM when it is asked for so; nothing else is
 * converted.  ${out}'s value is ${value}'s then.
 */
static bool
convert(struct request *r, const struct object *object, struct secret *out, struct plain **value,
    struct error *err)
{
	view type;

	if (r->version->rank < VERSION_2025_07_01 || !request_query(r, "outContentType", &type) ||
	    type.len == 0)
		return true;
	if (object->managed && view_eq(type, out->content_type))
		return true;
	if (!object->managed || !view_eq(type, V(SECRET_PEM)))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The content type of the secret can't be converted to '%.*s'.", VIEW_ARG(type));
	if (!pfx_to_pem(r, out->value, value, err))
		return false;
	out->content_type = V(SECRET_PEM);
	out->value = plain_view(*value);
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	AUTO(plain_done) struct plain *converted = NULL;
	struct secret secret;

	if (!object_require(r, &secret_type, r->params[0], object_version_param(r), TO_READ,
		&object, &version, err))
		return false;
	/* Dates only inform: a secret is given outside them too. */
	if (!version.attributes.enabled)
		return error_set(err, ERR_SECRET_DISABLED,
		    "Operation get is not allowed on a disabled secret.");
	if (!secret_unpack(version.content, &secret))
		return error_set(err, ERR_CORRUPT, "a secret's content can't be read");
	if (!convert(r, &object, &secret, &converted, err))
		return false;
	json_open(reply_json(r), '{');
	write_members(r, &object, &version, &secret, WITH_VALUE, version.id);
	json_close(&r->json, '}');
	return true;
}

static bool
run_update(struct request *r, struct error *err)
{
	const struct secret_body *body = r->body;
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_require(r, &secret_type, r->params[0], object_version_param(r), TO_CHANGE,
		&object, &version, err))
		return false;
	if (!secret_amend(r, body, &object, &version, err))
		return false;
	reply_bundle(r, &object, &version, WITHOUT_VALUE);
	return true;
}

/* clang-format off */

#define SET .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.throttle = THROTTLE_SET
#define ROW .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.throttle = THROTTLE_OTHER, .detail = &secret_type
#define SET_BODY .body = set_fields, .body_size = sizeof(struct secret_body)
#define UPDATE_BODY .body = update_fields, .body_size = sizeof(struct secret_body)
#define RESTORE_BODY .body = object_restore_fields, \
	.body_size = sizeof(struct object_restore_body)
#define ACTION(name) .action = "secrets/" name

const struct op secret_ops[] = {
	{ "SecretSet", SET, .method = HTTP_PUT, .path = "/secrets/{name}",
	  ACTION("setSecret/action"), SET_BODY, .run = run_set },
	{ "SecretGet", ROW, .method = HTTP_GET, .path = "/secrets/{name}",
	  ACTION("getSecret/action"), .run = run_get },
	{ "SecretGet", ROW, .method = HTTP_GET, .path = "/secrets/{name}/{version}",
	  ACTION("getSecret/action"), .run = run_get },
	{ "SecretUpdate", ROW, .method = HTTP_PATCH, .path = "/secrets/{name}",
	  ACTION("update/action"), UPDATE_BODY, .run = run_update },
	{ "SecretUpdate", ROW, .method = HTTP_PATCH, .path = "/secrets/{name}/{version}",
	  ACTION("update/action"), UPDATE_BODY, .run = run_update },
	{ "SecretDelete", ROW, .method = HTTP_DELETE, .path = "/secrets/{name}",
	  ACTION("delete"), .run = row_delete },
	{ "SecretList", ROW, .method = HTTP_GET, .path = "/secrets",
	  ACTION("readMetadata/action"), .run = row_list },
	{ "SecretListVersions", ROW, .method = HTTP_GET, .path = "/secrets/{name}/versions",
	  ACTION("readMetadata/action"), .run = row_list_versions },
	{ "SecretBackup", ROW, .method = HTTP_POST, .path = "/secrets/{name}/backup",
	  ACTION("backup/action"), .run = row_backup },
	{ "SecretRestore", ROW, .method = HTTP_POST, .path = "/secrets/restore",
	  ACTION("restore/action"), RESTORE_BODY, .run = row_restore },
	{ "SecretListDeleted", ROW, .method = HTTP_GET, .path = "/deletedsecrets",
	  ACTION("readMetadata/action"), .run = row_list_deleted },
	{ "SecretGetDeleted", ROW, .method = HTTP_GET, .path = "/deletedsecrets/{name}",
	  ACTION("readMetadata/action"), .permission = "get", .run = row_get_deleted },
	{ "SecretRecover", ROW, .method = HTTP_POST, .path = "/deletedsecrets/{name}/recover",
	  ACTION("recover/action"), .run = row_recover },
	{ "SecretPurge", ROW, .method = HTTP_DELETE, .path = "/deletedsecrets/{name}",
	  ACTION("purge/action"), .run = row_purge },
	{ 0 },
};

/* clang-format on */
