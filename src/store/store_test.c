/* The contract of store.h, held against every backend. */
#include "base/starved.h"
#include "store/testing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
test_put_get_delete(void **state)
{
	struct fixture *f = *state;
	uint64_t first, second;

	assert_value(f, "a", NULL);
	assert_true(commit1(f, put("a", "one")));
	assert_value(f, "a", NULL); /* still the old snapshot */
	fixture_renew(f);
	assert_value(f, "a", "one");
	first = revision_of(f, "a");
	assert_true(commit1(f, put("a", "two")));
	fixture_renew(f);
	assert_value(f, "a", "two");
	second = revision_of(f, "a");
	assert_true(second > first);
	assert_true(commit1(f, del("a")));
	assert_true(commit1(f, del("a"))); /* of something absent: fine */
	fixture_renew(f);
	assert_value(f, "a", NULL);
	assert_true(commit1(f, put("a", "three")));
	fixture_renew(f);
	assert_true(revision_of(f, "a") > second); /* never again, not even after a delete */
}

static void
test_empty_value_is_not_absent(void **state)
{
	struct fixture *f = *state;

	assert_true(commit1(f, put("a", "")));
	fixture_renew(f);
	assert_value(f, "a", "");
	assert_value(f, "a", ""); /* and from a cache */
}

static void
test_expect(void **state)
{
	struct fixture *f = *state;
	uint64_t revision;
	struct change stale[] = { put("a", "x"), put("b", "x"), expect("a", 1) };
	struct change absent[] = { expect("a", 0), put("a", "one") };

	assert_false(commit(f, stale, 3, "not this")); /* wherever the expectation stands */
	assert_int_equal(f->err.code, ERR_STORE_CONFLICT);
	assert_true(commit(f, absent, 2, NULL));
	assert_false(commit(f, absent, 2, NULL));
	assert_int_equal(f->err.code, ERR_STORE_CONFLICT);
	fixture_renew(f);
	assert_value(f, "a", "one");
	assert_value(f, "b", NULL);
	assert_string_equal(journal_text(f), "");

	revision = revision_of(f, "a");
	stale[2] = expect("a", revision + 1);
	assert_false(commit(f, stale, 3, NULL));
	stale[2] = expect("a", revision);
	assert_true(commit(f, stale, 3, NULL));
	fixture_renew(f);
	assert_value(f, "b", "x");
}

/* A commit whose expectations are met by itself is not: they are about what was before it. */
static void
test_expect_does_not_see_its_own_commit(void **state)
{
	struct fixture *f = *state;
	struct change changes[] = { put("a", "1"), expect("a", 0), put("a", "2"), del("b"),
		put("b", "3") };

	assert_true(commit(f, changes, 5, NULL));
	fixture_renew(f);
	assert_value(f, "a", "2");
	assert_value(f, "b", "3");
}

static void
test_nothing_to_do_is_done(void **state)
{
	struct fixture *f = *state;
	struct change change = expect("a", 0);

	assert_true(commit(f, NULL, 0, NULL));
	assert_true(commit(f, &change, 1, NULL));
}

static void
test_keys_and_values_have_bounds(void **state)
{
	struct fixture *f = *state;
	char key[STORE_KEY_MAX + 2];
	size_t count;
	struct document *found;

	memset(key, 'k', sizeof(key));
	key[STORE_KEY_MAX + 1] = 0;
	assert_false(commit1(f, put(key, "too long")));
	assert_int_equal(f->err.code, ERR_INTERNAL);
	assert_false(commit1(f, put("", "no key")));
	assert_false(commit1(f, expect("", 0)));
	fixture_renew(f);
	assert_value(f, key, NULL);
	assert_value(f, "", NULL);
	key[STORE_KEY_MAX] = 0;
	assert_true(commit1(f, put(key, "just right")));
	fixture_renew(f);
	assert_value(f, key, "just right");
	key[STORE_KEY_MAX] = 'k';
	assert_true(
	    store_scan(f->reader, view_of(key), V(""), 9, &f->arena, &found, &count, &f->err));
	assert_int_equal(count, 0);
	assert_true(
	    store_scan(f->reader, V("k"), view_of(key), 9, &f->arena, &found, &count, &f->err));
	assert_int_equal(count, 0);
}

