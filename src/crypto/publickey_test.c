#include "crypto/publickey.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/signature.h"
#include "base/base64.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
	char bytes[1200];
	view view;
};

static view
unbase64(const char *text, struct bytes *out)
{
	size_t len;

	assert_true(strlen(text) < sizeof(out->bytes));
	assert_true(base64_decode(BASE64URL, view_of(text), out->bytes, &len));
	out->view = (view){ out->bytes, len };
	return out->view;
}

/* A key made for the test, its public half, and signatures by it. */
static view
spki_of(EVP_PKEY *pkey, struct bytes *out)
{
	unsigned char *at = (unsigned char *)out->bytes;

	assert_true(i2d_PUBKEY(pkey, NULL) <= (int)sizeof(out->bytes));
	out->view = (view){ out->bytes, (size_t)i2d_PUBKEY(pkey, &at) };
	return out->view;
}

static view
sign(EVP_PKEY *pkey, int padding, int salt, view message, struct bytes *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	size_t len = sizeof(out->bytes);

	assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, EVP_sha256(), NULL, pkey), 1);
	if (padding != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_ctx, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, salt), 1);
	assert_true(EVP_DigestSign(ctx, (unsigned char *)out->bytes, &len, octets(message),
			message.len) == 1);
	EVP_MD_CTX_free(ctx);
	out->view = (view){ out->bytes, len };
	return out->view;
}

static struct public_key *
import(EVP_PKEY *pkey)
{
	struct public_key *key = NULL;
	struct bytes spki;
	struct error err;

	assert_true(public_key_from_spki(spki_of(pkey, &spki), &key, &err));
	return key;
}

static EVP_PKEY *rsa, *ec;

static int
make_keys(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048U);
	ec = EVP_EC_gen("P-256");
	return rsa != NULL && ec != NULL ? 0 : -1;
}

