/*
 * Keys from outside that were wrapped for a key of the token's: what they are is only known inside
 * it.  Reference of the data plane, section 9.7.
 */
#include "keyring/token_private.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "keyring/software.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAX 66 /* bytes of P-521's coordinates */
#define CURVE_MAX 16 /* bytes of a curve's object identifier */
#define KWP_OVERHEAD 8

/* The one who sent it may be wrong in many ways, and is not told in which. */
static bool
unfit(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "The property \"key_hsm\" is not a key that was wrapped for this key exchange key.");
}

/* A call over what the caller sent was answered with ${rv}. */
static bool
refused(struct visit *visit, CK_RV rv, struct error *err)
{
	return visit_blames_caller(visit, rv) ? unfit(err) : visit_failed(visit, rv, err);
}

/* What the token can't use is not what it was said to be. */
static bool
unusable(struct error *err)
{
	return err->code == ERR_INTERNAL ? unfit(err) : false;
}

static bool
unwrap(struct visit *visit, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE under, view wrapped,
    struct template *template, struct draft *out, struct error *err)
{
	CK_RV rv = visit->token->calls->C_UnwrapKey(visit->session, mechanism, under,
	    (unsigned char *)(uintptr_t)octets(wrapped), wrapped.len, template->rows,
	    template->count, &out->key);

	if (rv == CKR_OK)
		return true;
	out->key = CK_INVALID_HANDLE;
	return refused(visit, rv, err);
}

/* The AES key that the other one is wrapped under: it is gone with the session. */
static bool
unwrap_transport(struct visit *visit, CK_OBJECT_HANDLE exchange, view wrapped, struct draft *out,
    struct error *err)
{
	CK_RSA_PKCS_OAEP_PARAMS params = { .hashAlg = CKM_SHA_1,
		.mgf = CKG_MGF1_SHA1,
		.source = CKZ_DATA_SPECIFIED };
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_OAEP, &params, sizeof(params) };
	const struct key_spec aes = { .kind = KEY_OCT };
	struct template template = { .count = 0 };

	template_describe(&template, &aes);
	template_add_bool(&template, CKA_TOKEN, false);
	template_add_bool(&template, CKA_EXTRACTABLE, false);
	template_add_bool(&template, CKA_UNWRAP, true);
	return unwrap(visit, &mechanism, exchange, wrapped, &template, out, err);
}

static bool
unwrap_key(struct visit *visit, const struct key_spec *spec, CK_OBJECT_HANDLE transport,
    view wrapped, struct draft *out, struct error *err)
{
	CK_MECHANISM mechanism = { visit->token->wrap_keys, NULL, 0 };
	struct template template = { .count = 0 };

	template_draft(&template, spec);
	if (spec->kind == KEY_EC)
		template_add_bool(&template, CKA_DERIVE, true); /* see find_point */
	return unwrap(visit, &mechanism, transport, wrapped, &template, out, err);
}

/* What it turned out to be */

static bool
known_size(struct key_spec *spec, size_t len, unsigned smallest, unsigned step, struct error *err)
{
	for (unsigned bits = smallest; bits <= smallest + 2 * step; bits += step) {
		if (len == bits / 8) {
			spec->bits = bits;
			return true;
		}
	}
	return unfit(err);
}

static bool
learn_rsa(const struct draft *draft, struct key_spec *spec, struct arena *arena,
    struct key_numbers *public, struct error *err)
{
	return token_read_rsa(draft->visit, draft->key, arena, public, err) &&
	    known_size(spec, public->n.len, 2048, 1024, err);
}

/* Tokens may not tell how long what they unwrapped is (SoftHSM: 0); encrypting proves it. */
static bool
learn_oct(const struct draft *draft, struct key_spec *spec, view wrapped, struct arena *arena,
    struct error *err)
{
	char name[sizeof("A256CBC")];
	const struct key_message block = { .value = V("sixteen octets.."),
		.iv = V("sixteen octets..") };
	struct job job = { draft->visit, spec, NULL, draft->key, true, &block, arena };
	struct key_result result;

	if (!known_size(spec, wrapped.len - KWP_OVERHEAD, 128, 64, err))
		return false;
	(void)snprintf(name, sizeof(name), "A%uCBC", spec->bits);
	job.algorithm = key_algorithm_find(view_of(name));
	return job_use(&job, KEY_ENCRYPT, &result, err) || unusable(err);
}

static bool
same_curve(const struct draft *draft, const struct key_spec *spec, struct error *err)
{
	char bytes[CURVE_MAX];
	view params;

	return token_read(draft->visit, draft->key, CKA_EC_PARAMS, bytes, sizeof(bytes), &params,
		   err) &&
	    (view_eq(params, token_curve(spec->curve)) || unfit(err));
}

