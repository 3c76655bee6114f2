#include "crypto/aead.h"
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[AEAD_KEY_LEN] = "0123456789abcdef0123456789abcde";

static view
unhex(const char *digits, char *out)
{
	assert_true(hex_decode(view_of(digits), (uint8_t *)out));
	return (view){ out, strlen(digits) / 2 };
}

static struct aead *
make(const uint8_t bytes[AEAD_KEY_LEN])
{
	struct aead *aead = NULL;
	struct error err;

	assert_true(aead_new(bytes, &aead, &err));
	return aead;
}

static void
test_opens_known_answers(void **state)
{
	/* The GCM specification's test cases 13, 14 and 16: nonce, ciphertext and tag in a row. */
	static const struct {
		const char *key, *sealed, *aad, *plain;
	} cases[] = {
		{ "0000000000000000000000000000000000000000000000000000000000000000",
		    "000000000000000000000000"
		    "530f8afbc74536b9a963b4f1c4cb738b",
		    "", "" },
		{ "0000000000000000000000000000000000000000000000000000000000000000",
		    "000000000000000000000000"
		    "cea7403d4d606b6e074ec5d3baf39d18"
		    "d0d1c8a799996bf0265b98b5d48ab919",
		    "", "00000000000000000000000000000000" },
		{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
		    "cafebabefacedbaddecaf888"
		    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
		    "76fc6ece0f4e1768cddf8853bb2d551b",
		    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
		    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char bytes[AEAD_KEY_LEN], sealed[128], aad[32], plain[64], out[64];
		view want = unhex(cases[i].plain, plain);
		struct aead *aead;
		struct error err;

		unhex(cases[i].key, bytes);
		aead = make((const uint8_t *)bytes);
		assert_true(aead_open(aead, unhex(cases[i].sealed, sealed),
		    unhex(cases[i].aad, aad), out, &err));
		assert_memory_equal(out, want.ptr, want.len);
		aead_free(aead);
	}
}

static void
test_opens_what_it_sealed(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 16, 17, 500, 25600, 1000000 };
	struct aead *aead = make(key), *other = make(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lens); i++) {
		char *plain = malloc(lens[i] + 1), *out = malloc(lens[i] + 1);
		char *sealed = malloc(lens[i] + AEAD_OVERHEAD);
		view text = { sealed, lens[i] + AEAD_OVERHEAD };
		struct error err;

		memset(plain, 'x', lens[i]);
		assert_true(aead_seal(aead, (view){ plain, lens[i] }, V("aad"), sealed, &err));
		assert_true(aead_open(aead, text, V("aad"), out, &err));
		assert_memory_equal(out, plain, lens[i]);
		memset(out, 0, lens[i]);
		assert_true(aead_open(other, text, V("aad"), out, &err));
		assert_memory_equal(out, plain, lens[i]);
		free(plain);
		free(out);
		free(sealed);
	}
	aead_free(aead);
	aead_free(other);
}

static void
test_nonces_differ(void **state)
{
	char first[AEAD_OVERHEAD], second[AEAD_OVERHEAD];
	struct aead *aead = make(key);
	struct error err;

	(void)state;
	assert_true(aead_seal(aead, V(""), V(""), first, &err));
	assert_true(aead_seal(aead, V(""), V(""), second, &err));
	assert_memory_not_equal(first, second, AEAD_NONCE_LEN);
	aead_free(aead);
}

static void
refused(struct aead *aead, view sealed, view aad)
{
	static const char zeros[64];
	char out[64];
	struct error err;

	memset(out, 0, sizeof(out));
	assert_false(aead_open(aead, sealed, aad, out, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_memory_equal(out, zeros, sizeof(out)); /* not one byte of plaintext */
}

static void
test_refuses_whatever_was_changed(void **state)
{
	static const char plain[] = "the plaintext of a document";
	char sealed[sizeof(plain) + AEAD_OVERHEAD];
	view whole = { sealed, sizeof(sealed) };
	uint8_t wrong[AEAD_KEY_LEN];
	struct aead *aead = make(key), *other;
	struct error err;
	char out[64];

	(void)state;
	memcpy(wrong, key, sizeof(wrong));
	wrong[31] ^= 1;
	other = make(wrong);
	assert_true(aead_seal(aead, (view){ plain, sizeof(plain) }, V("v/1/s/a"), sealed, &err));
	for (size_t i = 0; i < 8 * sizeof(sealed); i++) {
		sealed[i / 8] ^= (char)(1 << i % 8);
		refused(aead, whole, V("v/1/s/a"));
		sealed[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t len = 0; len < sizeof(sealed); len++)
		refused(aead, (view){ sealed, len }, V("v/1/s/a"));
	refused(aead, whole, V("v/1/s/b"));
	refused(aead, whole, V(""));
	refused(other, whole, V("v/1/s/a"));
	assert_true(aead_open(aead, whole, V("v/1/s/a"), out, &err)); /* still in order */
	aead_free(aead);
	aead_free(other);
	aead_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_known_answers),
		cmocka_unit_test(test_opens_what_it_sealed),
		cmocka_unit_test(test_nonces_differ),
		cmocka_unit_test(test_refuses_whatever_was_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
