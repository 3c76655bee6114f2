/* Whole stores, out and in again: what a backup and a restore do. */
#include "store/fill.h"
#include "store/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct copying {
	struct fill *fill;
	size_t documents, lines;
};

static bool
copy_document(void *ctx, const struct document *document, struct error *err)
{
	struct copying *copying = ctx;

	copying->documents++;
	return fill_document(copying->fill, document, err);
}

static bool
copy_line(void *ctx, const struct journal_line *line, struct error *err)
{
	struct copying *copying = ctx;

	copying->lines++;
	return fill_line(copying->fill, line, err);
}

static void
copy_url(const struct fixture *f, char *out, size_t size)
{
	(void)snprintf(out, size, "sqlite:%s.copy", f->path);
}

static void
remove_copy(const struct fixture *f)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	char path[160];

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		(void)snprintf(path, sizeof(path), "%s.copy%s", f->path, ends[i]);
		(void)unlink(path);
	}
}

/* Documents of three batches' size, a deleted one, revisions, journal lines that were trimmed. */
static void
test_copy_is_the_same(void **state)
{
	struct fixture *f = *state, copy = { 0 };
	struct copying copying = { 0 };
	struct counters counters, after;
	char *large = malloc((size_t)6 * 1024 * 1024 + 1);
	char url[160];

	assert_non_null(large);
	memset(large, 'x', (size_t)6 * 1024 * 1024);
	large[(size_t)6 * 1024 * 1024] = '\0';
	for (int i = 0; i < 4; i++) {
		char key[2] = { (char)('a' + i), '\0' };
		struct change change = put(key, large);

		assert_true(commit(f, &change, 1, "line"));
	}
	assert_true(commit1(f, put("\xff\xff", "the last")));
	assert_true(commit1(f, put("gone", "x")));
	assert_true(commit1(f, del("gone")));
	store_journal_trim(f->store, 2);
	assert_true(commit1(f, put("a", "again")));
	fixture_renew(f);

	copy_url(f, url, sizeof(url));
	assert_true(store_counters(f->reader, &counters, &f->err));
	assert_true(fill_begin(view_of(url), &copying.fill, &f->err));
	assert_true(store_each(f->reader, copy_document, &copying, &f->err));
	assert_true(store_each_line(f->reader, copy_line, &copying, &f->err));
	assert_true(fill_end(copying.fill, &counters, &f->err));
	fill_close(copying.fill);
	assert_int_equal(5, copying.documents);
	assert_int_equal(2, copying.lines);

	(void)snprintf(copy.url, sizeof(copy.url), "%s", url);
	arena_init(&copy.arena, (size_t)64 * 1024 * 1024);
	fixture_open(&copy);
	assert_true(store_counters(copy.reader, &after, &copy.err));
	assert_memory_equal(&after, &counters, sizeof(after));
	assert_value(&copy, "a", "again");
	assert_value(&copy, "d", large);
	assert_value(&copy, "\xff\xff", "the last");
	assert_value(&copy, "gone", NULL);
	assert_int_equal(revision_of(&copy, "a"), revision_of(f, "a"));
	assert_string_equal(journal_text(&copy), journal_text(f));
	/* And goes on counting. */
	assert_true(commit1(&copy, put("a", "new")));
	fixture_renew(&copy);
	assert_true(revision_of(&copy, "a") > counters.revision);
	fixture_close(&copy);
	arena_free(&copy.arena);
	/* It is a store with something in it. */
	assert_false(fill_begin(view_of(url), &copying.fill, &f->err));
	assert_int_equal(ERR_CONFLICT, f->err.code);
	remove_copy(f);
	free(large);
}

static void
test_refusals(void **state)
{
	struct fixture *f = *state;
	const struct document one = { .key = V("b"), .value.bytes = V("x"), .revision = 7 };
	const struct document before = { .key = V("a"), .value.bytes = V("x"), .revision = 8 };
	const struct document none = { .key = V("c"), .value.bytes = V("x"), .revision = 0 };
	const struct document nameless = { .key = V(""), .value.bytes = V("x"), .revision = 8 };
	const struct journal_line line = { .number = 3, .line = V("x") };
	const struct counters low = { .revision = 6, .journal = 3 };
	const struct counters late = { .revision = 7, .journal = 2 };
	struct fill *fill;
	char url[160];

	copy_url(f, url, sizeof(url));
	assert_true(fill_begin(view_of(url), &fill, &f->err));
	assert_true(fill_document(fill, &one, &f->err));
	assert_false(fill_document(fill, &one, &f->err));
	assert_false(fill_document(fill, &before, &f->err));
	assert_false(fill_document(fill, &none, &f->err));
	assert_false(fill_document(fill, &nameless, &f->err));
	assert_true(fill_line(fill, &line, &f->err));
	assert_false(fill_line(fill, &line, &f->err));
	assert_false(fill_end(fill, &low, &f->err));
	assert_false(fill_end(fill, &late, &f->err));
	assert_int_equal(ERR_CORRUPT, f->err.code);
	fill_close(fill);
	remove_copy(f);
	assert_false(fill_begin(V("nothing:of that kind"), &fill, &f->err));
}

/* Beside the one who serves it: what is committed can be read, and nothing written. */
static void
test_looking(void **state)
{
	struct fixture *f = *state;
	struct change change = put("b", "refused");
	struct fixture beside = { 0 };

	if (strcmp(fixture_scheme, "sqlite") != 0) {
		assert_false(store_look(view_of(f->url), &beside.store, &f->err));
		return;
	}
	assert_true(commit1(f, put("a", "one")));
	arena_init(&beside.arena, (size_t)1024 * 1024);
	assert_true(store_look(view_of(f->url), &beside.store, &f->err));
	assert_true(store_reader_new(beside.store, &beside.reader, &f->err));
	assert_true(store_begin(beside.reader, &f->err));
	assert_value(&beside, "a", "one");
	assert_true(commit1(f, put("a", "two")));
	assert_value(&beside, "a", "one"); /* its snapshot */
	fixture_renew(&beside);
	assert_value(&beside, "a", "two"); /* from no cache that nobody tells */
	assert_false(store_commit_wait(beside.store, &change, 1, V(""), &f->err));
	assert_int_equal(ERR_UNAVAILABLE, f->err.code);
	fixture_close(&beside);
	arena_free(&beside.arena);
	assert_true(commit1(f, put("a", "three")));
	assert_false(store_look(V("sqlite:/nowhere/at.all"), &beside.store, &f->err));
}

int
main(void)
{
	static const char *const schemes[] = { "memory", "sqlite" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copy_is_the_same, fixture_setup,
		    fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_looking, fixture_setup, fixture_teardown),
	};
	int failed = 0;

	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		fixture_scheme = schemes[i];
		failed += cmocka_run_group_tests_name(schemes[i], tests, NULL, NULL);
	}
	return failed;
}