static int
free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	return 0;
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		enum signature_alg alg;
	} cases[] = {
		{ "RS256", SIGNATURE_RS256 },
		{ "PS256", SIGNATURE_PS256 },
		{ "ES256", SIGNATURE_ES256 },
		{ "RS384", SIGNATURE_RS384 },
		{ "PS512", SIGNATURE_PS512 },
		{ "ES512", SIGNATURE_ES512 },
		{ "HS512", SIGNATURE_NONE },
		{ "none", SIGNATURE_NONE },
		{ "", SIGNATURE_NONE },
		{ "rs256", SIGNATURE_NONE },
		{ "RS2567", SIGNATURE_NONE },
		{ "HS256", SIGNATURE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(signature_alg_parse(view_of(cases[i].name)), cases[i].alg);
}

/* RFC 7515, appendix A.2 and A.3. */
#define PAYLOAD                                                            \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static void
test_verifies_the_rsa_example(void **state)
{
	static const char modulus[] =
	    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp"
	    "-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW"
	    "vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
	    "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
	    "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
	    "PAcDTW9gb54h4FRWyuXpoQ";
	static const char signature[] =
	    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
	    "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
	    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
	    "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
	    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
	    "p0igcN_IoypGlUPQGe77Rw";
	struct bytes n, e, sig;
	struct public_key *key = NULL;
	AUTO(arena_free) struct arena arena;
	view n_out, e_out;
	struct error err;

	(void)state;
	arena_init(&arena, 4096);
	assert_true(public_key_from_rsa(unbase64(modulus, &n), unbase64("AQAB", &e), &key, &err));
	unbase64(signature, &sig);
	assert_true(
	    public_key_verify(key, SIGNATURE_RS256, V("eyJhbGciOiJSUzI1NiJ9." PAYLOAD), sig.view));
	assert_false(
	    public_key_verify(key, SIGNATURE_RS256, V("eyJhbGciOiJSUzI1Nij9." PAYLOAD), sig.view));
	assert_true(public_key_rsa(key, &arena, &n_out, &e_out, &err));
	assert_true(view_eq(n_out, n.view) && view_eq(e_out, e.view));
	public_key_free(key);
}

static void
test_verifies_the_ec_example(void **state)
{
	/* The SubjectPublicKeyInfo of A.3's x and y. */
	static const char spki[] =
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH"
	    "8UTNG72bfocs3-257rn0s2ldbqkLJK2KRiMohYjlrQ";
	static const char signature[] =
	    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
	    "pmWQxfKTUJqPP3-Kg6NU1Q";
	struct bytes der, sig;
	struct public_key *key = NULL;
	AUTO(arena_free) struct arena arena;
	view n, e;
	struct error err;

	(void)state;
	arena_init(&arena, 4096);
	assert_true(public_key_from_spki(unbase64(spki, &der), &key, &err));
	unbase64(signature, &sig);
	assert_true(
	    public_key_verify(key, SIGNATURE_ES256, V("eyJhbGciOiJFUzI1NiJ9." PAYLOAD), sig.view));
	assert_false(public_key_verify(key, SIGNATURE_ES256, V(PAYLOAD), sig.view));
	assert_false(public_key_rsa(key, &arena, &n, &e, &err));
	public_key_free(key);
}

static void
test_the_algorithm_must_fit(void **state)
{
	struct public_key *rsa_key = import(rsa), *ec_key = import(ec);
	struct bytes pkcs1, pss, long_salt, no_salt, der;
	unsigned char raw[ES256_RAW_LEN];
	view message = V("message"), es;

	(void)state;
	sign(rsa, RSA_PKCS1_PADDING, 0, message, &pkcs1);
	sign(rsa, RSA_PKCS1_PSS_PADDING, 32, message, &pss);
	sign(rsa, RSA_PKCS1_PSS_PADDING, 64, message, &long_salt);
	sign(rsa, RSA_PKCS1_PSS_PADDING, 0, message, &no_salt);
	assert_true(ecdsa_to_raw(sign(ec, 0, 0, message, &der), raw, sizeof(raw)));
	es = (view){ (const char *)raw, sizeof(raw) };

	const struct {
		const struct public_key *key;
		enum signature_alg alg;
		view signature;
		bool good;
	} cases[] = {
		{ rsa_key, SIGNATURE_RS256, pkcs1.view, true },
		{ rsa_key, SIGNATURE_PS256, pss.view, true },
		{ ec_key, SIGNATURE_ES256, es, true },
		{ rsa_key, SIGNATURE_PS256, pkcs1.view, false },
		{ rsa_key, SIGNATURE_RS256, pss.view, false },
		{ rsa_key, SIGNATURE_PS256, long_salt.view, false },
		{ rsa_key, SIGNATURE_PS256, no_salt.view, false },
		{ rsa_key, SIGNATURE_ES256, es, false },
		{ rsa_key, SIGNATURE_NONE, pkcs1.view, false },
		{ rsa_key, (enum signature_alg)77, pkcs1.view, false },
		{ ec_key, SIGNATURE_ES256, der.view, false }, /* raw only */
		{ ec_key, SIGNATURE_RS256, es, false },
		{ ec_key, SIGNATURE_RS256, pkcs1.view, false },
		{ ec_key, SIGNATURE_NONE, es, false },
		{ ec_key, SIGNATURE_NONE, { NULL, 0 }, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (public_key_verify(cases[i].key, cases[i].alg, message, cases[i].signature) !=
		    cases[i].good)
			fail_msg("case %zu", i);
		assert_int_equal(ERR_peek_error(), 0);
	}
	public_key_free(rsa_key);
	public_key_free(ec_key);
	public_key_free(NULL);
}

/* An EC key by its numbers, as a JWK has them, and a raw signature. */
static struct public_key *
import_ec(EVP_PKEY *pkey, enum curve curve, size_t len)
{
	struct public_key *key = NULL;
	unsigned char x[66], y[66];
	BIGNUM *number = NULL;
	struct error err;

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &number), 1);
	assert_int_equal(BN_bn2binpad(number, x, (int)len), (int)len);
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &number), 1);
	assert_int_equal(BN_bn2binpad(number, y, (int)len), (int)len);
	BN_free(number);
	assert_true(public_key_from_ec(curve, (view){ (char *)x, len }, (view){ (char *)y, len },
	    &key, &err));
	y[len - 1] ^= 1; /* off the curve */
	assert_false(public_key_from_ec(curve, (view){ (char *)x, len }, (view){ (char *)y, len },
	    &(struct public_key *){ NULL }, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	assert_false(public_key_from_ec(curve, (view){ (char *)x, len - 1 },
	    (view){ (char *)y, len }, &(struct public_key *){ NULL }, &err));
	return key;
}

static view
sign_as(EVP_PKEY *pkey, const EVP_MD *md, int padding, size_t raw_len, struct bytes *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	size_t len = sizeof(out->bytes), half = raw_len / 2;
	const unsigned char *at = (unsigned char *)out->bytes;
	ECDSA_SIG *sig;

	assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, md, NULL, pkey), 1);
	if (padding != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_ctx, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST),
		    1);
	assert_int_equal(EVP_DigestSign(ctx, (unsigned char *)out->bytes, &len, octets(V("m")), 1),
	    1);
	EVP_MD_CTX_free(ctx);
	out->view = (view){ out->bytes, len };
	if (raw_len == 0)
		return out->view;
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), (unsigned char *)out->bytes,
			     (int)half),
	    (int)half);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), (unsigned char *)out->bytes + half,
			     (int)half),
	    (int)half);
	ECDSA_SIG_free(sig);
	out->view = (view){ out->bytes, raw_len };
	return out->view;
}

