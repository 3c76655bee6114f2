/*
 * Keys that rotate by themselves: what is scheduled, what is done when it is due, and what is done
 * when something else was done meanwhile.
 */
#include "base/clock.h"
#include "base/testing.h"
#include "keyring/work.h"
#include "keys/key.h"
#include "keys/rotation_due.h"
#include "vault/deleted.h"
#include "vault/testing.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400

static struct world w = { .with = { { "vault-a", "local", 90, false } } };

/* A new key, or version of one, without the way through request_defer. */
static bool
step_create(struct request *r, void *ctx, struct error *err)
{
	struct key key = { .material.spec = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256 },
		.ops = { { 2, 3 }, 2 } };
	AUTO(object_done) struct object object = { 0 };
	struct version version = { .attributes = { .enabled = true } };
	const int64_t *exp = ctx;

	version.attributes.has_exp = exp != NULL;
	version.attributes.exp = exp != NULL ? *exp : 0;
	return material_make(r->services->keyring, r->vault->key, &key.material.spec, r->arena,
		   &key.material, err) &&
	    key_put(r, &key, &version, err) &&
	    object_add_version(r, &key_type, r->params[0], &object, &version, err);
}

static void
create(const char *name, int64_t lasts)
{
	int64_t exp = clock_now() + lasts;

	assert_fine(world_do(&w, "vault-a", name, step_create, lasts == 0 ? NULL : &exp), &w.err);
}

static bool
step_set(struct request *r, void *ctx, struct error *err)
{
	r->body = arena_alloc(r->arena, sizeof(struct rotation_policy_body));
	return body_read(view_of(ctx), rotation_policy_fields, r->body, r->arena, err) &&
	    rotation_policy_set(r, err);
}

static void
set(const char *name, char *policy)
{
	assert_fine(world_do(&w, "vault-a", name, step_set, policy), &w.err);
}

static char monthly[] =
    "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P30D\"},"
    "\"action\":{\"type\":\"Rotate\"}}],\"attributes\":{\"expiryTime\":\"P60D\"}}";
static char usual[] = "{}";

static bool
step_row(struct request *r, void *ctx, struct error *err)
{
	world_row *const *row = ctx;

	return (*row)(r, &key_type, err);
}

static bool
run_row(const char *name, world_row *row)
{
	return world_do(&w, "vault-a", name, step_row, &row);
}

/* What a client sees of the latest version. */
struct look {
	struct attributes attributes;
	char id[HEX16_LEN + 1];
	bool tagged;
	struct key_ops ops;
};

static bool
step_look(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct look *look = ctx;
	struct key key;

	if (!object_require(r, &key_type, r->params[0], V(""), TO_READ, &object, &version, err) ||
	    !key_of(r, &object, &version, &key, err))
		return false;
	look->attributes = version.attributes;
	look->tagged = version.tags.len > 0;
	look->ops = key.ops;
	(void)snprintf(look->id, sizeof(look->id), "%.*s", VIEW_ARG(version.id));
	return true;
}

static struct look
look(const char *name)
{
	struct look look = { 0 };

	assert_fine(world_do(&w, "vault-a", name, step_look, &look), &w.err);
	return look;
}

/* Change the latest version as PATCH does. */
struct amend {
	bool disable, tag;
	int64_t exp;
	uint8_t op;
};

static bool
step_amend(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	const struct amend *amend = ctx;
	struct key key;

	if (!object_require(r, &key_type, r->params[0], V(""), TO_CHANGE, &object, &version, err) ||
	    !key_of(r, &object, &version, &key, err))
		return false;
	version.attributes.enabled = !amend->disable;
	version.attributes.has_exp = amend->exp != 0;
	version.attributes.exp = amend->exp;
	key.ops = (struct key_ops){ { amend->op }, 1 };
	if (amend->tag)
		version.tags = V("\0\0\0\1\0\0\0\1a\0\0\0\1b");
	return key_put(r, &key, &version, err) &&
	    object_write_version(r, &key_type, &object, &version, err);
}

