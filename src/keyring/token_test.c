/*
 * Keys in the token: made, brought in, used, locked up, wrapped and restored.  What the token does
 * is tried by keys in software.
 */
#include "keyring/token_testing.h"
#include "base/testing.h"
#include "crypto/random.h"
#include "keyring/software.h"
#include "keyring/token_padding.h"

#include <openssl/rsa.h>

#define RSA(n)                                            \
	{                                                 \
		.kind = KEY_RSA, .bits = (n), .hsm = true \
	}
#define EC(c, n)                                                       \
	{                                                              \
		.kind = KEY_EC, .curve = (c), .bits = (n), .hsm = true \
	}
#define OCT(n)                                            \
	{                                                 \
		.kind = KEY_OCT, .bits = (n), .hsm = true \
	}

static const struct key_spec rsa = RSA(2048);
static const struct key_spec p256 = EC(KEY_P256, 256);

/* A value of ${len} bytes. */
static view
bytes(struct hsm *hsm, size_t len)
{
	char *out = arena_alloc(&hsm->arena, len + 1);

	assert_non_null(out);
	random_bytes(out, len);
	return (view){ out, len };
}

static struct key_result
use(struct hsm *hsm, const struct hsm_key *key, const char *algorithm, enum key_use use,
    const struct key_message *in)
{
	struct key_result out;

	assert_fine(hsm_use(hsm, key, algorithm, use, in, &out), &hsm->err);
	return out;
}

static struct key_result
software(struct hsm *hsm, struct software_key *key, const char *algorithm, enum key_use use,
    const struct key_message *in)
{
	struct key_result out;

	assert_fine(software_use(key, key_algorithm_find(view_of(algorithm)), use, in, &hsm->arena,
			&out, &hsm->err),
	    &hsm->err);
	return out;
}

static struct software_key *
public_half(struct hsm *hsm, const struct hsm_key *key)
{
	struct software_key *out;

	assert_fine(software_public(&key->spec, &key->public, &out, &hsm->err), &hsm->err);
	return out;
}

static void
test_signatures(void **state)
{
	static const struct {
		struct key_spec spec;
		const char *algorithms[7];
	} rows[] = {
		{ RSA(2048), { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "RSNULL" } },
		{ RSA(3072), { "RS256", "PS512" } },
		{ RSA(4096), { "RS512", "PS256" } },
		{ EC(KEY_P256, 256), { "ES256" } },
		{ EC(KEY_P256K, 256), { "ES256K" } },
		{ EC(KEY_P384, 384), { "ES384" } },
		{ EC(KEY_P521, 521), { "ES512" } },
	};
	struct hsm *hsm = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hsm_key key = hsm_make(hsm, rows[i].spec);
		AUTO(software_done) struct software_key *public = public_half(hsm, &key);

		for (const char *const *name = rows[i].algorithms;
		     *name != NULL && name < rows[i].algorithms + COUNT_OF(rows[i].algorithms);
		     name++) {
			size_t len = key_digest_len(key_algorithm_find(view_of(*name))->digest);
			struct key_message in = { .value = bytes(hsm, len > 0 ? len : 99) };

			in.signature = use(hsm, &key, *name, KEY_SIGN, &in).value;
			assert_true(software(hsm, public, *name, KEY_VERIFY, &in).verified);
			in.value = bytes(hsm, in.value.len);
			assert_false(software(hsm, public, *name, KEY_VERIFY, &in).verified);
		}
	}
}

static void
test_rsa_decrypts(void **state)
{
	static const struct {
		const char *algorithm;
		size_t longest;
	} rows[] = {
		{ "RSA1_5", 245 },
		{ "RSA-OAEP", 214 },
		{ "RSA-OAEP-256", 190 },
	};
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, rsa);
	AUTO(software_done) struct software_key *public = public_half(hsm, &key);

	assert_int_equal(key.public.n.len, 256);
	assert_text(key.public.e, V("\x01\x00\x01"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t lengths[] = { 1, 32, rows[i].longest };

		for (size_t k = 0; k < COUNT_OF(lengths); k++) {
			struct key_message in = { .value = bytes(hsm, lengths[k]) };
			struct key_message sealed = {
				.value =
				    software(hsm, public, rows[i].algorithm, KEY_ENCRYPT, &in).value
			};

			assert_text(use(hsm, &key, rows[i].algorithm, KEY_DECRYPT, &sealed).value,
			    in.value);
		}
	}
}