/* Each algorithm verifies its own signature, and none of another. */
static void
test_every_algorithm_verifies_only_its_own(void **state)
{
	EVP_PKEY *p384 = EVP_EC_gen("P-384"), *p521 = EVP_EC_gen("P-521");
	struct public_key *keys[] = {
		import(rsa),
		import_ec(ec, CURVE_P256, 32),
		import_ec(p384, CURVE_P384, 48),
		import_ec(p521, CURVE_P521, 66),
	};
	const struct {
		enum signature_alg alg;
		EVP_PKEY *pkey;
		size_t key;
		const EVP_MD *md;
		int padding;
		size_t raw_len;
	} cases[] = {
		{ SIGNATURE_RS256, rsa, 0, EVP_sha256(), RSA_PKCS1_PADDING, 0 },
		{ SIGNATURE_RS384, rsa, 0, EVP_sha384(), RSA_PKCS1_PADDING, 0 },
		{ SIGNATURE_RS512, rsa, 0, EVP_sha512(), RSA_PKCS1_PADDING, 0 },
		{ SIGNATURE_PS256, rsa, 0, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 0 },
		{ SIGNATURE_PS384, rsa, 0, EVP_sha384(), RSA_PKCS1_PSS_PADDING, 0 },
		{ SIGNATURE_PS512, rsa, 0, EVP_sha512(), RSA_PKCS1_PSS_PADDING, 0 },
		{ SIGNATURE_ES256, ec, 1, EVP_sha256(), 0, 64 },
		{ SIGNATURE_ES384, p384, 2, EVP_sha384(), 0, 96 },
		{ SIGNATURE_ES512, p521, 3, EVP_sha512(), 0, 132 },
	};
	struct bytes sig;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sign_as(cases[i].pkey, cases[i].md, cases[i].padding, cases[i].raw_len, &sig);
		for (size_t k = 0; k < COUNT_OF(keys); k++) {
			for (int alg = SIGNATURE_NONE; alg <= SIGNATURE_COUNT; alg++) {
				bool wanted = k == cases[i].key && alg == (int)cases[i].alg;

				if (public_key_verify(keys[k], (enum signature_alg)alg, V("m"),
					sig.view) != wanted)
					fail_msg("case %zu, key %zu, alg %d", i, k, alg);
			}
		}
	}
	for (size_t k = 0; k < COUNT_OF(keys); k++)
		public_key_free(keys[k]);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
}

