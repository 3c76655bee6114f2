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
	assert_true(lanes_enter(&lanes, A));
	assert_false(lanes_enter(&lanes, A));
	assert_true(lanes_enter(&lanes, B));
	lanes_leave(&lanes, A);
	assert_false(lanes_enter(&lanes, B));
	assert_true(lanes_enter(&lanes, A));
	lanes_done(&lanes);
}

static void
test_as_many_as_threads(void **state)
{
	struct lanes lanes;

	(void)state;
	lanes_init(&lanes);
	for (uint64_t i = 1; i <= LANES_THREADS; i++)
		assert_true(lanes_enter(&lanes, i));
	assert_false(lanes_enter(&lanes, LANES_THREADS + 1));
	lanes_leave(&lanes, 2);
	assert_true(lanes_enter(&lanes, LANES_THREADS + 1));
	lanes_done(&lanes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_as_many_as_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
