/*
 * Forms: taken apart whole, or refused.
 */
#include "api/form.h"
#include "base/buf.h"
#include "base/testing.h"

#include <string.h>

static const struct {
	const char *text, *name, *value; /* no value: refused */
} cases[] = {
	{ "", "a", "" },
	{ "&&", "a", "" },
	{ "a", "a", "" },
	{ "a=", "a", "" },
	{ "a=b&c=d", "c", "d" },
	{ "A=b", "a", "b" },
	{ "a=b=c", "a", "b=c" },
	{ "a=b+c%2Bd%26", "a", "b c+d&" },
	{ "%61=b", "a", "b" },
	{ "a=%c3%bc", "a", "\xc3\xbc" },
	{ "a=1&a=2", "a", NULL },
	{ "a=1&%41=2", "a", NULL },
	{ "a=%", "a", NULL },
	{ "a=%0", "a", NULL },
	{ "a=%zz", "a", NULL },
	{ "a=%00", "a", NULL },
	{ "a=%ff", "a", NULL },
	{ "b=1&=2&%3d=%", "b", NULL },
};

static void
test_cases(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct error err;
	struct form form;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool fine = form_read(view_of(cases[i].text), &arena, &form, &err);

		if (fine != (cases[i].value != NULL))
			fail_msg("%s", cases[i].text);
		if (fine)
			assert_true(
			    view_eq(form_get(&form, cases[i].name), view_of(cases[i].value)));
		else
			assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

/* As it is, too: a body is no request line. */
static void
test_nul(void **state)
{
	static const view texts[] = { V_INIT("a=b\0c"), V_INIT("a=%62\0c"), V_INIT("a=b+\0"),
		V_INIT("a\0=b") };
	AUTO(arena_free) struct arena arena = { 0 };
	struct error err;
	struct form form;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_false(form_read(texts[i], &arena, &form, &err));
		assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

static void
test_bounds(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf text = { 0 };
	struct error err;
	struct form form;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	for (int i = 0; i < FORM_PAIRS_MAX; i++)
		buf_print(&text, "n%d=&", i);
	assert_true(form_read(buf_view(&text), &arena, &form, &err));
	assert_int_equal(form.count, FORM_PAIRS_MAX);
	buf_add(&text, V("more="));
	assert_false(form_read(buf_view(&text), &arena, &form, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	assert_false(form_read((view){ text.ptr, FORM_BYTES_MAX + 1 }, &arena, &form, &err));
	assert_int_equal(err.code, ERR_BODY_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
