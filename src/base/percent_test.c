#include "base/percent.h"
#include "base/testing.h"

static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* A row without ${wanted} is refused. */
struct row {
	view text;
	const char *wanted;
};

static void
test_decodes(void **state)
{
	static const struct row rows[] = {
		{ V_INIT(""), "" },
		{ V_INIT("abc"), "abc" },
		{ V_INIT("%61%2f%2F%7E"), "a//~" },
		{ V_INIT("a+b"), "a+b" },
		{ V_INIT("%2B%25%32%35"), "+%25" }, /* once, not twice */
		{ V_INIT("%c3%A4"), "\xc3\xa4" },
		{ V_INIT("%"), NULL },
		{ V_INIT("%6"), NULL },
		{ V_INIT("a%6"), NULL },
		{ V_INIT("%%61"), NULL },
		{ V_INIT("%g0"), NULL },
		{ V_INIT("%0g"), NULL },
		{ V_INIT("% 1"), NULL },
		{ V_INIT("%+1"), NULL },
		{ V_INIT("%00"), NULL },
		{ V_INIT("a%00b"), NULL },
		{ V_INIT("a\0b"), NULL },
		{ V_INIT("a\0%62"), NULL },
		{ V_INIT("%ff"), NULL },
		{ V_INIT("%c3"), NULL },
		{ V_INIT("%c0%af"), NULL },
		{ V_INIT("\xff"), NULL },
		{ V_INIT("%ed%a0%80"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		view out;
		bool fine = percent_decode(rows[i].text, false, &arena, &out);

		if (fine != (rows[i].wanted != NULL))
			fail_msg("row %zu", i);
		if (fine)
			assert_text(out, view_of(rows[i].wanted));
	}
}

static void
test_a_plus_is_a_space_in_forms(void **state)
{
	view out;

	(void)state;
	assert_true(percent_decode(V("a+b%2Bc"), true, &arena, &out));
	assert_text(out, V("a b+c"));
}

static void
test_every_byte_comes_back(void **state)
{
	AUTO(buf_free) struct buf all = { 0 }, text = { 0 };
	view out;

	(void)state;
	for (int c = 1; c < 0x80; c++)
		buf_add_char(&all, (char)c);
	buf_add(&all, V("\xc3\xa4\xf0\x9f\x94\x91"));
	percent_encode(buf_view(&all), &text);
	for (size_t i = 0; i < text.len; i++)
		assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-._~%",
		    text.ptr[i]));
	assert_true(percent_decode(buf_view(&text), false, &arena, &out));
	assert_text(out, buf_view(&all));
}

