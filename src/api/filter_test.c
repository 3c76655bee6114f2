#include "api/filter.h"

#include "base/buf.h"
#include "base/testing.h"

#define ALL (~0U)
#define REFUSED (-1)
#define COLOURS 4

/* What the terms are asked about, whatever their names. */
static const view colours[COLOURS] = { V_INIT("Red"), V_INIT("blue"), V_INIT("it's, or (red)"),
	V_INIT("true") };

static const struct {
	const char *text;
	int fits; /* of the first term: a bit for each colour */
	size_t terms;
	unsigned form;
	const char *name; /* of the first */
} filters[] = {
	{ "", 0, 0, 0, NULL },
	{ " \t ", 0, 0, 0, NULL },
	{ "a eq 'red'", 1, 1, FILTER_EQ, "a" },
	{ "  a  EQ  'RED'  ", 1, 1, FILTER_EQ, "a" },
	{ "a eq'red'", 1, 1, FILTER_EQ, "a" },
	{ "a.b_1 eq ''", 0, 1, FILTER_EQ, "a.b_1" },
	{ "a eq 'it''s, or (red)'", 4, 1, FILTER_EQ, "a" },
	{ "a ne 'red'", 14, 1, FILTER_NE, "a" },
	{ "a eq true", 8, 1, FILTER_EQ, "a" },
	{ "a in ('red')", 1, 1, FILTER_IN, "a" },
	{ "a IN ( 'blue' , 'red','x' )", 3, 1, FILTER_IN, "a" },
	{ "startswith(a,'IT''S')", 4, 1, FILTER_STARTS, "a" },
	{ "startsWith ( a , '' )", 15, 1, FILTER_STARTS, "a" },
	{ "substringof('RED',a)", 5, 1, FILTER_HAS, "a" },
	{ "substringof('longer than all of them',a)", 0, 1, FILTER_HAS, "a" },
	{ "a/any(c:c eq 'blue')", 2, 1, FILTER_ANY, "a" },
	{ "a / any( colour : colour eq 'blue' )", 2, 1, FILTER_ANY, "a" },
	{ "a()", 0, 1, FILTER_CALL, "a" },
	{ "a( )", 0, 1, FILTER_CALL, "a" },
	{ "a('blue')", 2, 1, FILTER_ASK, "a" },
	{ "a eq 'red' and b() and c in ('x')", 1, 3, FILTER_EQ, "a" },
	{ "a()and b()", 0, 2, FILTER_CALL, "a" },
	{ "and eq 'red' or or eq 'x'", 1, 2, FILTER_EQ, "and" },
	{ "a", REFUSED, 0, 0, NULL },
	{ "a eq", REFUSED, 0, 0, NULL },
	{ "a eq red", REFUSED, 0, 0, NULL },
	{ "a eq 1", REFUSED, 0, 0, NULL },
	{ "a eq null", REFUSED, 0, 0, NULL },
	{ "a eq 'red", REFUSED, 0, 0, NULL },
	{ "a eq '", REFUSED, 0, 0, NULL },
	{ "a eq 'red''", REFUSED, 0, 0, NULL },
	{ "a eq 're'd'", REFUSED, 0, 0, NULL },
	{ "a eq \"red\"", REFUSED, 0, 0, NULL },
	{ "a gt 'red'", REFUSED, 0, 0, NULL },
	{ "a b 'red'", REFUSED, 0, 0, NULL },
	{ "eq 'red'", REFUSED, 0, 0, NULL },
	{ "'red' eq a", REFUSED, 0, 0, NULL },
	{ "(a eq 'red')", REFUSED, 0, 0, NULL },
	{ "not a eq 'red'", REFUSED, 0, 0, NULL },
	{ "a eq 'red' b eq 'red'", REFUSED, 0, 0, NULL },
	{ "a eq 'red' and", REFUSED, 0, 0, NULL },
	{ "a eq 'red' or", REFUSED, 0, 0, NULL },
	{ "or a eq 'red'", REFUSED, 0, 0, NULL },
	{ "a in ()", REFUSED, 0, 0, NULL },
	{ "a in ('red',)", REFUSED, 0, 0, NULL },
	{ "a in ('red'", REFUSED, 0, 0, NULL },
	{ "a in 'red'", REFUSED, 0, 0, NULL },
	{ "startswith(a)", REFUSED, 0, 0, NULL },
	{ "startswith('red',a)", REFUSED, 0, 0, NULL },
	{ "startswith(a,'red'", REFUSED, 0, 0, NULL },
	{ "substringof(a,'red')", REFUSED, 0, 0, NULL },
	{ "a/all(c:c eq 'red')", REFUSED, 0, 0, NULL },
	{ "a/any(c:d eq 'red')", REFUSED, 0, 0, NULL },
	{ "a/any(:c eq 'red')", REFUSED, 0, 0, NULL },
	{ "a/any(c:c eq 'red'", REFUSED, 0, 0, NULL },
	{ "a/b eq 'red'", REFUSED, 0, 0, NULL },
	{ "a(", REFUSED, 0, 0, NULL },
	{ "a('red'", REFUSED, 0, 0, NULL },
	{ "a('red','blue')", REFUSED, 0, 0, NULL },
	{ "a(b)", REFUSED, 0, 0, NULL },
};