static void
test_large_value(void **state)
{
	struct fixture *f = *state;
	struct change change = { .kind = CHANGE_PUT, .key = V("large") };
	char *bytes = malloc(STORE_VALUE_MAX + 1);
	struct document found;

	assert_non_null(bytes);
	for (size_t i = 0; i <= STORE_VALUE_MAX; i++)
		bytes[i] = (char)(i * 31 >> 3);
	change.value.bytes = (view){ bytes, STORE_VALUE_MAX + 1 };
	assert_false(commit1(f, change));
	change.value.bytes.len = STORE_VALUE_MAX;
	assert_true(commit1(f, change));
	fixture_renew(f);
	found = read1(f, "large");
	assert_view(found.value.bytes, change.value.bytes);
	free(bytes);
}

static const view scan_keys[] = {
	V_INIT("\x00"),
	V_INIT("\x00\x00"),
	V_INIT("a"),
	V_INIT("a\x00"),
	V_INIT("a\x00"
	       "b"),
	V_INIT("a/1"),
	V_INIT("a/1/x"),
	V_INIT("a/2"),
	V_INIT("a\xff"),
	V_INIT("a\xff\xff"),
	V_INIT("a\xff\xff"
	       "c"),
	V_INIT("b"),
	V_INIT("\xff"),
	V_INIT("\xff\xff"),
	V_INIT("\xff\xff\x00"),
};

struct scan_case {
	view prefix, after;
	size_t limit, first, count; /* of scan_keys */
};

static const struct scan_case scan_cases[] = {
	{ V_INIT(""), V_INIT(""), 100, 0, 15 },
	{ V_INIT(""), V_INIT(""), SIZE_MAX, 0, 15 },
	{ V_INIT(""), V_INIT(""), 0, 0, 0 },
	{ V_INIT(""), V_INIT(""), 4, 0, 4 },
	{ V_INIT(""), V_INIT("a"), 100, 3, 12 },
	{ V_INIT(""), V_INIT("a/1"), 2, 6, 2 },
	{ V_INIT(""), V_INIT("a/11"), 2, 7, 2 },
	{ V_INIT(""), V_INIT("\xff\xff\x00"), 9, 0, 0 },
	{ V_INIT(""), V_INIT("\xff\xff"), 9, 14, 1 },
	{ V_INIT("a"), V_INIT(""), 100, 2, 9 },
	{ V_INIT("a"), V_INIT("Z"), 100, 2, 9 },
	{ V_INIT("a"), V_INIT("a"), 100, 3, 8 },
	{ V_INIT("a"),
	    V_INIT("a\xff\xff"
		   "c"),
	    100, 0, 0 },
	{ V_INIT("a"), V_INIT("b"), 100, 0, 0 },
	{ V_INIT("a/"), V_INIT(""), 100, 5, 3 },
	{ V_INIT("a/"), V_INIT("a/1/x"), 100, 7, 1 },
	{ V_INIT("a\xff"), V_INIT(""), 100, 8, 3 },
	{ V_INIT("a\xff\xff"), V_INIT(""), 100, 9, 2 },
	{ V_INIT("\xff"), V_INIT(""), 100, 12, 3 },
	{ V_INIT("\xff\xff"), V_INIT("\xff\xff"), 100, 14, 1 },
	{ V_INIT("\x00"), V_INIT(""), 100, 0, 2 },
	{ V_INIT("c"), V_INIT(""), 100, 0, 0 },
};

