#include "base/testing.h"
#include "crypto/pkcs8.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS 100

static EVP_PKEY *keys[3];
static struct plain *ders[COUNT_OF(keys)];

static int
setup(void **state)
{
	struct error err;

	(void)state;
	keys[0] = EVP_EC_gen("P-256");
	keys[1] = EVP_RSA_gen(2048U);
	keys[2] = EVP_EC_gen("P-521");
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		assert_fine(pkcs8_encode(keys[i], &ders[i], &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		EVP_PKEY_free(keys[i]);
		plain_free(ders[i]);
	}
	return 0;
}

static bool
decodes(size_t which)
{
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	struct error err;

	return pkcs8_decode(plain_view(ders[which]), &pkey, &err) &&
	    EVP_PKEY_eq(pkey, keys[which]) == 1;
}

/* A decoder that is used again takes each key for itself, whatever it met before. */
static void
test_one_after_the_other(void **state)
{
	static const size_t order[] = { 0, 1, 1, 2, 0, 2, 1, 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(order); i++)
		assert_true(decodes(order[i]));
}

static void
test_what_is_no_key(void **state)
{
	(void)state;
	for (size_t which = 0; which < COUNT_OF(keys); which++) {
		view der = plain_view(ders[which]);
		char longer[4096];

		for (size_t len = 0; len < der.len; len += 1 + der.len / 20) {
			EVP_PKEY *pkey = NULL;
			struct error err = { 0 };

			assert_false(pkcs8_decode((view){ der.ptr, len }, &pkey, &err));
			assert_int_equal(err.code, ERR_CORRUPT);
			assert_null(pkey);
			assert_true(decodes((which + 1) % COUNT_OF(keys)));
		}
		memcpy(longer, der.ptr, der.len);
		longer[der.len] = 0;
		{
			EVP_PKEY *pkey = NULL;
			struct error err;

			assert_false(pkcs8_decode((view){ longer, der.len + 1 }, &pkey, &err));
			assert_null(pkey);
		}
	}
}

static void *
decode_many(void *ctx)
{
	size_t *good = ctx;

	for (size_t i = 0; i < ROUNDS; i++)
		*good += decodes(i % COUNT_OF(keys));
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[THREADS];
	size_t good[THREADS] = { 0 };

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, decode_many, &good[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(good[i], ROUNDS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_what_is_no_key),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