static void
amend(const char *name, struct amend amend)
{
	assert_fine(world_do(&w, "vault-a", name, step_amend, &amend), &w.err);
}

static void
assert_scheduled(uint64_t rotations, uint64_t notices)
{
	assert_int_equal(world_count(&w, DUE_SLOW_PREFIX), rotations);
	assert_int_equal(world_count(&w, DUE_PREFIX), notices);
}

static int64_t
first_time(const char *prefix)
{
	size_t count;
	view *paths;
	int64_t time = 0;

	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_keys(w.reader, view_of(prefix), V(""), 1, &w.arena, &paths, &count,
			&w.err),
	    &w.err);
	store_end(w.reader);
	if (count > 0)
		assert_true(due_time(paths[0], &time));
	return time;
}

/* The scheduler's steps, so that something can happen between them. */
struct turn {
	struct arena arena;
	view path;
	struct due due;
	void *prepared;
	struct due_done done;
	char told[80];
};

static void
turn_end(struct turn *turn)
{
	arena_free(&turn->arena);
}

static void
turn_begin(struct turn *turn, const char *prefix)
{
	struct tx tx = { .reader = w.reader, .keyring = w.place.keyring, .arena = &turn->arena };
	size_t count;
	view *paths;
	bool found;

	*turn = (struct turn){ 0 };
	arena_init(&turn->arena, (size_t)1 << 20);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_keys(w.reader, view_of(prefix), V(""), 1, &turn->arena, &paths, &count,
			&w.err),
	    &w.err);
	assert_int_equal(count, 1);
	turn->path = paths[0];
	assert_fine(due_peek(&tx, turn->path, &turn->due, &found, &w.err), &w.err);
	assert_true(found);
	store_end(w.reader);
	if (turn->due.kind == DUE_ROTATE)
		assert_fine(rotation_prepare(&w.services, &turn->due, &turn->arena, &turn->prepared,
				&w.err),
		    &w.err);
}

static bool
finish_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct turn *turn = ctx;
	struct due due;
	bool found;

	(void)journal;
	turn->done = (struct due_done){ 0 };
	if (!due_take(tx, turn->path, clock_now(), &due, &found, err))
		return false;
	if (!found)
		return true;
	if (!(due.kind == DUE_ROTATE ? rotation_run : rotation_announce)(&w.services, tx, &due,
		turn->prepared, clock_now(), &turn->done, err))
		return false;
	(void)snprintf(turn->told, sizeof(turn->told), "%s/%.*s",
	    turn->done.operation != NULL ? turn->done.operation : "", VIEW_ARG(turn->done.version));
	return true;
}

static void
turn_finish(struct turn *turn)
{
	assert_fine(work_run(w.place.store, w.place.keyring, finish_body, turn, &w.err), &w.err);
}

static void
test_one_of_each_is_scheduled(void **state)
{
	(void)state;
	create("k", 0);
	assert_scheduled(0, 0);
	assert_int_equal(world_count(&w, "v/"), 2); /* the usual policy is no document */
	set("k", monthly);
	assert_scheduled(1, 0);
	create("k", 90 * DAY);
	assert_scheduled(1, 1);
	for (int i = 1; i < 5; i++)
		amend("k", (struct amend){ .exp = clock_now() + (40 + i) * DAY });
	assert_scheduled(1, 1);
	assert_in_range(first_time(DUE_PREFIX) - clock_now(), 14 * DAY - 5, 14 * DAY);
	amend("k", (struct amend){ .tag = true });
	assert_scheduled(1, 0);
	set("k", usual);
	assert_scheduled(0, 0);
	set("k", monthly);
	amend("k", (struct amend){ .disable = true, .exp = clock_now() + 40 * DAY });
	assert_scheduled(0, 1);
	amend("k", (struct amend){ .exp = clock_now() + 40 * DAY });
	assert_scheduled(1, 1);
}

