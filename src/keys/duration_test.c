#include "keys/duration.h"

#include "base/testing.h"

static void
test_parses(void **state)
{
	static const struct {
		view text;
		struct duration wanted;
	} rows[] = {
		{ V_INIT("P90D"), { .days = 90 } },
		{ V_INIT("P3M"), { .months = 3 } },
		{ V_INIT("P18M"), { .months = 18 } },
		{ V_INIT("P2Y"), { .months = 24 } },
		{ V_INIT("P1Y10D"), { .months = 12, .days = 10 } },
		{ V_INIT("P1Y2M3DT4H"), { .months = 14, .days = 3, .hours = 4 } },
		{ V_INIT("PT48H"), { .hours = 48 } },
		{ V_INIT("P4W"), { .days = 28 } },
		{ V_INIT("P007D"), { .days = 7 } },
		{ V_INIT("P0D"), { .days = 0 } },
		{ V_INIT("P100Y"), { .months = 1200 } },
		{ V_INIT("P36500D"), { .days = 36500 } },
		{ V_INIT("PT876000H"), { .hours = 876000 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct duration got;

		if (!duration_parse(rows[i].text, &got) || got.months != rows[i].wanted.months ||
		    got.days != rows[i].wanted.days || got.hours != rows[i].wanted.hours)
			fail_msg("\"%.*s\"", VIEW_ARG(rows[i].text));
	}
}

static void
test_refuses(void **state)
{
	static const view rows[] = { V_INIT(""), V_INIT("P"), V_INIT("PT"), V_INIT("30D"),
		V_INIT("p30d"), V_INIT("P30d"), V_INIT("P30"), V_INIT("PD"), V_INIT("P-30D"),
		V_INIT("-P30D"), V_INIT("+P30D"), V_INIT("P+30D"), V_INIT("P1.5D"), V_INIT("P1,5D"),
		V_INIT(" P30D"), V_INIT("P30D "), V_INIT("P30D\0"), V_INIT("P30DT"),
		V_INIT("P1D1M"), V_INIT("P1M1Y"), V_INIT("P1D1D"), V_INIT("PT1D"), V_INIT("P1H"),
		V_INIT("PT1HT1H"), V_INIT("PTT1H"), V_INIT("PT1H1H"), V_INIT("PT1H1D"),
		V_INIT("PT30M"), V_INIT("PT30S"), V_INIT("P1W1D"), V_INIT("P1Y1W"),
		V_INIT("P1WT1H"), V_INIT("P101Y"), V_INIT("P1201M"), V_INIT("P5201W"),
		V_INIT("P36501D"), V_INIT("PT876001H"), V_INIT("P4294967326D"),
		V_INIT("P99999999999999999999999999D"),
		V_INIT("P00000000000000000000000000000030D") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct duration got = { .days = 4711 };

		if (duration_parse(rows[i], &got) || got.days != 4711)
			fail_msg("\"%.*s\"", VIEW_ARG(rows[i]));
	}
}

#define JAN_31_2023 INT64_C(1675123200)
#define FEB_28_2023 INT64_C(1677542400)
#define MAR_31_2023 INT64_C(1680220800)
#define JAN_31_2024 INT64_C(1706659200)
#define FEB_29_2024 INT64_C(1709164800)
#define MAR_01_2024 INT64_C(1709251200)
#define FEB_28_2025 INT64_C(1740700800)
#define LAST_OF_9999 INT64_C(253402300799)

static void
test_goes_on(void **state)
{
	static const struct {
		int64_t from;
		const char *duration;
		int64_t wanted; /* 0: none */
	} rows[] = {
		{ JAN_31_2023, "P1M", FEB_28_2023 },
		{ JAN_31_2024, "P1M", FEB_29_2024 },
		{ JAN_31_2024 + 86399, "P1M", FEB_29_2024 + 86399 },
		{ JAN_31_2023, "P2M", MAR_31_2023 },
		{ JAN_31_2023, "P1Y1M", FEB_29_2024 },
		{ JAN_31_2023, "P1M1D", INT64_C(1677628800) }, /* the month first */
		{ FEB_29_2024, "P1Y", FEB_28_2025 },
		{ FEB_29_2024, "PT24H", MAR_01_2024 },
		{ JAN_31_2023, "P365D", JAN_31_2024 },
		{ 0, "P100Y", INT64_C(4102444800) - INT64_C(946684800) },
		{ LAST_OF_9999 - 86400, "P1D", LAST_OF_9999 },
		{ LAST_OF_9999, "PT1H", 0 },
		{ LAST_OF_9999, "P100Y", 0 },
		{ LAST_OF_9999 + 1, "P0D", 0 },
		{ INT64_MAX, "P1D", 0 },
		{ INT64_MIN, "P1D", 0 },
		{ -1, "P1D", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct duration duration;
		int64_t got = 0;

		assert_true(duration_parse(view_of(rows[i].duration), &duration));
		if (duration_after(rows[i].from, &duration, &got) != (rows[i].wanted != 0) ||
		    got != rows[i].wanted)
			fail_msg("row %zu: %lld", i, (long long)got);
	}
}

static void
test_goes_back(void **state)
{
	static const struct {
		int64_t from;
		const char *duration;
		int64_t wanted; /* -1: none */
	} rows[] = {
		{ MAR_31_2023, "P1M", FEB_28_2023 },
		{ MAR_31_2023, "P2M", JAN_31_2023 },
		{ FEB_29_2024, "P1Y", FEB_28_2023 },
		{ MAR_01_2024, "P1D", FEB_29_2024 },
		{ MAR_01_2024, "PT24H", FEB_29_2024 },
		{ JAN_31_2024, "P12M", JAN_31_2023 },
		{ 86400, "P1D", 0 },
		{ 86400, "P2D", 0 },
		{ 86400, "P100Y", 0 },
		{ LAST_OF_9999, "P0D", LAST_OF_9999 },
		{ LAST_OF_9999 + 1, "P1D", -1 },
		{ INT64_MAX, "P100Y", -1 },
		{ -1, "P1D", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct duration duration;
		int64_t got = -1;

		assert_true(duration_parse(view_of(rows[i].duration), &duration));
		if (duration_before(rows[i].from, &duration, &got) != (rows[i].wanted >= 0) ||
		    got != rows[i].wanted)
			fail_msg("row %zu: %lld", i, (long long)got);
	}
}

/* ${most} is what holds on every day; a day more does not. */
static void
test_tells_how_far_apart(void **state)
{
	static const struct {
		const char *longer, *shorter;
		unsigned most;
	} rows[] = {
		{ "P28D", "P0D", 28 },
		{ "PT672H", "P0D", 28 },
		{ "PT671H", "P0D", 27 },
		{ "P1M", "P0D", 28 },
		{ "P2M", "P0D", 59 },
		{ "P1Y", "P0D", 365 },
		{ "P1Y", "P12M", 0 },
		{ "P2Y", "P18M", 181 },
		{ "P1M", "P21D", 7 },
		{ "P3M", "P2M", 28 },
		{ "P5M", "P4M", 28 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct duration longer, shorter;

		assert_true(duration_parse(view_of(rows[i].longer), &longer));
		assert_true(duration_parse(view_of(rows[i].shorter), &shorter));
		if (!duration_apart(&longer, &shorter, rows[i].most) ||
		    duration_apart(&longer, &shorter, rows[i].most + 1))
			fail_msg("%s, %s", rows[i].longer, rows[i].shorter);
		if (rows[i].most > 0 && duration_apart(&shorter, &longer, 0))
			fail_msg("%s, %s: turned round", rows[i].longer, rows[i].shorter);
	}
}

/* The days that duration_apart tries are the ones that matter. */
static void
test_is_apart_on_every_day(void **state)
{
	(void)state;
	for (unsigned longer = 0; longer < 14; longer++) {
		for (unsigned shorter = 0; shorter <= longer; shorter++) {
			const struct duration end = { .months = longer };
			const struct duration begin = { .months = shorter };
			int64_t least = INT64_MAX, last, first;
			unsigned days;

			for (int64_t day = 0; day < 1461; day++) {
				int64_t from = INT64_C(946684800) + day * 86400;

				assert_true(duration_after(from, &end, &last));
				assert_true(duration_after(from, &begin, &first));
				if (last - first < least)
					least = last - first;
			}
			days = (unsigned)(least / 86400);
			if (!duration_apart(&end, &begin, days) ||
			    duration_apart(&end, &begin, days + 1))
				fail_msg("%u and %u months", longer, shorter);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_goes_back),
		cmocka_unit_test(test_tells_how_far_apart),
		cmocka_unit_test(test_is_apart_on_every_day),
	};

	return cmocka_run_group_tests_name("durations", tests, NULL, NULL);
}
