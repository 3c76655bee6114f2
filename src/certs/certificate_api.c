#include "certs/issue.h"

#include "base/clock.h"
#include "certs/issuer.h"
#include "certs/lifetime.h"
#include "secrets/secret.h"
#include "vault/object_rows.h"

/* The whole certificate with its policy and its operation; a version by itself. */
static bool
run_get(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct certificate_state state;
	bool whole = object_version_param(r).len == 0;
	const struct certificate_shown shown = { whole ? &state : NULL, whole ? &state : NULL };

	if (!certificate_require(r, object_version_param(r), TO_READ, &object, &version, &state,
		err))
		return false;
	certificate_reply(r, &object, &version, &shown);
	return true;
}

/* The key and the secret are enabled and disabled with their certificate. */
static bool
mirror(struct request *r, const struct object_type *type, const struct version *like,
    struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_require(r, type, r->params[0], like->id, TO_CHANGE, &object, &version, err))
		return false;
	version.attributes.enabled = like->attributes.enabled;
	version.attributes.updated = like->attributes.updated;
	return object_write_version(r, type, &object, &version, err);
}

static bool
amend_version(struct request *r, const struct object *object, struct version *version,
    struct error *err)
{
	const struct certificate_body *body = r->body;
	bool issued = !issue_is_provisional(version);

	if (!issue_tags(r, body, &version->tags, err))
		return false;
	if (body->enabled.given && issued)
		version->attributes.enabled = body->enabled.value;
	version->attributes.updated = clock_now();
	return object_write_version(r, &certificate_type, object, version, err) &&
	    (!body->enabled.given || !issued ||
		(mirror(r, &key_type, version, err) && mirror(r, &secret_type, version, err))) &&
	    object_name(r, &certificate_type, object, version->id, err);
}

/* The version that an operation is to complete gets from it what it was given meanwhile. */
static bool
amend_pending(const struct certificate_body *body, const struct version *version,
    struct pending *pending, bool has_pending)
{
	if (!has_pending || pending->status != PENDING_IN_PROGRESS ||
	    !view_eq(pending->version, version->id))
		return false;
	if (body->tags.given)
		pending->tags = version->tags;
	if (body->enabled.given)
		pending->enabled = body->enabled.value;
	return body->tags.given || body->enabled.given;
}

/* A client can't take away what its version does not show it. */
static void
keep_names(const struct request *r, const struct cert_policy_body *body,
    const struct alt_names *before, struct alt_names *names)
{
	for (size_t i = 0; i < ALT_KINDS; i++) {
		if (!body->alt[i].given &&
		    !cert_policy_has_names(r->version->rank, (enum alt_kind)i))
			names->of[i] = before->of[i];
	}
}

static bool
amend_policy(struct request *r, const struct cert_policy_body *body,
    struct certificate_state *state, struct error *err)
{
	struct cert_policy *policy = &state->policy;
	const struct alt_names before = policy->alt;

	if (!cert_policy_fill(body, r->arena, policy, err))
		return false;
	keep_names(r, body, &before, &policy->alt);
	if (!cert_policy_check(policy, r->arena, err) || !key_spec_check(r, &policy->key, err) ||
	    !issue_issuer_check(r, policy, err))
		return false;
	policy->updated = clock_now();
	lifetime_forget_tries(&state->lifetime);
	return true;
}

static bool
run_update(struct request *r, struct error *err)
{
	const struct certificate_body *body = r->body;
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct certificate_state state;
	bool whole = object_version_param(r).len == 0, changed = false;
	const struct certificate_shown shown = { whole ? &state : NULL, &state };

	if (!certificate_require(r, object_version_param(r), TO_CHANGE, &object, &version, &state,
		err))
		return false;
	if (whole && body->policy_given.given) {
		if (!amend_policy(r, &body->policy, &state, err))
			return false;
		changed = true;
	}
	if (!amend_version(r, &object, &version, err))
		return false;
	if (amend_pending(body, &version, &state.pending, state.has_pending))
		changed = true;
	if (changed && !certificate_state_write(r, &object, &state, err))
		return false;
	certificate_reply(r, &object, &version, &shown);
	return true;
}

