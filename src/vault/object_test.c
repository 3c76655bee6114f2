/*
 * The life of an object: made, deleted, recovered, purged.
 */
#include "base/clock.h"
#include "base/testing.h"
#include "vault/testing.h"

#include <stdio.h>

#define DAY 86400

static struct world w = { .with = { { "open", "local", 90, false },
			      { "kept", "local", 7, true } } };

static bool
step_get(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_require(r, &world_type, r->params[0], view_of(ctx), TO_READ, &object, &version,
		err))
		return false;
	json_open(reply_json(r), '{');
	world_type.write(r, &object, &version);
	json_close(&r->json, '}');
	return true;
}

static bool
get(const char *name, char *version)
{
	return world_do(&w, "open", name, step_get, version);
}

static void
assert_refused(bool ok, enum error_code code)
{
	assert_false(ok);
	if (w.err.code != code)
		fail_msg("%s: %s", error_table[w.err.code].name, w.err.message);
}

/* The id of the version that the last reply was about. */
static void
last_version(char out[HEX16_LEN + 1])
{
	view id = world_member(&w, "id");

	assert_true(id.len > HEX16_LEN);
	memcpy(out, id.ptr + id.len - HEX16_LEN, HEX16_LEN);
	out[HEX16_LEN] = '\0';
}

