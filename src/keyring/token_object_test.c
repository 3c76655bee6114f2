/*
 * What stands in the token and what does not any more: with a real token and a store.
 */
#include "keyring/token_object.h"

#include "base/clock.h"
#include "base/testing.h"
#include "keyring/testing.h"
#include "keyring/token_testing.h"
#include "keyring/work.h"

#include <unistd.h>

#define HOUR 3600

static struct place place;
static struct store_reader *reader;
static const atomic_bool going = false;
static struct error err;

static int
setup(void **state)
{
	const struct hsm *hsm;

	if (hsm_setup(state) != 0)
		return -1;
	hsm = *state;
	place_make(&place, false);
	keyring_set_token(place.keyring, hsm->token);
	assert_fine(store_reader_new(place.store, &reader, &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	clock_set_offset(0);
	store_reader_free(reader);
	place_remove(&place);
	return hsm_teardown(state);
}

static uint64_t
count(const char *prefix)
{
	uint64_t found = 0;

	assert_fine(store_begin(reader, &err), &err);
	assert_fine(store_count(reader, view_of(prefix), &found, &err), &err);
	store_end(reader);
	return found;
}

/* Written down, then made. */
static struct hsm_key
make(struct hsm *hsm, uint64_t *revision)
{
	struct hsm_key key = {
		.spec = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256, .hsm = true },
		.id = hsm_id(hsm)
	};

	assert_fine(token_object_announce(place.keyring, key.id, revision, &err), &err);
	assert_fine(token_generate(hsm->token, &key.spec, key.id, &hsm->arena, &key.public,
			&key.wrapped, &err),
	    &err);
	return key;
}

struct keeping {
	view object, id;
	uint64_t revision;
};

static bool
keep_body(void *ctx, struct tx *tx, view *journal, struct error *error)
{
	const struct keeping *keeping = ctx;

	(void)journal;
	return token_object_keep(tx, V("vault"), keeping->object, keeping->id, keeping->revision,
	    error);
}

static bool
keep(const char *object, view id, uint64_t revision)
{
	struct keeping keeping = { view_of(object), id, revision };

	return work_run(place.store, place.keyring, keep_body, &keeping, &err);
}

struct releasing {
	view object;
	bool more;
};

static bool
release_body(void *ctx, struct tx *tx, view *journal, struct error *error)
{
	struct releasing *releasing = ctx;

	(void)journal;
	return token_object_release(tx, V("vault"), releasing->object, 2, &releasing->more, error);
}

static bool
release(const char *object)
{
	struct releasing releasing = { .object = view_of(object) };

	assert_fine(work_run(place.store, place.keyring, release_body, &releasing, &err), &err);
	return releasing.more;
}

static void
destroy(void)
{
	assert_fine(token_objects_destroy(place.keyring, &going, &err), &err);
}

/* A token is not looked for again at once. */
static void
destroy_when_back(void)
{
	for (int i = 0; i < 100 && count("hsm-drop/") > 0; i++) {
		(void)usleep(50000);
		clock_set_offset(clock_offset() + 61);
		destroy();
	}
	assert_int_equal(count("hsm-drop/"), 0);
}

static void
test_what_is_kept_stays(void **state)
{
	struct hsm *hsm = *state;
	uint64_t revision;
	struct hsm_key key = make(hsm, &revision);

	destroy();
	assert_true(keep("one", key.id, revision));
	assert_int_equal(count("hsm/vault/one/"), 1);
	clock_set_offset(2 * HOUR);
	destroy();
	assert_true(hsm_signs(hsm, &key));
	assert_int_equal(count("hsm-drop/"), 0);
}

static void
test_what_is_not_kept_goes(void **state)
{
	struct hsm *hsm = *state;
	uint64_t revision;
	struct hsm_key key = make(hsm, &revision);

	clock_set_offset(HOUR - 10);
	destroy();
	assert_true(hsm_signs(hsm, &key));
	clock_set_offset(HOUR + 1);
	destroy();
	assert_false(hsm_signs(hsm, &key));
	assert_int_equal(count("hsm"), 0);
}

/* Who comes to keep it when it may be gone is refused, at whatever point it is. */
static void
test_too_late(void **state)
{
	struct hsm *hsm = *state;
	uint64_t revision;
	struct hsm_key key = make(hsm, &revision);

	clock_set_offset(HOUR + 1);
	hsm_move(hsm, true);
	destroy(); /* it has begun */
	hsm_move(hsm, false);
	assert_false(keep("one", key.id, revision));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	destroy_when_back();
	assert_false(keep("one", key.id, revision));
	assert_int_equal(count("hsm"), 0);
	assert_false(hsm_signs(hsm, &key));
}

struct dropped {
	view object, id;
};

static bool
drop_body(void *ctx, struct tx *tx, view *journal, struct error *error)
{
	const struct dropped *dropped = ctx;

	(void)journal;
	return token_object_drop(tx, V("vault"), dropped->object, dropped->id, error);
}

/* Of an object's two, the one that is of no version after all. */
static void
test_drop(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key keys[2];
	struct dropped dropped = { .object = V("one") };

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		uint64_t revision;

		keys[i] = make(hsm, &revision);
		assert_true(keep("one", keys[i].id, revision));
	}
	dropped.id = keys[0].id;
	assert_fine(work_run(place.store, place.keyring, drop_body, &dropped, &err), &err);
	destroy();
	assert_false(hsm_signs(hsm, &keys[0]));
	assert_true(hsm_signs(hsm, &keys[1]));
	assert_int_equal(count("hsm/vault/one/"), 1);
	assert_int_equal(count("hsm-drop/"), 0);
}

static void
test_release(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key keys[5];
	static const char *const objects[] = { "one", "one", "one", "two", "on" };

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		uint64_t revision;

		keys[i] = make(hsm, &revision);
		assert_true(keep(objects[i], keys[i].id, revision));
	}
	assert_true(release("one"));
	assert_int_equal(count("hsm-drop/"), 2);
	assert_false(release("one"));
	destroy();
	assert_int_equal(count("hsm-drop/"), 0);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		assert_int_equal(hsm_signs(hsm, &keys[i]), i > 2);
	/* The vault. */
	assert_true(release(""));
	assert_false(release(""));
	destroy();
	assert_int_equal(count("hsm"), 0);
	assert_false(hsm_signs(hsm, &keys[3]) || hsm_signs(hsm, &keys[4]));
}

static void
test_waits_for_the_token(void **state)
{
	struct hsm *hsm = *state;
	uint64_t revision;
	struct hsm_key key = make(hsm, &revision);

	assert_true(keep("one", key.id, revision));
	assert_false(release("one"));
	hsm_move(hsm, true);
	for (int i = 0; i < 3; i++) {
		clock_set_offset(clock_offset() + 61);
		destroy();
		assert_int_equal(count("hsm-drop/"), 1);
	}
	hsm_move(hsm, false);
	destroy_when_back();
	assert_int_equal(count("hsm"), 0);
	assert_false(hsm_signs(hsm, &key));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_what_is_kept_stays),
		FRESH(test_what_is_not_kept_goes),
		FRESH(test_too_late),
		FRESH(test_drop),
		FRESH(test_release),
		FRESH(test_waits_for_the_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
