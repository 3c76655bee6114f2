/*
 * Releasing a key to an environment that was attested: the row.  What is looked at, in this order:
 * the key may be released at all; the attestation is genuine; what it says is enough for the key's
 * policy; it holds a key to wrap for.  Reference of the data plane, section 9.7.
 */
#include "base/base64.h"
#include "identity/attestation.h"
#include "keys/key.h"
#include "keys/release.h"
#include "keys/release_target.h"

#define NONCE_MAX 1024

struct release_body {
	struct body_text target, nonce, enc;
};

/* What is to be done; in the arena, so that another thread can do it. */
struct releasing {
	const char *enc;
	enum oaep oaep;
	struct key key; /* with the policy that counts */
	struct attributes attributes;
	struct release_target target;
};

static const struct {
	const char *name;
	enum oaep oaep;
} wrappings[] = {
	{ "CKM_RSA_AES_KEY_WRAP", OAEP_SHA1 }, /* the usual one */
	{ "RSA_AES_KEY_WRAP_256", OAEP_SHA256 },
	{ "RSA_AES_KEY_WRAP_384", OAEP_SHA384 },
};

static bool
wrapping_find(const struct body_text *enc, struct releasing *out, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(wrappings); i++) {
		if (enc->given && !view_eq(enc->text, view_of(wrappings[i].name)))
			continue;
		out->enc = wrappings[i].name;
		out->oaep = wrappings[i].oaep;
		return true;
	}
	return error_set(err, ERR_BAD_PARAMETER, "Invalid enc value: %.*s", VIEW_ARG(enc->text));
}

static bool
releasable(const struct version *version, const struct key *key, struct error *err)
{
	if (!version->attributes.enabled)
		return error_set(err, ERR_KEY_DISABLED,
		    "Operation release is not allowed on a disabled key.");
	return (key->exportable && key->release_policy.len > 0) ||
	    error_set(err, ERR_KEY_OPERATION, "Operation release is not permitted on this key.");
}

/* The version asked for, which may be an older one, with the policy of the latest. */
static bool
find_key(struct request *r, struct releasing *out, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_require(r, &key_type, r->params[0], object_version_param(r), TO_READ, &object,
		&version, err) ||
	    !release_show(r, &object, &version, err) ||
	    !key_of(r, &object, &version, &out->key, err) || !releasable(&version, &out->key, err))
		return false;
	out->attributes = version.attributes;
	return key_keep(r, &out->key, err);
}

static bool
admit(struct request *r, view token, struct releasing *releasing, struct error *err)
{
	struct release_policy policy;
	view authority, claims;

	if (!release_policy_unpack(releasing->key.release_policy, &policy))
		return error_set(err, ERR_CORRUPT, "a key's release policy can't be read");
	if (!attestation_verify(r->services->directory, token, r->arena, &authority, &claims, err))
		return false;
	if (!release_policy_allows(policy.data, authority, claims))
		return error_set(err, ERR_ATTESTATION,
		    "Target environment attestation does not meet key release policy requirements.");
	return release_target_find(claims, r->arena, &releasing->target, err);
}

/* What a key that was wrapped outside looks like, too. */
static bool
write_blob(const struct releasing *releasing, view released, struct json *json, struct error *err)
{
	AUTO(buf_free) struct buf blob = { 0 };
	struct json inner = json_to(&blob);

	json_open(&inner, '{');
	json_text(&inner, "schema_version", V("1.0"));
	json_open_in(&inner, "header", '{');
	json_text(&inner, "kid", releasing->target.kid);
	json_text(&inner, "alg", V("dir"));
	json_text(&inner, "enc", view_of(releasing->enc));
	json_close(&inner, '}');
	json_bytes(&inner, "ciphertext", released);
	json_text(&inner, "generator", V("Strongroom"));
	json_close(&inner, '}');
	if (!buf_ok(&blob))
		return error_memory(err);
	json_bytes(json, "key_hsm", buf_view(&blob));
	return true;
}

static void
write_request(struct request *r, const struct releasing *releasing)
{
	const struct release_body *body = r->body;
	struct json *json = &r->json;

	json_open_in(json, "request", '{');
	json_text(json, "api-version", view_of(r->version->name));
	json_text(json, "enc", view_of(releasing->enc));
	json_text(json, "kid", r->object_id);
	json_text(json, "nonce", body->nonce.text);
	json_close(json, '}');
}

/* To r->json. */
static bool
write_payload(struct request *r, const struct releasing *releasing, view released,
    struct error *err)
{
	struct json *json = &r->json;

	json_open(json, '{');
	write_request(r, releasing);
	json_open_in(json, "response", '{');
	json_open_in(json, "key", '{');
	json_open_in(json, "key", '{');
	json_text(json, "kid", r->object_id);
	key_write_public(json, &releasing->key);
	if (!write_blob(releasing, released, json, err))
		return false;
	json_close(json, '}');
	key_write_attributes(r, &releasing->attributes, &releasing->key, false);
	key_write_policy(json, &releasing->key);
	json_close(json, '}');
	json_close(json, '}');
	json_close(json, '}');
	return true;
}

static bool
reply(struct request *r, const struct releasing *releasing, view released, struct error *err)
{
	AUTO(buf_free) struct buf payload = { 0 }, statement = { 0 };
	struct json *json;

	r->json = json_to(&payload);
	if (!write_payload(r, releasing, released, err))
		return false;
	if (!buf_ok(&payload))
		return error_memory(err);
	if (!r->services->sign(r->services->authority, buf_view(&payload), &statement, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	json_text(json, "value", buf_view(&statement));
	json_close(json, '}');
	return true;
}

static bool
work_release(struct request *r, struct error *err)
{
	AUTO(public_key_done) struct public_key *target = NULL;
	const struct releasing *releasing = r->deferred;
	view released;

	return public_key_from_rsa(releasing->target.n, releasing->target.e, &target, err) &&
	    material_release(r->services->keyring, r->vault->key, &releasing->key.material, target,
		releasing->oaep, r->arena, &released, err) &&
	    reply(r, releasing, released, err);
}

static bool
run_release(struct request *r, struct error *err)
{
	const struct release_body *body = r->body;
	struct releasing *releasing = arena_alloc(r->arena, sizeof(*releasing));

	if (releasing == NULL)
		return error_memory(err);
	if (r->version->rank < VERSION_7_3)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Key release needs api-version 7.3 or later.");
	return wrapping_find(&body->enc, releasing, err) && find_key(r, releasing, err) &&
	    key_charge_create(r, &releasing->key.material.spec, err) &&
	    admit(r, body->target.text, releasing, err) &&
	    request_defer(r, WORK_BURNS, work_release, NULL, releasing);
}

/* clang-format off */

static const struct field release_fields[] = {
	{ .name = "target", .kind = FIELD_TEXT, .max = JWT_MAX, .required = true,
	  .offset = offsetof(struct release_body, target) },
	{ .name = "nonce", .kind = FIELD_TEXT, .max = NONCE_MAX,
	  .offset = offsetof(struct release_body, nonce) },
	{ .name = "enc", .kind = FIELD_TEXT, .max = 32,
	  .offset = offsetof(struct release_body, enc) },
	{ 0 },
};

#define ROW .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.method = HTTP_POST, .action = "keys/release/action", .body = release_fields, \
	.body_size = sizeof(struct release_body), .run = run_release

const struct op key_release_ops[] = {
	{ "KeyRelease", ROW, .path = "/keys/{name}/release" },
	{ "KeyRelease", ROW, .path = "/keys/{name}/{version}/release" },
	{ 0 },
};

/* clang-format on */