/* A version that is not the latest schedules nothing. */
static bool
step_amend_old(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	const struct look *old = ctx;

	if (!object_require(r, &key_type, r->params[0], view_of(old->id), TO_CHANGE, &object,
		&version, err))
		return false;
	version.attributes.has_exp = true;
	version.attributes.exp = clock_now() + 40 * DAY;
	return object_write_version(r, &key_type, &object, &version, err);
}

static void
test_old_versions(void **state)
{
	struct look old;

	(void)state;
	create("k", 0);
	old = look("k");
	create("k", 0);
	assert_fine(world_do(&w, "vault-a", "k", step_amend_old, &old), &w.err);
	assert_scheduled(0, 0);
}

static void
test_deleting_recovering_and_purging(void **state)
{
	int64_t rotate, notify;

	(void)state;
	create("k", 90 * DAY);
	set("k", monthly);
	rotate = first_time(DUE_SLOW_PREFIX);
	notify = first_time(DUE_PREFIX);
	assert_fine(run_row("k", object_delete), &w.err);
	assert_scheduled(0, 1); /* its purge */
	assert_fine(run_row("k", object_recover), &w.err);
	assert_scheduled(1, 1);
	assert_true(first_time(DUE_SLOW_PREFIX) == rotate && first_time(DUE_PREFIX) == notify);
	assert_fine(run_row("k", object_delete), &w.err);
	assert_int_equal(world_count(&w, "v/"), 3);
	assert_fine(run_row("k", object_purge), &w.err);
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_scheduled(0, 0);
}

static bool
step_restore(struct request *r, void *ctx, struct error *err)
{
	const view *blob = ctx;

	return object_restore(r, &key_type, *blob, err);
}

/* The policy comes along, and is acted on; what was announced, and what is scheduled, does not. */
static void
test_backups(void **state)
{
	static char *const policies[] = { monthly, NULL };

	(void)state;
	world_vault(&w, "vault-b", "local", 90, false);
	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		const char *name = policies[i] != NULL ? "with" : "without";
		AUTO(buf_free) struct buf copy = { 0 };
		view blob;

		create(name, 20 * DAY);
		if (policies[i] != NULL)
			set(name, policies[i]);
		assert_fine(run_row(name, object_backup), &w.err);
		buf_add(&copy, world_member(&w, "value"));
		assert_fine(run_row(name, object_delete), &w.err);
		assert_fine(run_row(name, object_purge), &w.err);
		assert_scheduled(i, i);
		blob = buf_view(&copy);
		assert_fine(world_do(&w, "vault-b", "", step_restore, &blob), &w.err);
		assert_scheduled(1, 1 + i);
	}
}

static void
test_rotates(void **state)
{
	AUTO(turn_end) struct turn turn = { 0 };
	struct look before, after;
	char wanted[80];

	(void)state;
	create("k", 0);
	set("k", monthly);
	amend("k", (struct amend){ .tag = true, .op = 2 });
	before = look("k");
	clock_set_offset(100 * DAY);
	turn_begin(&turn, DUE_SLOW_PREFIX);
	turn_finish(&turn);
	after = look("k");
	assert_string_not_equal(before.id, after.id);
	assert_true(after.tagged && after.attributes.enabled);
	assert_int_equal(after.ops.count, 1);
	assert_true(after.attributes.exp - after.attributes.created == 60 * DAY);
	assert_in_range(after.attributes.created, clock_now() - 5, clock_now());
	(void)snprintf(wanted, sizeof(wanted), "KeyRotateIfDue/%s", after.id);
	assert_string_equal(turn.told, wanted);
	assert_int_equal(turn.done.status, 200);
	assert_scheduled(1, 1);
	assert_true(first_time(DUE_SLOW_PREFIX) == after.attributes.created + 30 * DAY);
	assert_true(first_time(DUE_PREFIX) == after.attributes.exp - 30 * DAY);
	/* The same document, once more. */
	turn_finish(&turn);
	assert_string_equal(look("k").id, after.id);
	assert_null(turn.done.operation);
}

