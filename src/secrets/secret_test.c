#include "base/testing.h"
#include "secrets/secret.h"

#include <stdlib.h>

static const struct secret rows[] = {
	{ .value = V_INIT("") },
	{ .value = V_INIT("a\0b\xc3\xa4") },
	{ .has_content_type = true, .content_type = V_INIT(""), .value = V_INIT("v") },
	{ .has_content_type = true, .content_type = V_INIT("text/plain"), .value = V_INIT("v") },
};

static void
test_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf packed = { 0 };
		struct secret secret;

		secret_pack(&rows[i], &packed);
		assert_true(secret_unpack(buf_view(&packed), &secret));
		assert_int_equal(secret.has_content_type, rows[i].has_content_type);
		assert_text(secret.content_type, rows[i].content_type);
		assert_text(secret.value, rows[i].value);
	}
}

/* Each cut lies in memory of its own length, so that ASan sees what is read beyond it. */
static void
test_cuts_and_additions_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf packed = { 0 };
		struct secret secret;

		secret_pack(&rows[i], &packed);
		for (size_t len = 0; len < packed.len; len++) {
			char *copy = malloc(len);

			if (len > 0)
				memcpy(copy, packed.ptr, len);
			assert_false(secret_unpack((view){ copy, len }, &secret));
			free(copy);
		}
		buf_add_char(&packed, '\0');
		assert_false(secret_unpack(buf_view(&packed), &secret));
	}
}

static void
test_another_format_is_refused(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct secret secret;

	(void)state;
	secret_pack(&rows[1], &packed);
	packed.ptr[0]++;
	assert_false(secret_unpack(buf_view(&packed), &secret));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_cuts_and_additions_are_refused),
		cmocka_unit_test(test_another_format_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
