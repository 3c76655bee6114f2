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
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_TAKEN);
	assert_int_equal(lanes_enter(&lanes, B, 0), LANE_ENTERED);
	lanes_leave(&lanes, A, false);
	assert_int_equal(lanes_enter(&lanes, B, 0), LANE_TAKEN);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_ENTERED);
	lanes_done(&lanes);
}

static void
test_as_many_as_threads(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	for (uint64_t i = 1; i <= LANES_THREADS; i++)
		assert_int_equal(lanes_enter(&lanes, i, 0), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, LANES_THREADS + 1, 0), LANE_TAKEN);
	lanes_leave(&lanes, 2, false);
	assert_int_equal(lanes_enter(&lanes, LANES_THREADS + 1, 0), LANE_ENTERED);
	lanes_done(&lanes);
}

static void
test_turns(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_ENTERED);
	lanes_leave(&lanes, A, true);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_WAITS);
	assert_int_equal(lanes_enter(&lanes, B, 0), LANE_ENTERED);
	lanes_round(&lanes);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, B, 0), LANE_TAKEN);
	/* Slow no longer. */
	lanes_leave(&lanes, A, false);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_ENTERED);
	lanes_done(&lanes);
}

static void
test_slow_ones_leave_room(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	/* More than can be remembered: the first are forgotten, the last are not. */
	for (uint64_t i = 1; i <= LANES_KNOWN + 100; i++) {
		assert_int_equal(lanes_enter(&lanes, i, 0), LANE_ENTERED);
		lanes_leave(&lanes, i, true);
	}
	for (uint64_t i = 101; i <= LANES_KNOWN + 100; i++)
		assert_int_equal(lanes_enter(&lanes, i, 0), LANE_WAITS);
	lanes_round(&lanes);
	for (uint64_t i = 0; i < LANES_SLOW; i++)
		assert_int_equal(lanes_enter(&lanes, LANES_KNOWN + i, 0), LANE_ENTERED);
	assert_int_equal(lanes_enter(&lanes, LANES_KNOWN + 100, 0), LANE_TAKEN);
	assert_int_equal(lanes_enter(&lanes, A, 0), LANE_ENTERED);
	lanes_leave(&lanes, LANES_KNOWN, true);
	assert_int_equal(lanes_enter(&lanes, LANES_KNOWN + 100, 0), LANE_ENTERED);
	lanes_done(&lanes);
}

#define SECONDS(n) ((int64_t)(n)*1000000000)

static void
test_what_fails_is_held(void **state)
{
	static const int64_t holds[] = { 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600 };
	struct lanes lanes;
	int64_t now = SECONDS(1000);

	(void)state;
	lanes_init(&lanes);
	for (size_t i = 0; i < COUNT_OF(holds); i++) {
		assert_int_equal(lanes_enter(&lanes, A, now), LANE_ENTERED);
		lanes_failed(&lanes, A, 2, now);
		lanes_failed(&lanes, A, 2, now + SECONDS(1)); /* is held, and no longer for that */
		lanes_leave(&lanes, A, false);
		now += SECONDS(holds[i]);
		assert_int_equal(lanes_enter(&lanes, A, now - 1), LANE_TAKEN);
		assert_true(lanes_held(&lanes, A, now - 1));
		assert_false(lanes_held(&lanes, B, now - 1));
		assert_false(lanes_held(&lanes, A, now));
	}
	lanes_failed(&lanes, A, 1, now);
	lanes_worked(&lanes, A);
	lanes_worked(&lanes, B);
	assert_false(lanes_held(&lanes, A, now));
	lanes_failed(&lanes, A, 1, now);
	assert_false(lanes_held(&lanes, A, now + SECONDS(1)));
	lanes_done(&lanes);
}

/* More than can be: those whose time is over first are forgotten. */
static void
test_much_is_held(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	for (uint64_t i = 1; i <= LANES_HELD + 100; i++)
		lanes_failed(&lanes, i, i == 1 ? 1000 : 100, (int64_t)i);
	for (uint64_t i = 1; i <= LANES_HELD + 100; i++)
		assert_int_equal(lanes_held(&lanes, i, SECONDS(50)), i == 1 || i > 101);
	lanes_done(&lanes);
}

/* A place is taken over, never mistaken. */
static void
test_places(void **state)
{
	struct lanes lanes;
	uint64_t other = A + 2 * (uint64_t)LANES_PLACED;

	(void)state;
	lanes_init(&lanes);
	assert_int_equal(lanes_placed(&lanes, A), 0);
	lanes_place(&lanes, A, 5);
	lanes_place(&lanes, B, 7);
	assert_int_equal(lanes_placed(&lanes, A), 5);
	assert_int_equal(lanes_placed(&lanes, B), 7);
	assert_int_equal(lanes_placed(&lanes, other), 0);
	lanes_place(&lanes, other, 9);
	assert_int_equal(lanes_placed(&lanes, A), 0);
	assert_int_equal(lanes_placed(&lanes, other), 9);
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
		cmocka_unit_test(test_what_fails_is_held),
		cmocka_unit_test(test_much_is_held),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