/* Each happens while the new key is being made. */
static void
meanwhile_by_hand(void)
{
	create("k", 0);
}

static void
meanwhile_delete(void)
{
	assert_fine(run_row("k", object_delete), &w.err);
}

static void
meanwhile_disable(void)
{
	amend("k", (struct amend){ .disable = true });
}

static void
meanwhile_other_policy(void)
{
	set("k", usual);
}

static void
meanwhile_another_key(void)
{
	meanwhile_delete();
	assert_fine(run_row("k", object_purge), &w.err);
	create("k", 0);
	set("k", monthly);
}

static void
meanwhile_back(void)
{
	clock_set_offset(10 * DAY);
}

static void
test_what_happens_meanwhile_wins(void **state)
{
	static void (*const meanwhile[])(void) = { meanwhile_by_hand, meanwhile_delete,
		meanwhile_disable, meanwhile_other_policy, meanwhile_another_key, meanwhile_back };

	for (size_t i = 0; i < COUNT_OF(meanwhile); i++) {
		AUTO(turn_end) struct turn turn = { 0 };
		uint64_t documents;

		(void)world_setup(state);
		create("k", 0);
		set("k", monthly);
		clock_set_offset(31 * DAY);
		turn_begin(&turn, DUE_SLOW_PREFIX);
		assert_non_null(turn.prepared);
		meanwhile[i]();
		documents = world_count(&w, "");
		turn_finish(&turn);
		assert_null(turn.done.operation);
		assert_int_equal(world_count(&w, ""), documents);
		(void)world_teardown(state);
	}
}

/* What a client changed of the version it is to follow counts. */
static void
test_tags_and_operations_as_they_are_in_the_end(void **state)
{
	AUTO(turn_end) struct turn turn = { 0 };
	struct look after;

	(void)state;
	create("k", 0);
	set("k", monthly);
	clock_set_offset(31 * DAY);
	turn_begin(&turn, DUE_SLOW_PREFIX);
	amend("k", (struct amend){ .tag = true, .op = 3 });
	turn_finish(&turn);
	after = look("k");
	assert_non_null(turn.done.operation);
	assert_true(after.tagged && after.ops.count == 1 && after.ops.ops[0] == 3);
}

static bool
vault_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct deleted_vault deleted;
	struct vault vault;
	bool found;
	const char *what = ctx;

	(void)journal;
	if (strcmp(what, "delete") == 0)
		return vault_take(tx, V("vault-a"), &vault, &found, err) && found &&
		    vault_delete(tx, &vault, V(""), err);
	if (!deleted_vault_take(tx, V("vault-a"), &deleted, &found, err) || !found)
		return false;
	return strcmp(what, "purge") == 0 ? vault_purge(tx, &deleted, clock_now(), err)
					  : vault_recover(tx, &deleted, err);
}

static void
change_vault(const char *what)
{
	assert_fine(work_run(w.place.store, w.place.keyring, vault_body, (void *)(uintptr_t)what,
			&w.err),
	    &w.err);
}

static void
test_a_deleted_vault(void **state)
{
	AUTO(turn_end) struct turn turn = { 0 }, again = { 0 }, gone = { 0 };
	struct look before;
	int64_t now;

	(void)state;
	create("k", 0);
	set("k", monthly);
	before = look("k");
	clock_set_offset(31 * DAY);
	change_vault("delete");
	turn_begin(&turn, DUE_SLOW_PREFIX);
	assert_null(turn.prepared);
	now = clock_now();
	turn_finish(&turn);
	assert_null(turn.done.operation);
	assert_in_range(first_time(DUE_SLOW_PREFIX), now + ROTATION_RETRY,
	    clock_now() + ROTATION_RETRY);
	change_vault("recover");
	assert_string_equal(look("k").id, before.id);
	clock_set_offset(31 * DAY + ROTATION_RETRY + 5);
	turn_begin(&again, DUE_SLOW_PREFIX);
	turn_finish(&again);
	assert_string_not_equal(look("k").id, before.id);
	assert_scheduled(1, 1);
	change_vault("delete");
	change_vault("purge");
	clock_set_offset(91 * DAY);
	turn_begin(&gone, DUE_SLOW_PREFIX);
	turn_finish(&gone);
	assert_int_equal(world_count(&w, DUE_SLOW_PREFIX), 0);
	assert_int_equal(world_count(&w, "v/"), 0);
}

