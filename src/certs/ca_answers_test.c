#include "base/testing.h"
#include "certs/ca_answers.h"

#include <stdio.h>
#include <stdlib.h>

static struct ca_answers *answers;

static int
setup(void **state)
{
	(void)state;
	answers = ca_answers_new();
	return answers == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	ca_answers_free(answers);
	return 0;
}

static bool
has(view what, int64_t now, view der)
{
	AUTO(buf_free) struct buf out = { 0 };

	return ca_answers_get(answers, what, now, &out) && view_eq(buf_view(&out), der);
}

static void
test_good_for_a_time(void **state)
{
	(void)state;
	ca_answers_put(answers, V("one"), 100, 200, V("der"));
	assert_true(has(V("one"), 100, V("der")));
	assert_true(has(V("one"), 199, V("der")));
	assert_false(has(V("one"), 200, V("der")));
	/* A clock that was set back. */
	assert_false(has(V("one"), 99, V("der")));
	assert_false(has(V("other"), 100, V("der")));
	ca_answers_put(answers, V("one"), 200, 300, V("another"));
	assert_true(has(V("one"), 200, V("another")));
	assert_int_equal(ca_answers_count(answers), 1);
}

static void
put(size_t number, view der)
{
	char what[32];

	(void)snprintf(what, sizeof(what), "%zu", number);
	ca_answers_put(answers, view_of(what), 0, 10, der);
}

static void
test_their_number_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		put(i, V("der"));
	assert_int_equal(ca_answers_count(answers), ANSWERS_MAX);
	/* One that is asked for stays, the oldest goes. */
	assert_true(has(V("0"), 5, V("der")));
	put(ANSWERS_MAX, V("der"));
	assert_int_equal(ca_answers_count(answers), ANSWERS_MAX);
	assert_true(has(V("0"), 5, V("der")));
	assert_false(has(V("1"), 5, V("der")));
}

static void
test_their_size_is_bounded(void **state)
{
	const size_t len = ANSWERS_BYTES / 4;
	char *bytes = calloc(1, len);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 10; i++)
		put(i, (view){ bytes, len });
	assert_int_equal(ca_answers_count(answers), 3);
	assert_true(has(V("9"), 5, (view){ bytes, len }));
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good_for_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_their_number_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_their_size_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