/* The same key in the token and in software. */
struct twins {
	struct hsm_key key;
	struct software_key *software;
};

static void
twins_done(struct twins *twins)
{
	software_release(twins->software);
}

static struct twins
make_twins(struct hsm *hsm, unsigned bits)
{
	struct twins twins = { .key = { .spec = OCT(bits), .id = hsm_id(hsm) } };
	struct key_numbers numbers = { .k = bytes(hsm, bits / 8) };
	struct key_spec spec = twins.key.spec;

	assert_fine(token_import(hsm->token, &spec, twins.key.id, &numbers, &hsm->arena,
			&twins.key.wrapped, &hsm->err),
	    &hsm->err);
	spec.hsm = false;
	assert_fine(software_take(&spec, &numbers, &twins.software, &hsm->err), &hsm->err);
	return twins;
}

/* What one encrypts, the other decrypts. */
static void
there_and_back(struct hsm *hsm, const struct twins *twins, const char *algorithm, size_t len)
{
	struct key_message in = { .value = bytes(hsm, len),
		.iv = bytes(hsm, 16),
		.aad = bytes(hsm, 21) };
	struct key_result sealed[] = {
		use(hsm, &twins->key, algorithm, KEY_ENCRYPT, &in),
		software(hsm, twins->software, algorithm, KEY_ENCRYPT, &in),
	};

	for (size_t i = 0; i < COUNT_OF(sealed); i++) {
		struct key_message back = { .value = sealed[i].value,
			.iv = sealed[i].iv,
			.tag = sealed[i].tag,
			.aad = in.aad };
		struct key_result out = i == 0
		    ? software(hsm, twins->software, algorithm, KEY_DECRYPT, &back)
		    : use(hsm, &twins->key, algorithm, KEY_DECRYPT, &back);

		assert_text(out.value, in.value);
	}
	assert_int_equal(sealed[0].value.len, sealed[1].value.len);
	assert_int_equal(sealed[0].iv.len, sealed[1].iv.len);
	assert_int_equal(sealed[0].tag.len, sealed[1].tag.len);
}

static void
test_aes(void **state)
{
	static const struct {
		unsigned bits;
		const char *algorithm;
		size_t lengths[6];
	} rows[] = {
		{ 128, "A128GCM", { 1, 16, 100, 4000 } },
		{ 192, "A192GCM", { 17 } },
		{ 256, "A256GCM", { 1, 31, 32 } },
		{ 128, "A128CBC", { 16, 32 } },
		{ 192, "A192CBC", { 16 } },
		{ 256, "A256CBC", { 4096 } },
		{ 128, "A128CBCPAD", { 1, 15, 16, 17 } },
		{ 192, "A192CBCPAD", { 48 } },
		{ 256, "A256CBCPAD", { 32 } },
		{ 128, "A128KW", { 16, 24, 32, 128 } },
		{ 192, "A192KW", { 24 } },
		{ 256, "A256KW", { 32, 2048 } },
		{ 256, "CKM_AES_KEY_WRAP", { 64 } },
		{ 128, "CKM_AES_KEY_WRAP_PAD", { 1, 7, 8, 9, 20, 33 } },
		{ 256, "CKM_AES_KEY_WRAP_PAD", { 32, 1219 } },
	};
	struct hsm *hsm = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(twins_done) struct twins twins = make_twins(hsm, rows[i].bits);

		for (size_t k = 0; k < COUNT_OF(rows[i].lengths); k++) {
			if (rows[i].lengths[k] > 0)
				there_and_back(hsm, &twins, rows[i].algorithm, rows[i].lengths[k]);
		}
	}
}

