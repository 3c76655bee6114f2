#include "base/testing.h"
#include "crypto/signature.h"

#include <openssl/ec.h>

static const struct {
	enum signature_alg alg;
	const char *group;
} curves[] = {
	{ SIGNATURE_ES256, "prime256v1" },
	{ SIGNATURE_ES256K, "secp256k1" },
	{ SIGNATURE_ES384, "secp384r1" },
	{ SIGNATURE_ES512, "secp521r1" },
};

/* r and s as OpenSSL reads them. */
static void
read_by_openssl(view der, unsigned char *raw, int half)
{
	const unsigned char *at = octets(der);
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der.len);

	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half), half);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half), half);
	ECDSA_SIG_free(sig);
}

/* Often enough for numbers that are shorter than their field, and for both signs of the top bit. */
static void
test_as_openssl_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		AUTO(pkey_done) EVP_PKEY *pkey = EVP_EC_gen(curves[i].group);
		AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = NULL;
		struct error err;
		size_t raw_len;

		assert_true(signature_ctx(pkey, curves[i].alg, SIGNATURE_SIGN, &ctx, &err));
		assert_true(ecdsa_raw_len(curves[i].alg, &raw_len));
		for (int round = 0; round < 600; round++) {
			unsigned char der[ECDSA_DER_MAX], again[ECDSA_DER_MAX];
			unsigned char raw[ECDSA_RAW_MAX], known[ECDSA_RAW_MAX];
			unsigned char digest[SIGNATURE_DIGEST_MAX];
			size_t len = sizeof(der), again_len, digest_len;
			view signature = { (const char *)der, 0 };

			assert_true(
			    signature_digest(curves[i].alg, V("message"), digest, &digest_len));
			assert_int_equal(EVP_PKEY_sign(ctx, der, &len, digest, digest_len), 1);
			signature.len = len;
			assert_true(ecdsa_to_raw(signature, raw, raw_len));
			read_by_openssl(signature, known, (int)raw_len / 2);
			assert_memory_equal(raw, known, raw_len);
			assert_true(
			    ecdsa_to_der((view){ (const char *)raw, raw_len }, again, &again_len));
			assert_int_equal(again_len, len);
			assert_memory_equal(again, der, len);
		}
	}
}

#define ONE "\x02\x01\x01"
#define FULL           \
	"\x02\x20\x7f" \
	"2345678901234567890123456789012"

static void
test_what_is_no_signature(void **state)
{
	static const struct {
		view der;
		bool good;
	} cases[] = {
		{ V_INIT("\x30\x06" ONE ONE), true },
		{ V_INIT("\x30\x07\x02\x02\x00\x80" ONE), true },
		{ V_INIT("\x30\x06\x02\x01\x00" ONE), true }, /* zero: somebody else's to refuse */
		{ V_INIT("\x30\x44" FULL FULL), true },
		{ V_INIT(""), false },
		{ V_INIT("\x30"), false },
		{ V_INIT("\x30\x81"), false },
		{ V_INIT("\x30\x00"), false },
		{ V_INIT("\x31\x06" ONE ONE), false },
		{ V_INIT("\x30\x05" ONE ONE), false },
		{ V_INIT("\x30\x07" ONE ONE), false },
		{ V_INIT("\x30\x06" ONE ONE "\x00"), false },
		{ V_INIT("\x30\x09" ONE ONE ONE), false },
		{ V_INIT("\x30\x03" ONE), false },
		{ V_INIT("\x30\x81\x06" ONE ONE), false },        /* a length that is too long */
		{ V_INIT("\x30\x80" ONE ONE "\x00\x00"), false }, /* and one of BER */
		{ V_INIT("\x30\x06\x03\x01\x01" ONE), false },
		{ V_INIT("\x30\x05\x02\x00" ONE), false },
		{ V_INIT("\x30\x06\x02\x01\x81" ONE), false },     /* negative */
		{ V_INIT("\x30\x07\x02\x02\x00\x01" ONE), false }, /* not as short as can be */
		{ V_INIT("\x30\x06" ONE "\x02\x02\x01"), false },
		{ V_INIT("\x30\x26\x02\x21\x01"
			 "23456789012345678901234567890123" ONE),
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned char raw[ES256_RAW_LEN] = { 7 };

		assert_int_equal(ecdsa_to_raw(cases[i].der, raw, sizeof(raw)), cases[i].good);
		if (!cases[i].good)
			assert_int_equal(raw[0], 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_openssl_reads_them),
		cmocka_unit_test(test_what_is_no_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
