#include "base/arena.h"
#include "base/testing.h"

#include <malloc.h>
#include <stdlib.h>

static void
test_gives_zeroed_aligned_bytes(void **state)
{
	AUTO(arena_free) struct arena arena;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	for (size_t len = 0; len < 3000; len += 7) {
		char *bytes = arena_alloc(&arena, len);

		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % 16, 0);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, len);
	}
}

static void
test_keeps_to_its_budget(void **state)
{
	static const size_t sizes[] = { 1, 16, 100, 4096, 8192, 10000, 100000 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		AUTO(arena_free) struct arena arena;
		size_t given = 0;

		arena_init(&arena, 100000);
		while (arena_alloc(&arena, sizes[i]) != NULL)
			given += sizes[i];
		assert_true(given <= 100000);
		/* Not much is lost at the ends of its chunks. */
		if (sizes[i] >= 16 && sizes[i] <= 4096)
			assert_true(given >= 80000);
	}
}

static void
test_refuses_the_impossible(void **state)
{
	AUTO(arena_free) struct arena arena;
	view text = V("before");

	(void)state;
	arena_init(&arena, 64);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 15));
	assert_null(arena_alloc(&arena, 65));
	assert_false(arena_copy(&arena, (view){ "x", SIZE_MAX - 1 }, &text));
	assert_false(arena_print(&arena, &text, "%100d", 1));
	assert_text(text, V("before"));
	assert_non_null(arena_alloc(&arena, 64));
	assert_null(arena_alloc(&arena, 1));
}

static void
test_starts_again_after_a_wipe(void **state)
{
	AUTO(arena_free) struct arena arena;

	(void)state;
	arena_init(&arena, 20000);
	for (int i = 0; i < 100; i++) {
		assert_non_null(arena_alloc(&arena, 100));
		assert_non_null(arena_alloc(&arena, 9000));
		assert_null(arena_alloc(&arena, 12000));
		arena_wipe(&arena);
	}
	assert_int_equal(arena.limit, 20000);
}

/* The first chunk stays, so what was in it can be looked at. */
static void
test_wipes_what_was_used(void **state)
{
	AUTO(arena_free) struct arena arena;
	view text;

	(void)state;
	arena_init(&arena, 100000);
	assert_true(arena_copy(&arena, V("a secret"), &text));
	assert_non_null(arena_alloc(&arena, 50000));
	arena_wipe(&arena);
	for (size_t i = 0; i < text.len; i++)
		assert_int_equal(text.ptr[i], 0);
	/* The next one to get those bytes finds nothing in them. */
	assert_ptr_equal(arena_alloc(&arena, 8), text.ptr);
}

static void
test_copies_end_with_a_nul(void **state)
{
	AUTO(arena_free) struct arena arena;
	char text[] = "value";
	view copy;

	(void)state;
	arena_init(&arena, 4096);
	assert_true(arena_copy(&arena, view_of(text), &copy));
	text[0] = 'X';
	assert_string_equal(copy.ptr, "value");
	assert_true(arena_copy(&arena, (view){ NULL, 0 }, &copy));
	assert_string_equal(copy.ptr, "");
	assert_true(arena_print(&arena, &copy, "%s-%d", "a", 7));
	assert_string_equal(copy.ptr, "a-7");
	assert_int_equal(copy.len, 3);
}

static void
test_a_zeroed_one_can_be_freed(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_null(arena_alloc(&arena, 1));
	arena_wipe(&arena);
	arena_free(&arena);
	arena_free(&arena);
}

static void
test_rewinds_to_a_mark(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct arena_mark mark;
	char *kept, *first;

	(void)state;
	arena_init(&arena, 64 * 1024);
	kept = arena_alloc(&arena, 100);
	memset(kept, 'k', 100);
	mark = arena_mark(&arena);
	for (int round = 0; round < 100; round++) {
		size_t left = arena.left;

		/* More than would fit without giving back, in this chunk and in others. */
		first = arena_alloc(&arena, 1000);
		assert_non_null(first);
		assert_int_equal(first[999], 0);
		memset(first, 's', 1000);
		assert_non_null(arena_alloc(&arena, 20000));
		arena_rewind(&arena, mark);
		assert_int_equal(arena.left, left);
		assert_int_equal(first[0], 0);
	}
	assert_int_equal(kept[99], 'k');
}

static void
test_tells_what_is_bad_from_what_had_no_memory(void **state)
{
	AUTO(arena_free) struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, 1000);
	assert_non_null(arena_alloc(&arena, 500));
	assert_false(arena_corrupt(&arena, "It is bad.", &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_string_equal(err.message, "It is bad.");
	assert_null(arena_alloc(&arena, 600));
	assert_false(arena_corrupt(&arena, "It is bad.", &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	arena_wipe(&arena);
	assert_false(arena_corrupt(&arena, "It is bad.", &err));
	assert_int_equal(err.code, ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_zeroed_aligned_bytes),
		cmocka_unit_test(test_keeps_to_its_budget),
		cmocka_unit_test(test_refuses_the_impossible),
		cmocka_unit_test(test_starts_again_after_a_wipe),
		cmocka_unit_test(test_wipes_what_was_used),
		cmocka_unit_test(test_copies_end_with_a_nul),
		cmocka_unit_test(test_a_zeroed_one_can_be_freed),
		cmocka_unit_test(test_rewinds_to_a_mark),
		cmocka_unit_test(test_tells_what_is_bad_from_what_had_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