/* CBC without an iv from outside is no CBC; GCM's iv is never the caller's. */
static void
test_ivs(void **state)
{
	struct hsm *hsm = *state;
	AUTO(twins_done) struct twins twins = make_twins(hsm, 128);
	struct key_message in = { .value = bytes(hsm, 16), .iv = bytes(hsm, 12) };
	struct key_result first = use(hsm, &twins.key, "A128GCM", KEY_ENCRYPT, &in);
	struct key_result second = use(hsm, &twins.key, "A128GCM", KEY_ENCRYPT, &in);
	struct key_message nothing = { .value = V(""), .aad = bytes(hsm, 8) }, back;

	assert_false(view_eq(first.iv, in.iv));
	assert_false(view_eq(first.iv, second.iv));
	second = use(hsm, &twins.key, "A128GCM", KEY_ENCRYPT, &nothing);
	back = (struct key_message){ second.value, V(""), second.iv, nothing.aad, second.tag };
	assert_int_equal(software(hsm, twins.software, "A128GCM", KEY_DECRYPT, &back).value.len, 0);
	assert_int_equal(use(hsm, &twins.key, "A128GCM", KEY_DECRYPT, &back).value.len, 0);
}

#define UNDECRYPTABLE "The parameter is incorrect.\r\n"

/* One answer for all, and the token is not thought to be away because of it. */
static void
test_undecryptable(void **state)
{
	static const struct {
		struct key_spec spec;
		const char *algorithm;
		size_t len;
	} rows[] = {
		{ RSA(2048), "RSA1_5", 256 },
		{ RSA(2048), "RSA-OAEP", 256 },
		{ RSA(2048), "RSA-OAEP-256", 256 },
		{ RSA(2048), "RSA1_5", 255 },
		{ RSA(2048), "RSA-OAEP-256", 0 },
		{ OCT(128), "A128GCM", 32 },
		{ OCT(128), "A128GCM", 0 },
		{ OCT(128), "A128CBC", 17 },
		{ OCT(128), "A128CBCPAD", 31 },
		{ OCT(128), "A128KW", 24 },
		{ OCT(128), "A128KW", 16 },
		{ OCT(128), "CKM_AES_KEY_WRAP_PAD", 16 },
		{ OCT(128), "CKM_AES_KEY_WRAP_PAD", 40 },
		{ OCT(128), "CKM_AES_KEY_WRAP_PAD", 8 },
	};
	struct hsm *hsm = *state;
	struct hsm_key keys[] = { hsm_make(hsm, rsa), hsm_make(hsm, (struct key_spec)OCT(128)) };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool gcm = view_ends(view_of(rows[i].algorithm), V("GCM"));
		struct key_message in = { .value = bytes(hsm, rows[i].len),
			.iv = bytes(hsm, gcm ? 12 : 16),
			.tag = bytes(hsm, 16) };
		struct key_result out;

		/* Below the modulus, or it would not be looked at at all. */
		if (rows[i].spec.kind == KEY_RSA && rows[i].len > 0)
			((char *)(uintptr_t)in.value.ptr)[0] = 0;
		assert_false(hsm_use(hsm, &keys[rows[i].spec.kind == KEY_OCT], rows[i].algorithm,
		    KEY_DECRYPT, &in, &out));
		assert_int_equal(hsm->err.code, ERR_BAD_PARAMETER);
		assert_string_equal(hsm->err.message, UNDECRYPTABLE);
		assert_true(hsm->token->ready);
	}
}

