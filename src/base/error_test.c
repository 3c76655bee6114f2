#include "base/error.h"
#include "base/json.h"
#include "base/testing.h"

#include <errno.h>

static void
test_every_code_has_a_row(void **state)
{
	(void)state;
	for (int code = 0; code < ERR_COUNT; code++) {
		const struct error_row *row = &error_table[code];

		if (row->name == NULL || row->name[0] == '\0')
			fail_msg("code %d has no row", code);
		if (code == ERR_NONE)
			assert_int_equal(row->status, 200);
		else
			assert_in_range(row->status, 400, 599);
		assert_true(row->inner == NULL || row->inner[0] != '\0');
	}
}

/* What sign-in refuses carries a number, which its reply prints as one. */
static void
test_sign_in_errors_have_numbers(void **state)
{
	(void)state;
	for (int code = ERR_STS_MALFORMED; code <= ERR_STS_LOCKED; code++) {
		uint64_t number;

		assert_non_null(error_table[code].inner);
		assert_true(view_u64(view_of(error_table[code].inner), &number));
	}
}

static void
test_sets(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_false(error_set(&err, ERR_CONFLICT, "%s-%d", "a", 1));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_string_equal(err.message, "a-1");
	assert_false(error_memory(&err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	errno = ENOENT;
	assert_false(error_errno(&err, "what"));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_string_equal(err.message, "what: No such file or directory");
}

static void
test_cuts_a_long_message(void **state)
{
	static char text[3 * ERROR_MESSAGE_MAX];
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_false(error_set(&err, ERR_CONFLICT, "%s", text));
	assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
}

/* The message goes out as JSON: half a character would spoil it. */
static void
test_cuts_between_characters(void **state)
{
	static const view characters[] = { V_INIT("\xc3\xa4"), V_INIT("\xe2\x82\xac"),
		V_INIT("\xf0\x9f\x94\x91") };
	static char text[3 * ERROR_MESSAGE_MAX];
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(characters); i++) {
		for (size_t before = 0; before < 4; before++) {
			size_t len = before;

			memset(text, 'x', sizeof(text));
			for (; len + 5 < sizeof(text); len += characters[i].len)
				memcpy(text + len, characters[i].ptr, characters[i].len);
			text[len] = '\0';
			assert_false(error_set(&err, ERR_CONFLICT, "%s", text));
			assert_true(utf8_valid(view_of(err.message)));
			assert_true(strlen(err.message) > ERROR_MESSAGE_MAX - 5);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_a_row),
		cmocka_unit_test(test_sign_in_errors_have_numbers),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_cuts_a_long_message),
		cmocka_unit_test(test_cuts_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
