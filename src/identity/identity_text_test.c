#include "identity/resource.h"

#include "base/arena.h"
#include "identity/client_secret.h"
#include "identity/graph_text.h"

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

static const struct {
	const char *text;
	int64_t seconds; /* -1: refused */
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2026-11-22T07:30:01Z", 1795332601 },
	{ "2026-11-22T07:30:01.1234567z", 1795332601 },
	{ "2026-11-22t08:30:01+01:00", 1795332601 },
	{ "2026-11-22T06:00:01-01:30", 1795332601 },
	{ "2024-02-29T00:00:00Z", 1709164800 },
	{ "2025-02-29T00:00:00Z", -1 },
	{ "2025-13-01T00:00:00Z", -1 },
	{ "2025-00-01T00:00:00Z", -1 },
	{ "2025-01-32T00:00:00Z", -1 },
	{ "2025-01-01T24:00:00Z", -1 },
	{ "2025-01-01T00:60:00Z", -1 },
	{ "2025-01-01T00:00:00", -1 },
	{ "2025-01-01T00:00:00+1:00", -1 },
	{ "2025-01-01T00:00:00ZZ", -1 },
	{ "2025-01-01 00:00:00Z", -1 },
	{ "2025-1-01T00:00:00Z", -1 },
	{ "", -1 },
	{ "2025-01-01", -1 },
};

static void
test_times(void **state)
{
	char text[GRAPH_TIME_LEN + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		int64_t seconds = -1;

		(void)!graph_time_parse(view_of(times[i].text), &seconds);
		if (seconds != times[i].seconds)
			fail_msg("%s: %lld", times[i].text, (long long)seconds);
	}
	assert_string_equal(graph_time_print(1795332601, text).ptr, "2026-11-22T07:30:01Z");
	(void)graph_time_print(INT64_MAX, text);
}

static const struct {
	const char *text, *der; /* NULL: refused */
} certificates[] = {
	{ "YWJj", "abc" },
	{ "YW\r\nJj\n", "abc" },
	{ "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", "abc" },
	{ "Bag\n-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\nmore", "abc" },
	/* Base64 of the PEM text. */
	{ "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCllXSmoKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
	    "abc" },
	{ "", NULL },
	{ "*", NULL },
	{ "-----BEGIN CERTIFICATE-----", NULL },
};

static void
test_certificates(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view der;

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < COUNT_OF(certificates); i++) {
		bool ok = graph_certificate_parse(view_of(certificates[i].text), &arena, &der);

		if (ok != (certificates[i].der != NULL))
			fail_msg("%s", certificates[i].text);
		if (ok)
			assert_true(view_eq(der, view_of(certificates[i].der)));
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
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_client_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
