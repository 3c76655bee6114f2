#include "base/buf.h"
#include "base/freed.h"
#include "base/testing.h"

#include <stdlib.h>

static void
test_appends(void **state)
{
	AUTO(buf_free) struct buf buf = { 0 };

	(void)state;
	assert_text(buf_view(&buf), V(""));
	buf_add(&buf, V(""));
	buf_add(&buf, (view){ NULL, 0 });
	buf_add(&buf, V("a\0b"));
	buf_add_char(&buf, '-');
	buf_print(&buf, "%05d", 42);
	buf_add_u64(&buf, 0);
	buf_add_u64(&buf, UINT64_MAX);
	assert_true(buf_ok(&buf));
	assert_text(buf_view(&buf), V("a\0b-00042018446744073709551615"));
}

static void
test_grows(void **state)
{
	AUTO(buf_free) struct buf buf = { 0 };

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&buf, (char)i);
	assert_true(buf_ok(&buf));
	assert_int_equal(buf.len, 100000);
	for (size_t i = 0; i < buf.len; i++)
		assert_int_equal(buf.ptr[i], (char)i);
}

static void
test_leaves_nothing_behind(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	freed_watch("a secret value");
	assert_non_null(buf_room(&buf, 0)); /* of an empty one, too */
	buf_add(&buf, V("a secret value"));
	assert_non_null(buf_room(&buf, 1000)); /* grows */
	assert_non_null(buf_room(&buf, 100000));
	buf_free(&buf);
	assert_false(freed_seen());
}

/* The test before would be blind if this one failed. */
static void
test_finds_what_is_left_behind(void **state)
{
	char *memory = strdup("a secret value");

	(void)state;
	freed_watch("a secret value");
	free(memory);
	assert_true(freed_seen());
}

static void
test_remembers_a_failure(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_add(&buf, V("a"));
	assert_null(buf_room(&buf, SIZE_MAX));
	assert_false(buf_ok(&buf));
	buf_add(&buf, V("b"));
	buf_print(&buf, "c");
	assert_null(buf_room(&buf, 1));
	assert_text(buf_view(&buf), V("a"));
	buf_reset(&buf);
	assert_true(buf_ok(&buf));
	buf_add(&buf, V("d"));
	assert_text(buf_view(&buf), V("d"));
	buf_free(&buf);
	buf_free(&buf);
	buf_add(&buf, V("e"));
	assert_text(buf_view(&buf), V("e"));
	buf_free(&buf);
}

static void
test_a_reset_wipes_and_keeps_the_memory(void **state)
{
	AUTO(buf_free) struct buf buf = { 0 };
	char *memory;

	(void)state;
	buf_add(&buf, V("a secret"));
	memory = buf.ptr;
	buf_reset(&buf);
	assert_ptr_equal(buf.ptr, memory);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(memory[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_leaves_nothing_behind),
		cmocka_unit_test(test_finds_what_is_left_behind),
		cmocka_unit_test(test_remembers_a_failure),
		cmocka_unit_test(test_a_reset_wipes_and_keeps_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
