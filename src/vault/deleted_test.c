/*
 * Deleted vaults: out of reach at once, recovered whole, purged for good.
 */
#include "base/clock.h"
#include "base/pack.h"
#include "base/testing.h"
#include "keyring/work.h"
#include "vault/deleted.h"
#include "vault/due.h"
#include "vault/testing.h"

#include <stdio.h>

static struct world w = { .with = { { "Mine", "local", 7, false }, { "kept", "local", 7, true } } };

/* One step on the vault named ${name}, in a transaction of its own. */
struct step {
	const char *name;
	struct uuid id;
	int64_t purge;
	char letter;
	char told[64];
	bool found;
};

static bool
delete_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct step *step = ctx;
	struct vault vault;

	(void)journal;
	if (!vault_take(tx, view_of(step->name), &vault, &step->found, err) || !step->found)
		return false;
	step->id = vault.id;
	return vault_delete(tx, &vault, V("resource document"), err);
}

static bool
look_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct step *step = ctx;
	struct deleted_vault deleted;

	(void)journal;
	if (!deleted_vault_get(tx, view_of(step->name), &deleted, &step->found, err))
		return false;
	if (!step->found)
		return true;
	assert_text(deleted.resource, V("resource document"));
	assert_true(view_ends(deleted.vault.scope, deleted.vault.name));
	step->id = deleted.vault.id;
	step->purge = deleted.purge;
	return true;
}

static bool
recover_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct step *step = ctx;
	struct deleted_vault deleted;

	(void)journal;
	if (!deleted_vault_take(tx, view_of(step->name), &deleted, &step->found, err))
		return false;
	assert_true(step->found);
	return vault_recover(tx, &deleted, err);
}

static bool
purge_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct step *step = ctx;
	struct deleted_vault deleted;

	(void)journal;
	if (!deleted_vault_take(tx, view_of(step->name), &deleted, &step->found, err))
		return false;
	assert_true(step->found);
	return vault_purge(tx, &deleted, clock_now(), err);
}

static struct step
done(const char *name, work_body *body)
{
	struct step step = { .name = name };

	assert_fine(work_run(w.place.store, w.place.keyring, body, &step, &w.err), &w.err);
	return step;
}

static enum error_code
refused(const char *name, work_body *body)
{
	struct step step = { .name = name };

	assert_false(work_run(w.place.store, w.place.keyring, body, &step, &w.err));
	return w.err.code;
}

static bool
is_deleted(const char *name)
{
	return done(name, look_body).found;
}

/* What is due by the vault's clock, in order, as the scheduler does it. */
static bool
due_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct step *step = ctx;
	struct due_done told;
	struct due due;
	bool taken;
	view *paths;
	size_t count;
	int64_t time;

	(void)journal;
	step->letter = 0;
	if (!store_keys(tx->reader, V(DUE_PREFIX), V(""), 1, tx->arena, &paths, &count, err))
		return false;
	step->found = count > 0 && due_time(paths[0], &time) && time <= clock_now();
	if (!step->found)
		return true;
	if (!due_take(tx, paths[0], clock_now(), &due, &taken, err) || !taken ||
	    !due_run(tx, &due, clock_now(), &told, err))
		return false;
	step->letter = told.letter;
	(void)snprintf(step->told, sizeof(step->told), "%.*s", VIEW_ARG(told.name));
	return true;
}

static struct step
run_due(void)
{
	return done("", due_body);
}

static bool
is_live(const char *name)
{
	const struct vault *vault = vaults_find(w.vaults, view_of(name));

	vault_release(vault);
	return vault != NULL;
}

static void
test_deleting_cuts_and_recovering_brings_back(void **state)
{
	struct step before, after;
	const struct vault *vault;

	(void)state;
	assert_fine(world_set(&w, "mine", "thing", "kept through it"), &w.err);
	before = done("MINE", delete_body);
	assert_false(is_live("mine"));
	after = done("mine", look_body);
	assert_true(after.found);
	assert_text(uuid_view(&after.id), uuid_view(&before.id));
	assert_in_range(after.purge - clock_now(), 7 * DAY_SECONDS - 5, 7 * DAY_SECONDS);
	assert_int_equal(world_count(&w, "due/"), 1);

	(void)done("mine", recover_body);
	assert_false(is_deleted("mine"));
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(world_count(&w, "dvault"), 0);
	vault = vaults_find(w.vaults, V("mine"));
	assert_non_null(vault);
	assert_text(vault->name, V("Mine"));
	assert_text(uuid_view(&vault->id), uuid_view(&before.id));
	vault_release(vault);
	assert_true(world_has(&w, "mine", "thing", OBJECT_LIVE));
}

