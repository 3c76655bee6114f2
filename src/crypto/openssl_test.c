#include "crypto/openssl.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_failed(void **state)
{
	struct error err = { 0 };

	(void)state;
	ERR_raise(ERR_LIB_EC, ERR_R_PASSED_INVALID_ARGUMENT);
	assert_false(openssl_failed(&err, ERR_BAD_REQUEST, "No key."));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	assert_string_equal(err.message, "No key.");
	assert_int_equal(ERR_peek_error(), 0);
}

/* Not the client's fault, whatever came of it. */
static void
test_failed_without_memory(void **state)
{
	struct error err = { 0 };

	(void)state;
	ERR_raise(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE);
	ERR_raise(ERR_LIB_EC, ERR_R_BN_LIB);
	assert_false(openssl_failed(&err, ERR_BAD_REQUEST, "No key."));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_failed_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
