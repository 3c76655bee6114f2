#include "base/testing.h"
#include "crypto/openssl.h"
#include "pki/spki.h"
#include "pki/testing.h"

#include <openssl/core_names.h>

static const struct {
	const char *name;
	size_t len;
	unsigned bits;
} curves[] = {
	{ "P-256", 32, 256 },
	{ "P-256K", 32, 256 },
	{ "P-384", 48, 384 },
	{ "P-521", 66, 521 },
};

/* The key with its point in another form; what its SubjectPublicKeyInfo is then. */
static void
write_as(struct test_key *key, const char *form, struct buf *out)
{
	struct error err;

	assert_int_equal(EVP_PKEY_set_utf8_string_param(key->pkey,
			     OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form),
	    1);
	assert_true(spki_encode(key->pkey, out, &err));
}

static void
test_forms_of_points(void **state)
{
	static const char *const forms[] = { "compressed", "hybrid" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		AUTO(test_key_done) struct test_key *key = test_key_new(curves[i].name);
		struct error err;
		struct spki found;

		assert_fine(spki_read(buf_view(&key->spki), &found, &err), &err);
		assert_int_equal(found.kind, SPKI_EC);
		assert_string_equal(found.curve, curves[i].name);
		assert_int_equal(found.bits, curves[i].bits);
		for (size_t form = 0; form < COUNT_OF(forms); form++) {
			AUTO(buf_free) struct buf other = { 0 };

			write_as(key, forms[form], &other);
			assert_false(view_eq(buf_view(&other), buf_view(&key->spki)));
			assert_fine(spki_read(buf_view(&other), &found, &err), &err);
			assert_int_equal(found.kind, SPKI_OTHER);
		}
	}
}

/* No point of the curve, in whichever byte; and the point of no affine coordinates. */
static void
test_points_elsewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		AUTO(test_key_done) struct test_key *key = test_key_new(curves[i].name);
		struct buf *spki = &key->spki;
		struct spki found = { .bits = 7 };

		for (size_t back = 1; back <= 2 * curves[i].len; back += 7) {
			struct error err = { 0 };

			spki->ptr[spki->len - back] ^= 1;
			assert_false(spki_read(buf_view(spki), &found, &err));
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
			assert_int_equal(found.bits, 7);
			spki->ptr[spki->len - back] ^= 1;
		}
		for (int fill = 0; fill < 2; fill++) {
			struct error err = { 0 };

			memset(spki->ptr + spki->len - 2 * curves[i].len, fill == 0 ? 0 : 0xff,
			    2 * curves[i].len);
			assert_false(spki_read(buf_view(spki), &found, &err));
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
		}
	}
}

/* An RSA key with every byte of its wrapping changed: never taken for one that is written so. */
static void
test_rsa_wrapping(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_new("RSA-2048");
	struct buf *spki = &key->spki;
	struct spki found;
	struct error err;

	(void)state;
	assert_fine(spki_read(buf_view(spki), &found, &err), &err);
	assert_int_equal(found.kind, SPKI_RSA);
	assert_int_equal(found.bits, 2048);
	for (size_t at = 0; at < 32; at++) {
		spki->ptr[at] ^= 1;
		assert_true(!spki_read(buf_view(spki), &found, &err) || found.kind == SPKI_OTHER);
		spki->ptr[at] ^= 1;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms_of_points),
		cmocka_unit_test(test_points_elsewhere),
		cmocka_unit_test(test_rsa_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