/* The key is gone from the store and from memory: what is left can't be read any more. */
static void
test_a_purge_destroys_the_key(void **state)
{
	struct vault_key *key;
	struct step step;
	char path[64];

	(void)state;
	assert_fine(world_set(&w, "mine", "thing", "secret"), &w.err);
	step = done("mine", delete_body);
	(void)snprintf(path, sizeof(path), "k/%s", step.id.text);
	assert_int_equal(world_count(&w, path), 1);
	assert_fine(keyring_key(w.place.keyring, uuid_view(&step.id), &key, &w.err), &w.err);
	(void)done("mine", purge_body);
	assert_int_equal(world_count(&w, path), 0);
	assert_false(keyring_key(w.place.keyring, uuid_view(&step.id), &key, &w.err));
	assert_false(is_deleted("mine"));
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(world_count(&w, "dvault"), 0);
	world_vault(&w, "mine", "local", 90, false);
	assert_false(world_has(&w, "mine", "thing", OBJECT_LIVE));
}

static void
test_protection_lasts_for_the_retention(void **state)
{
	(void)state;
	(void)done("kept", delete_body);
	assert_int_equal(refused("kept", purge_body), ERR_PURGE_PROTECTED);
	clock_set_offset(7 * DAY_SECONDS - 10);
	assert_int_equal(refused("kept", purge_body), ERR_PURGE_PROTECTED);
	assert_false(run_due().found);
	assert_true(is_deleted("kept"));
}

static void
test_the_scheduled_purge(void **state)
{
	static const char *const names[] = { "Mine", "kept" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct step step;

		clock_set_offset(0);
		(void)done(names[i], delete_body);
		clock_set_offset(7 * DAY_SECONDS + 1);
		step = run_due();
		assert_int_equal(step.letter, DUE_LETTER_VAULT);
		assert_string_equal(step.told, names[i]);
		assert_false(is_deleted(names[i]));
		assert_false(run_due().found);
	}
}

/* The due document of a deletion that was taken back, found by a scheduler that was slow. */
static void
test_a_stale_due_document(void **state)
{
	static struct change again = { .kind = CHANGE_PUT };
	struct document *documents;
	size_t count;

	(void)state;
	(void)done("mine", delete_body);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_scan(w.reader, V(DUE_PREFIX), V(""), 1, &w.arena, &documents, &count,
			&w.err),
	    &w.err);
	store_end(w.reader);
	assert_int_equal(count, 1);
	again.key = documents[0].key;
	again.value = documents[0].value;
	(void)done("mine", recover_body);
	assert_fine(store_commit_wait(w.place.store, &again, 1, V(""), &w.err), &w.err);
	clock_set_offset(8 * DAY_SECONDS);
	assert_int_equal(run_due().letter, 0);
	assert_true(is_live("mine"));
	/* Deleted anew since: its time has not come. */
	(void)done("mine", delete_body);
	assert_false(run_due().found);
	assert_true(is_deleted("mine"));
}

static void
test_what_is_left_is_swept_in_batches(void **state)
{
	size_t rounds = 0;

	(void)state;
	for (size_t i = 0; i < 2100; i++)
		assert_fine(world_set(&w, "mine", "thing", "x"), &w.err);
	assert_fine(world_set(&w, "kept", "thing", "stays"), &w.err);
	(void)done("mine", delete_body);
	(void)done("mine", purge_body);
	assert_int_equal(world_count(&w, "v/"), 2101 + 2 - 1000);
	assert_int_equal(world_count(&w, "due/"), 1);
	while (run_due().found)
		assert_true(++rounds < 10);
	assert_int_equal(rounds, 2);
	assert_int_equal(world_count(&w, "v/"), 2);
}

/* An object's retention ends while its vault is deleted; or the vault is purged before. */
static void
test_objects_in_a_deleted_vault(void **state)
{
	struct step step;

	(void)state;
	world_vault(&w, "long", "local", 90, false);
	assert_fine(world_set(&w, "mine", "thing", "x"), &w.err);
	assert_fine(world_set(&w, "mine", "other", "x"), &w.err);
	assert_fine(world_run(&w, "mine", "thing", object_delete), &w.err);
	clock_set_offset(2 * DAY_SECONDS);
	(void)done("mine", delete_body);
	clock_set_offset(8 * DAY_SECONDS);
	step = run_due();
	assert_int_equal(step.letter, 's');
	assert_string_equal(step.told, "thing");
	assert_false(run_due().found);
	(void)done("mine", recover_body);
	assert_false(world_has(&w, "mine", "thing", OBJECT_DELETED));
	assert_true(world_has(&w, "mine", "other", OBJECT_LIVE));

	assert_fine(world_run(&w, "mine", "other", object_delete), &w.err);
	(void)done("mine", delete_body);
	(void)done("mine", purge_body);
	clock_set_offset(30 * DAY_SECONDS);
	assert_int_equal(run_due().letter, 0);
	assert_int_equal(world_count(&w, "due/"), 0);
}

