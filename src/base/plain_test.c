#include "base/plain.h"
#include "base/testing.h"

#include <pthread.h>

/* Around the slots' sizes, and beyond them. */
static const size_t sizes[] = { 0, 1, 16, 500, 990, 992, 993, 1024, 8000, 8160, 8161, 8192, 25600,
	32736, 32737, 32768, 100000, 1000000 };

static void
assert_zero(struct plain *plain, size_t len)
{
	const char *bytes = plain_bytes(plain);

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			fail_msg("byte %zu of %zu is left over", i, len);
	}
}

static void
test_new_ones_are_zero_also_when_used_before(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < COUNT_OF(sizes); i++) {
			AUTO(plain_done) struct plain *one = plain_new(sizes[i]);
			AUTO(plain_done) struct plain *two = plain_new(sizes[i]);

			assert_non_null(one);
			assert_non_null(two);
			assert_ptr_not_equal(one, two);
			assert_int_equal(plain_view(one).len, sizes[i]);
			assert_zero(one, sizes[i]);
			assert_zero(two, sizes[i]);
			memset(plain_bytes(one), 0xff, sizes[i]);
			assert_zero(two, sizes[i]);
		}
	}
}

/* The last one freed is the first one reused: its bytes can be looked at through the next. */
static void
test_a_freed_slot_is_wiped_and_reused(void **state)
{
	struct plain *first = plain_copy(V("a secret"));
	char *bytes = plain_bytes(first);

	(void)state;
	plain_free(first);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(bytes[i], 0);
	first = plain_new(100);
	assert_ptr_equal(plain_bytes(first), bytes);
	plain_free(first);
}

static void
test_resizes_within_what_it_was_made_with(void **state)
{
	AUTO(plain_done) struct plain *plain = plain_copy(V("abcdef"));

	(void)state;
	plain_resize(plain, 3);
	assert_text(plain_view(plain), V("abc"));
	plain_resize(plain, 7);
	assert_text(plain_view(plain), V("abc"));
	plain_resize(plain, SIZE_MAX);
	assert_text(plain_view(plain), V("abc"));
	plain_resize(plain, 6);
	assert_text(plain_view(plain), V("abcdef"));
}

/* What was cut off is wiped as well. */
static void
test_wipes_beyond_a_cut(void **state)
{
	struct plain *plain = plain_copy(V("a secret"));
	char *bytes = plain_bytes(plain);

	(void)state;
	plain_resize(plain, 1);
	plain_free(plain);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(bytes[i], 0);
}

static void
test_the_impossible(void **state)
{
	(void)state;
	assert_null(plain_new(SIZE_MAX));
	assert_null(plain_new(SIZE_MAX - 8));
	assert_null(plain_new(SIZE_MAX / 2));
	plain_free(NULL);
}

static void
test_equal(void **state)
{
	static const struct {
		view a, b;
		bool same;
	} rows[] = {
		{ V_INIT(""), V_INIT(""), true },
		{ V_INIT("abc"), V_INIT("abc"), true },
		{ V_INIT("abc"), V_INIT("abd"), false },
		{ V_INIT("abc"), V_INIT("xbc"), false },
		{ V_INIT("abc"), V_INIT("ab"), false },
		{ V_INIT("a\0c"), V_INIT("a\0d"), false },
		{ V_INIT("\x80"), V_INIT("\0"), false },
		/* Differences that cancel each other out under xor or addition. */
		{ V_INIT("\1\1"), V_INIT("\2\2"), false },
		{ V_INIT("\1\2"), V_INIT("\2\1"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(constant_time_equal(rows[i].a, rows[i].b), rows[i].same);
}

static void *
make_and_free(void *ctx)
{
	for (int i = 0; i < 20000; i++) {
		struct plain *plain = plain_new(sizes[(size_t)i % 12]);

		if (plain == NULL || plain_view(plain).len != sizes[(size_t)i % 12])
			return ctx;
		memset(plain_bytes(plain), 0x55, plain_view(plain).len);
		plain_free(plain);
	}
	return NULL;
}

static void
test_from_several_threads(void **state)
{
	pthread_t threads[4];
	char failed;
	void *result;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_and_free, &failed), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_ones_are_zero_also_when_used_before),
		cmocka_unit_test(test_a_freed_slot_is_wiped_and_reused),
		cmocka_unit_test(test_resizes_within_what_it_was_made_with),
		cmocka_unit_test(test_wipes_beyond_a_cut),
		cmocka_unit_test(test_the_impossible),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_from_several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
