#include "base/starved.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/testing.h"

/* Each makes something fail for want of memory without an error that says so. */
static void
spend_arena(void)
{
	AUTO(arena_free) struct arena arena;
	view copy;

	arena_init(&arena, 16);
	assert_false(arena_copy(&arena, V("more than sixteen bytes"), &copy));
}

static void
spend_buf(void)
{
	AUTO(buf_free) struct buf buf = { 0 };

	assert_null(buf_room(&buf, SIZE_MAX));
	assert_false(buf_ok(&buf));
}

static void
spend_error(void)
{
	struct error forgotten;

	assert_false(error_memory(&forgotten));
}

static void
test_nobody_is_blamed(void **state)
{
	static void (*const ways[])(void) = { spend_arena, spend_buf, spend_error };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct error err = { 0 };

		starved_begin();
		ways[i]();
		assert_false(starved_judge(error_set(&err, ERR_BAD_REQUEST, "malformed"), &err));
		assert_int_equal(err.code, ERR_UNAVAILABLE);
	}
}

/* What is missing may be what would have been refused. */
static void
test_nothing_is_done(void **state)
{
	struct error err = { 0 };

	(void)state;
	starved_begin();
	spend_arena();
	assert_false(starved_judge(true, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void
test_leaves_others_alone(void **state)
{
	struct error err = { 0 };

	(void)state;
	spend_arena(); /* before it was begun */
	starved_begin();
	assert_true(starved_judge(true, &err));
	assert_false(starved_judge(error_set(&err, ERR_NOT_FOUND, "not there"), &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	spend_arena();
	assert_false(starved_judge(error_set(&err, ERR_STORE_CONFLICT, "again"), &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_is_blamed),
		cmocka_unit_test(test_nothing_is_done),
		cmocka_unit_test(test_leaves_others_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
