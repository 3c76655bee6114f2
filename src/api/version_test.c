#include "api/version.h"
#include "base/testing.h"

static void
test_known_ones(void **state)
{
	static const struct {
		view text;
		int rank; /* -1: unknown */
	} rows[] = {
		{ V_INIT("2016-10-01"), VERSION_2016_10_01 },
		{ V_INIT("7.0"), VERSION_7_0 },
		{ V_INIT("7.1"), VERSION_7_1 },
		{ V_INIT("7.2"), VERSION_7_2 },
		{ V_INIT("7.3"), VERSION_7_3 },
		{ V_INIT("7.4"), VERSION_7_4 },
		{ V_INIT("7.5"), VERSION_7_5 },
		{ V_INIT("7.6"), VERSION_7_6 },
		{ V_INIT("2025-07-01"), VERSION_2025_07_01 },
		{ V_INIT("2026-04-01"), VERSION_2026_04_01 },
		/* A preview is its successor. */
		{ V_INIT("7.2-preview"), VERSION_7_2 },
		{ V_INIT("7.3-preview"), VERSION_7_3 },
		{ V_INIT("7.4-preview.1"), VERSION_7_4 },
		{ V_INIT("7.5-preview.1"), VERSION_7_5 },
		{ V_INIT("7.6-preview.1"), VERSION_7_6 },
		{ V_INIT("7.6-preview.2"), VERSION_7_6 },
		{ V_INIT("2025-06-01-preview"), VERSION_2025_07_01 },
		{ V_INIT("2026-01-01-preview"), VERSION_2026_04_01 },
		{ V_INIT("2026-03-01-preview"), VERSION_2026_04_01 },
		/* In any case. */
		{ V_INIT("7.5-PREVIEW.1"), VERSION_7_5 },
		{ V_INIT("2025-06-01-Preview"), VERSION_2025_07_01 },
		{ V_INIT(""), -1 },
		{ V_INIT("7"), -1 },
		{ V_INIT("7.40"), -1 },
		{ V_INIT(" 7.4"), -1 },
		{ V_INIT("7.4\0"), -1 },
		{ V_INIT("v7.4"), -1 },
		{ V_INIT("2015-06-01"), -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct api_version *version = api_version_find(rows[i].text);

		assert_int_equal(version == NULL ? -1 : (int)version->rank, rows[i].rank);
	}
}

static void
test_ranks_rise_with_age(void **state)
{
	static const enum version_rank ranks[] = { VERSION_2016_10_01, VERSION_7_0, VERSION_7_1,
		VERSION_7_2, VERSION_7_3, VERSION_7_4, VERSION_7_5, VERSION_7_6, VERSION_2025_07_01,
		VERSION_2026_04_01 };

	(void)state;
	for (size_t i = 1; i < COUNT_OF(ranks); i++)
		assert_true(ranks[i - 1] < ranks[i]);
}

static void
test_the_newest_is_stable(void **state)
{
	const struct api_version *newest = api_version_newest();

	(void)state;
	assert_string_equal(newest->name, "2026-04-01");
	assert_ptr_equal(api_version_find(view_of(newest->name)), newest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_ones),
		cmocka_unit_test(test_ranks_rise_with_age),
		cmocka_unit_test(test_the_newest_is_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
