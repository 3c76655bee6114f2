#include "base/clock.h"
#include "base/testing.h"

#define NANOS INT64_C(1000000000)

static void
test_iso(void **state)
{
	static const struct {
		int64_t nanos;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.0000000Z" },
		{ 99, "1970-01-01T00:00:00.0000000Z" },
		{ 100, "1970-01-01T00:00:00.0000001Z" },
		{ NANOS - 1, "1970-01-01T00:00:00.9999999Z" },
		{ 951782400 * NANOS, "2000-02-29T00:00:00.0000000Z" },
		{ 1769903999 * NANOS + 123456789, "2026-01-31T23:59:59.1234567Z" },
		{ 4102444800 * NANOS, "2100-01-01T00:00:00.0000000Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.8547758Z" },
	};
	char text[CLOCK_ISO_LEN + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		clock_iso(rows[i].nanos, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(strlen(text), CLOCK_ISO_LEN);
	}
}

static void
test_iso_seconds(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 1769903999, "2026-01-31T23:59:59.0000000Z" },
		{ 253402300799, "9999-12-31T23:59:59.0000000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.0000000Z" },
		{ -62167219200, "0000-01-01T00:00:00.0000000Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.0000000Z" },
	};
	char text[CLOCK_ISO_LEN + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		clock_iso_seconds(rows[i].seconds, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
test_only_the_vaults_time_moves(void **state)
{
	int64_t wall = clock_wall(), mono = clock_mono();

	(void)state;
	assert_true(clock_now() - wall <= 1);
	clock_set_offset(90 * 86400);
	assert_int_equal(clock_offset(), 90 * 86400);
	assert_in_range(clock_now() - wall, 90 * 86400, 90 * 86400 + 5);
	assert_in_range(clock_wall() - wall, 0, 5);
	assert_true(clock_mono() >= mono && clock_mono() - mono < 5 * NANOS);
	clock_set_offset(0);
	assert_in_range(clock_now() - wall, 0, 5);
}

static void
test_seconds_and_nanoseconds_agree(void **state)
{
	int64_t before = clock_wall_nanos(), seconds = clock_wall(), after = clock_wall_nanos();

	(void)state;
	assert_true(before / NANOS <= seconds && seconds <= after / NANOS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso),
		cmocka_unit_test(test_iso_seconds),
		cmocka_unit_test(test_only_the_vaults_time_moves),
		cmocka_unit_test(test_seconds_and_nanoseconds_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
