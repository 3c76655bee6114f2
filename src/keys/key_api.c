#include "keys/key_body.h"
#include "keys/key_make.h"

#include "base/clock.h"
#include "crypto/random.h"

#include <string.h>

/* A disabled key is shown like any other: only its use is refused. */
static bool
run_get(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_require(r, &key_type, r->params[0], object_version_param(r), TO_READ, &object,
		&version, err))
		return false;
	key_reply(r, &object, &version);
	return true;
}

/* There is nothing an attestation could be made of: the keys are this process's own. */
static bool
run_get_attestation(struct request *r, struct error *err)
{
	if (r->version->rank < VERSION_7_6)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Key attestation needs api-version 7.6 or later.");
	return run_get(r, err);
}

/* The token knows, from the beginning, what a key exchange key may do. */
static bool
amend_ops(const struct key_common_body *body, struct key *key, struct error *err)
{
	struct key_spec before = key->material.spec;

	if (!body->ops.given)
		return true;
	return key_ops_read(&body->ops, &before, &key->ops, err) &&
	    key_exchange_set(&key->ops, &key->material.spec, err) &&
	    (key->material.spec.exchange == before.exchange ||
		error_set(err, ERR_BAD_PARAMETER,
		    "A key can't become, or cease to be, a key exchange key."));
}

static bool
amend(struct request *r, const struct key_common_body *body, const struct object *object,
    struct version *version, struct error *err)
{
	struct key key;

	if (!key_of(r, object, version, &key, err) || !key_exportable_check(body, err) ||
	    !amend_ops(body, &key, err))
		return false;
	if (body->tags.given && !tags_pack(&key_type, &body->tags, r->arena, &version->tags, err))
		return false;
	if (!attributes_apply(&body->attributes, &version->attributes, err) ||
	    !key_put(r, &key, version, err))
		return false;
	version->attributes.updated = clock_now();
	return object_write_version(r, &key_type, object, version, err);
}

static bool
run_update(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_require(r, &key_type, r->params[0], object_version_param(r), TO_CHANGE, &object,
		&version, err) ||
	    !amend(r, r->body, &object, &version, err))
		return false;
	key_reply(r, &object, &version);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	return object_delete(r, &key_type, err);
}

static bool
run_list(struct request *r, struct error *err)
{
	return object_list(r, &key_type, OBJECT_LIVE, err);
}

static bool
run_list_versions(struct request *r, struct error *err)
{
	return object_list_versions(r, &key_type, err);
}

static bool
run_list_deleted(struct request *r, struct error *err)
{
	return object_list(r, &key_type, OBJECT_DELETED, err);
}

static bool
run_get_deleted(struct request *r, struct error *err)
{
	return object_get_deleted(r, &key_type, err);
}

static bool
run_recover(struct request *r, struct error *err)
{
	return object_recover(r, &key_type, err);
}

static bool
run_purge(struct request *r, struct error *err)
{
	return object_purge(r, &key_type, err);
}

static bool
run_backup(struct request *r, struct error *err)
{
	return object_backup(r, &key_type, err);
}

static bool
run_restore(struct request *r, struct error *err)
{
	const struct object_restore_body *body = r->body;

	return object_restore(r, &key_type, body->value.text, err);
}

/* A managed HSM's operation, with a permission of its own: random bytes for whoever may ask. */
static bool
run_random(struct request *r, struct error *err)
{
	const struct key_random_body *body = r->body;
	char bytes[KEY_RANDOM_MAX];

	if (body->count.value < 1 || body->count.value > KEY_RANDOM_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The property \"count\" must be between 1 and %d.", KEY_RANDOM_MAX);
	random_bytes(bytes, (size_t)body->count.value);
	reply_json(r);
	json_open(&r->json, '{');
	json_bytes(&r->json, "value", (view){ bytes, (size_t)body->count.value });
	json_close(&r->json, '}');
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

/* clang-format off */

#define COSTLY .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT
#define ROW COSTLY, .throttle = THROTTLE_SOFT_USE
#define BODY(fields, type) .body = (fields), .body_size = sizeof(struct type)
#define ACTION(name) .action = "keys/" name

const struct op key_ops_table[] = {
	{ "KeyCreate", COSTLY, .method = HTTP_POST, .path = "/keys/{name}/create",
	  ACTION("create/action"), BODY(key_create_fields, key_create_body), .run = key_create },
	{ "KeyImport", COSTLY, .throttle = THROTTLE_SET, .method = HTTP_PUT, .path = "/keys/{name}",
	  ACTION("import/action"), BODY(key_import_fields, key_import_body), .run = key_import },
	{ "KeyRotate", COSTLY, .method = HTTP_POST, .path = "/keys/{name}/rotate",
	  ACTION("rotate/action"), .run = key_rotate },
	{ "KeyGet", ROW, .method = HTTP_GET, .path = "/keys/{name}",
	  ACTION("read"), .permission = "get", .run = run_get },
	{ "KeyGet", ROW, .method = HTTP_GET, .path = "/keys/{name}/{version}",
	  ACTION("read"), .permission = "get", .run = run_get },
	{ "KeyGetAttestation", ROW, .method = HTTP_GET, .path = "/keys/{name}/{version}/attestation",
	  ACTION("read"), .permission = "get", .run = run_get_attestation },
	{ "KeyUpdate", ROW, .method = HTTP_PATCH, .path = "/keys/{name}",
	  ACTION("update/action"), BODY(key_update_fields, key_common_body), .run = run_update },
	{ "KeyUpdate", ROW, .method = HTTP_PATCH, .path = "/keys/{name}/{version}",
	  ACTION("update/action"), BODY(key_update_fields, key_common_body), .run = run_update },
	{ "KeyDelete", ROW, .method = HTTP_DELETE, .path = "/keys/{name}",
	  ACTION("delete"), .run = run_delete },
	{ "KeyList", ROW, .method = HTTP_GET, .path = "/keys",
	  ACTION("read"), .permission = "list", .run = run_list },
	{ "KeyListVersions", ROW, .method = HTTP_GET, .path = "/keys/{name}/versions",
	  ACTION("read"), .permission = "list", .run = run_list_versions },
	{ "KeyBackup", ROW, .method = HTTP_POST, .path = "/keys/{name}/backup",
	  ACTION("backup/action"), .run = run_backup },
	{ "KeyRestore", ROW, .method = HTTP_POST, .path = "/keys/restore",
	  ACTION("restore/action"), BODY(object_restore_fields, object_restore_body), .cost = COST_POOL,
	  .run = run_restore },
	{ "KeyListDeleted", ROW, .method = HTTP_GET, .path = "/deletedkeys",
	  ACTION("read"), .permission = "list", .run = run_list_deleted },
	{ "KeyGetDeleted", ROW, .method = HTTP_GET, .path = "/deletedkeys/{name}",
	  ACTION("read"), .permission = "get", .run = run_get_deleted },
	{ "KeyRecover", ROW, .method = HTTP_POST, .path = "/deletedkeys/{name}/recover",
	  ACTION("recover/action"), .run = run_recover },
	{ "KeyPurge", ROW, .method = HTTP_DELETE, .path = "/deletedkeys/{name}",
	  ACTION("purge/action"), .run = run_purge },
	{ "RandomBytesGet", ROW, .method = HTTP_POST, .path = "/rng",
	  ACTION("rng/action"), .permission = "get", BODY(key_random_fields, key_random_body),
	  .run = run_random },
	{ 0 },
};

/* clang-format on */
