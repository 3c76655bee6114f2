#include "graph/text.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
	/* Also where nanoseconds do not reach. */
	assert_string_equal(graph_time_print(INT64_MAX, text).ptr, "9999-12-31T23:59:59Z");
	assert_string_equal(graph_time_print(INT64_MIN, text).ptr, "0000-01-01T00:00:00Z");
	assert_string_equal(graph_time_print(-62135596800, text).ptr, "0001-01-01T00:00:00Z");
	assert_string_equal(graph_time_print(33332430600, text).ptr, "3026-04-07T00:30:00Z");
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