static struct vault
wish(const char *name, struct uuid subscription)
{
	return (struct vault){ .tenant = world_subscription,
		.subscription = subscription,
		.name = view_of(name),
		.rbac = true,
		.retention_days = 90 };
}

static bool
create_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return vault_create(tx, ctx, err);
}

/* A deleted vault's name is held: its own subscription is told why, others are not. */
static void
test_names_are_held(void **state)
{
	static const struct uuid stranger = { "00000000-0000-4000-8000-00000000000c" };
	struct vault mine = wish("MINE", world_subscription), theirs = wish("mine", stranger);

	(void)state;
	assert_false(work_run(w.place.store, w.place.keyring, create_body, &mine, &w.err));
	assert_int_equal(w.err.code, ERR_VAULT_EXISTS);
	(void)done("mine", delete_body);
	assert_false(work_run(w.place.store, w.place.keyring, create_body, &mine, &w.err));
	assert_int_equal(w.err.code, ERR_VAULT_IN_DELETED_STATE);
	assert_false(work_run(w.place.store, w.place.keyring, create_body, &theirs, &w.err));
	assert_int_equal(w.err.code, ERR_VAULT_EXISTS);
	(void)done("mine", purge_body);
	assert_fine(work_run(w.place.store, w.place.keyring, create_body, &theirs, &w.err), &w.err);
}

/* What a transaction has seen free may be taken until its commit. */
struct race {
	const char *rival; /* made (or deleted) while the first one is under way */
	work_body *between;
	unsigned runs;
};

static bool
race_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct race *race = ctx;
	struct vault vault = wish("raced", world_subscription);

	(void)journal;
	if (!vault_create(tx, &vault, err))
		return false;
	if (race->runs++ == 0) {
		struct vault rival = wish(race->rival, world_subscription);
		struct error why;

		assert_fine(work_run(w.place.store, w.place.keyring, create_body, &rival, &why),
		    &why);
		if (race->between != NULL)
			(void)done(race->rival, race->between);
	}
	return true;
}

static void
test_one_of_two_creations_wins(void **state)
{
	static const struct {
		work_body *between;
		enum error_code code;
	} rows[] = { { NULL, ERR_VAULT_EXISTS }, { delete_body, ERR_VAULT_IN_DELETED_STATE } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct race race = { .rival = "RACED", .between = rows[i].between };

		assert_false(work_run(w.place.store, w.place.keyring, race_body, &race, &w.err));
		assert_int_equal(w.err.code, rows[i].code);
		assert_int_equal(race.runs, 1);
		if (rows[i].between == NULL)
			(void)done("raced", delete_body);
		(void)done("raced", purge_body);
	}
}

static bool
list_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	static const struct uuid stranger = { "00000000-0000-4000-8000-00000000000c" };
	view *names;
	size_t count;

	(void)ctx;
	(void)journal;
	assert_fine(deleted_vaults_list(tx, &world_subscription, V(""), 10, &names, &count, err),
	    err);
	assert_int_equal(count, 2);
	assert_text(names[0], V("kept"));
	assert_text(names[1], V("mine"));
	assert_fine(deleted_vaults_list(tx, &world_subscription, names[0], 10, &names, &count, err),
	    err);
	assert_int_equal(count, 1);
	assert_text(names[0], V("mine"));
	return deleted_vaults_list(tx, &stranger, V(""), 10, &names, &count, err) && count == 0;
}

static void
test_lists_a_subscriptions(void **state)
{
	(void)state;
	(void)done("mine", delete_body);
	(void)done("kept", delete_body);
	(void)done("", list_body);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_deleting_cuts_and_recovering_brings_back),
		FRESH(test_a_purge_destroys_the_key),
		FRESH(test_protection_lasts_for_the_retention),
		FRESH(test_the_scheduled_purge),
		FRESH(test_a_stale_due_document),
		FRESH(test_what_is_left_is_swept_in_batches),
		FRESH(test_objects_in_a_deleted_vault),
		FRESH(test_names_are_held),
		FRESH(test_one_of_two_creations_wins),
		FRESH(test_lists_a_subscriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
