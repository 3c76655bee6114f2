/*
 * Using a key: encrypt, decrypt, wrap, unwrap, sign, verify.  What is cheap is done at once, on the
 * loop; what burns goes to threads of its own.
 */
#include "keys/key_body.h"

#include "base/clock.h"

#define VALUE_TEXT_MAX 65536

/* Clients' clocks are a little off. */
#define SKEW_SECONDS 300

struct use_body {
	struct body_text alg, value, digest, iv, aad, tag;
};

/* A kind of use: the rows' own data. */
struct key_row {
	enum key_use use;
	const char *op; /* what key_ops calls it */
	bool (*has)(const struct key_algorithm *algorithm);
	bool windowed; /* refused before nbf and after exp: what makes something new */
};

static bool
encrypts(const struct key_algorithm *algorithm)
{
	return algorithm->encrypts;
}

static bool
wraps(const struct key_algorithm *algorithm)
{
	return algorithm->wraps;
}

static bool
signs(const struct key_algorithm *algorithm)
{
	return algorithm->signs;
}

static const struct key_row row_encrypt = { KEY_ENCRYPT, "encrypt", encrypts, true };
static const struct key_row row_decrypt = { KEY_DECRYPT, "decrypt", encrypts, false };
static const struct key_row row_wrap = { KEY_ENCRYPT, "wrapKey", wraps, true };
static const struct key_row row_unwrap = { KEY_DECRYPT, "unwrapKey", wraps, false };
static const struct key_row row_sign = { KEY_SIGN, "sign", signs, true };
static const struct key_row row_verify = { KEY_VERIFY, "verify", signs, false };

/* What is to be done; in the arena, so that another thread can do it. */
struct using
{
	const struct key_algorithm *algorithm;
	enum key_use use;
	struct key key;
	struct key_message in;
};

static bool
read_message(const struct key_row *row, const struct use_body *body, struct arena *arena,
    struct key_message *out, struct error *err)
{
	bool verify = row->use == KEY_VERIFY;

	if (!key_bytes("iv", &body->iv, arena, &out->iv, err) ||
	    !key_bytes("aad", &body->aad, arena, &out->aad, err) ||
	    !key_bytes("tag", &body->tag, arena, &out->tag, err))
		return false;
	if (!verify)
		return key_bytes("value", &body->value, arena, &out->value, err);
	return key_bytes("digest", &body->digest, arena, &out->value, err) &&
	    key_bytes("value", &body->value, arena, &out->signature, err);
}

static bool
find_algorithm(const struct key_row *row, view name, const struct key_algorithm **out,
    struct error *err)
{
	const struct key_algorithm *algorithm = key_algorithm_find(name);

	if (algorithm == NULL || !row->has(algorithm))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The algorithm '%.*s' is not available for the operation %s.", VIEW_ARG(name),
		    row->op);
	*out = algorithm;
	return true;
}

static bool
check_window(const struct key_row *row, const struct attributes *attributes, struct error *err)
{
	int64_t now = clock_now();

	if (!row->windowed)
		return true;
	if (attributes->has_nbf && now + SKEW_SECONDS < attributes->nbf)
		return error_set(err, ERR_KEY_NOT_YET_VALID,
		    "Operation %s is not allowed on a key that is not yet valid.", row->op);
	if (attributes->has_exp && now - SKEW_SECONDS > attributes->exp)
		return error_set(err, ERR_KEY_EXPIRED,
		    "Operation %s is not allowed on an expired key.", row->op);
	return true;
}

/* Reference of the data plane, section 9.5. */
static bool
check_state(const struct key_row *row, const struct version *version, const struct key *key,
    struct error *err)
{
	if (!version->attributes.enabled)
		return error_set(err, ERR_KEY_DISABLED,
		    "Operation %s is not allowed on a disabled key.", row->op);
	if (!check_window(row, &version->attributes, err))
		return false;
	return key_ops_have(&key->ops, view_of(row->op)) ||
	    error_set(err, ERR_KEY_OPERATION, "Operation %s is not permitted on this key.",
		row->op);
}

static bool
check_fit(const struct using *using, struct error *err)
{
	return key_algorithm_fits(using->algorithm, &using->key.material.spec) ||
	    error_set(err, ERR_BAD_PARAMETER,
		"Key and signing/encryption algorithm '%s' are incompatible: incorrect key type, "
		"curve or size.",
		using->algorithm->name);
}