/* A good ciphertext with one bit turned. */
static void
test_turned_bits(void **state)
{
	static const char *const algorithms[] = { "A256GCM", "A256KW", "CKM_AES_KEY_WRAP_PAD" };
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, (struct key_spec)OCT(256));

	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		struct key_message in = { .value = bytes(hsm, 32) };
		struct key_result sealed = use(hsm, &key, algorithms[i], KEY_ENCRYPT, &in), out;
		struct key_message back = { .value = sealed.value,
			.iv = sealed.iv,
			.tag = sealed.tag };

		assert_text(use(hsm, &key, algorithms[i], KEY_DECRYPT, &back).value, in.value);
		for (size_t bit = 0; bit < back.value.len * 8; bit += 37) {
			char *byte = (char *)(uintptr_t)back.value.ptr + bit / 8;

			*byte ^= (char)(1 << bit % 8);
			assert_false(hsm_use(hsm, &key, algorithms[i], KEY_DECRYPT, &back, &out));
			assert_string_equal(hsm->err.message, UNDECRYPTABLE);
			*byte ^= (char)(1 << bit % 8);
		}
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const struct key_spec spec;
		const char *algorithm;
		enum key_use use;
		size_t len, iv;
		const char *message;
	} rows[] = {
		{ EC(KEY_P256, 256), "ES256", KEY_SIGN, 31, 0,
		    "Invalid length of 'value': 31 bytes. Supported lengths: 32 bytes." },
		{ EC(KEY_P256, 256), "ES256", KEY_SIGN, 0, 0,
		    "Invalid length of 'value': 0 bytes. Supported lengths: 32 bytes." },
		{ RSA(2048), "PS512", KEY_SIGN, 32, 0,
		    "Invalid length of 'value': 32 bytes. Supported lengths: 64 bytes." },
		{ RSA(2048), "RSNULL", KEY_SIGN, 246, 0,
		    "Invalid length of 'value': 246 bytes. Supported lengths: 1 to 245 bytes." },
		{ OCT(128), "A128CBC", KEY_ENCRYPT, 17, 16,
		    "Invalid length of 'value': 17 bytes. Supported lengths: multiples of 16 bytes, at least 16." },
		{ OCT(128), "A128CBC", KEY_ENCRYPT, 16, 15,
		    "Invalid length of 'iv': 15 bytes. Supported lengths: 16 bytes." },
		{ OCT(128), "A128KW", KEY_ENCRYPT, 8, 0,
		    "Invalid length of 'value': 8 bytes. Supported lengths: multiples of 8 bytes, at least 16." },
		{ OCT(128), "A128KW", KEY_ENCRYPT, 8192, 0, "The value is too long." },
		{ OCT(128), "HS256", KEY_SIGN, 32, 0,
		    "The algorithm is not available for keys of this token." },
		{ OCT(128), "HS512", KEY_VERIFY, 64, 0,
		    "The algorithm is not available for keys of this token." },
	};
	struct hsm *hsm = *state;
	struct hsm_key keys[] = {
		[KEY_RSA] = hsm_make(hsm, rsa),
		[KEY_EC] = hsm_make(hsm, p256),
		[KEY_OCT] = hsm_make(hsm, (struct key_spec)OCT(128)),
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_message in = { .value = bytes(hsm, rows[i].len),
			.iv = bytes(hsm, rows[i].iv) };
		struct key_result out;

		assert_false(hsm_use(hsm, &keys[rows[i].spec.kind], rows[i].algorithm, rows[i].use,
		    &in, &out));
		assert_int_equal(hsm->err.code, ERR_BAD_PARAMETER);
		assert_string_equal(hsm->err.message, rows[i].message);
		assert_true(hsm->token->ready);
	}
}

/* All numbers of a key of OpenSSL's. */
static struct key_numbers
numbers_of(struct hsm *hsm, const EVP_PKEY *pkey)
{
	struct key_numbers out = { 0 };
	const struct {
		const char *name;
		view *to;
	} rows[] = {
		{ "n", &out.n },
		{ "e", &out.e },
		{ "d", &out.d },
		{ "rsa-factor1", &out.p },
		{ "rsa-factor2", &out.q },
		{ "rsa-exponent1", &out.dp },
		{ "rsa-exponent2", &out.dq },
		{ "rsa-coefficient1", &out.qi },
		{ "qx", &out.x },
		{ "qy", &out.y },
		{ "priv", &out.d },
	};
	size_t begin = EVP_PKEY_is_a(pkey, "RSA") ? 0 : 8;

	for (size_t i = begin; i < (begin == 0 ? 8 : COUNT_OF(rows)); i++) {
		AUTO(bn_done) BIGNUM *number = NULL;
		unsigned char *to;
		size_t len;

		assert_int_equal(EVP_PKEY_get_bn_param(pkey, rows[i].name, &number), 1);
		len = (size_t)BN_num_bytes(number);
		if (begin != 0 && len < ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8)
			len = ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8;
		to = arena_alloc(&hsm->arena, len);
		assert_non_null(to);
		assert_int_equal(BN_bn2binpad(number, to, (int)len), (int)len);
		*rows[i].to = (view){ (const char *)to, len };
	}
	return out;
}