static void
test_filters(void **state)
{
	struct filter filter;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		int fits = 0;

		arena_init(&arena, 65536);
		if (filter_parse(view_of(filters[i].text), ALL, &arena, &filter) !=
		    (filters[i].fits != REFUSED))
			fail_msg("%s", filters[i].text);
		if (filters[i].fits == REFUSED)
			continue;
		assert_int_equal(filter.count, filters[i].terms);
		if (filter.count == 0)
			continue;
		assert_int_equal(filter.terms[0].form, filters[i].form);
		assert_text(filter.terms[0].name, view_of(filters[i].name));
		for (size_t j = 0; j < COLOURS; j++)
			fits |= filter_fits(&filter, &filter.terms[0], colours[j]) << j;
		if (fits != filters[i].fits)
			fail_msg("%s: %d", filters[i].text, fits);
	}
}

static void
test_order(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct filter filter;

	(void)state;
	arena_init(&arena, 65536);
	assert_true(filter_parse(V("a eq 'x' and b() or c in ('y','z') OR d eq false"), ALL, &arena,
	    &filter));
	assert_int_equal(filter.count, 4);
	assert_false(filter.terms[0].ends);
	assert_true(filter.terms[1].ends && filter.terms[2].ends && filter.terms[3].ends);
	assert_int_equal(filter.terms[2].first, 1);
	assert_int_equal(filter.terms[2].count, 2);
	assert_false(filter.terms[2].word);
	assert_true(filter.terms[3].word);
	assert_text(filter.values[3], V("false"));
}

/* A form that a list does not know is refused, wherever it stands. */
static void
test_allowed(void **state)
{
	static const struct {
		const char *text;
		unsigned form;
	} rows[] = {
		{ "a()", FILTER_CALL },
		{ "a('x')", FILTER_ASK },
		{ "a eq 'x'", FILTER_EQ },
		{ "a ne 'x'", FILTER_NE },
		{ "a in ('x')", FILTER_IN },
		{ "a/any(c:c eq 'x')", FILTER_ANY },
		{ "startswith(a,'x')", FILTER_STARTS },
		{ "substringof('x',a)", FILTER_HAS },
		{ "a() or a()", FILTER_OR },
	};
	AUTO(arena_free) struct arena arena = { 0 };
	struct filter filter;

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned form = rows[i].form == FILTER_OR ? FILTER_OR | FILTER_CALL : rows[i].form;

		assert_true(filter_parse(view_of(rows[i].text), form, &arena, &filter));
		assert_false(
		    filter_parse(view_of(rows[i].text), ALL & ~rows[i].form, &arena, &filter));
	}
}

static bool
parse_repeated(const char *first, const char *more, size_t count, const char *last)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf text = { 0 };
	struct filter filter;

	arena_init(&arena, 65536);
	buf_add(&text, view_of(first));
	for (size_t i = 0; i < count; i++)
		buf_add(&text, view_of(more));
	buf_add(&text, view_of(last));
	assert_true(buf_ok(&text));
	return filter_parse(buf_view(&text), ALL, &arena, &filter);
}

static void
test_bounds(void **state)
{
	(void)state;
	assert_true(parse_repeated("id eq '1'", " or id eq '1'", FILTER_TERMS_MAX - 1, ""));
	assert_false(parse_repeated("id eq '1'", " or id eq '1'", FILTER_TERMS_MAX, ""));
	assert_true(parse_repeated("id in ('1'", ",'1'", FILTER_VALUES_MAX - 1, ")"));
	assert_false(parse_repeated("id in ('1'", ",'1'", FILTER_VALUES_MAX, ")"));
	assert_true(parse_repeated("id eq '", "a", FILTER_MAX - 8, "'"));
	assert_false(parse_repeated("id eq '", "a", FILTER_MAX - 7, "'"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
