/*
 * Lifetime actions: when they are due, and that none is without end.  What they do is tested with a
 * running server.
 */
#include "certs/lifetime.h"

#include "base/clock.h"
#include "base/testing.h"
#include "certs/issue.h"
#include "certs/policy.h"
#include "keyring/work.h"
#include "vault/testing.h"

#define DAY ((int64_t)86400)

static struct world w = { .with = { { "vault-a", "local", 90, false } } };

static void
test_when(void **state)
{
	static const struct {
		bool percentage;
		int64_t value, days, at;
	} rows[] = {
		{ true, 80, 100, 80 },
		{ true, 1, 100, 1 },
		{ true, 99, 100, 99 },
		{ false, 30, 100, 70 },
		{ false, 99, 100, 1 },
		/* An issuer gave less than the policy asked for. */
		{ false, 100, 100, 80 },
		{ false, 30, 10, 8 },
		{ false, 32400, 90, 72 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct lifetime_action action = { ACTION_AUTO_RENEW, rows[i].percentage,
			rows[i].value };

		assert_int_equal(lifetime_at(&action, DAY, DAY + rows[i].days * DAY),
		    DAY + rows[i].at * DAY);
	}
}

/* As an issuer gave it: from ${age} days ago on, for a hundred. */
static bool
add_version(struct request *r, struct object *object, int64_t age, struct error *err)
{
	const struct certificate certificate = { .cer = V("x"), .thumbprint = V("x") };
	AUTO(buf_free) struct buf content = { 0 };
	int64_t now = clock_now();
	struct version version = { .attributes = { .enabled = true,
				       .has_nbf = true,
				       .has_exp = true,
				       .nbf = now - age * DAY,
				       .exp = now + (100 - age) * DAY,
				       .created = now } };

	certificate_pack(&certificate, &content);
	return arena_copy(r->arena, buf_view(&content), &version.content) &&
	    object_add_version(r, &certificate_type, r->params[0], object, &version, err);
}

static bool
step_first(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	struct certificate_state state = { 0 };

	cert_policy_default(&state.policy);
	state.policy.key = (struct key_spec){ .kind = KEY_EC, .curve = KEY_P256, .bits = 256 };
	state.policy.subject = V("CN=web");
	state.policy.issuer = V(ISSUER_NAME_SELF);
	state.policy.actions[0] = (struct lifetime_action){ ACTION_AUTO_RENEW, true, 50 };
	state.policy.action_count = 1;
	return add_version(r, &object, *(int64_t *)ctx, err) &&
	    certificate_state_write(r, &object, &state, err);
}

/* What the operation under way asked for is there. */
static bool
step_next(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 }, added = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };

	if (!certificate_require(r, V(""), TO_CHANGE, &object, &latest, &state, err))
		return false;
	pending_end(&state.pending, PENDING_COMPLETED);
	return add_version(r, &added, *(int64_t *)ctx, err) &&
	    certificate_state_write(r, &object, &state, err);
}

static bool
step_fail(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };

	(void)ctx;
	if (!certificate_require(r, V(""), TO_CHANGE, &object, &latest, &state, err))
		return false;
	pending_end(&state.pending, PENDING_FAILED);
	return certificate_state_write(r, &object, &state, err);
}

/* By hand, if only to what it is; ${ctx}: to so many months. */
static bool
step_change_policy(struct request *r, void *ctx, struct error *err)
{
	static struct cert_policy_body body;
	const struct op *op = certificate_ops;

	body.months = (struct body_number){ .given = ctx != NULL };
	if (ctx != NULL)
		body.months.value = *(int *)ctx;
	while (!view_eq(view_of(op->name), V("CertificatePolicyUpdate")))
		op++;
	r->body = &body;
	return op->run(r, err);
}

static void
add(world_step *step, int64_t age)
{
	assert_fine(world_do(&w, "vault-a", "web", step, &age), &w.err);
}

static bool
step_status(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	bool *renews = ctx;

	if (!certificate_require(r, V(""), TO_READ, &object, &latest, &state, err))
		return false;
	*renews = state.has_pending && state.pending.status == PENDING_IN_PROGRESS;
	return true;
}

static bool
renews(void)
{
	bool result;

	assert_fine(world_do(&w, "vault-a", "web", step_status, &result), &w.err);
	return result;
}

struct looking {
	view path;
	void *prepared;
};

static bool
look_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct looking *looking = ctx;
	struct due_done done = { 0 };
	struct due due;
	bool found;

	(void)journal;
	if (!due_take(tx, looking->path, clock_now(), &due, &found, err))
		return false;
	return !found ||
	    lifetime_run(&w.services, tx, &due, looking->prepared, clock_now(), &done, err);
}

static int months_meanwhile; /* its policy changes to, while its key is made; 0: it does not */

static void
look_one(view path)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(reading_done) struct reading reading = { 0 };
	struct looking looking = { .path = path };
	struct due due;
	bool found;

	arena_init(&arena, (size_t)1 << 20);
	assert_fine(reading_begin(w.place.store, w.place.keyring, &arena, &reading, &w.err),
	    &w.err);
	assert_fine(due_peek(&reading.tx, path, &due, &found, &w.err), &w.err);
	assert_true(found);
	assert_fine(lifetime_prepare(&w.services, &due, &arena, &looking.prepared, &w.err), &w.err);
	if (months_meanwhile != 0)
		assert_fine(world_do(&w, "vault-a", "web", step_change_policy, &months_meanwhile),
		    &w.err);
	assert_fine(work_run(w.place.store, w.place.keyring, look_body, &looking, &w.err), &w.err);
}

