/*
 * What is due: purges when the retention is over, and what a purge left over.
 */
#include "base/clock.h"
#include "base/testing.h"
#include "keyring/work.h"
#include "vault/due.h"
#include "vault/testing.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY 86400

static struct world w = { .with = { { "open", "local", 90, false },
			      { "kept", "local", 7, true } } };

static view
first_due(void)
{
	struct document *documents;
	size_t count;

	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_scan(w.reader, V(DUE_PREFIX), V(""), 1, &w.arena, &documents, &count,
			&w.err),
	    &w.err);
	store_end(w.reader);
	return count == 0 ? V("") : documents[0].key;
}

struct due_work {
	view path;
	char letter;
	char name[128], scope[256];
};

static bool
run_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct due_work *work = ctx;
	struct due_done done = { 0 };
	struct due due;
	bool found;

	(void)journal;
	if (!due_take(tx, work->path, clock_now(), &due, &found, err) ||
	    (found && !due_run(tx, &due, clock_now(), &done, err)))
		return false;
	work->letter = done.letter;
	(void)snprintf(work->name, sizeof(work->name), "%.*s", VIEW_ARG(done.name));
	(void)snprintf(work->scope, sizeof(work->scope), "%.*s", VIEW_ARG(done.scope));
	return true;
}

static struct due_work
run_due(view path)
{
	struct due_work work = { .path = path };

	assert_fine(work_run(w.place.store, w.place.keyring, run_body, &work, &w.err), &w.err);
	return work;
}

static void
delete_one(const char *vault, const char *name)
{
	assert_fine(world_set(&w, vault, name, "one"), &w.err);
	assert_fine(world_run(&w, vault, name, object_delete), &w.err);
}

static void
test_times(void **state)
{
	static const struct {
		view path;
		bool fine;
		int64_t time;
	} rows[] = {
		{ V_INIT("due/0000000000000000/2/x"), true, 0 },
		{ V_INIT("due/000000006776f77f/1/x"), true, 0x6776f77f },
		{ V_INIT("due/7fffffffffffffff"), true, INT64_MAX },
		{ V_INIT("slow/000000006776f77f/5/x"), true, 0x6776f77f },
		{ V_INIT("due/000000006776f77"), false, 0 },
		{ V_INIT("due/00000000677gf77f/1"), false, 0 },
		{ V_INIT("due/"), false, 0 },
		{ V_INIT(""), false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t time = 0;

		assert_int_equal(due_time(rows[i].path, &time), rows[i].fine);
		assert_true(time == rows[i].time);
	}
}

static void
test_the_order_of_keys_is_the_order_of_times(void **state)
{
	int64_t time;

	(void)state;
	delete_one("open", "later");
	delete_one("kept", "sooner");
	assert_true(due_time(first_due(), &time));
	assert_in_range(time - clock_now(), 7 * DAY - 5, 7 * DAY);
	assert_int_equal(world_count(&w, "due/"), 2);
}

/* Purge protection keeps people from purging, not the clock. */
static void
test_purges_when_the_retention_is_over(void **state)
{
	static const struct {
		const char *vault;
		int64_t days;
	} rows[] = { { "kept", 7 }, { "open", 90 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct due_work work;

		clock_set_offset(0);
		delete_one(rows[i].vault, "Name");
		clock_set_offset(rows[i].days * DAY + 1);
		work = run_due(first_due());
		assert_int_equal(work.letter, 's');
		assert_string_equal(work.name, "Name");
		assert_true(view_ends(view_of(work.scope), view_of(rows[i].vault)));
		assert_int_equal(world_count(&w, "v/"), 0);
		assert_int_equal(world_count(&w, "due/"), 0);
	}
}

static void
test_not_before(void **state)
{
	(void)state;
	delete_one("open", "name");
	clock_set_offset(90 * DAY - 10);
	assert_int_equal(run_due(first_due()).letter, 0);
	assert_true(world_has(&w, "open", "name", OBJECT_DELETED));
}

/* A document that was read before its object was recovered, or purged and made anew. */
static void
test_what_is_no_longer_due(void **state)
{
	view path;

	(void)state;
	delete_one("open", "name");
	path = first_due();
	path = view_of(strndup(path.ptr, path.len));
	assert_fine(world_run(&w, "open", "name", object_recover), &w.err);
	clock_set_offset(91 * DAY);
	assert_int_equal(run_due(path).letter, 0);
	assert_true(world_has(&w, "open", "name", OBJECT_LIVE));
	free((void *)(uintptr_t)path.ptr);
}

static void
make_versions(const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_fine(world_set(&w, "open", name, "x"), &w.err);
}

static size_t
sweep_all(void)
{
	size_t rounds = 0;
	view path;

	while ((path = first_due()).len > 0) {
		assert_int_equal(run_due(path).letter, 0);
		assert_true(++rounds < 10);
		arena_wipe(&w.arena);
	}
	return rounds;
}

static void
test_many_versions_leave_none_behind(void **state)
{
	static const struct {
		size_t versions, rounds;
	} rows[] = { { 999, 0 }, { 1000, 1 }, { 2500, 2 } };

	(void)state;
	world_vault(&w, "two", "local", 90, false);
	assert_fine(world_set(&w, "two", "name", "stays"), &w.err);
	assert_fine(world_set(&w, "open", "other", "stays"), &w.err);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		make_versions("name", rows[i].versions);
		assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
		assert_fine(world_run(&w, "open", "name", object_purge), &w.err);
		assert_int_equal(world_count(&w, "due/"), rows[i].rounds > 0);
		/* The name is free meanwhile, and the new object's versions are not swept. */
		make_versions("name", 2);
		assert_int_equal(sweep_all(), rows[i].rounds);
		assert_int_equal(world_count(&w, "v/"), 2 * 2 + 3);
		assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
		assert_fine(world_run(&w, "open", "name", object_purge), &w.err);
	}
}

static void
test_a_broken_document(void **state)
{
	struct due_work work = { .path = V("due/0000000000000000/x") };
	const struct change change = { .kind = CHANGE_PUT,
		.key = work.path,
		.value = { V("not sealed") } };

	(void)state;
	assert_fine(store_commit_wait(w.place.store, &change, 1, V(""), &w.err), &w.err);
	assert_false(work_run(w.place.store, w.place.keyring, run_body, &work, &w.err));
	assert_int_equal(w.err.code, ERR_CORRUPT);
}

static void
test_backoff(void **state)
{
	(void)state;
	assert_int_equal(due_backoff(60, 21600, 0), 60);
	assert_int_equal(due_backoff(60, 21600, 1), 120);
	assert_int_equal(due_backoff(60, 21600, 8), 15360);
	assert_int_equal(due_backoff(60, 21600, 9), 21600);
	assert_int_equal(due_backoff(60, 21600, UINT32_MAX), 21600);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_backoff),
		FRESH(test_the_order_of_keys_is_the_order_of_times),
		FRESH(test_purges_when_the_retention_is_over),
		FRESH(test_not_before),
		FRESH(test_what_is_no_longer_due),
		FRESH(test_many_versions_leave_none_behind),
		FRESH(test_a_broken_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
