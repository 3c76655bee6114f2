/*
 * Pending operations that are not to come to anything: of a vault that is deleted, of an earlier
 * build.  What they come to is tested with a running server.
 */
#include "base/clock.h"
#include "base/testing.h"
#include "certs/certificate.h"
#include "keyring/work.h"
#include "vault/deleted.h"
#include "vault/testing.h"

#include <string.h>

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	world_vault(&w, "vault-a", "local", 90, false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_drop(&w);
	return 0;
}

static bool
add_version(struct request *r, struct object *object, struct error *err)
{
	const struct certificate certificate = { .cer = V("x"), .thumbprint = V("x") };
	AUTO(buf_free) struct buf content = { 0 };
	struct version version = { .attributes = { .enabled = true, .created = clock_now() } };

	certificate_pack(&certificate, &content);
	return arena_copy(r->arena, buf_view(&content), &version.content) &&
	    object_add_version(r, &certificate_type, r->params[0], object, &version, err);
}

static bool
step_begin(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	struct certificate_state state = { .has_pending = true };
	struct pending *pending = &state.pending;

	cert_policy_default(&state.policy);
	state.policy.issuer = pending->issuer = view_of(ctx);
	pending->request_id = pending->version = V("0123456789abcdef0123456789abcdef");
	return add_version(r, &object, err) &&
	    pending_schedule(r, &object, pending, clock_now() + 1, err) &&
	    certificate_state_write(r, &object, &state, err);
}

static void
begin(const char *issuer)
{
	assert_fine(world_do(&w, "vault-a", "web", step_begin, (void *)(uintptr_t)issuer), &w.err);
}

static bool
vault_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct deleted_vault deleted;
	struct vault vault;
	bool found;

	(void)journal;
	if (strcmp(ctx, "delete") == 0)
		return vault_take(tx, V("vault-a"), &vault, &found, err) && found &&
		    vault_delete(tx, &vault, V(""), err);
	return deleted_vault_take(tx, V("vault-a"), &deleted, &found, err) && found &&
	    vault_recover(tx, &deleted, err);
}

static void
change_vault(const char *what)
{
	assert_fine(work_run(w.place.store, w.place.keyring, vault_body, (void *)(uintptr_t)what,
			&w.err),
	    &w.err);
}

struct looking {
	view path;
	bool told;
};

static bool
look_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct looking *looking = ctx;
	struct due_done done = { 0 };
	struct due due;
	bool found;

	(void)journal;
	if (!due_take(tx, looking->path, clock_now(), &due, &found, err) || !found)
		return false;
	if (!pending_due(&w.services, tx, &due, NULL, clock_now(), &done, err))
		return false;
	looking->told = done.letter != 0;
	return true;
}

/* The documents there are, one at most. */
static size_t
find(struct arena *arena, view *out)
{
	static const char *const prefixes[] = { DUE_AWAY_PREFIX, DUE_PREFIX };
	size_t count = 0;

	arena_init(arena, (size_t)1 << 20);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	for (size_t i = 0; i < COUNT_OF(prefixes) && count == 0; i++) {
		view *paths;

		assert_fine(store_keys(w.reader, view_of(prefixes[i]), V(""), 2, arena, &paths,
				&count, &w.err),
		    &w.err);
		assert_in_range(count, 0, 1);
		if (count > 0)
			*out = paths[0];
	}
	store_end(w.reader);
	return count;
}

static view
where(struct arena *arena)
{
	view path;

	assert_int_equal(find(arena, &path), 1);
	return path;
}

/* Looks when it is due; was that told? */
static bool
look(void)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct looking looking = { .path = where(&arena) };
	int64_t time;

	assert_true(due_time(looking.path, &time));
	if (time > clock_now())
		clock_set_offset(clock_offset() + time - clock_now());
	assert_fine(work_run(w.place.store, w.place.keyring, look_body, &looking, &w.err), &w.err);
	return looking.told;
}

/* Seconds from now. */
static int64_t
next(void)
{
	AUTO(arena_free) struct arena arena = { 0 };
	int64_t time;

	assert_true(due_time(where(&arena), &time));
	return time - clock_now();
}

static void
test_a_deleted_vault(void **state)
{
	(void)state;
	begin("mine");
	assert_false(look());
	change_vault("delete");
	for (size_t i = 0; i < 3; i++) {
		assert_false(look());
		assert_in_range(next(), PENDING_ASIDE - 10, PENDING_ASIDE);
	}
	change_vault("recover");
	assert_false(look());
	assert_true(next() <= 10);
}

/*
 * What is due again at once stays where it is, so that who has taken it goes on with it; and what
 * is due later does not.
 */
static void
test_goes_on_at_once(void **state)
{
	AUTO(arena_free) struct arena before = { 0 }, after = { 0 };
	view first;

	(void)state;
	begin("mine");
	first = where(&before);
	for (size_t i = 0; i < 3; i++) {
		AUTO(arena_free) struct arena now = { 0 };

		assert_false(look()); /* nothing was prepared for it: it is due again */
		assert_text(where(&now), first);
	}
	change_vault("delete");
	assert_false(look());
	assert_false(view_eq(where(&after), first));
}

static bool
step_status(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };

	if (!certificate_require(r, V(""), TO_READ, &object, &latest, &state, err))
		return false;
	*(enum pending_status *)ctx = state.pending.status;
	return true;
}

/* An earlier build left the time of a cancellation that was taken back. */
static void
test_one_that_waits_for_a_merge(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	enum pending_status status;
	view none;

	(void)state;
	begin(ISSUER_NAME_UNKNOWN);
	assert_false(look());
	assert_fine(world_do(&w, "vault-a", "web", step_status, &status), &w.err);
	assert_int_equal(status, PENDING_IN_PROGRESS);
	assert_int_equal(find(&arena, &none), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_that_waits_for_a_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_deleted_vault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_goes_on_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
