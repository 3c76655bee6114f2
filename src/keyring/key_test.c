#include "keyring/key.h"
#include "base/testing.h"
#include "base/attr.h"

static const struct key_spec rsa = { .kind = KEY_RSA, .bits = 2048 };
static const struct key_spec p256 = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256 };
static const struct key_spec p256k = { .kind = KEY_EC, .curve = KEY_P256K, .bits = 256 };
static const struct key_spec p521 = { .kind = KEY_EC, .curve = KEY_P521, .bits = 521 };
static const struct key_spec oct128 = { .kind = KEY_OCT, .bits = 128 };
static const struct key_spec oct256 = { .kind = KEY_OCT, .bits = 256 };

static void
test_algorithms(void **state)
{
	static const struct {
		const char *name;
		const struct key_spec *fits, *does_not;
		size_t digest_len;
		bool encrypts, wraps, signs;
	} rows[] = {
		{ "RSA1_5", &rsa, &p256, 0, true, true, false },
		{ "RSA-OAEP", &rsa, &oct256, 20, true, true, false },
		{ "RSA-OAEP-256", &rsa, &oct256, 32, true, true, false },
		{ "RS384", &rsa, &p521, 48, false, false, true },
		{ "PS512", &rsa, &p521, 64, false, false, true },
		{ "RSNULL", &rsa, &p521, 0, false, false, true },
		{ "ES256", &p256, &p256k, 32, false, false, true },
		{ "ES256K", &p256k, &p256, 32, false, false, true },
		{ "ES512", &p521, &rsa, 64, false, false, true },
		{ "A128GCM", &oct128, &oct256, 0, true, false, false },
		{ "A256CBC", &oct256, &oct128, 0, true, false, false },
		{ "A256CBCPAD", &oct256, &rsa, 0, true, false, false },
		{ "A128KW", &oct128, &oct256, 0, false, true, false },
		{ "CKM_AES_KEY_WRAP", &oct256, &rsa, 0, false, true, false },
		{ "CKM_AES_KEY_WRAP_PAD", &oct128, &rsa, 0, false, true, false },
		{ "HS384", &oct128, &p256, 48, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct key_algorithm *found = key_algorithm_find(view_of(rows[i].name));

		assert_non_null(found);
		assert_string_equal(found->name, rows[i].name);
		assert_true(key_algorithm_fits(found, rows[i].fits));
		assert_false(key_algorithm_fits(found, rows[i].does_not));
		assert_int_equal(key_digest_len(found->digest), rows[i].digest_len);
		assert_int_equal(found->encrypts, rows[i].encrypts);
		assert_int_equal(found->wraps, rows[i].wraps);
		assert_int_equal(found->signs, rows[i].signs);
	}
}

static void
test_no_algorithms(void **state)
{
	static const char *const names[] = { "", "none", "rs256", "RS25", "RS2567", "ES521",
		"A512GCM", "RSA-OAEP-512" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_null(key_algorithm_find(view_of(names[i])));
}

static void
test_curves(void **state)
{
	static const struct {
		const char *name;
		enum key_curve curve;
		size_t len;
	} rows[] = {
		{ "P-256", KEY_P256, 32 },
		{ "P-256K", KEY_P256K, 32 },
		{ "P-384", KEY_P384, 48 },
		{ "P-521", KEY_P521, 66 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(key_curve_find(view_of(rows[i].name)), rows[i].curve);
		assert_string_equal(key_curve_name(rows[i].curve), rows[i].name);
		assert_int_equal(key_field_len(rows[i].curve), rows[i].len);
	}
	assert_int_equal(key_curve_find(V("secp256k1")), 0);
	assert_int_equal(key_curve_find(V("")), 0);
	assert_null(key_curve_name(0));
	assert_int_equal(key_field_len(0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_no_algorithms),
		cmocka_unit_test(test_curves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