static void
test_imports(void **state)
{
	static const struct {
		struct key_spec spec;
		const char *group, *algorithm;
	} rows[] = {
		{ RSA(2048), NULL, "PS256" },
		{ EC(KEY_P256, 256), "P-256", "ES256" },
		{ EC(KEY_P256K, 256), "secp256k1", "ES256K" },
		{ EC(KEY_P384, 384), "P-384", "ES384" },
		{ EC(KEY_P521, 521), "P-521", "ES512" },
	};
	struct hsm *hsm = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(pkey_done)
		EVP_PKEY *pkey =
		    rows[i].group == NULL ? EVP_RSA_gen(2048U) : EVP_EC_gen(rows[i].group);
		AUTO(software_done) struct software_key *public = NULL;
		struct hsm_key key = { .spec = rows[i].spec, .id = hsm_id(hsm) };
		size_t len = key_digest_len(key_algorithm_find(view_of(rows[i].algorithm))->digest);
		struct key_message in = { .value = bytes(hsm, len) };

		assert_non_null(pkey);
		key.public = numbers_of(hsm, pkey);
		assert_fine(token_import(hsm->token, &key.spec, key.id, &key.public, &hsm->arena,
				&key.wrapped, &hsm->err),
		    &hsm->err);
		in.signature = use(hsm, &key, rows[i].algorithm, KEY_SIGN, &in).value;
		public = public_half(hsm, &key);
		assert_true(software(hsm, public, rows[i].algorithm, KEY_VERIFY, &in).verified);
	}
}

/* Who has the PIN sees no more of a key than we do. */

static CK_RV
read_attribute(const struct visit *visit, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
    void *out, size_t room)
{
	CK_ATTRIBUTE row = { type, out, room };

	return visit->token->calls->C_GetAttributeValue(visit->session, object, &row, 1);
}

static void
assert_flag(const struct visit *visit, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool wanted)
{
	CK_BBOOL value = 2;

	assert_int_equal(read_attribute(visit, object, type, &value, sizeof(value)), CKR_OK);
	assert_int_equal(value, wanted);
}

static void
assert_locked(const struct visit *visit, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE number)
{
	const CK_FUNCTION_LIST *calls = visit->token->calls;
	CK_MECHANISM mechanism = { CKM_AES_KEY_WRAP_PAD, NULL, 0 };
	struct template template = { .count = 0 };
	CK_OBJECT_HANDLE wrapping;
	unsigned char room[4096];
	CK_ULONG len = sizeof(room);

	assert_flag(visit, object, CKA_TOKEN, true);
	assert_flag(visit, object, CKA_PRIVATE, true);
	assert_flag(visit, object, CKA_SENSITIVE, true);
	assert_flag(visit, object, CKA_EXTRACTABLE, false);
	assert_int_equal(read_attribute(visit, object, number, room, sizeof(room)),
	    CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(token_find_wrapping(visit, &wrapping), CKR_OK);
	assert_int_equal(calls->C_WrapKey(visit->session, &mechanism, wrapping, object, room, &len),
	    CKR_KEY_UNEXTRACTABLE);
	template_add_bool(&template, CKA_EXTRACTABLE, true);
	assert_int_not_equal(calls->C_SetAttributeValue(visit->session, object, template.rows,
				 template.count),
	    CKR_OK);
	assert_flag(visit, object, CKA_EXTRACTABLE, false);
}

static void
assert_none(const struct visit *visit, CK_ATTRIBUTE_TYPE type, bool value)
{
	struct template template = { .count = 0 };
	CK_OBJECT_HANDLE found;

	template_add_bool(&template, type, value);
	assert_int_equal(token_find(visit, &template, &found), CKR_OK);
	assert_int_equal(found, CK_INVALID_HANDLE);
}

static void
test_locked(void **state)
{
	static const struct {
		struct key_spec spec;
		CK_ATTRIBUTE_TYPE number;
	} rows[] = {
		{ RSA(2048), CKA_PRIVATE_EXPONENT },
		{ EC(KEY_P256, 256), CKA_VALUE },
		{ OCT(256), CKA_VALUE },
	};
	struct hsm *hsm = *state;
	AUTO(visit_done) struct visit visit = { .token = NULL };
	CK_OBJECT_HANDLE object;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hsm_key key = hsm_make(hsm, rows[i].spec);
		char label[64];

		assert_fine(visit_begin(hsm->token, &visit, &hsm->err), &hsm->err);
		assert_fine(token_find_key(&visit, &key.spec, key.id, &object, &hsm->err),
		    &hsm->err);
		assert_locked(&visit, object, rows[i].number);
		assert_flag(&visit, object, CKA_UNWRAP, false);
		assert_int_equal(read_attribute(&visit, object, CKA_LABEL, label, sizeof(label)),
		    CKR_OK);
		assert_memory_equal(label, "strongroom:", 11);
		assert_memory_equal(label + 11, key.id.ptr, key.id.len);
		visit_done(&visit);
		visit.token = NULL;
	}
	/* The drafts are gone, the public halves too; nothing in it was ever to be taken out. */
	assert_fine(visit_begin(hsm->token, &visit, &hsm->err), &hsm->err);
	assert_none(&visit, CKA_EXTRACTABLE, true);
	assert_none(&visit, CKA_TOKEN, false);
	assert_none(&visit, CKA_PRIVATE, false);
	assert_int_equal(token_find_wrapping(&visit, &object), CKR_OK);
	assert_locked(&visit, object, CKA_VALUE);
	assert_flag(&visit, object, CKA_DECRYPT, false);
	assert_flag(&visit, object, CKA_ENCRYPT, false);
}