static void
scan_once(struct fixture *f, const struct scan_case *c)
{
	struct document *found;
	uint64_t total;
	size_t count, key_count;
	view *keys;

	assert_true(store_scan(f->reader, c->prefix, c->after, c->limit, &f->arena, &found, &count,
	    &f->err));
	assert_true(store_keys(f->reader, c->prefix, c->after, c->limit, &f->arena, &keys,
	    &key_count, &f->err));
	assert_int_equal(count, c->count);
	assert_int_equal(key_count, c->count);
	for (size_t i = 0; i < count; i++) {
		assert_view(found[i].key, scan_keys[c->first + i]);
		assert_view(found[i].value.bytes, scan_keys[c->first + i]);
		assert_view(keys[i], scan_keys[c->first + i]);
		assert_true(found[i].revision > 0);
	}
	if (c->after.len > 0 || c->limit < c->count + 1)
		return;
	assert_true(store_count(f->reader, c->prefix, &total, &f->err));
	assert_int_equal(total, c->count);
}

static void
test_scan(void **state)
{
	struct fixture *f = *state;
	struct change changes[COUNT_OF(scan_keys)];

	for (size_t i = 0; i < COUNT_OF(scan_keys); i++)
		changes[i] = (struct change){ .kind = CHANGE_PUT,
			.key = scan_keys[(i * 7 + 3) % COUNT_OF(scan_keys)],
			.value.bytes = scan_keys[(i * 7 + 3) % COUNT_OF(scan_keys)] };
	assert_true(commit(f, changes, COUNT_OF(changes), NULL));
	fixture_renew(f);
	for (size_t i = 0; i < COUNT_OF(scan_cases); i++)
		scan_once(f, &scan_cases[i]);
}

static void
test_scan_stops_at_the_arenas_end(void **state)
{
	struct fixture *f = *state;
	struct arena small;
	struct document *found;
	char key[16];
	size_t count;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		assert_true(commit1(f, put(key, "0123456789abcdef")));
	}
	fixture_renew(f);
	arena_init(&small, 1000);
	assert_false(store_scan(f->reader, V(""), V(""), 100, &small, &found, &count, &f->err));
	assert_int_equal(f->err.code, ERR_UNAVAILABLE);
	arena_free(&small);
	fixture_renew(f);
	assert_value(f, "k7", "0123456789abcdef"); /* and the reader goes on */
}

static void
test_journal(void **state)
{
	struct fixture *f = *state;
	struct journal_line *lines;
	struct change change = put("a", "1");
	size_t count;

	assert_true(commit(f, &change, 1, "one"));
	assert_true(commit(f, NULL, 0, "two")); /* a line alone */
	assert_true(commit(f, &change, 1, NULL));
	assert_true(commit(f, &change, 1, "three"));
	assert_string_equal(journal_text(f), "1:one 2:two 3:three");
	assert_true(store_journal_read(f->reader, 1, 1, &f->arena, &lines, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(lines[0].number, 2);
	assert_true(
	    store_journal_read(f->reader, UINT64_MAX, 9, &f->arena, &lines, &count, &f->err));
	assert_int_equal(count, 0);

	store_journal_trim(f->store, 2);
	store_journal_trim(f->store, 1); /* less than what was said already */
	assert_string_equal(journal_text(f), "1:one 2:two 3:three");
	assert_true(commit1(f, change)); /* with the next batch */
	assert_string_equal(journal_text(f), "3:three");
	store_journal_trim(f->store, UINT64_MAX);
	assert_true(commit(f, NULL, 0, "four"));
	assert_string_equal(journal_text(f), "");
	assert_true(commit(f, NULL, 0, "five")); /* numbers go on, though none is left */
	assert_string_equal(journal_text(f), "5:five");
}

static void
test_trim_needs_no_commit(void **state)
{
	struct fixture *f = *state;

	assert_true(commit(f, NULL, 0, "one"));
	store_journal_trim(f->store, 1);
	for (int i = 0; i < 300 && strcmp(journal_text(f), "") != 0; i++)
		(void)usleep(10000);
	assert_string_equal(journal_text(f), "");
}

/* What happened, in order, as text. */
struct diary {
	struct fixture *f;
	struct store_reader *reader;
	char text[4096];
	pthread_mutex_t lock;
	size_t done;
	unsigned tries, shorts;
	uint64_t followed; /* before */
};

static void
note(struct diary *diary, const char *what, view about)
{
	size_t len = strlen(diary->text);

	(void)snprintf(diary->text + len, sizeof(diary->text) - len, "%s%s%.*s",
	    len == 0 ? "" : " ", what, VIEW_ARG(about));
}

static void
diary_hook(void *ctx, const view *lines, size_t count, uint64_t last)
{
	char number[32];

	for (size_t i = 0; i < count; i++)
		note(ctx, "line:", lines[i]);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)last);
	note(ctx, "last:", view_of(number));
}

