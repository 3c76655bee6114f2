#include "base/testing.h"

static void
test_compares(void **state)
{
	static const struct {
		view a, b;
		bool same, same_in_any_case;
		int order;
	} rows[] = {
		{ V_INIT(""), V_INIT(""), true, true, 0 },
		{ V_INIT("a"), V_INIT("a"), true, true, 0 },
		{ V_INIT("a"), V_INIT("A"), false, true, 1 },
		{ V_INIT("a"), V_INIT("ab"), false, false, -1 },
		{ V_INIT("b"), V_INIT("ab"), false, false, 1 },
		{ V_INIT(""), V_INIT("a"), false, false, -1 },
		{ V_INIT("a\0b"), V_INIT("a\0c"), false, false, -1 },
		{ V_INIT("\x7f"), V_INIT("\x80"), false, false, -1 },
		{ V_INIT("@"), V_INIT("`"), false, false, -1 },
		{ V_INIT("["), V_INIT("{"), false, false, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int order = view_cmp(rows[i].a, rows[i].b);

		assert_int_equal(view_eq(rows[i].a, rows[i].b), rows[i].same);
		assert_int_equal(view_ieq(rows[i].a, rows[i].b), rows[i].same_in_any_case);
		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		order = view_cmp(rows[i].b, rows[i].a);
		assert_int_equal((order < 0) - (order > 0), rows[i].order);
	}
}

static void
test_a_missing_text_is_the_empty_view(void **state)
{
	static const view nothing = { NULL, 0 };

	(void)state;
	assert_text(view_of(NULL), V(""));
	assert_true(view_eq(nothing, V("")));
	assert_int_equal(view_cmp(nothing, V("")), 0);
	assert_true(view_starts(V("a"), nothing));
}

static void
test_starts_and_ends(void **state)
{
	static const struct {
		view text, part;
		bool starts, istarts, ends;
	} rows[] = {
		{ V_INIT("abc"), V_INIT(""), true, true, true },
		{ V_INIT("abc"), V_INIT("ab"), true, true, false },
		{ V_INIT("abc"), V_INIT("AB"), false, true, false },
		{ V_INIT("abc"), V_INIT("bc"), false, false, true },
		{ V_INIT("abc"), V_INIT("abc"), true, true, true },
		{ V_INIT("abc"), V_INIT("abcd"), false, false, false },
		{ V_INIT(""), V_INIT("a"), false, false, false },
		{ V_INIT(""), V_INIT(""), true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(view_starts(rows[i].text, rows[i].part), rows[i].starts);
		assert_int_equal(view_istarts(rows[i].text, rows[i].part), rows[i].istarts);
		assert_int_equal(view_ends(rows[i].text, rows[i].part), rows[i].ends);
	}
}

static void
test_cuts(void **state)
{
	static const struct {
		view text, piece, rest;
	} rows[] = {
		{ V_INIT("a,b,c"), V_INIT("a"), V_INIT("b,c") },
		{ V_INIT(",b"), V_INIT(""), V_INIT("b") },
		{ V_INIT("a,"), V_INIT("a"), V_INIT("") },
		{ V_INIT("a"), V_INIT("a"), V_INIT("") },
		{ V_INIT(""), V_INIT(""), V_INIT("") },
		{ V_INIT(","), V_INIT(""), V_INIT("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		view rest = rows[i].text;

		assert_text(view_cut(&rest, ','), rows[i].piece);
		assert_text(rest, rows[i].rest);
	}
}

static void
test_trims(void **state)
{
	static const struct {
		view text, trimmed;
	} rows[] = {
		{ V_INIT(" \ta b\t "), V_INIT("a b") },
		{ V_INIT("a"), V_INIT("a") },
		{ V_INIT(" \t \t"), V_INIT("") },
		{ V_INIT(""), V_INIT("") },
		{ V_INIT("\na\n"), V_INIT("\na\n") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_text(view_trim(rows[i].text), rows[i].trimmed);
}

static void
test_finds_and_moves_on(void **state)
{
	size_t at = 99;

	(void)state;
	assert_true(view_find(V("abcb"), 'b', &at));
	assert_int_equal(at, 1);
	assert_false(view_find(V("abc"), 'd', &at));
	assert_false(view_find(V(""), 'd', &at));
	assert_int_equal(at, 1);
	assert_text(view_from(V("abc"), 0), V("abc"));
	assert_text(view_from(V("abc"), 2), V("c"));
	assert_text(view_from(V("abc"), 3), V(""));
	assert_text(view_from(V("abc"), SIZE_MAX), V(""));
}

static void
test_numbers(void **state)
{
	static const struct {
		view text;
		bool fine;
		uint64_t value;
	} rows[] = {
		{ V_INIT("0"), true, 0 },
		{ V_INIT("007"), true, 7 },
		{ V_INIT("18446744073709551615"), true, UINT64_MAX },
		{ V_INIT("18446744073709551616"), false, 0 },
		{ V_INIT("18446744073709551620"), false, 0 },
		{ V_INIT("99999999999999999999999"), false, 0 },
		{ V_INIT(""), false, 0 },
		{ V_INIT("-1"), false, 0 },
		{ V_INIT("+1"), false, 0 },
		{ V_INIT(" 1"), false, 0 },
		{ V_INIT("1 "), false, 0 },
		{ V_INIT("1\0"), false, 0 },
		{ V_INIT("0x1"), false, 0 },
		{ V_INIT("\xb1"), false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t value = 42;

		assert_int_equal(view_u64(rows[i].text, &value), rows[i].fine);
		assert_int_equal(value, rows[i].fine ? rows[i].value : 42);
	}
}

#define LABEL_63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"

static void
test_host_names(void **state)
{
	static const struct {
		view name;
		bool valid;
	} rows[] = {
		{ V_INIT("localhost"), true },
		{ V_INIT("vaults.Example-1.org"), true },
		{ V_INIT("1.2"), true },
		{ V_INIT(LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63), false },
		{ V_INIT(LABEL_63 "." LABEL_63 "." LABEL_63), true },
		{ V_INIT(LABEL_63 "x"), false },
		{ V_INIT(""), false },
		{ V_INIT("."), false },
		{ V_INIT("example.org."), false },
		{ V_INIT(".example.org"), false },
		{ V_INIT("example..org"), false },
		{ V_INIT("-a.org"), false },
		{ V_INIT("a-.org"), false },
		{ V_INIT("a_b.org"), false },
		{ V_INIT("a b"), false },
		{ V_INIT("a\0b"), false },
		{ V_INIT("b\xc3\xbc.org"), false },
		{ V_INIT("a:443"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (host_name_valid(rows[i].name) != rows[i].valid)
			fail_msg("row %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compares),
		cmocka_unit_test(test_a_missing_text_is_the_empty_view),
		cmocka_unit_test(test_starts_and_ends),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_trims),
		cmocka_unit_test(test_finds_and_moves_on),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_host_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