/* Backups */

static void
test_restores(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, p256), again = key;
	struct hsm_key other = hsm_make(hsm, p256);

	assert_true(hsm_signs(hsm, &key));
	/* What is there stays, whatever is restored. */
	assert_fine(token_restore(hsm->token, &key.spec, key.id, other.wrapped, &hsm->err),
	    &hsm->err);
	assert_true(hsm_signs(hsm, &key));
	assert_fine(token_destroy(hsm->token, key.id, &hsm->err), &hsm->err);
	assert_false(hsm_signs(hsm, &key));
	assert_int_equal(hsm->err.code, ERR_UNAVAILABLE);
	assert_fine(token_destroy(hsm->token, key.id, &hsm->err), &hsm->err);
	/* A key that is not there is no reason to think that the token is not. */
	assert_true(hsm->token->ready);

	again.id = hsm_id(hsm);
	for (int i = 0; i < 2; i++) {
		assert_fine(token_restore(hsm->token, &key.spec, key.id, key.wrapped, &hsm->err),
		    &hsm->err);
		assert_fine(token_restore(hsm->token, &key.spec, again.id, key.wrapped, &hsm->err),
		    &hsm->err);
	}
	assert_true(hsm_signs(hsm, &key));
	assert_true(hsm_signs(hsm, &again));
	assert_true(hsm_signs(hsm, &other));
}

static void
test_restored_is_locked(void **state)
{
	struct hsm *hsm = *state;
	AUTO(visit_done) struct visit visit = { .token = NULL };
	struct hsm_key key = hsm_make(hsm, (struct key_spec)OCT(256));
	CK_OBJECT_HANDLE object;

	assert_fine(token_destroy(hsm->token, key.id, &hsm->err), &hsm->err);
	assert_fine(token_restore(hsm->token, &key.spec, key.id, key.wrapped, &hsm->err),
	    &hsm->err);
	assert_fine(visit_begin(hsm->token, &visit, &hsm->err), &hsm->err);
	assert_fine(token_find_key(&visit, &key.spec, key.id, &object, &hsm->err), &hsm->err);
	assert_locked(&visit, object, CKA_VALUE);
}

static void
test_bad_backups(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, p256), secret = hsm_make(hsm, (struct key_spec)OCT(256));
	view turned;

	assert_true(arena_copy(&hsm->arena, key.wrapped, &turned));
	((char *)(uintptr_t)turned.ptr)[9] ^= 1;
	const struct {
		struct key_spec spec;
		view wrapped;
	} rows[] = {
		{ p256, turned },
		{ p256, { key.wrapped.ptr, key.wrapped.len - 8 } },
		{ p256, { key.wrapped.ptr, 7 } },
		{ p256, V("") },
		{ p256, secret.wrapped },
		{ rsa, key.wrapped },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		view id = hsm_id(hsm);

		assert_false(
		    token_restore(hsm->token, &rows[i].spec, id, rows[i].wrapped, &hsm->err));
		assert_int_equal(hsm->err.code, ERR_MALFORMED_BACKUP);
		assert_true(hsm->token->ready);
	}
}

