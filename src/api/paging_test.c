#include "api/paging.h"
#include "base/base64.h"
#include "base/testing.h"
#include "keyring/testing.h"

#include <stdio.h>
#include <stdlib.h>

static struct place place;
static struct services services;
static struct http_request in;
static struct http_reply out;
static struct arena arena;
static struct request r;
static struct error err;

static int
setup(void **state)
{
	(void)state;
	place_make(&place, false);
	arena_init(&arena, (size_t)4 << 20);
	services = (struct services){ .keyring = place.keyring };
	in = (struct http_request){ 0 };
	r = (struct request){ .services = &services, .in = &in, .out = &out, .arena = &arena };
	r.authority = V("name.vault.localhost:8443");
	r.path = V("/secrets");
	r.version = api_version_find(V("7.4"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&out.body);
	arena_free(&arena);
	place_remove(&place);
	return 0;
}

/* The token that page_next gives for ${marker}, out of the link. */
static view
token_for(view list, view marker)
{
	const struct page page = { .limit = PAGE_MAX };
	view text, token;

	(void)reply_json(&r);
	assert_fine(page_next(&r, list, &page, marker, &err), &err);
	assert_true(arena_copy(&arena, buf_view(&out.body), &text));
	token = view_of(strstr(text.ptr, "skiptoken=") + sizeof("skiptoken=") - 1);
	return view_cut(&token, '"');
}

static bool
reads(view list, view token, struct page *page)
{
	view query;

	assert_true(arena_print(&arena, &query, "$skiptoken=%.*s", VIEW_ARG(token)));
	in.query = query;
	return page_read(&r, list, page, &err);
}

static void
test_limits(void **state)
{
	static const struct {
		view query;
		size_t limit; /* 0: refused */
		bool given;
	} rows[] = {
		{ V_INIT(""), 25, false },
		{ V_INIT("maxresults=1"), 1, true },
		{ V_INIT("MaxResults=25"), 25, true },
		{ V_INIT("maxresults=007"), 7, true },
		{ V_INIT("maxresults=0"), 0, false },
		{ V_INIT("maxresults=26"), 0, false },
		{ V_INIT("maxresults=-1"), 0, false },
		{ V_INIT("maxresults="), 0, false },
		{ V_INIT("maxresults=1x"), 0, false },
		{ V_INIT("maxresults=18446744073709551617"), 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct page page = { 0 };

		in.query = rows[i].query;
		assert_int_equal(page_read(&r, V("list"), &page, &err), rows[i].limit > 0);
		assert_int_equal(page.limit, rows[i].limit);
		assert_int_equal(page.limit_given, rows[i].given);
		if (rows[i].limit == 0)
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
}

static void
test_the_link(void **state)
{
	const struct page page = { .limit = 7, .limit_given = true };
	view body, token;

	(void)state;
	(void)reply_json(&r);
	assert_fine(page_next(&r, V("list"), &page, V(""), &err), &err);
	assert_text(buf_view(&out.body), V("\"nextLink\":null"));
	(void)reply_json(&r);
	assert_fine(page_next(&r, V("list"), &page, V("NAME"), &err), &err);
	assert_true(arena_copy(&arena, buf_view(&out.body), &body));
	token = token_for(V("list"), V("NAME"));
	(void)reply_json(&r);
	buf_print(&out.body,
	    "\"nextLink\":\"https://name.vault.localhost:8443/secrets?api-version=7.4"
	    "&$skiptoken=%.*s&maxresults=7\"",
	    VIEW_ARG(token));
	assert_text(body, buf_view(&out.body));
	/* The original names the port always. */
	r.authority = V("name.vault.localhost");
	(void)reply_json(&r);
	assert_fine(page_next(&r, V("list"), &page, V("NAME"), &err), &err);
	assert_true(view_starts(buf_view(&out.body),
	    V("\"nextLink\":\"https://name.vault.localhost:443/secrets?")));
}

static void
test_a_token_comes_back(void **state)
{
	static const view markers[] = { V_INIT("A"), V_INIT("A-LONGER-NAME"),
		V_INIT("0123456789abcdef0123456789abcdef") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(markers); i++) {
		struct page page;

		assert_true(reads(V("v/1/s/"), token_for(V("v/1/s/"), markers[i]), &page));
		assert_text(page.after, markers[i]);
	}
}

static void
test_belongs_to_its_list(void **state)
{
	static const view lists[] = { V_INIT("v/1/s/"), V_INIT("v/2/s/"), V_INIT("v/1/ds/"),
		V_INIT("v/1/s"), V_INIT("") };
	struct page page;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		view token = token_for(lists[i], V("NAME"));

		for (size_t j = 0; j < COUNT_OF(lists); j++)
			assert_int_equal(reads(lists[j], token, &page), i == j);
	}
}

static void
test_refuses_forged_ones(void **state)
{
	view token = token_for(V("list"), V("NAME"));
	struct page page = { .limit = 99 };

	(void)state;
	for (size_t len = 0; len < token.len; len++)
		assert_false(reads(V("list"), (view){ token.ptr, len }, &page));
	for (size_t at = 0; at < token.len; at++) {
		char *changed = strndup(token.ptr, token.len);

		changed[at] = changed[at] == 'A' ? 'B' : 'A';
		assert_false(reads(V("list"), view_of(changed), &page));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		free(changed);
	}
	/* Zero bytes behind the marker: what a printed MAC message would have left out. */
	for (size_t more = 1; more < 8; more++) {
		view longer;

		assert_true(arena_print(&arena, &longer, "%.*s%.*s", VIEW_ARG(token), (int)more,
		    "AAAAAAA"));
		assert_false(reads(V("list"), longer, &page));
	}
	assert_int_equal(page.limit, 99);
	assert_true(reads(V("list"), token, &page));
}

static void
test_refuses_long_ones(void **state)
{
	static char text[100000];
	struct page page;

	(void)state;
	memset(text, 'A', sizeof(text));
	assert_false(reads(V("list"), (view){ text, sizeof(text) }, &page));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_false(reads(V("list"), (view){ text, 2048 }, &page));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_limits),
		FRESH(test_the_link),
		FRESH(test_a_token_comes_back),
		FRESH(test_belongs_to_its_list),
		FRESH(test_refuses_forged_ones),
		FRESH(test_refuses_long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