/* The change can be read already. */
static bool
diary_watch(void *ctx, view key, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct diary *diary = ctx;
	AUTO(arena_free) struct arena arena;
	struct document found = { 0 };

	arena_init(&arena, 4096);
	if (store_begin(diary->reader, err)) {
		(void)!store_get(diary->reader, key, &arena, &found, err);
		store_end(diary->reader);
	}
	note(diary, value == NULL ? "gone:" : "now:", key);
	if (store_followed(diary->f->store) != diary->followed)
		note(diary, "followed already", V(""));
	if (value != NULL &&
	    (found.revision != revision || !view_eq(found.value.bytes, value->bytes)))
		note(diary, "unreadable", V(""));
	if (value == NULL && found.revision != 0)
		note(diary, "readable", V(""));
	return true;
}

/* A decoder that does not tell a lack of memory from what is bad. */
static bool
corrupt_watch(struct diary *diary, bool short_of_memory, struct error *err)
{
	if (short_of_memory && diary->shorts++ > 0)
		return true;
	if (short_of_memory)
		starved_note();
	return error_set(err, ERR_CORRUPT, "a test");
}

/* What is said of it fails for want of memory at first, or for good. */
static bool
failing_watch(void *ctx, view key, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct diary *diary = ctx;
	bool is_short = view_eq(key, V("w/short"));

	(void)value;
	(void)revision;
	note(diary, "told:", key);
	if (is_short || view_eq(key, V("w/broken")))
		return corrupt_watch(diary, is_short, err);
	return ++diary->tries % 3 == 0 || error_memory(err);
}

static void
diary_done(struct commit *commit, bool ok, const struct error *err)
{
	struct diary *diary = commit->ctx;

	(void)pthread_mutex_lock(&diary->lock);
	note(diary, ok ? "done" : "failed", V(""));
	if (!ok && err->code != ERR_STORE_CONFLICT)
		note(diary, "oddly", V(""));
	if (ok && store_followed(diary->f->store) == diary->followed)
		note(diary, "not followed", V(""));
	diary->done++;
	(void)pthread_mutex_unlock(&diary->lock);
}

static void
diary_wait(struct diary *diary, size_t done)
{
	size_t now = 0;

	while (now < done) {
		(void)usleep(1000);
		(void)pthread_mutex_lock(&diary->lock);
		now = diary->done;
		(void)pthread_mutex_unlock(&diary->lock);
	}
}

static void
diary_start(struct diary *diary, struct fixture *f)
{
	assert_true(store_reader_new(f->store, &diary->reader, &f->err));
	store_set_journal_hook(f->store, diary_hook, diary);
}