static EC_GROUP *
group_of(enum key_curve curve)
{
	view oid = token_curve(curve);
	const unsigned char *der = octets(oid);
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &der, (long)oid.len);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_obj2nid(object));

	ASN1_OBJECT_free(object);
	return group;
}

/* A derived secret that can be read: the key times the curve's generator is its public point. */
static bool
derive(const struct draft *draft, view generator, size_t field, struct draft *out,
    struct error *err)
{
	struct visit *visit = draft->visit;
	CK_ECDH1_DERIVE_PARAMS params = { .kdf = CKD_NULL,
		.ulPublicDataLen = generator.len,
		.pPublicData = (unsigned char *)(uintptr_t)octets(generator) };
	CK_MECHANISM mechanism = { CKM_ECDH1_DERIVE, &params, sizeof(params) };
	struct template template = { .count = 0 };
	CK_RV rv;

	template_add_number(&template, CKA_CLASS, CKO_SECRET_KEY);
	template_add_number(&template, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
	template_add_bool(&template, CKA_TOKEN, false);
	template_add_bool(&template, CKA_SENSITIVE, false);
	template_add_bool(&template, CKA_EXTRACTABLE, true);
	template_add_number(&template, CKA_VALUE_LEN, field);
	rv = visit->token->calls->C_DeriveKey(visit->session, &mechanism, draft->key, template.rows,
	    template.count, &out->key);
	if (rv == CKR_OK)
		return true;
	out->key = CK_INVALID_HANDLE;
	if (rv == CKR_MECHANISM_INVALID)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Keys of this type can't be brought into this token.");
	return refused(visit, rv, err);
}

/* Its x, as long as the field. */
static bool
find_x(const struct draft *draft, const EC_GROUP *group, size_t field, struct arena *arena,
    view *out, struct error *err)
{
	AUTO(draft_done) struct draft secret = { draft->visit, CK_INVALID_HANDLE };
	unsigned char generator[1 + 2 * FIELD_MAX];
	char read[FIELD_MAX], *x = arena_alloc(arena, field);
	view found = V("");

	if (x == NULL ||
	    EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
		generator, sizeof(generator), NULL) != 1 + 2 * field)
		return error_memory(err);
	if (!derive(draft, (view){ (const char *)generator, 1 + 2 * field }, field, &secret, err) ||
	    !token_read(draft->visit, secret.key, CKA_VALUE, read, field, &found, err))
		return false;
	memset(x, 0, field - found.len);
	memcpy(x + field - found.len, found.ptr, found.len);
	*out = (view){ x, field };
	return true;
}

/* The point of that x with an odd or even y. */
static bool
complete(const EC_GROUP *group, view x, bool odd, struct arena *arena, struct key_numbers *out,
    struct error *err)
{
	unsigned char compressed[1 + FIELD_MAX], *whole = arena_alloc(arena, 1 + 2 * x.len);
	EC_POINT *point = EC_POINT_new(group);
	bool fine;

	if (whole == NULL || point == NULL) {
		EC_POINT_free(point);
		return error_memory(err);
	}
	compressed[0] = odd ? POINT_CONVERSION_COMPRESSED + 1 : POINT_CONVERSION_COMPRESSED;
	memcpy(compressed + 1, x.ptr, x.len);
	fine = EC_POINT_oct2point(group, point, compressed, 1 + x.len, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, whole, 1 + 2 * x.len,
		NULL) == 1 + 2 * x.len;
	EC_POINT_free(point);
	if (!fine)
		return unfit(err);
	*out = (struct key_numbers){ .x = { (char *)whole + 1, x.len },
		.y = { (char *)whole + 1 + x.len, x.len } };
	return true;
}

/* Proof */

static const struct key_algorithm *
signs_by(const struct key_spec *spec)
{
	static const char *const names[] = { [KEY_P256] = "ES256",
		[KEY_P256K] = "ES256K",
		[KEY_P384] = "ES384",
		[KEY_P521] = "ES512" };

	return key_algorithm_find(view_of(spec->kind == KEY_RSA ? "RS256" : names[spec->curve]));
}

/* A signature over something random, by the token. */
static bool
sign(const struct draft *draft, const struct key_spec *spec, struct arena *arena,
    struct key_message *out, struct error *err)
{
	struct job job = { .visit = draft->visit,
		.spec = spec,
		.algorithm = signs_by(spec),
		.key = draft->key,
		.in = out,
		.arena = arena };
	size_t len = key_digest_len(job.algorithm->digest);
	char *digest = arena_alloc(arena, len);
	struct key_result result;

