#include "keyring/testing.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct place place;
static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	place_make(&place, false);
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	place_remove(&place);
	return 0;
}

static struct sealed
seal(struct vault_key *key, view text, view aad)
{
	struct sealed sealed = { { NULL, 0 } };
	struct error err = { 0 };

	if (!keyring_seal(key, text, aad, &arena, &sealed, &err))
		fail_msg("%s", err.message);
	return sealed;
}

static void
test_opens_only_in_its_place(void **state)
{
	struct vault_key *one = new_vault(&place, "one"), *two = new_vault(&place, "two");
	struct sealed sealed = seal(one, V("value"), V("v/1/s/a"));

	(void)state;
	assert_true(opens(one, &sealed, V("v/1/s/a"), V("value")));
	assert_false(opens(one, &sealed, V("v/1/s/b"), V("value")));
	assert_false(opens(one, &sealed, V(""), V("value")));
	assert_false(opens(two, &sealed, V("v/1/s/a"), V("value")));
	assert_false(opens(keyring_system(place.keyring), &sealed, V("v/1/s/a"), V("value")));
	assert_int_equal(sealed.bytes.len, strlen("value") + 29);
	assert_int_equal(sealed.bytes.ptr[0], 1);
	sealed = seal(one, V(""), V("x"));
	assert_true(opens(one, &sealed, V("x"), V("")));
}

static void
test_refuses_changed_documents(void **state)
{
	struct vault_key *key = keyring_system(place.keyring);
	struct sealed sealed = seal(key, V("value"), V("path")), cut = sealed;
	char *bytes = (char *)(uintptr_t)sealed.bytes.ptr;

	(void)state;
	for (size_t i = 0; i < sealed.bytes.len; i++) {
		bytes[i] ^= 1;
		assert_false(opens(key, &sealed, V("path"), V("value")));
		bytes[i] ^= 1;
		cut.bytes.len = i;
		assert_false(opens(key, &cut, V("path"), V("value")));
	}
	assert_true(opens(key, &sealed, V("path"), V("value")));
}

