#include "base/testing.h"
#include "vault/testing.h"

#include <stdio.h>

#define COUNT 60

static struct world w = { .with = { { "one", "local", 90, false },
			      { "two", "local", 90, false } } };

static bool
list_live(struct request *r, const struct object_type *type, struct error *err)
{
	return object_list(r, type, OBJECT_LIVE, err);
}

static bool
list_deleted(struct request *r, const struct object_type *type, struct error *err)
{
	return object_list(r, type, OBJECT_DELETED, err);
}

static size_t
items(void)
{
	size_t count = 0;
	view text;

	assert_true(arena_copy(&w.arena, buf_view(&w.out.body), &text));
	for (const char *at = text.ptr; (at = strstr(at, "\"id\":")) != NULL; at++)
		count++;
	return count;
}

/* Take the query of the link to the next page over, as a client does. */
static bool
follow(char *query_text, size_t size)
{
	view link = world_member(&w, "nextLink");
	size_t at;

	if (link.len == 0) {
		assert_true(world_replied(&w, "\"nextLink\":null}"));
		return false;
	}
	assert_true(view_find(link, '?', &at));
	(void)snprintf(query_text, size, "%.*s", VIEW_ARG(view_from(link, at + 1)));
	w.in.query = view_of(query_text);
	return true;
}

static void
test_pages(void **state)
{
	static const struct {
		const char *query;
		size_t limit;
	} rows[] = { { "", 25 }, { "maxresults=7", 7 }, { "maxresults=20", 20 },
		{ "maxresults=1", 1 } };
	char name[16], text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof(name), "Name-%02zu", i);
		assert_fine(world_set(&w, "one", name, "x"), &w.err);
	}
	assert_fine(world_set(&w, "two", "other", "x"), &w.err);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t seen = 0;

		w.in.query = view_of(rows[i].query);
		do {
			size_t left = COUNT - seen, count;

			assert_fine(world_run(&w, "one", "", list_live), &w.err);
			count = items();
			assert_int_equal(count, left < rows[i].limit ? left : rows[i].limit);
			(void)snprintf(name, sizeof(name), "/Name-%02zu\"", seen);
			assert_true(world_replied(&w, name));
			seen += count;
		} while (follow(text, sizeof(text)));
		assert_int_equal(seen, COUNT);
	}
}

static void
test_empty_lists(void **state)
{
	static world_row *const rows[] = { list_live, list_deleted, object_list_versions };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_fine(world_run(&w, "one", "name", rows[i]), &w.err);
		assert_text(buf_view(&w.out.body), V("{\"value\":[],\"nextLink\":null}"));
	}
}

/* One list's token is no good for another's. */
static void
test_tokens_stay_with_their_list(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char name[] = { 'a', (char)('a' + i), '\0' };

		assert_fine(world_set(&w, "one", name, "x"), &w.err);
		assert_fine(world_set(&w, "one", "aa", "x"), &w.err);
		assert_fine(world_set(&w, "two", name, "x"), &w.err);
	}
	w.in.query = V("maxresults=1");
	assert_fine(world_run(&w, "one", "", list_live), &w.err);
	assert_true(follow(text, sizeof(text)));
	assert_fine(world_run(&w, "one", "", list_live), &w.err);
	assert_false(world_run(&w, "two", "", list_live));
	assert_int_equal(w.err.code, ERR_BAD_PARAMETER);
	assert_false(world_run(&w, "one", "", list_deleted));
	assert_false(world_run(&w, "one", "aa", object_list_versions));
}

static void
test_deleted_ones(void **state)
{
	(void)state;
	assert_fine(world_set(&w, "one", "gone", "x"), &w.err);
	assert_fine(world_set(&w, "one", "here", "x"), &w.err);
	assert_fine(world_run(&w, "one", "gone", object_delete), &w.err);
	assert_fine(world_run(&w, "one", "", list_deleted), &w.err);
	assert_int_equal(items(), 1);
	assert_text(world_member(&w, "recoveryId"),
	    V("https://v.vault.localhost/deletedthings/gone"));
	assert_true(world_replied(&w, "\"scheduledPurgeDate\":"));
	assert_fine(world_run(&w, "one", "", list_live), &w.err);
	assert_int_equal(items(), 1);
	assert_text(world_member(&w, "id"), V("https://v.vault.localhost/things/here"));
}

static void
test_versions(void **state)
{
	char text[1024];
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		assert_fine(world_set(&w, "one", "name", "x"), &w.err);
	assert_fine(world_set(&w, "one", "name-2", "x"), &w.err);
	do {
		assert_fine(world_run(&w, "one", "NAME", object_list_versions), &w.err);
		seen += items();
		assert_int_equal(world_member(&w, "id").len,
		    sizeof("https://v.vault.localhost/things/name/") - 1 + HEX16_LEN);
	} while (follow(text, sizeof(text)));
	assert_int_equal(seen, 30);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_pages),
		FRESH(test_empty_lists),
		FRESH(test_tokens_stay_with_their_list),
		FRESH(test_deleted_ones),
		FRESH(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
