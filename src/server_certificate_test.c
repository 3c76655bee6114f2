#include "base/clock.h"
#include "base/testing.h"
#include "keyring/testing.h"
#include "keyring/work.h"
#include "server_certificate.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static struct place place;
static struct authority *authority;
static struct server_certificate certificate;
static struct error err;

/* OpenSSL's allocations: how many there were, and which one fails; 0: none. */
static unsigned taken, failing;

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return ++taken == failing ? NULL : malloc(size);
}

static void *
resize(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(memory, size);
}

static void
give_back(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

static bool
make_authority(void *ctx, struct tx *tx, view *journal, struct error *err_)
{
	(void)ctx;
	(void)journal;
	return authority_create(tx, V("tests"), err_);
}

static bool
open_authority(void *ctx, struct tx *tx, view *journal, struct error *err_)
{
	(void)ctx;
	(void)journal;
	return authority_open(tx, &authority, err_);
}

static int
setup(void **state)
{
	static char none[] = "", domain[] = "example.test";
	static const struct config config = { .domain = domain,
		.certificate = none,
		.certificate_key = none };

	(void)state;
	place_make(&place, false);
	assert_fine(work_run(place.store, place.keyring, make_authority, NULL, &err), &err);
	assert_fine(work_run(place.store, place.keyring, open_authority, NULL, &err), &err);
	assert_fine(server_certificate_open(&config, authority, &certificate, &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	server_certificate_close(&certificate);
	authority_free(authority);
	place_remove(&place);
	return 0;
}

static bool
refresh_failing(unsigned which)
{
	bool fine;

	taken = 0;
	failing = which;
	fine = server_certificate_refresh(&certificate, false, &err);
	failing = 0;
	return fine;
}

/*
 * The one that is served goes on ageing: it is to be renewed now, and not when the lost one would
 * have been.
 */
static void
test_what_was_not_taken_is_still_due(void **state)
{
	unsigned all, failures = 0;

	(void)state;
	certificate.renew = 0;
	assert_true(refresh_failing(0));
	assert_true(certificate.renew > clock_wall());
	all = taken;
	/* The last ones are the TLS context's, of a certificate that has been issued. */
	for (unsigned from_last = 1; from_last < all; from_last = from_last * 3 + 1) {
		certificate.renew = 0;
		if (refresh_failing(all - from_last))
			continue;
		assert_int_equal(certificate.renew, 0);
		failures++;
	}
	assert_true(failures > 0);
	assert_true(refresh_failing(0));
	assert_true(certificate.renew > clock_wall());
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_what_was_not_taken_is_still_due, setup, teardown),
};

int
main(void)
{
	if (CRYPTO_set_mem_functions(take, resize, give_back) != 1)
		return EXIT_FAILURE;
	return cmocka_run_group_tests_name("server certificate", tests, NULL, NULL);
}