static bool
run_get_policy(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct certificate_state state;

	if (!certificate_require(r, V(""), TO_READ, &object, &version, &state, err))
		return false;
	certificate_policy_reply(r, &object, &state.policy);
	return true;
}

static bool
run_update_policy(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct certificate_state state;

	if (!certificate_require(r, V(""), TO_CHANGE, &object, &version, &state, err) ||
	    !amend_policy(r, r->body, &state, err) ||
	    !certificate_state_write(r, &object, &state, err) || !lifetime_touch(r, &object, err))
		return false;
	certificate_policy_reply(r, &object, &state.policy);
	return true;
}

/* clang-format off */

#define COSTLY .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.detail = &certificate_type
#define ROW COSTLY, .throttle = THROTTLE_OTHER
#define BODY(fields, type) .body = (fields), .body_size = sizeof(struct type)
#define ACTION(name) .action = "certificates/" name

const struct op certificate_ops[] = {
	{ "CertificateCreate", COSTLY, .method = HTTP_POST, .path = "/certificates/{name}/create",
	  ACTION("create/action"), BODY(certificate_create_fields, certificate_body),
	  .run = certificate_create },
	{ "CertificateImport", COSTLY, .throttle = THROTTLE_SET, .method = HTTP_POST,
	  .path = "/certificates/{name}/import", ACTION("import/action"),
	  BODY(certificate_import_fields, certificate_body), .run = certificate_import },
	{ "CertificateGet", ROW, .method = HTTP_GET, .path = "/certificates/{name}",
	  ACTION("read"), .permission = "get", .run = run_get },
	{ "CertificateGet", ROW, .method = HTTP_GET, .path = "/certificates/{name}/{version}",
	  ACTION("read"), .permission = "get", .run = run_get },
	{ "CertificateUpdate", ROW, .method = HTTP_PATCH, .path = "/certificates/{name}",
	  ACTION("update/action"), BODY(certificate_update_fields, certificate_body),
	  .run = run_update },
	{ "CertificateUpdate", ROW, .method = HTTP_PATCH, .path = "/certificates/{name}/{version}",
	  ACTION("update/action"), BODY(certificate_update_fields, certificate_body),
	  .run = run_update },
	{ "CertificatePolicyGet", ROW, .method = HTTP_GET, .path = "/certificates/{name}/policy",
	  ACTION("read"), .permission = "get", .run = run_get_policy },
	{ "CertificatePolicyUpdate", ROW, .method = HTTP_PATCH,
	  .path = "/certificates/{name}/policy", ACTION("update/action"),
	  BODY(cert_policy_fields, cert_policy_body), .run = run_update_policy },
	{ "CertificateDelete", ROW, .method = HTTP_DELETE, .path = "/certificates/{name}",
	  ACTION("delete"), .run = row_delete },
	{ "CertificateList", ROW, .method = HTTP_GET, .path = "/certificates",
	  ACTION("read"), .permission = "list", .run = row_list },
	{ "CertificateListVersions", ROW, .method = HTTP_GET,
	  .path = "/certificates/{name}/versions", ACTION("read"), .permission = "list",
	  .run = row_list_versions },
	{ "CertificateBackup", ROW, .method = HTTP_POST, .path = "/certificates/{name}/backup",
	  ACTION("backup/action"), .run = row_backup },
	{ "CertificateRestore", ROW, .method = HTTP_POST, .path = "/certificates/restore",
	  ACTION("restore/action"), BODY(object_restore_fields, object_restore_body),
	  .cost = COST_POOL, .run = row_restore },
	{ "CertificateListDeleted", ROW, .method = HTTP_GET, .path = "/deletedcertificates",
	  ACTION("read"), .permission = "list", .run = row_list_deleted },
	{ "CertificateGetDeleted", ROW, .method = HTTP_GET, .path = "/deletedcertificates/{name}",
	  ACTION("read"), .permission = "get", .run = row_get_deleted },
	{ "CertificateRecover", ROW, .method = HTTP_POST,
	  .path = "/deletedcertificates/{name}/recover", ACTION("recover/action"),
	  .run = row_recover },
	{ "CertificatePurge", ROW, .method = HTTP_DELETE, .path = "/deletedcertificates/{name}",
	  ACTION("purge/action"), .run = row_purge },
	{ 0 },
};

/* clang-format on */