/* A key of an HSM, on a server that lost its token. */
static bool
step_create_hsm(struct request *r, void *ctx, struct error *err)
{
	struct key key = {
		.material.spec = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256, .hsm = true },
		.material.id = V("0123456789abcdef0123456789abcdef"),
		.material.private = { V("sealed") },
		.ops = { { 2, 3 }, 2 }
	};
	AUTO(object_done) struct object object = { 0 };
	struct version version = { .attributes = { .enabled = true } };

	(void)ctx;
	return key_put(r, &key, &version, err) &&
	    object_add_version(r, &key_type, r->params[0], &object, &version, err);
}

/* Told, and tried again and again; nothing is lost. */
static void
test_a_key_that_can_not_be_made(void **state)
{
	struct look before;

	(void)state;
	assert_fine(world_do(&w, "vault-a", "k", step_create_hsm, NULL), &w.err);
	set("k", monthly);
	before = look("k");
	for (int i = 0; i < 3; i++) {
		AUTO(turn_end) struct turn turn = { 0 };
		char wanted[80];

		clock_set_offset(31 * DAY + i * (ROTATION_RETRY + 10));
		turn_begin(&turn, DUE_SLOW_PREFIX);
		turn_finish(&turn);
		(void)snprintf(wanted, sizeof(wanted), "KeyRotateIfDue/%s", before.id);
		assert_string_equal(turn.told, wanted);
		assert_int_equal(turn.done.status, 400);
		assert_scheduled(1, 0);
		assert_in_range(first_time(DUE_SLOW_PREFIX) - clock_now(), ROTATION_RETRY - 5,
		    ROTATION_RETRY);
	}
	assert_string_equal(look("k").id, before.id);
}

static void
test_announces_once(void **state)
{
	AUTO(turn_end) struct turn turn = { 0 }, moved = { 0 };
	char wanted[80];

	(void)state;
	create("k", 40 * DAY);
	clock_set_offset(10 * DAY + 1);
	turn_begin(&turn, DUE_PREFIX);
	turn_finish(&turn);
	(void)snprintf(wanted, sizeof(wanted), "KeyNearExpiryEventGridNotification/%s",
	    look("k").id);
	assert_string_equal(turn.told, wanted);
	assert_scheduled(0, 0);
	amend("k", (struct amend){ .tag = true, .exp = look("k").attributes.exp });
	set("k", usual);
	assert_fine(run_row("k", object_delete), &w.err);
	assert_fine(run_row("k", object_recover), &w.err);
	assert_scheduled(0, 0);
	turn_finish(&turn);
	assert_null(turn.done.operation);
	/* Another expiry is other news. */
	amend("k", (struct amend){ .exp = clock_now() + 50 * DAY });
	assert_scheduled(0, 1);
	clock_set_offset(31 * DAY);
	turn_begin(&moved, DUE_PREFIX);
	turn_finish(&moved);
	assert_string_equal(moved.told, wanted);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_one_of_each_is_scheduled),
		FRESH(test_old_versions),
		FRESH(test_deleting_recovering_and_purging),
		FRESH(test_backups),
		FRESH(test_rotates),
		cmocka_unit_test_prestate(test_what_happens_meanwhile_wins, &w),
		FRESH(test_tags_and_operations_as_they_are_in_the_end),
		FRESH(test_a_deleted_vault),
		FRESH(test_a_key_that_can_not_be_made),
		FRESH(test_announces_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