static void
test_names_have_bounds(void **state)
{
	static char long_path[2000];
	AUTO(arena_free) struct arena small;
	struct sealed sealed;
	struct error err;

	(void)state;
	arena_init(&small, 8);
	assert_false(keyring_seal(keyring_system(place.keyring), V("value"),
	    (view){ long_path, sizeof(long_path) }, &arena, &sealed, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_false(keyring_seal(keyring_system(place.keyring), V("value"), V("path"), &small,
	    &sealed, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void
test_keys_outlive_the_keyring(void **state)
{
	struct vault_key *key = new_vault(&place, "one");
	struct sealed mine = seal(key, V("mine"), V("v/1"));
	struct sealed ours = seal(keyring_system(place.keyring), V("ours"), V("t/1"));
	struct error err;

	(void)state;
	place_close(&place);
	place_open(&place);
	assert_true(keyring_key(place.keyring, V("one"), &key, &err));
	assert_true(opens(key, &mine, V("v/1"), V("mine")));
	assert_true(opens(keyring_system(place.keyring), &ours, V("t/1"), V("ours")));
}

static void
test_unknown_keys(void **state)
{
	static const view ids[] = {
		V_INIT("absent"),
		V_INIT(""),
		V_INIT("../system"),
		V_INIT("system\0more"),
		V_INIT("k/system"),
		V_INIT("a%sb"),
		V_INIT("0123456789012345678901234567890123456789012345678901234567890123456789"
		       "0123456789012345678901234567890123456789012345678901234567890"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct vault_key *key = NULL;
		struct error err = { 0 };

		assert_false(keyring_key(place.keyring, ids[i], &key, &err));
		assert_int_equal(err.code, ERR_CORRUPT);
		assert_null(key);
	}
}

static void
test_a_new_key_is_made_once(void **state)
{
	struct vault_key *key = NULL, *again = NULL;
	struct change change, second;
	struct sealed sealed;
	struct error err = { 0 };

	(void)state;
	assert_true(keyring_new_key(place.keyring, V("one"), &arena, &change, &err));
	assert_true(view_eq(change.key, V("k/one")));
	assert_int_equal(change.kind, CHANGE_PUT);
	assert_true(keyring_key(place.keyring, V("one"), &key, &err));
	sealed = seal(key, V("value"), V("v/1"));

	/* The commit failed, and the transaction runs again. */
	assert_true(keyring_new_key(place.keyring, V("one"), &arena, &second, &err));
	assert_true(store_commit_wait(place.store, &second, 1, V(""), &err));
	assert_true(keyring_key(place.keyring, V("one"), &again, &err));
	assert_ptr_equal(key, again);
	assert_false(keyring_new_key(place.keyring, V("one"), &arena, &second, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_false(keyring_new_key(place.keyring, V("system"), &arena, &second, &err));
	assert_int_equal(err.code, ERR_CONFLICT);

	place_close(&place);
	place_open(&place);
	assert_false(keyring_new_key(place.keyring, V("one"), &arena, &second, &err));
	assert_true(keyring_key(place.keyring, V("one"), &key, &err));
	assert_true(opens(key, &sealed, V("v/1"), V("value")));
}

static void
test_a_forgotten_key_is_gone(void **state)
{
	struct vault_key *key = new_vault(&place, "one"), *again = NULL;
	struct sealed sealed = seal(key, V("value"), V("v/1"));
	const struct change change = { .kind = CHANGE_DELETE, .key = V_INIT("k/one") };
	AUTO(plain_done) struct plain *plain = NULL;
	struct error err = { 0 };

	(void)state;
	assert_true(store_commit_wait(place.store, &change, 1, V(""), &err));
	keyring_forget(place.keyring, V("one"));
	keyring_forget(place.keyring, V("one"));
	keyring_forget(place.keyring, V("system")); /* never */
	assert_false(keyring_unseal(key, &sealed, V("v/1"), &plain, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	assert_false(keyring_seal(key, V("value"), V("v/1"), &arena, &sealed, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	assert_false(keyring_key(place.keyring, V("one"), &again, &err));
	seal(keyring_system(place.keyring), V("value"), V("t/1"));
}

static void
refuses_to_open(const char *why)
{
	struct root_provider provider;
	struct keyring *keyring = NULL;
	struct error err = { 0 };

	open_provider(&place, &provider);
	assert_false(keyring_open(place.store, &provider, &keyring, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_null(keyring);
	if (strstr(err.message, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void
test_another_root_key_is_refused(void **state)
{
	(void)state;
	place_close(&place);
	assert_int_equal(unlink(place.root), 0);
	refuses_to_open("The root key does not open this store");
}

/* Documents without keys: never make new keys over them. */
static void
test_a_store_without_keys_is_refused(void **state)
{
	const struct change changes[] = {
		{ .kind = CHANGE_PUT, .key = V_INIT("v/1"), .value = { V_INIT("sealed") } },
		{ .kind = CHANGE_DELETE, .key = V_INIT("k/system") },
	};
	struct error err;

	(void)state;
	place_close(&place);
	assert_true(store_commit_wait(place.store, changes, 2, V(""), &err));
	refuses_to_open("has documents but no system key");
}

static void
test_damaged_keys_are_refused(void **state)
{
	static const view values[] = { V_INIT(""), V_INIT("\1"), V_INIT("\1gggggggggggggggg"),
		V_INIT("\2gggggggggggggggggggggggggggggggg") };
	static const view rows[] = { V_INIT("k/backup"), V_INIT("k/system") };

	(void)state;
	place_close(&place);
	for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(values); i++) {
		const struct change change = { .kind = CHANGE_PUT,
			.key = rows[i / COUNT_OF(values)],
			.value = { values[i % COUNT_OF(values)] } };
		struct error err;

		assert_true(store_commit_wait(place.store, &change, 1, V(""), &err));
		refuses_to_open("does not open");
	}
}

/* Two rows of "k/" can't stand in for each other. */
static void
test_rows_cannot_be_swapped(void **state)
{
	struct store_reader *reader = NULL;
	struct document row;
	struct vault_key *key;
	struct change change = { .kind = CHANGE_PUT, .key = V_INIT("k/two") };
	struct error err;

	(void)state;
	new_vault(&place, "one");
	assert_true(store_reader_new(place.store, &reader, &err) && store_begin(reader, &err));
	assert_true(store_get(reader, V("k/one"), &arena, &row, &err));
	store_end(reader);
	store_reader_free(reader);
	change.value = row.value;
	assert_true(store_commit_wait(place.store, &change, 1, V(""), &err));
	assert_false(keyring_key(place.keyring, V("two"), &key, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
}

static bool
backup_opens(view binding, view sealed)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct error err;

	if (!keyring_unseal_backup(place.keyring, binding, sealed, &plain, &err)) {
		assert_int_equal(err.code, ERR_MALFORMED_BACKUP);
		return false;
	}
	assert_true(view_eq(plain_view(plain), V("an object")));
	return true;
}

static void
test_backups_are_bound(void **state)
{
	AUTO(buf_free) struct buf blob = { 0 };
	struct sealed as_document;
	struct error err;

	(void)state;
	buf_add(&blob, V("head"));
	assert_true(keyring_seal_backup(place.keyring, V("sub/eu"), V("an object"), &blob, &err));
	assert_true(view_starts(buf_view(&blob), V("head"))); /* it was appended */
	buf_reset(&blob);
	assert_true(keyring_seal_backup(place.keyring, V("sub/eu"), V("an object"), &blob, &err));
	as_document.bytes = buf_view(&blob);
	assert_true(backup_opens(V("sub/eu"), buf_view(&blob)));
	assert_false(backup_opens(V("sub/us"), buf_view(&blob)));
	assert_false(backup_opens(V(""), buf_view(&blob)));
	assert_false(opens(keyring_system(place.keyring), &as_document, V("sub/eu"), V("")));
	for (size_t i = 0; i < blob.len; i++) {
		blob.ptr[i] ^= 1;
		assert_false(backup_opens(V("sub/eu"), buf_view(&blob)));
		blob.ptr[i] ^= 1;
		assert_false(backup_opens(V("sub/eu"), (view){ blob.ptr, i }));
	}
	place_close(&place);
	place_open(&place);
	assert_true(keyring_rekey(place.keyring, NULL, &err));
	assert_true(backup_opens(V("sub/eu"), buf_view(&blob)));
}

static void
test_macs_are_bound(void **state)
{
	uint8_t first[32], again[32], other[32];
	struct error err;

	(void)state;
	assert_true(keyring_mac(place.keyring, V("skip"), V("token"), first, &err));
	assert_true(keyring_mac(place.keyring, V("form"), V("token"), other, &err));
	assert_memory_not_equal(first, other, 32);
	assert_true(keyring_mac(place.keyring, V("skip"), V("tokem"), other, &err));
	assert_memory_not_equal(first, other, 32);
	place_close(&place);
	place_open(&place);
	assert_true(keyring_mac(place.keyring, V("skip"), V("token"), again, &err));
	assert_memory_equal(first, again, 32);
}

#define THREADS 4
#define VAULTS 48
#define TURNS 20

/* Every thread looks up the same keys, at the same time, and uses them. */
struct user {
	pthread_barrier_t *start;
	struct vault_key *keys[VAULTS];
	bool good;
};

static bool
round_trip(struct vault_key *key, struct arena *mine)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct sealed sealed;
	struct error err;
	bool good = keyring_seal(key, V("value"), V("path"), mine, &sealed, &err) &&
	    keyring_unseal(key, &sealed, V("path"), &plain, &err) &&
	    view_eq(plain_view(plain), V("value"));

	arena_wipe(mine);
	return good;
}

static void
vault_id(size_t number, char out[16])
{
	(void)snprintf(out, 16, "vault-%zu", number);
}

static void *
use_keys(void *arg)
{
	struct user *user = arg;
	struct arena mine;
	struct error err;
	char id[16];

	arena_init(&mine, 65536);
	user->good = true;
	(void)pthread_barrier_wait(user->start);
	for (size_t i = 0; i < VAULTS; i++) {
		vault_id(i, id);
		user->good &= keyring_key(place.keyring, view_of(id), &user->keys[i], &err);
	}
	for (size_t i = 0; user->good && i < (size_t)TURNS * VAULTS; i++)
		user->good = round_trip(user->keys[i % VAULTS], &mine) &&
		    round_trip(keyring_system(place.keyring), &mine);
	arena_free(&mine);
	return NULL;
}

static void
test_threads_share_keys(void **state)
{
	static struct user users[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t start;
	struct error err = { 0 };
	char id[16];

	(void)state;
	for (size_t i = 0; i < VAULTS; i++) {
		vault_id(i, id);
		new_vault(&place, id);
	}
	place_close(&place);
	place_open(&place);
	assert_int_equal(pthread_barrier_init(&start, NULL, THREADS + 1), 0);
	for (size_t i = 0; i < THREADS; i++) {
		users[i].start = &start;
		assert_int_equal(pthread_create(&threads[i], NULL, use_keys, &users[i]), 0);
	}
	(void)pthread_barrier_wait(&start);
	new_vault(&place, "another");
	assert_true(keyring_rekey(place.keyring, NULL, &err));
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(users[i].good);
		assert_memory_equal(users[i].keys, users[0].keys, sizeof(users[0].keys));
	}
	assert_int_equal(pthread_barrier_destroy(&start), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_opens_only_in_its_place),
		FRESH(test_refuses_changed_documents),
		FRESH(test_names_have_bounds),
		FRESH(test_keys_outlive_the_keyring),
		FRESH(test_unknown_keys),
		FRESH(test_a_new_key_is_made_once),
		FRESH(test_a_forgotten_key_is_gone),
		FRESH(test_another_root_key_is_refused),
		FRESH(test_a_store_without_keys_is_refused),
		FRESH(test_damaged_keys_are_refused),
		FRESH(test_rows_cannot_be_swapped),
		FRESH(test_backups_are_bound),
		FRESH(test_macs_are_bound),
		FRESH(test_threads_share_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