/* All looks there are; those that are not due are left. */
static void
look(int64_t offset)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view *paths;
	size_t count;

	clock_set_offset(offset);
	arena_init(&arena, (size_t)1 << 20);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_keys(w.reader, V(DUE_SLOW_PREFIX), V(""), 10, &arena, &paths, &count,
			&w.err),
	    &w.err);
	store_end(w.reader);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++)
		look_one(paths[i]);
}

/* An announcement is all that one look does. */
static void
look_twice(int64_t offset)
{
	look(offset);
	look(offset + 2);
}

static void
test_renews_when_due(void **state)
{
	(void)state;
	add(step_first, 10);
	look(5);
	assert_false(renews());
	look(41 * DAY);
	assert_true(renews());
	/* The next one is due in forty days, and not sooner for what was tried before. */
	add(step_next, 10);
	look(80 * DAY);
	assert_false(renews());
	look(82 * DAY);
	assert_true(renews());
}

/* An issuer whose clock is behind: what comes is due at once, each time. */
static void
test_not_without_end(void **state)
{
	static const int64_t hours[] = { 1, 2, 4, 8, 16, 24, 24, 24 };
	int64_t now = 10;

	(void)state;
	add(step_first, 60);
	look(now);
	assert_true(renews());
	for (size_t i = 0; i < COUNT_OF(hours); i++) {
		add(step_next, 60);
		look(now + 10);
		assert_false(renews());
		look(now + hours[i] * 3600 - 60);
		assert_false(renews());
		now += hours[i] * 3600 + 60;
		look(now);
		assert_true(renews());
	}
	/* One that helps puts an end to that. */
	add(step_next, 10);
	look(now + 41 * DAY);
	assert_true(renews());
	add(step_next, 60);
	look(now + 41 * DAY + 3540);
	assert_false(renews());
	look(now + 41 * DAY + 3660);
	assert_true(renews());
}

#define HOUR ((int64_t)3600)

/*
 * A day before its end nothing works: the tries get rarer, but never so that what is mended
 * meanwhile would come too late; when it has ended they go on, and get rare again.
 */
static void
test_not_too_late(void **state)
{
	static const struct {
		int64_t from, to, longest; /* hours; between two tries */
		unsigned least, most;      /* tries */
	} rows[] = {
		{ 0, 7, 4, 3, 4 },
		{ 7, 21, 5, 4, 7 },
		{ 21, 27, 1, 5, 7 },
		{ 27, 150, 24, 12, 20 },
		{ 150, 250, 24, 4, 5 },
	};
	const int64_t step = HOUR / 6;
	int64_t last = 0;

	(void)state;
	add(step_first, 99);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned tries = 0;

		for (int64_t now = rows[i].from * HOUR; now < rows[i].to * HOUR; now += step) {
			look_twice(now + 10);
			if (!renews())
				continue;
			assert_true(now - last <= rows[i].longest * HOUR + step);
			last = now;
			tries++;
			assert_fine(world_do(&w, "vault-a", "web", step_fail, NULL), &w.err);
		}
		assert_in_range(tries, rows[i].least, rows[i].most);
	}
}

/* Who mends the policy need not wait until it is tried again. */
static void
test_changed_policy(void **state)
{
	(void)state;
	add(step_first, 60);
	for (int64_t now = 10; now < 30 * DAY; now += DAY + 60) {
		look_twice(now);
		assert_true(renews());
		assert_fine(world_do(&w, "vault-a", "web", step_fail, NULL), &w.err);
	}
	look(30 * DAY);
	assert_false(renews());
	assert_fine(world_do(&w, "vault-a", "web", step_change_policy, NULL), &w.err);
	look(30 * DAY + 10);
	assert_true(renews());
	/* And then it waits as after the first one. */
	assert_fine(world_do(&w, "vault-a", "web", step_fail, NULL), &w.err);
	look(30 * DAY + HOUR - 60);
	assert_false(renews());
	look(30 * DAY + HOUR + 60);
	assert_true(renews());
}

static bool
step_months(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	struct cert_policy policy;
	struct key key;

	if (!certificate_require(r, V(""), TO_READ, &object, &latest, &state, err) ||
	    !issue_unpack(r, &state.pending, &policy, &key, err))
		return false;
	*(int64_t *)ctx = policy.months;
	return true;
}

/* A renewal goes by the policy that was acknowledged when it begins. */
static void
test_policy_changed_meanwhile(void **state)
{
	int64_t months;

	(void)state;
	add(step_first, 60);
	months_meanwhile = 5;
	look(10);
	months_meanwhile = 0;
	assert_false(renews());
	look(12);
	assert_true(renews());
	assert_fine(world_do(&w, "vault-a", "web", step_months, &months), &w.err);
	assert_int_equal(months, 5);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
		FRESH(test_renews_when_due),
		FRESH(test_not_without_end),
		FRESH(test_not_too_late),
		FRESH(test_changed_policy),
		FRESH(test_policy_changed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