static void
test_refuses_changed_signatures(void **state)
{
	struct public_key *rsa_key = import(rsa), *ec_key = import(ec);
	struct bytes sig, der, longer;
	unsigned char raw[ES256_RAW_LEN];
	view message = V("message"), es = { (const char *)raw, sizeof(raw) };

	(void)state;
	assert_true(ecdsa_to_raw(sign(ec, 0, 0, message, &der), raw, sizeof(raw)));
	sign(rsa, RSA_PKCS1_PADDING, 0, message, &sig);
	for (size_t i = 0; i < sizeof(raw); i++) {
		raw[i] ^= 0x10;
		assert_false(public_key_verify(ec_key, SIGNATURE_ES256, message, es));
		raw[i] ^= 0x10;
	}
	for (size_t i = 0; i < sig.view.len; i += 5) {
		sig.bytes[i] ^= 0x10;
		assert_false(public_key_verify(rsa_key, SIGNATURE_RS256, message, sig.view));
		sig.bytes[i] ^= 0x10;
	}
	for (size_t len = 0; len < sizeof(longer.bytes); len += 3) {
		view cut = { longer.bytes, len };

		memset(longer.bytes, (int)len, len);
		assert_false(public_key_verify(rsa_key, SIGNATURE_RS256, message, cut));
		assert_false(public_key_verify(rsa_key, SIGNATURE_PS256, message, cut));
		assert_false(public_key_verify(ec_key, SIGNATURE_ES256, message, cut));
	}
	memset(longer.bytes, 0, ES256_RAW_LEN); /* r = s = 0 */
	assert_false(public_key_verify(ec_key, SIGNATURE_ES256, message,
	    (view){ longer.bytes, ES256_RAW_LEN }));
	public_key_free(rsa_key);
	public_key_free(ec_key);
}

