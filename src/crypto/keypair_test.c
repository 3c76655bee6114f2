#include "crypto/keypair.h"

#include "base/testing.h"
#include "crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

static void
test_the_halves_belong_together(void **state)
{
	AUTO(buf_free) struct buf pem = { 0 }, spki = { 0 }, again = { 0 };
	AUTO(bio_done) BIO *bio = NULL;
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	struct error err;

	(void)state;
	assert_fine(keypair_new(&pem, &spki, &err), &err);
	assert_true(view_starts(buf_view(&pem), V("-----BEGIN PRIVATE KEY-----\n")));
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(pkey);
	assert_true(spki_encode(pkey, &again, &err));
	assert_true(view_eq(buf_view(&again), buf_view(&spki)));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_each_is_another(void **state)
{
	AUTO(buf_free) struct buf pem = { 0 }, first = { 0 }, second = { 0 };
	struct error err;

	(void)state;
	assert_fine(keypair_new(&pem, &first, &err), &err);
	assert_fine(keypair_new(&pem, &second, &err), &err);
	assert_false(view_eq(buf_view(&first), buf_view(&second)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_halves_belong_together),
		cmocka_unit_test(test_each_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