static void
test_names(void **state)
{
	static const struct {
		view name;
		bool fine;
	} rows[] = {
		{ V_INIT("a"), true },
		{ V_INIT("0"), true },
		{ V_INIT("-"), true },
		{ V_INIT("A-z-9"), true },
		{ V_INIT(""), false },
		{ V_INIT("a_b"), false },
		{ V_INIT("a.b"), false },
		{ V_INIT("a b"), false },
		{ V_INIT("a/b"), false },
		{ V_INIT("a\0"), false },
		{ V_INIT("\xc3\xa4"), false },
		{ V_INIT("`"), false },
		{ V_INIT("{"), false },
	};
	static char text[128];
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(object_name_check(rows[i].name, &err), rows[i].fine);
	memset(text, 'a', sizeof(text));
	assert_true(object_name_check((view){ text, 127 }, &err));
	assert_false(object_name_check((view){ text, 128 }, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

static void
test_versions(void **state)
{
	char first[HEX16_LEN + 1], second[HEX16_LEN + 1], missing[] = "0123";

	(void)state;
	assert_refused(get("Name", NULL), ERR_SECRET_NOT_FOUND);
	assert_fine(world_set(&w, "open", "Name", "one"), &w.err);
	last_version(first);
	assert_fine(world_set(&w, "open", "NAME", "two"), &w.err);
	last_version(second);
	assert_string_not_equal(first, second);
	assert_fine(get("name", NULL), &w.err);
	assert_text(world_member(&w, "content"), V("two"));
	/* The spelling is the maker's. */
	assert_true(world_replied(&w, "https://v.vault.localhost/things/Name/"));
	assert_fine(get("nAME", first), &w.err);
	assert_text(world_member(&w, "content"), V("one"));
	for (size_t i = 0; i < HEX16_LEN; i++)
		first[i] = ascii_upper(first[i]);
	assert_fine(get("Name", first), &w.err);
	assert_refused(get("Name", missing), ERR_SECRET_NOT_FOUND);
	first[0] = first[0] == '0' ? '1' : '0';
	assert_refused(get("Name", first), ERR_SECRET_NOT_FOUND);
	assert_refused(get("Other", second), ERR_SECRET_NOT_FOUND);
	assert_refused(world_set(&w, "open", "a_b", "x"), ERR_BAD_PARAMETER);
}

static void
test_vaults_are_apart(void **state)
{
	(void)state;
	assert_fine(world_set(&w, "open", "name", "one"), &w.err);
	assert_false(world_has(&w, "kept", "name", OBJECT_LIVE));
	assert_fine(world_set(&w, "kept", "name", "two"), &w.err);
	assert_fine(get("name", NULL), &w.err);
	assert_text(world_member(&w, "content"), V("one"));
}

static void
test_deletes(void **state)
{
	view date;
	char text[64];

	(void)state;
	assert_fine(world_set(&w, "open", "Name", "one"), &w.err);
	clock_set_offset(1000);
	assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
	assert_text(world_member(&w, "recoveryId"),
	    V("https://v.vault.localhost/deletedthings/Name"));
	date = V("");
	assert_true(arena_print(&w.arena, &date, "%lld", (long long)clock_now()));
	(void)snprintf(text, sizeof(text), "\"deletedDate\":%.*s", (int)date.len - 1, date.ptr);
	assert_true(world_replied(&w, text));
	assert_false(world_has(&w, "open", "Name", OBJECT_LIVE));
	assert_true(world_has(&w, "open", "NAME", OBJECT_DELETED));
	assert_refused(world_run(&w, "open", "name", object_delete), ERR_SECRET_NOT_FOUND);
	assert_refused(world_set(&w, "open", "name", "two"), ERR_OBJECT_DELETED);
	assert_refused(get("name", NULL), ERR_SECRET_NOT_FOUND);
	assert_fine(world_run(&w, "open", "name", object_get_deleted), &w.err);
	assert_text(world_member(&w, "content"), V("one"));
	assert_int_equal(world_count(&w, "due/"), 1);
}

static void
test_the_dates_are_a_retention_apart(void **state)
{
	static const struct {
		const char *vault;
		int64_t days;
	} rows[] = { { "open", 90 }, { "kept", 7 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		long long deleted, purge;
		view reply;

		assert_fine(world_set(&w, rows[i].vault, "name", "one"), &w.err);
		assert_fine(world_run(&w, rows[i].vault, "name", object_delete), &w.err);
		assert_true(arena_copy(&w.arena, buf_view(&w.out.body), &reply));
		assert_int_equal(sscanf(strstr(reply.ptr, "\"deletedDate\""),
				     "\"deletedDate\":%lld,\"scheduledPurgeDate\":%lld", &deleted,
				     &purge),
		    2);
		assert_int_equal(purge - deleted, rows[i].days * DAY);
	}
}

static void
test_recovers(void **state)
{
	char version[HEX16_LEN + 1];

	(void)state;
	assert_refused(world_run(&w, "open", "name", object_recover), ERR_SECRET_NOT_FOUND);
	assert_fine(world_set(&w, "open", "Name", "one"), &w.err);
	last_version(version);
	assert_fine(world_set(&w, "open", "Name", "two"), &w.err);
	assert_refused(world_run(&w, "open", "name", object_recover), ERR_NOT_DELETED);
	assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
	assert_fine(world_run(&w, "open", "NAME", object_recover), &w.err);
	assert_text(world_member(&w, "content"), V("two"));
	assert_true(world_has(&w, "open", "Name", OBJECT_LIVE));
	assert_false(world_has(&w, "open", "Name", OBJECT_DELETED));
	assert_fine(get("Name", version), &w.err);
	assert_text(world_member(&w, "content"), V("one"));
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_fine(world_set(&w, "open", "name", "three"), &w.err);
}

static void
test_purges(void **state)
{
	(void)state;
	assert_refused(world_run(&w, "open", "name", object_purge), ERR_SECRET_NOT_FOUND);
	assert_fine(world_set(&w, "open", "name", "one"), &w.err);
	assert_fine(world_set(&w, "open", "name", "two"), &w.err);
	assert_refused(world_run(&w, "open", "name", object_purge), ERR_SECRET_NOT_FOUND);
	assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
	assert_fine(world_run(&w, "open", "name", object_purge), &w.err);
	assert_int_equal(w.out.status, 204);
	assert_int_equal(w.out.body.len, 0);
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_refused(world_run(&w, "open", "name", object_recover), ERR_SECRET_NOT_FOUND);
	assert_refused(world_run(&w, "open", "name", object_get_deleted), ERR_SECRET_NOT_FOUND);
	assert_fine(world_set(&w, "open", "name", "three"), &w.err);
}

static void
test_purge_protection(void **state)
{
	(void)state;
	assert_fine(world_set(&w, "kept", "name", "one"), &w.err);
	assert_fine(world_run(&w, "kept", "name", object_delete), &w.err);
	assert_refused(world_run(&w, "kept", "name", object_purge), ERR_FORBIDDEN);
	assert_true(world_has(&w, "kept", "name", OBJECT_DELETED));
	assert_refused(world_run(&w, "kept", "absent", object_purge), ERR_SECRET_NOT_FOUND);
	assert_fine(world_run(&w, "kept", "name", object_recover), &w.err);
}

static bool
step_disable(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	(void)ctx;
	if (!object_require(r, &world_type, r->params[0], V(""), TO_CHANGE, &object, &version, err))
		return false;
	version.attributes.enabled = false;
	return object_write_version(r, &world_type, &object, &version, err);
}

/* The original answers 403 for a deleted one that is disabled; it can be recovered all the same. */
static void
test_a_disabled_one(void **state)
{
	(void)state;
	assert_fine(world_set(&w, "open", "name", "one"), &w.err);
	assert_fine(world_do(&w, "open", "name", step_disable, NULL), &w.err);
	assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
	assert_refused(world_run(&w, "open", "name", object_get_deleted), ERR_SECRET_DISABLED);
	assert_fine(world_run(&w, "open", "name", object_recover), &w.err);
	assert_true(world_replied(&w, "\"enabled\":false"));
}

/* Every row checks the name before it looks for anything. */
static void
test_impossible_names(void **state)
{
	static world_row *const rows[] = { object_delete, object_get_deleted, object_recover,
		object_purge, object_backup, object_list_versions };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_refused(world_run(&w, "open", "a_b", rows[i]), ERR_BAD_PARAMETER);
}

/* The same changes are committed by another request first. */
static bool
step_race(struct request *r, void *ctx, struct error *err)
{
	world_row *const *row = ctx;

	return (*row)(r, &world_type, err) && tx_commit(&r->tx, w.place.store, V(""), err);
}

/* Of two that read the same, one is to be run again. */
static void
test_the_same_change_twice_at_once(void **state)
{
	static world_row *rows[] = { object_delete, object_recover, object_delete, object_purge };

	(void)state;
	assert_fine(world_set(&w, "open", "name", "one"), &w.err);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_refused(world_do(&w, "open", "name", step_race, &rows[i]),
		    ERR_STORE_CONFLICT);
	assert_int_equal(world_count(&w, "v/"), 0);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		FRESH(test_versions),
		FRESH(test_vaults_are_apart),
		FRESH(test_deletes),
		FRESH(test_the_dates_are_a_retention_apart),
		FRESH(test_recovers),
		FRESH(test_purges),
		FRESH(test_purge_protection),
		FRESH(test_a_disabled_one),
		FRESH(test_impossible_names),
		FRESH(test_the_same_change_twice_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