static void
test_rsa_has_bounds(void **state)
{
	/* Numbers as their length in bytes, first and last byte; what lies between is 0x5a. */
	static const struct {
		size_t n_len;
		unsigned char n_first, n_last;
		const char *e;
		size_t e_len;
		bool good;
	} cases[] = {
		{ 256, 0x80, 0x01, "\x01\x00\x01", 3, true },
		{ 256, 0x80, 0x01, "\x03", 1, true },
		{ 256, 0x80, 0x01, "\x00\x00\x03", 3, true },
		{ 256, 0x80, 0x01, "\x01\x00\x00\x00\x01", 5, true },
		{ 1024, 0xff, 0x01, "\x03", 1, true },
		{ 256, 0x7f, 0x01, "\x03", 1, false },  /* 2047 bits */
		{ 257, 0x00, 0x01, "\x03", 1, false },  /* a zero in front, and 2047 bits */
		{ 1025, 0x01, 0x01, "\x03", 1, false }, /* 8193 bits */
		{ 1026, 0x00, 0x01, "\x03", 1, false },
		{ 256, 0x80, 0x02, "\x03", 1, false }, /* even */
		{ 256, 0x80, 0x01, "\x04", 1, false },
		{ 256, 0x80, 0x01, "\x01", 1, false },
		{ 256, 0x80, 0x01, "\x00", 1, false },
		{ 256, 0x80, 0x01, "", 0, false },
		{ 256, 0x80, 0x01, "\x02\x00\x00\x00\x01", 5, false },
		{ 256, 0x80, 0x01, "\x01\x01\x01\x01\x01\x01\x01\x01\x01", 9, false },
		{ 1, 0x03, 0x03, "\x03", 1, false },
		{ 0, 0, 0, "\x03", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned char n[1100];
		struct public_key *key = NULL;
		struct error err = { 0 };

		memset(n, 0x5a, sizeof(n));
		n[0] = cases[i].n_first;
		if (cases[i].n_len > 0)
			n[cases[i].n_len - 1] = cases[i].n_last;
		if (public_key_from_rsa((view){ (const char *)n, cases[i].n_len },
			(view){ cases[i].e, cases[i].e_len }, &key, &err) != cases[i].good)
			fail_msg("case %zu: %s", i, err.message);
		if (!cases[i].good)
			assert_int_equal(err.code, ERR_BAD_REQUEST);
		public_key_free(key);
	}
}

static void
refused(view der)
{
	struct public_key *key = NULL;
	struct error err;

	assert_false(public_key_from_spki(der, &key, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	assert_null(key);
	assert_false(public_key_from_certificate(der, &key, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_refuses_other_keys(void **state)
{
	EVP_PKEY *others[] = {
		EVP_RSA_gen(1024U),
		EVP_EC_gen("P-224"),
		EVP_EC_gen("secp256k1"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
	};
	struct bytes spki;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_non_null(others[i]);
		refused(spki_of(others[i], &spki));
		EVP_PKEY_free(others[i]);
	}
}

/* P-256 by its parameters instead of its name. */
static void
test_refuses_spelled_out_curves(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	struct bytes spki;

	(void)state;
	assert_true(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING,
			OSSL_PKEY_EC_ENCODING_EXPLICIT) == 1);
	spki_of(pkey, &spki);
	assert_true(spki.view.len > 200);
	refused(spki.view);
	EVP_PKEY_free(pkey);
}

static void
test_refuses_damaged_keys(void **state)
{
	struct bytes spki;

	(void)state;
	spki_of(ec, &spki);
	for (size_t len = 0; len < spki.view.len; len++)
		refused((view){ spki.bytes, len });
	spki.bytes[spki.view.len] = 0;
	refused((view){ spki.bytes, spki.view.len + 1 }); /* something behind it */
	spki.bytes[spki.view.len - 1] ^= 1;
	refused(spki.view); /* off the curve */
	refused((view){ spki.bytes, (size_t)1 << 20 });
}

static void
test_reads_certificates(void **state)
{
	X509 *certificate = X509_new();
	struct bytes der, sig;
	unsigned char *at = (unsigned char *)der.bytes;
	struct public_key *key = NULL;
	int64_t from = 0, to = 0;
	struct error err;

	(void)state;
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), 1000));
	assert_true(
	    ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20991231235959Z") == 1);
	assert_int_equal(X509_set_pubkey(certificate, rsa), 1);
	assert_true(X509_sign(certificate, ec, EVP_sha256()) > 0);
	der.view = (view){ der.bytes, (size_t)i2d_X509(certificate, &at) };
	X509_free(certificate);

	assert_true(public_key_from_certificate(der.view, &key, &err));
	sign(rsa, RSA_PKCS1_PADDING, 0, V("message"), &sig);
	assert_true(public_key_verify(key, SIGNATURE_RS256, V("message"), sig.view));
	assert_true(certificate_validity(der.view, &from, &to, &err));
	assert_int_equal(from, 1000);
	assert_int_equal(to, 4102444799);
	assert_false(certificate_validity((view){ der.bytes, der.view.len - 1 }, &from, &to, &err));
	assert_false(public_key_from_certificate((view){ der.bytes, 40 }, &key, &err));
	assert_int_equal(from, 1000);
	public_key_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_verifies_the_rsa_example),
		cmocka_unit_test(test_verifies_the_ec_example),
		cmocka_unit_test(test_the_algorithm_must_fit),
		cmocka_unit_test(test_every_algorithm_verifies_only_its_own),
		cmocka_unit_test(test_refuses_changed_signatures),
		cmocka_unit_test(test_rsa_has_bounds),
		cmocka_unit_test(test_refuses_other_keys),
		cmocka_unit_test(test_refuses_spelled_out_curves),
		cmocka_unit_test(test_refuses_damaged_keys),
		cmocka_unit_test(test_reads_certificates),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
