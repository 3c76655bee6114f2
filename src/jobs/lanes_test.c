#include "base/testing.h"
#include "jobs/lanes.h"

#define A (lanes_number(V("a")))
#define B (lanes_number(V("b")))

static void
test_one_at_a_time(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	assert_true(A != 0 && A != B);
	assert_int_equal(A, lanes_number(V("a")));
	assert_int_equal(lanes_enter(&lanes, A), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, A), LANE_TAKEN);
	assert_int_equal(lanes_enter(&lanes, B), LANE_ENTERED);
	lanes_leave(&lanes, A, false);
	assert_int_equal(lanes_enter(&lanes, B), LANE_TAKEN);
	assert_int_equal(lanes_enter(&lanes, A), LANE_ENTERED);
	lanes_done(&lanes);
}

static void
test_as_many_as_threads(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	for (uint64_t i = 1; i <= LANES_THREADS; i++)
		assert_int_equal(lanes_enter(&lanes, i), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, LANES_THREADS + 1), LANE_TAKEN);
	lanes_leave(&lanes, 2, false);
	assert_int_equal(lanes_enter(&lanes, LANES_THREADS + 1), LANE_ENTERED);
	lanes_done(&lanes);
}

static void
test_turns(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	assert_int_equal(lanes_enter(&lanes, A), LANE_ENTERED);
	lanes_leave(&lanes, A, true);
	assert_int_equal(lanes_enter(&lanes, A), LANE_WAITS);
	assert_int_equal(lanes_enter(&lanes, B), LANE_ENTERED);
	lanes_round(&lanes);
	assert_int_equal(lanes_enter(&lanes, A), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, B), LANE_TAKEN);
	/* Slow no longer. */
	lanes_leave(&lanes, A, false);
	assert_int_equal(lanes_enter(&lanes, A), LANE_ENTERED);
	lanes_done(&lanes);
}

static void
test_slow_ones_leave_room(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	/* More than can be remembered. */
	for (uint64_t i = 1; i <= LANES_KNOWN + 100; i++) {
		assert_int_equal(lanes_enter(&lanes, i), LANE_ENTERED);
		lanes_leave(&lanes, i, true);
	}
	lanes_round(&lanes);
	for (uint64_t i = 1; i <= LANES_SLOW; i++)
		assert_int_equal(lanes_enter(&lanes, i), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, LANES_SLOW + 1), LANE_TAKEN);
	assert_int_equal(lanes_enter(&lanes, A), LANE_ENTERED);
	lanes_leave(&lanes, 1, true);
	assert_int_equal(lanes_enter(&lanes, LANES_SLOW + 1), LANE_ENTERED);
	lanes_done(&lanes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_as_many_as_threads),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_slow_ones_leave_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
