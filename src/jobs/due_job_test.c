#include "base/clock.h"
#include "base/log.h"
#include "base/testing.h"
#include "jobs/due_job.h"
#include "keyring/work.h"
#include "vault/deleted.h"
#include "vault/testing.h"

#include <stdio.h>

#define DAY 86400

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	world_vault(&w, "open", "local", 90, false);
	world_vault(&w, "kept", "local", 7, true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_drop(&w);
	return 0;
}

static void
run_job(void)
{
	static const atomic_bool stopping = false;

	assert_fine(due_job(&w.services, &stopping, &w.err), &w.err);
}

static void
delete_one(const char *vault, const char *name)
{
	assert_fine(world_set(&w, vault, name, "x"), &w.err);
	assert_fine(world_run(&w, vault, name, object_delete), &w.err);
}

/* The audit lines that came with the commits; the caller's arena holds them. */
static size_t
journal(struct journal_line **lines)
{
	size_t count;

	arena_wipe(&w.arena);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_journal_read(w.reader, 0, 1000, &w.arena, lines, &count, &w.err), &w.err);
	store_end(w.reader);
	return count;
}

static void
test_purges_what_is_due_and_tells(void **state)
{
	struct journal_line *lines;
	view line;

	(void)state;
	delete_one("kept", "Sooner");
	delete_one("open", "Later");
	run_job();
	assert_int_equal(world_count(&w, "due/"), 2);
	assert_int_equal(journal(&lines), 0);
	clock_set_offset(7 * DAY + 1);
	run_job();
	assert_int_equal(world_count(&w, "due/"), 1);
	assert_false(world_has(&w, "kept", "Sooner", OBJECT_DELETED));
	assert_true(world_has(&w, "open", "Later", OBJECT_DELETED));
	assert_int_equal(journal(&lines), 1);
	assert_true(arena_copy(&w.arena, lines[0].line, &line));
	assert_non_null(strstr(line.ptr, "\"SecretPurge\""));
	assert_non_null(strstr(line.ptr, "/vaults/kept/secrets/Sooner\""));
	clock_set_offset(90 * DAY + 1);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(journal(&lines), 2);
}

static bool
delete_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct vault vault;
	bool found;

	(void)journal;
	return vault_take(tx, view_of(ctx), &vault, &found, err) && found &&
	    vault_delete(tx, &vault, V("resource"), err);
}

/* Protected or not: its time is over, and everything in it goes. */
static void
test_purges_a_vault(void **state)
{
	static char kept[] = "kept";
	struct journal_line *lines;
	view line;

	(void)state;
	delete_one("kept", "gone-on-time");
	assert_fine(world_set(&w, "kept", "rest", "x"), &w.err);
	assert_fine(world_set(&w, "open", "other", "x"), &w.err);
	clock_set_offset(10);
	assert_fine(work_run(w.place.store, w.place.keyring, delete_body, kept, &w.err), &w.err);
	clock_set_offset(7 * DAY + 5);
	run_job();
	assert_int_equal(journal(&lines), 1);
	assert_int_equal(world_count(&w, "dvault/"), 1);
	clock_set_offset(7 * DAY + 15);
	run_job();
	assert_int_equal(world_count(&w, "dvault"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(world_count(&w, "v/"), 2);
	assert_int_equal(journal(&lines), 2);
	assert_true(arena_copy(&w.arena, lines[1].line, &line));
	assert_non_null(strstr(line.ptr, "\"VaultPurge\""));
	assert_non_null(strstr(line.ptr, "/VAULTS/KEPT\""));
}

static void
test_more_than_a_page(void **state)
{
	struct journal_line *lines;
	char name[16];

	(void)state;
	for (int i = 0; i < 250; i++) {
		(void)snprintf(name, sizeof(name), "name-%d", i);
		delete_one("open", name);
	}
	clock_set_offset(90 * DAY + 10);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(journal(&lines), 250);
}

/* What a purge of many versions leaves over is taken away, run by run; only the purge is told. */
static void
test_many_versions(void **state)
{
	struct journal_line *lines;

	(void)state;
	for (int i = 0; i < 2500; i++)
		assert_fine(world_set(&w, "open", "name", "x"), &w.err);
	assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
	clock_set_offset(90 * DAY + 10);
	for (int i = 0; i < 4; i++)
		run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(journal(&lines), 1);
}

/* One that can't be done is left, and the others are done. */
static void
test_a_broken_one_holds_nothing_up(void **state)
{
	const struct change change = { .kind = CHANGE_PUT,
		.key = V("due/0000000000000000/1/x"),
		.value = { V("not sealed") } };

	(void)state;
	log_set_level(LOG_ERROR + 1);
	assert_fine(store_commit_wait(w.place.store, &change, 1, V(""), &w.err), &w.err);
	delete_one("open", "name");
	clock_set_offset(90 * DAY + 10);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 1);
	log_set_level(LOG_INFO);
}

/* A key that names no time must not keep the purges behind it from ever being done. */
static void
test_an_impossible_key_holds_nothing_up(void **state)
{
	const struct change change = { .kind = CHANGE_PUT,
		.key = V("due/-"),
		.value = { V("not sealed") } };

	(void)state;
	log_set_level(LOG_ERROR + 1);
	assert_fine(store_commit_wait(w.place.store, &change, 1, V(""), &w.err), &w.err);
	delete_one("open", "name");
	clock_set_offset(90 * DAY + 10);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	log_set_level(LOG_INFO);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_purges_what_is_due_and_tells),
		FRESH(test_purges_a_vault),
		FRESH(test_more_than_a_page),
		FRESH(test_many_versions),
		FRESH(test_a_broken_one_holds_nothing_up),
		FRESH(test_an_impossible_key_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