static void
test_order_of_telling(void **state)
{
	struct fixture *f = *state;
	struct diary diary = { .f = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct change first[] = { put("w/a", "1"), put("x/a", "1"), expect("w/a", 0), del("w/b") };
	struct commit one = { .changes = first,
		.count = 4,
		.journal = V("one"),
		.done = diary_done,
		.ctx = &diary };

	diary_start(&diary, f);
	diary.followed = store_followed(f->store);
	assert_true(store_watch(f->store, V("w/"), diary_watch, &diary, &f->err));
	store_commit(f->store, &one);
	diary_wait(&diary, 1);
	store_commit(f->store, &one); /* a conflict: nobody but its owner hears of it */
	diary_wait(&diary, 2);
	store_reader_free(diary.reader);
	assert_string_equal(diary.text, "now:w/a gone:w/b line:one last:1 done failed");
}

/* A commit is not acknowledged before all have taken over what it changed. */
static void
test_told_again(void **state)
{
	struct fixture *f = *state;
	struct diary diary = { .f = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct change changes[] = { put("w/a", "1"), put("w/broken", "1"), put("w/short", "1"),
		del("w/b") };
	struct commit one = { .changes = changes, .count = 4, .done = diary_done, .ctx = &diary };

	assert_true(store_watch(f->store, V("w/"), failing_watch, &diary, &f->err));
	store_commit(f->store, &one);
	diary_wait(&diary, 1);
	assert_string_equal(diary.text,
	    "told:w/a told:w/a told:w/a told:w/broken told:w/short told:w/short told:w/b told:w/b "
	    "told:w/b done");
}

/* Holds the writer in its callback, so that what comes meanwhile makes one batch. */
static void
hold_done(struct commit *commit, bool ok, const struct error *err)
{
	(void)ok;
	(void)err;
	(void)pthread_mutex_lock(commit->ctx);
	(void)pthread_mutex_unlock(commit->ctx);
}

static void
test_conflict_inside_one_batch(void **state)
{
	struct fixture *f = *state;
	struct diary diary = { .f = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	struct commit holder = { .done = hold_done, .ctx = &held };
	struct change changes[] = { expect("a", 0), put("a", "1") };
	struct change bad = put("", "never");
	struct change other = put("b", "2");
	struct commit commits[] = {
		{ .changes = changes, .count = 2, .journal = V("one") },
		{ .changes = changes, .count = 2, .journal = V("two") }, /* loses */
		{ .changes = &bad, .count = 1, .journal = V("three") },  /* refused */
		{ .changes = &other, .count = 1, .journal = V("four") },
	};

	diary_start(&diary, f);
	(void)pthread_mutex_lock(&held);
	store_commit(f->store, &holder);
	for (size_t i = 0; i < COUNT_OF(commits); i++) {
		commits[i].done = diary_done;
		commits[i].ctx = &diary;
		store_commit(f->store, &commits[i]);
	}
	(void)pthread_mutex_unlock(&held);
	diary_wait(&diary, COUNT_OF(commits));
	store_reader_free(diary.reader);
	assert_string_equal(diary.text, "line:one line:four last:2 done failed failed oddly done");
	assert_string_equal(journal_text(f), "1:one 2:four");
	assert_value(f, "a", "1");
	assert_value(f, "b", "2");
}

static void
count_done(struct commit *commit, bool ok, const struct error *err)
{
	(void)err;
	if (ok)
		++*(size_t *)commit->ctx;
}

/* More than one batch holds; and store_close does all that was given to it. */
static void
test_close_drains(void **state)
{
	struct fixture *f = *state;
	enum { MANY = 1000 };
	static struct commit commits[MANY];
	static struct change changes[MANY];
	static char keys[MANY][24];
	size_t done = 0;

	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		changes[i] = put(keys[i], "v");
		commits[i] = (struct commit){ .changes = &changes[i],
			.count = 1,
			.done = count_done,
			.ctx = &done };
		store_commit(f->store, &commits[i]);
	}
	fixture_close(f);
	assert_int_equal(done, MANY);
}

static void
test_snapshots_stand_still(void **state)
{
	struct fixture *f = *state;
	struct change both[] = { put("a", "1"), put("b", "1") };
	struct change next[] = { put("a", "2"), del("b"), put("c", "2") };
	struct document *found;
	uint64_t count;
	size_t len;

	assert_true(commit(f, both, 2, "one"));
	fixture_renew(f);
	assert_value(f, "a", "1"); /* b is not cached, a is */
	assert_true(commit(f, next, 3, "two"));
	assert_value(f, "a", "1");
	assert_value(f, "b", "1");
	assert_value(f, "c", NULL);
	assert_true(store_scan(f->reader, V(""), V(""), 9, &f->arena, &found, &len, &f->err));
	assert_int_equal(len, 2);
	assert_true(store_count(f->reader, V(""), &count, &f->err));
	assert_int_equal(count, 2);
	fixture_renew(f);
	assert_value(f, "a", "2");
	assert_value(f, "b", NULL);
	assert_value(f, "c", "2");
}

/* Random changes to two stores of different backends: they must always agree. */
static struct change
random_change(unsigned *seed, char key[8])
{
	static const char *const values[] = { "", "one", "another", "a third, longer one" };

	(void)snprintf(key, 8, "%c%c", 'a' + rand_r(seed) % 6, "\x01/z\xff"[rand_r(seed) % 4]);
	return rand_r(seed) % 3 == 0 ? del(key) : put(key, values[rand_r(seed) % 4]);
}

static void
assert_same(struct fixture *a, struct fixture *b, view prefix, view after, size_t limit)
{
	struct document *of_a, *of_b;
	size_t count_a, count_b;

	fixture_renew(a);
	fixture_renew(b);
	assert_true(
	    store_scan(a->reader, prefix, after, limit, &a->arena, &of_a, &count_a, &a->err));
	assert_true(
	    store_scan(b->reader, prefix, after, limit, &b->arena, &of_b, &count_b, &b->err));
	assert_int_equal(count_a, count_b);
	for (size_t i = 0; i < count_a; i++) {
		assert_view(of_a[i].key, of_b[i].key);
		assert_view(of_a[i].value.bytes, of_b[i].value.bytes);
		assert_int_equal(of_a[i].revision, of_b[i].revision);
	}
}

static void
test_agrees_with_memory(void **state)
{
	struct fixture *f = *state, memory = { .url = "memory:" };
	char keys[4][8], prefix[8], after[8];
	struct change changes[4];
	unsigned seed = 20260131;

	arena_init(&memory.arena, f->arena.limit);
	fixture_open(&memory);
	for (int i = 0; i < 500; i++) {
		size_t count = (size_t)rand_r(&seed) % 4 + 1;

		for (size_t c = 0; c < count; c++)
			changes[c] = random_change(&seed, keys[c]);
		assert_true(commit(f, changes, count, "line"));
		assert_true(commit(&memory, changes, count, "line"));
		(void)random_change(&seed, prefix);
		(void)random_change(&seed, after);
		prefix[rand_r(&seed) % 3] = 0;
		assert_same(f, &memory, view_of(prefix), view_of(after), (size_t)i % 9);
		assert_same(f, &memory, V(""), V(""), 100);
		assert_same(f, &memory, view_of(prefix), V(""), 100);
	}
	fixture_close(&memory);
	arena_free(&memory.arena);
}

static const struct {
	const char *url;
} bad_urls[] = { { "" }, { "memory" }, { "memory:x" }, { "sqlite:" }, { "postgres:x" },
	{ "sqlite:/nonexistent/folder/x.db" }, { "sqlite:/" }, { "sqlite:/dev/null/x" } };

static void
test_bad_urls(void **state)
{
	struct fixture *f = *state;
	struct store *store = NULL;

	for (size_t i = 0; i < COUNT_OF(bad_urls); i++) {
		assert_false(store_open(view_of(bad_urls[i].url), &store, &f->err));
		assert_int_equal(f->err.code, ERR_UNAVAILABLE);
		assert_null(store);
		assert_null(strstr(f->err.message, "/"));
	}
}

#define FIXED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
	FIXED(test_put_get_delete),
	FIXED(test_empty_value_is_not_absent),
	FIXED(test_expect),
	FIXED(test_expect_does_not_see_its_own_commit),
	FIXED(test_nothing_to_do_is_done),
	FIXED(test_keys_and_values_have_bounds),
	FIXED(test_large_value),
	FIXED(test_scan),
	FIXED(test_scan_stops_at_the_arenas_end),
	FIXED(test_journal),
	FIXED(test_trim_needs_no_commit),
	FIXED(test_order_of_telling),
	FIXED(test_told_again),
	FIXED(test_conflict_inside_one_batch),
	FIXED(test_close_drains),
	FIXED(test_snapshots_stand_still),
	FIXED(test_agrees_with_memory),
	FIXED(test_bad_urls),
};

int
main(void)
{
	int failed;

	fixture_scheme = "memory";
	failed = cmocka_run_group_tests_name("store in memory", tests, NULL, NULL);
	fixture_scheme = "sqlite";
	return failed + cmocka_run_group_tests_name("store in sqlite", tests, NULL, NULL);
}