static void
write_result(struct request *r, const struct using *using, const struct key_result *result)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	if (using->use == KEY_VERIFY) {
		json_flag(json, "value", result->verified);
		json_close(json, '}');
		return;
	}
	json_text(json, "kid", r->object_id);
	json_bytes(json, "value", result->value);
	if (result->iv.len > 0)
		json_bytes(json, "iv", result->iv);
	if (result->tag.len > 0)
		json_bytes(json, "tag", result->tag);
	if (result->tag.len > 0 && using->in.aad.len > 0)
		json_bytes(json, "aad", using->in.aad);
	json_close(json, '}');
}

static bool
work_use(struct request *r, struct error *err)
{
	const struct using *using = r->deferred;
	struct key_result result = { 0 };

	if (!material_use(r->services->keyring, r->vault->key, r->key_ticket, &using->key.material,
		using->algorithm, using->use, &using->in, r->arena, &result, err))
		return false;
	write_result(r, using, &result);
	return true;
}

/* At once, from the snapshot's document; or later, from a copy. */
static bool
use_or_defer(struct request *r, struct using *using, struct error *err)
{
	enum workplace place = using->key.material.spec.hsm ? WORK_BURNS : WORK_BRIEF;

	r->deferred = using;
	if (!material_burns(&using->key.material, using->algorithm, using->use))
		return work_use(r, err);
	return key_keep(r, &using->key, err) && request_defer(r, place, work_use, NULL, using);
}

static bool
run_use(struct request *r, struct error *err)
{
	const struct key_row *row = r->op->detail;
	const struct use_body *body = r->body;
	struct using *using = arena_alloc(r->arena, sizeof(*using));
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (using == NULL)
		return error_memory(err);
	using->use = row->use;
	return find_algorithm(row, body->alg.text, &using->algorithm, err) &&
	    read_message(row, body, r->arena, &using->in, err) &&
	    object_require(r, &key_type, r->params[0], object_version_param(r), TO_READ, &object,
		&version, err) &&
	    key_of(r, &object, &version, &using->key, err) &&
	    check_state(row, &version, &using->key, err) && check_fit(using, err) &&
	    key_charge_use(r, &using->key.material.spec, err) && use_or_defer(r, using, err);
}

/* clang-format off */

#define TEXT(called, limit, needed) \
	{ .name = #called, .kind = FIELD_TEXT, .max = (limit), .required = (needed), \
	  .offset = offsetof(struct use_body, called) }

static const struct field use_fields[] = {
	TEXT(alg, 32, true), TEXT(value, VALUE_TEXT_MAX, true),
	TEXT(iv, 64, false), TEXT(aad, VALUE_TEXT_MAX, false), TEXT(tag, 64, false),
	{ 0 },
};

static const struct field verify_fields[] = {
	TEXT(alg, 32, true), TEXT(digest, 1024, true), TEXT(value, VALUE_TEXT_MAX, true),
	{ 0 },
};

#define ROW .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.method = HTTP_POST, .run = run_use, .body_size = sizeof(struct use_body)
#define ROWS(name, verb, action_name, row, fields) \
	{ name, ROW, .path = "/keys/{name}/" verb, .action = "keys/" action_name "/action", \
	  .body = (fields), .detail = &(row) }, \
	{ name, ROW, .path = "/keys/{name}/{version}/" verb, \
	  .action = "keys/" action_name "/action", .body = (fields), .detail = &(row) }

const struct op key_use_ops[] = {
	ROWS("KeyEncrypt", "encrypt", "encrypt", row_encrypt, use_fields),
	ROWS("KeyDecrypt", "decrypt", "decrypt", row_decrypt, use_fields),
	ROWS("KeyWrap", "wrapkey", "wrap", row_wrap, use_fields),
	ROWS("KeyUnwrap", "unwrapkey", "unwrap", row_unwrap, use_fields),
	ROWS("KeySign", "sign", "sign", row_sign, use_fields),
	ROWS("KeyVerify", "verify", "verify", row_verify, verify_fields),
	{ 0 },
};

/* clang-format on */
