#include "keys/key_body.h"
#include "keys/key_make.h"
#include "keys/rotation.h"

#include "base/clock.h"
#include "vault/object_rows.h"

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

static bool
amend(struct request *r, const struct key_common_body *body, const struct object *object,
    struct version *version, struct error *err)
{
	struct key key;

	if (!object_refuse_managed(&key_type, object, "update", err) ||
	    !key_of(r, object, version, &key, err) || !key_exportable_check(body, err))
		return false;
	if (body->ops.given && !key_ops_read(&body->ops, &key.material.spec, &key.ops, err))
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

/* clang-format off */

#define COSTLY .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT
#define ROW COSTLY, .throttle = THROTTLE_SOFT_USE, .detail = &key_type
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
	{ "KeyRotationPolicyGet", ROW, .method = HTTP_GET, .path = "/keys/{name}/rotationpolicy",
	  .action = "keyrotationpolicies/read", .run = rotation_policy_get },
	{ "KeyRotationPolicySet", ROW, .method = HTTP_PUT, .path = "/keys/{name}/rotationpolicy",
	  .action = "keyrotationpolicies/write",
	  BODY(rotation_policy_fields, rotation_policy_body), .run = rotation_policy_set },
	{ "KeyUpdate", ROW, .method = HTTP_PATCH, .path = "/keys/{name}",
	  ACTION("update/action"), BODY(key_update_fields, key_common_body), .run = run_update },
	{ "KeyUpdate", ROW, .method = HTTP_PATCH, .path = "/keys/{name}/{version}",
	  ACTION("update/action"), BODY(key_update_fields, key_common_body), .run = run_update },
	{ "KeyDelete", ROW, .method = HTTP_DELETE, .path = "/keys/{name}",
	  ACTION("delete"), .run = row_delete },
	{ "KeyList", ROW, .method = HTTP_GET, .path = "/keys",
	  ACTION("read"), .permission = "list", .run = row_list },
	{ "KeyListVersions", ROW, .method = HTTP_GET, .path = "/keys/{name}/versions",
	  ACTION("read"), .permission = "list", .run = row_list_versions },
	{ "KeyBackup", ROW, .method = HTTP_POST, .path = "/keys/{name}/backup",
	  ACTION("backup/action"), .run = row_backup },
	{ "KeyRestore", ROW, .method = HTTP_POST, .path = "/keys/restore",
	  ACTION("restore/action"), BODY(object_restore_fields, object_restore_body), .cost = COST_POOL,
	  .run = row_restore },
	{ "KeyListDeleted", ROW, .method = HTTP_GET, .path = "/deletedkeys",
	  ACTION("read"), .permission = "list", .run = row_list_deleted },
	{ "KeyGetDeleted", ROW, .method = HTTP_GET, .path = "/deletedkeys/{name}",
	  ACTION("read"), .permission = "get", .run = row_get_deleted },
	{ "KeyRecover", ROW, .method = HTTP_POST, .path = "/deletedkeys/{name}/recover",
	  ACTION("recover/action"), .run = row_recover },
	{ "KeyPurge", ROW, .method = HTTP_DELETE, .path = "/deletedkeys/{name}",
	  ACTION("purge/action"), .run = row_purge },
	{ 0 },
};

/* clang-format on */