/* Paddings for tokens that lack them */

static view
bare(struct hsm *hsm, EVP_PKEY *pkey, bool sign, view value)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t len = 256;
	unsigned char *out = arena_alloc(&hsm->arena, len);

	assert_non_null(out);
	assert_int_equal(sign ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(sign ? EVP_PKEY_sign(ctx, out, &len, octets(value), value.len)
			      : EVP_PKEY_decrypt(ctx, out, &len, octets(value), value.len),
	    1);
	return (view){ (const char *)out, len };
}

static void
test_pss(void **state)
{
	static const struct {
		enum key_digest digest;
		const char *algorithm;
	} rows[] = {
		{ DIGEST_SHA256, "PS256" },
		{ DIGEST_SHA384, "PS384" },
		{ DIGEST_SHA512, "PS512" },
	};
	struct hsm *hsm = *state;
	AUTO(pkey_done) EVP_PKEY *pkey = EVP_RSA_gen(2048U);
	struct hsm_key key = { .spec = rsa, .public = numbers_of(hsm, pkey) };
	AUTO(software_done) struct software_key *public = public_half(hsm, &key);

	for (size_t i = 0; i < 5 * COUNT_OF(rows); i++) {
		enum key_digest digest = rows[i % COUNT_OF(rows)].digest;
		struct key_message in = { .value = bytes(hsm, key_digest_len(digest)) };
		view block;

		assert_fine(padding_pss(digest, in.value, 2048, &hsm->arena, &block, &hsm->err),
		    &hsm->err);
		in.signature = bare(hsm, pkey, true, block);
		assert_true(
		    software(hsm, public, rows[i % COUNT_OF(rows)].algorithm, KEY_VERIFY, &in)
			.verified);
	}
}

static void
test_oaep(void **state)
{
	static const struct {
		enum key_digest digest;
		const char *algorithm;
		size_t len;
	} rows[] = {
		{ DIGEST_SHA1, "RSA-OAEP", 1 },
		{ DIGEST_SHA1, "RSA-OAEP", 214 },
		{ DIGEST_SHA256, "RSA-OAEP-256", 1 },
		{ DIGEST_SHA256, "RSA-OAEP-256", 190 },
	};
	static const size_t turned[] = { 0, 1, 20, 33, 100, 255 };
	struct hsm *hsm = *state;
	AUTO(pkey_done) EVP_PKEY *pkey = EVP_RSA_gen(2048U);
	struct hsm_key key = { .spec = rsa, .public = numbers_of(hsm, pkey) };
	AUTO(software_done) struct software_key *public = public_half(hsm, &key);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_message in = { .value = bytes(hsm, rows[i].len) };
		view block = bare(hsm, pkey, false,
		    software(hsm, public, rows[i].algorithm, KEY_ENCRYPT, &in).value);
		view out;

		assert_fine(padding_oaep(rows[i].digest, block, &hsm->arena, &out, &hsm->err),
		    &hsm->err);
		assert_text(out, in.value);
		for (size_t k = 0; k < COUNT_OF(turned); k++) {
			char *byte = (char *)(uintptr_t)block.ptr + turned[k];

			*byte ^= 1;
			assert_false(
			    padding_oaep(rows[i].digest, block, &hsm->arena, &out, &hsm->err));
			assert_string_equal(hsm->err.message, UNDECRYPTABLE);
			*byte ^= 1;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_rsa_decrypts),
		cmocka_unit_test(test_aes),
		cmocka_unit_test(test_ivs),
		cmocka_unit_test(test_undecryptable),
		cmocka_unit_test(test_turned_bits),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_imports),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_restores),
		cmocka_unit_test(test_restored_is_locked),
		cmocka_unit_test(test_bad_backups),
		cmocka_unit_test(test_pss),
		cmocka_unit_test(test_oaep),
	};

	return cmocka_run_group_tests(tests, hsm_setup, hsm_teardown);
}