static void
test_decodes_paths(void **state)
{
	static const struct row rows[] = {
		{ V_INIT(""), "/" },
		{ V_INIT("/"), "/" },
		{ V_INIT("///"), "/" },
		{ V_INIT("a"), "/a" },
		{ V_INIT("/a/b"), "/a/b" },
		{ V_INIT("//a//b//"), "/a/b" },
		{ V_INIT("/secrets/%61/"), "/secrets/a" },
		{ V_INIT("/a%2Fb"), "/a/b" }, /* no way around the segments */
		{ V_INIT("/a%2f..%2fb"), NULL },
		{ V_INIT("/%2F%2F/a"), "/a" },
		{ V_INIT("/.."), NULL },
		{ V_INIT("/../a"), NULL },
		{ V_INIT("/a/.."), NULL },
		{ V_INIT("/a/../b"), NULL },
		{ V_INIT("/./a"), NULL },
		{ V_INIT("/%2e%2E/a"), NULL },
		{ V_INIT("/.%2e"), NULL },
		{ V_INIT("/..."), "/..." },
		{ V_INIT("/.a/a."), "/.a/a." },
		{ V_INIT("/a%00b"), NULL },
		{ V_INIT("/a%0d%0ab"), NULL },
		{ V_INIT("/a%7f"), NULL },
		{ V_INIT("/a\tb"), NULL },
		{ V_INIT("/a\0b"), NULL },
		{ V_INIT("/a%"), NULL },
		{ V_INIT("/%FF"), NULL },
		{ V_INIT("/a%20b+c"), "/a b+c" },
		{ V_INIT("/a%5Cb"), "/a\\b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		view out;
		bool fine = path_decode(rows[i].text, &arena, &out);

		if (fine != (rows[i].wanted != NULL))
			fail_msg("row %zu", i);
		if (fine)
			assert_text(out, view_of(rows[i].wanted));
	}
}

static void
test_finds_pairs(void **state)
{
	static const struct {
		view pairs, name;
		bool plus;
		const char *wanted;
	} rows[] = {
		{ V_INIT("a=1&b=2"), V_INIT("b"), false, "2" },
		{ V_INIT("a=1&a=2"), V_INIT("a"), false, "1" },
		{ V_INIT("A=1"), V_INIT("a"), false, "1" },
		{ V_INIT("API-Version=7.4"), V_INIT("api-version"), false, "7.4" },
		{ V_INIT("%24skiptoken=x"), V_INIT("$skiptoken"), false, "x" },
		{ V_INIT("%61=1"), V_INIT("a"), false, "1" },
		{ V_INIT("a=b=c"), V_INIT("a"), false, "b=c" },
		{ V_INIT("a=%26%3D"), V_INIT("a"), false, "&=" },
		{ V_INIT("a"), V_INIT("a"), false, "" },
		{ V_INIT("a="), V_INIT("a"), false, "" },
		{ V_INIT("&&a=1&&"), V_INIT("a"), false, "1" },
		{ V_INIT("a=x+y"), V_INIT("a"), false, "x+y" },
		{ V_INIT("a=x+y"), V_INIT("a"), true, "x y" },
		{ V_INIT("a+b=1"), V_INIT("a b"), true, "1" },
		{ V_INIT("ab=1"), V_INIT("a"), false, NULL },
		{ V_INIT("=1"), V_INIT("a"), false, NULL },
		{ V_INIT(""), V_INIT("a"), false, NULL },
		{ V_INIT("a=%"), V_INIT("a"), false, NULL },
		{ V_INIT("a=%00"), V_INIT("a"), false, NULL },
		{ V_INIT("a=%ff"), V_INIT("a"), false, NULL },
		{ V_INIT("%zz=1&a=2"), V_INIT("a"), false, "2" },
		/* The first one decides: a broken one is not made up for by another. */
		{ V_INIT("a=%&a=1"), V_INIT("a"), false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		view out;
		bool found = pairs_find(rows[i].pairs, rows[i].name, rows[i].plus, &arena, &out);

		if (found != (rows[i].wanted != NULL))
			fail_msg("row %zu", i);
		if (found)
			assert_text(out, view_of(rows[i].wanted));
	}
}

static void
test_adds_pairs(void **state)
{
	AUTO(buf_free) struct buf pairs = { 0 };
	view out;

	(void)state;
	pairs_add(&pairs, "a", V("x y&=+%"));
	assert_text(buf_view(&pairs), V("a=x%20y%26%3D%2B%25"));
	pairs_add(&pairs, "b", V(""));
	pairs_add(&pairs, "c", V("1"));
	assert_text(buf_view(&pairs), V("a=x%20y%26%3D%2B%25&b=&c=1"));
	assert_true(pairs_find(buf_view(&pairs), V("a"), true, &arena, &out));
	assert_text(out, V("x y&=+%"));
}

static void
test_without_memory(void **state)
{
	struct arena none;
	view out;

	(void)state;
	arena_init(&none, 0);
	assert_false(percent_decode(V("%61"), false, &none, &out));
	assert_false(path_decode(V("/a"), &none, &out));
	assert_false(pairs_find(V("a=%61"), V("a"), false, &none, &out));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_decodes),
		FRESH(test_a_plus_is_a_space_in_forms),
		FRESH(test_every_byte_comes_back),
		FRESH(test_decodes_paths),
		FRESH(test_finds_pairs),
		FRESH(test_adds_pairs),
		FRESH(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
