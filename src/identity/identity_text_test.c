#include "identity/resource.h"

#include "base/arena.h"
#include "identity/client_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GUID "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"

static const struct {
	const char *wanted, *found;
	bool fits;
} audiences[] = {
	{ "https://vault.localhost:8443", "https://vault.localhost:8443", true },
	{ "https://vault.localhost:8443", "https://vault.localhost:8443/", true },
	{ "https://vault.localhost:8443", "https://vault.localhost", true },
	{ "https://vault.localhost:8443", "HTTPS://Vault.LocalHost/", true },
	{ "https://vault.localhost", "https://vault.localhost:443", true },
	{ "https://vault.localhost", "https://vault.localhost:8443", false },
	{ "https://vault.localhost:8443", "https://vault.localhost:443", false },
	{ "https://vault.localhost:8443", "https://vault.localhost:84430", false },
	{ "https://vault.localhost:8443", "https://vault.localhost//", false },
	{ "https://vault.localhost:8443", "https://vault.localhost:8443/x", false },
	{ "https://vault.localhost:8443", "https://vault.localhost.evil", false },
	{ "https://vault.localhost:8443", "https://management.localhost:8443", false },
	{ "https://vault.localhost:8443", "http://vault.localhost:8443", false },
	{ "https://vault.localhost:8443", "https://", false },
	{ "https://vault.localhost:8443", "", false },
	{ "https://vault.localhost:8443", GUID, true },
	{ "https://management.localhost:8443", GUID, false },
	{ "https://vaults.localhost:8443", GUID, false },
	{ "https://management.localhost/", "https://management.localhost", true },
};

static void
test_audiences(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(audiences); i++) {
		if (audience_fits(view_of(audiences[i].wanted), view_of(audiences[i].found)) !=
		    audiences[i].fits)
			fail_msg("%s, %s", audiences[i].wanted, audiences[i].found);
	}
}

static const struct {
	const char *domain, *resource;
	bool known;
} resources[] = {
	{ "localhost:8443", "https://vault.localhost:8443", true },
	{ "localhost:8443", "https://vault.localhost", true },
	{ "localhost:8443", "https://vault.localhost:8443/", true },
	{ "localhost:8443", "https://management.localhost:8443/", true },
	{ "localhost:8443", "https://managedhsm.localhost:8443", true },
	{ "localhost:8443", "https://graph.localhost:8443", true },
	{ "localhost:8443", "https://api.loganalytics.localhost:8443", true },
	{ "example.org", "https://vault.example.org:443", true },
	{ "example.org", GUID, true },
	{ "localhost:8443", "https://vault.localhost:9000", false },
	{ "localhost:8443", "https://vault.localhost:8443//", false },
	{ "localhost:8443", "https://vault.example.org:8443", false },
	{ "localhost:8443", "https://localhost:8443", false },
	{ "localhost:8443", "https://my.vault.localhost:8443", false },
	{ "localhost:8443", "https://storage.localhost:8443", false },
	{ "localhost:8443", "http://vault.localhost:8443", false },
	{ "localhost:8443", "api://vault", false },
	{ "localhost:8443", "", false },
};

static void
test_resources(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(resources); i++) {
		if (resource_known(view_of(resources[i].domain), view_of(resources[i].resource)) !=
		    resources[i].known)
			fail_msg("%s", resources[i].resource);
	}
}

static void
test_client_secrets(void **state)
{
	AUTO(plain_done) struct plain *one = NULL, *two = NULL, *three = NULL;
	struct client_secret secrets[3] = { { .start = 100, .end = 200 },
		{ .start = 100, .end = 150 }, { .start = 100, .end = 200 } };
	enum secret_verdict verdict;
	struct error err;

	(void)state;
	assert_true(client_secret_make(&secrets[0], &one, &err));
	assert_true(client_secret_make(&secrets[1], &two, &err));
	assert_true(client_secret_make(&secrets[2], &three, &err));
	assert_int_equal(plain_view(one).len, 40);
	assert_false(view_eq(plain_view(one), plain_view(two)));
	assert_memory_not_equal(secrets[0].salt, secrets[1].salt, sizeof(secrets[0].salt));
	assert_memory_equal(secrets[0].hint, plain_view(one).ptr, 3);

#define VERDICT(count, text, now) \
	(assert_true(client_secret_check(secrets, count, text, now, &verdict, &err)), verdict)
	assert_int_equal(VERDICT(3, plain_view(one), 199), SECRET_GOOD);
	assert_int_equal(VERDICT(3, plain_view(three), 199), SECRET_GOOD);
	assert_int_equal(VERDICT(3, plain_view(two), 149), SECRET_GOOD);
	assert_int_equal(VERDICT(3, plain_view(two), 150), SECRET_EXPIRED);
	assert_int_equal(VERDICT(3, plain_view(one), 99), SECRET_EXPIRED);
	assert_int_equal(VERDICT(2, plain_view(three), 150), SECRET_WRONG);
	assert_int_equal(VERDICT(3, V(""), 150), SECRET_WRONG);
	assert_int_equal(VERDICT(0, plain_view(one), 150), SECRET_WRONG);
	plain_bytes(one)[39] ^= 1;
	assert_int_equal(VERDICT(3, plain_view(one), 150), SECRET_WRONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audiences),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_client_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