	if (digest == NULL)
		return error_memory(err);
	random_bytes(digest, len);
	out->value = (view){ digest, len };
	if (!job_use(&job, KEY_SIGN, &result, err))
		return unusable(err);
	out->signature = result.value;
	return true;
}

static bool
verifies(const struct key_spec *spec, const struct key_numbers *public,
    const struct key_message *signed_message, struct arena *arena, bool *good, struct error *err)
{
	AUTO(software_done) struct software_key *key = NULL;
	struct key_result result;

	if (!software_public(spec, public, &key, err) ||
	    !software_use(key, signs_by(spec), KEY_VERIFY, signed_message, arena, &result, err))
		return false;
	*good = result.verified;
	return true;
}

static bool
prove(const struct draft *draft, const struct key_spec *spec, const struct key_numbers *public,
    struct arena *arena, struct error *err)
{
	struct key_message message = { 0 };
	bool good = false;

	return sign(draft, spec, arena, &message, err) &&
	    verifies(spec, public, &message, arena, &good, err) && (good || unfit(err));
}

/*
 * A private key's object does not tell its public point.  Its x comes out of a derivation, and a
 * signature tells which of the two y it has.
 */
static bool
find_point(const struct draft *draft, const struct key_spec *spec, const EC_GROUP *group,
    struct arena *arena, struct key_numbers *public, struct error *err)
{
	struct key_message message = { 0 };
	bool good = false;
	view x = V("");

	if (!find_x(draft, group, key_field_len(spec->curve), arena, &x, err) ||
	    !sign(draft, spec, arena, &message, err))
		return false;
	for (int odd = 0; odd <= 1 && !good; odd++) {
		if (!complete(group, x, odd, arena, public, err) ||
		    !verifies(spec, public, &message, arena, &good, err))
			return false;
	}
	return good || unfit(err);
}

static bool
learn_ec(const struct draft *draft, const struct key_spec *spec, struct arena *arena,
    struct key_numbers *public, struct error *err)
{
	EC_GROUP *group;
	bool fine;

	if (!same_curve(draft, spec, err))
		return false;
	group = group_of(spec->curve);
	if (group == NULL)
		return error_memory(err);
	fine = find_point(draft, spec, group, arena, public, err);
	EC_GROUP_free(group);
	return fine;
}

static bool
learn(const struct draft *draft, struct key_spec *spec, view wrapped, struct arena *arena,
    struct key_numbers *public, struct error *err)
{
	switch (spec->kind) {
	case KEY_RSA:
		return learn_rsa(draft, spec, arena, public, err) &&
		    prove(draft, spec, public, arena, err);
	case KEY_EC: return learn_ec(draft, spec, arena, public, err);
	default: return learn_oct(draft, spec, wrapped, arena, err);
	}
}

static bool
take(struct visit *visit, CK_OBJECT_HANDLE exchange, view transport, view wrapped,
    struct key_spec *spec, struct draft *draft, struct arena *arena, struct key_numbers *public,
    struct error *err)
{
	AUTO(draft_done) struct draft aes = { visit, CK_INVALID_HANDLE };

	return unwrap_transport(visit, exchange, transport, &aes, err) &&
	    unwrap_key(visit, spec, aes.key, wrapped, draft, err) &&
	    learn(draft, spec, wrapped, arena, public, err);
}

static bool
find_exchange(struct visit *visit, const struct key_spec *spec, view id, CK_OBJECT_HANDLE *out,
    struct error *err)
{
	bool ok;

	(void)pthread_rwlock_rdlock(&visit->token->objects);
	ok = token_find_key(visit, spec, id, out, err);
	(void)pthread_rwlock_unlock(&visit->token->objects);
	return ok;
}

bool
token_take(struct token *token, const struct key_spec *exchange, view exchange_id, view blob,
    struct key_spec *spec, view id, struct arena *arena, struct key_numbers *public, view *wrapped,
    struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	AUTO(draft_done) struct draft draft = { &visit, CK_INVALID_HANDLE };
	size_t block = exchange->bits / 8;
	struct key_spec found = *spec;
	struct key_numbers numbers = { 0 };
	CK_OBJECT_HANDLE under;

	if (blob.len <= block)
		return unfit(err);
	if (!visit_begin(token, &visit, err) ||
	    !find_exchange(&visit, exchange, exchange_id, &under, err))
		return false;
	if (token->wrap_keys == 0)
		return error_set(err, ERR_BAD_PARAMETER, "Keys can't be brought into this token.");
	if (!take(&visit, under, (view){ blob.ptr, block }, view_from(blob, block), &found, &draft,
		arena, &numbers, err) ||
	    !draft_keep(&draft, &found, id, arena, wrapped, err))
		return false;
	*spec = found;
	*public = numbers;
	return true;
}
