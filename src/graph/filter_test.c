#include "graph/filter.h"

#include "base/testing.h"

#include <stddef.h>

struct thing {
	view id, name;
	bool round;
	view colours[2];
};

static bool
colour(const void *object, size_t i, view *out)
{
	const struct thing *thing = object;

	if (i >= 2)
		return false;
	*out = thing->colours[i];
	return true;
}

static const struct graph_member members[] = {
	{ .name = "id",
	    .kind = MEMBER_TEXT,
	    .offset = offsetof(struct thing, id),
	    .filter = true,
	    .key = true },
	{ .name = "displayName",
	    .kind = MEMBER_TEXT,
	    .offset = offsetof(struct thing, name),
	    .filter = true },
	{ .name = "round",
	    .kind = MEMBER_FLAG,
	    .offset = offsetof(struct thing, round),
	    .filter = true },
	{ .name = "colours", .kind = MEMBER_OTHER, .value = colour, .filter = true, .key = true },
	{ .name = "secret", .kind = MEMBER_FIXED, .fixed = "x" },
	{ .name = NULL },
};

static const struct thing things[] = {
	{ V_INIT("1"), V_INIT("It's"), true, { V_INIT("red"), V_INIT("blue") } },
	{ V_INIT("2"), V_INIT("azure-cli"), false, { V_INIT("red"), V_INIT("green") } },
	{ V_INIT("3"), V_INIT("a,b or c"), true, { V_INIT(""), V_INIT("") } },
};

#define REFUSED_FILTER (-1)

static const struct {
	const char *text;
	int matches; /* a bit for each of the things */
	size_t keys;
} filters[] = {
	{ "", 7, 0 },
	{ "  ", 7, 0 },
	{ "id eq '1'", 1, 1 },
	{ " ID  EQ  '2' ", 2, 1 },
	{ "displayName eq 'it''s'", 1, 0 },
	{ "displayName eq ''", 0, 0 },
	{ "displayName eq 'a,b or c'", 4, 0 },
	{ "startswith(displayName,'A')", 6, 0 },
	{ "startswith( displayName , 'a,b' )", 4, 0 },
	{ "startsWith(displayName,'')", 7, 0 },
	{ "startswith(id,'1')", 1, 0 },
	{ "colours/any(c:c eq 'red')", 3, 1 },
	{ "colours/any(name: name eq 'GREEN')", 2, 1 },
	{ "id in ('1','3')", 5, 1 },
	{ "id in ( '1' , '2' , '3' )", 7, 1 },
	{ "round eq true", 5, 0 },
	{ "round eq false", 2, 0 },
	{ "id eq '1' or id eq '3'", 5, 2 },
	{ "id eq '1' or displayName eq 'azure-cli'", 3, 0 },
	{ "round eq true and startswith(displayName,'a')", 4, 0 },
	{ "id eq '1' and round eq false or id eq '3' and round eq true", 4, 2 },
	{ "displayName eq 'azure-cli' and colours/any(c:c eq 'red')", 2, 1 },
	{ "secret eq 'x'", REFUSED_FILTER, 0 },
	{ "nothing eq 'x'", REFUSED_FILTER, 0 },
	{ "id", REFUSED_FILTER, 0 },
	{ "id eq", REFUSED_FILTER, 0 },
	{ "id eq 1", REFUSED_FILTER, 0 },
	{ "id eq true", REFUSED_FILTER, 0 },
	{ "id ne '1'", REFUSED_FILTER, 0 },
	{ "id eq '1", REFUSED_FILTER, 0 },
	{ "id eq '", REFUSED_FILTER, 0 },
	{ "id eq '1'2'", REFUSED_FILTER, 0 },
	{ "id eq '1' and", REFUSED_FILTER, 0 },
	{ "or id eq '1'", REFUSED_FILTER, 0 },
	{ "(id eq '1')", REFUSED_FILTER, 0 },
	{ "not id eq '1'", REFUSED_FILTER, 0 },
	{ "id in ()", REFUSED_FILTER, 0 },
	{ "id in ('1',)", REFUSED_FILTER, 0 },
	{ "id in ('1'", REFUSED_FILTER, 0 },
	{ "startswith(displayName)", REFUSED_FILTER, 0 },
	{ "startswith(displayName,'a'", REFUSED_FILTER, 0 },
	{ "colours/any(c:d eq 'red')", REFUSED_FILTER, 0 },
	{ "colours/any(:x eq 'red')", REFUSED_FILTER, 0 },
	{ "colours/any(c:c eq 'red'", REFUSED_FILTER, 0 },
	{ "colours/all(c:c eq 'red')", REFUSED_FILTER, 0 },
};

static void
check(const struct graph_filter *filter, const char *text, int matches)
{
	for (size_t i = 0; i < 3; i++) {
		if (graph_filter_match(filter, &things[i]) != ((matches >> i & 1) != 0))
			fail_msg("%s: %zu", text, i);
	}
}

static void
test_filters(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	size_t keys[FILTER_TERMS_MAX];
	struct graph_filter filter;
	struct error err;

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		bool ok =
		    graph_filter_parse(view_of(filters[i].text), members, &arena, &filter, &err);

		if (ok != (filters[i].matches >= 0))
			fail_msg("%s", filters[i].text);
		if (!ok) {
			assert_int_equal(err.code, ERR_GRAPH_BAD_REQUEST);
			continue;
		}
		check(&filter, filters[i].text, filters[i].matches);
		if (graph_filter_keys(&filter, keys) != filters[i].keys)
			fail_msg("%s: keys", filters[i].text);
	}
}

static bool
parse_repeated(const char *first, const char *more, size_t count, const char *last)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf text = { 0 };
	struct graph_filter filter;
	struct error err;

	arena_init(&arena, 65536);
	buf_add(&text, view_of(first));
	for (size_t i = 0; i < count; i++)
		buf_add(&text, view_of(more));
	buf_add(&text, view_of(last));
	assert_true(buf_ok(&text));
	return graph_filter_parse(buf_view(&text), members, &arena, &filter, &err);
}

static void
test_bounds(void **state)
{
	(void)state;
	assert_true(parse_repeated("id eq '1'", " or id eq '1'", FILTER_TERMS_MAX - 1, ""));
	assert_false(parse_repeated("id eq '1'", " or id eq '1'", FILTER_TERMS_MAX, ""));
	assert_true(parse_repeated("id in ('1'", ",'1'", FILTER_VALUES_MAX - 1, ")"));
	assert_false(parse_repeated("id in ('1'", ",'1'", FILTER_VALUES_MAX, ")"));
	assert_false(parse_repeated("id eq '", "a", 5000, "'"));
}

static void
test_select(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct graph_select select;
	struct json json = json_to(&out);

	(void)state;
	assert_true(graph_select_parse(V("id, DISPLAYNAME,,unknown"), &select));
	json_open(&json, '{');
	graph_members_write(members, &select, &things[1], &json);
	json_close(&json, '}');
	assert_true(view_eq(buf_view(&out), V("{\"id\":\"2\",\"displayName\":\"azure-cli\"}")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
