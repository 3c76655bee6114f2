/*
 * What waits: found by its name, once, for a time, and within bounds.
 */
#include "base/testing.h"
#include "signin/pending.h"

#include <stdio.h>

static struct error err;

static void
put(struct pending *pending, const char *address, const char *alias, const char *bytes, int64_t now,
    char text[PENDING_TEXT_LEN + 1])
{
	const struct pending_item item = { view_of(address), view_of(alias), view_of(bytes) };

	assert_fine(pending_put(pending, &item, now, text, &err), &err);
	assert_int_equal(strlen(text), PENDING_TEXT_LEN);
}

static void
pending_done(struct pending **pending)
{
	pending_free(*pending);
}

static void
test_names(void **state)
{
	AUTO(pending_done) struct pending *pending = pending_new(100);
	AUTO(arena_free) struct arena arena = { 0 };
	char one[PENDING_TEXT_LEN + 1], two[PENDING_TEXT_LEN + 1];
	view out;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	put(pending, "192.0.2.1", "", "first", 1000, one);
	put(pending, "192.0.2.1", "", "second", 1000, two);
	assert_string_not_equal(one, two);
	assert_int_equal(pending_get(pending, view_of(one), 1000, &arena, &out), PENDING_HERE);
	assert_text(out, V("first"));
	assert_int_equal(pending_spend(pending, view_of(one), 1000, &arena, &out), PENDING_HERE);
	assert_text(out, V("first"));
	assert_int_equal(pending_spend(pending, view_of(one), 1000, &arena, &out), PENDING_SPENT);
	assert_text(out, V("first"));
	assert_int_equal(pending_get(pending, view_of(two), 1099, &arena, &out), PENDING_HERE);
	assert_int_equal(pending_get(pending, view_of(two), 1100, &arena, &out), PENDING_ABSENT);
	two[5] ^= 1;
	assert_int_equal(pending_get(pending, view_of(two), 1000, &arena, &out), PENDING_ABSENT);
	assert_int_equal(pending_get(pending, V(""), 1000, &arena, &out), PENDING_ABSENT);
	assert_int_equal(pending_get(pending, V("***************************************ABCD"),
			     1000, &arena, &out),
	    PENDING_ABSENT);
}

static void
test_alias(void **state)
{
	AUTO(pending_done) struct pending *pending = pending_new(100);
	AUTO(arena_free) struct arena arena = { 0 };
	char text[PENDING_TEXT_LEN + 1];
	view out;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	put(pending, "192.0.2.1", "", "nameless", 1000, text);
	put(pending, "192.0.2.1", "ABCD", "waits", 1000, text);
	assert_int_equal(pending_find(pending, V("ABCD"), 1000, &arena, &out), PENDING_HERE);
	assert_text(out, V("waits"));
	assert_int_equal(pending_find(pending, V("ABC"), 1000, &arena, &out), PENDING_ABSENT);
	assert_int_equal(pending_find(pending, V(""), 1000, &arena, &out), PENDING_ABSENT);
	assert_true(pending_change(pending, V("ABCD"), V("may come in"), 1000));
	assert_int_equal(pending_get(pending, view_of(text), 1000, &arena, &out), PENDING_HERE);
	assert_text(out, V("may come in"));
	assert_true(pending_rest(pending, view_of(text), 1000) > 1000);
	assert_int_equal(pending_rest(pending, view_of(text), 1003), 3);
	assert_int_equal(pending_spend(pending, view_of(text), 1000, &arena, &out), PENDING_HERE);
	assert_false(pending_change(pending, V("ABCD"), V("again"), 1000));
	assert_int_equal(pending_find(pending, V("ABCD"), 1000, &arena, &out), PENDING_ABSENT);
}

/* Who floods pushes out their own first, and nobody of another set. */
static void
test_flood(void **state)
{
	AUTO(pending_done) struct pending *pending = pending_new(100000);
	AUTO(arena_free) struct arena arena = { 0 };
	char honest[32][PENDING_TEXT_LEN + 1], text[PENDING_TEXT_LEN + 1];
	size_t left = 0;
	view out;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	for (unsigned i = 0; i < 32; i++) {
		char address[32];

		(void)snprintf(address, sizeof(address), "192.0.2.%u", i);
		put(pending, address, "", "honest", 1000, honest[i]);
	}
	for (int i = 0; i < 10000; i++)
		put(pending, i % 2 == 0 ? "2001:db8::1" : "2001:db8::2", "", "flood", 2000 + i,
		    text);
	for (unsigned i = 0; i < 32; i++)
		left +=
		    pending_get(pending, view_of(honest[i]), 12000, &arena, &out) == PENDING_HERE;
	assert_true(left >= 24);
	assert_int_equal(pending_get(pending, view_of(text), 12000, &arena, &out), PENDING_HERE);
}

static void
test_bounds(void **state)
{
	AUTO(pending_done) struct pending *pending = pending_new(100);
	static char large[PENDING_BYTES_MAX + 1];
	struct pending_item item = { V("192.0.2.1"), V("ABCDEFGHIJKLMNOP"), V("x") };
	char text[PENDING_TEXT_LEN + 1];

	(void)state;
	assert_false(pending_put(pending, &item, 0, text, &err));
	item.alias = V("");
	item.bytes = (view){ large, sizeof(large) };
	assert_false(pending_put(pending, &item, 0, text, &err));
	item.bytes.len--;
	assert_fine(pending_put(pending, &item, 0, text, &err), &err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
