/*
 * A rekey that is stopped at every point it can be stopped at, by a failure and by a crash.  The
 * points are the calls of the provider, before and after: all that is durable happens between two.
 */
#include "keyring/ring.h"
#include "keyring/testing.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define VAULTS 3
#define POINTS_MAX 100
#define CRASHED 42
#define LINE_LEN 82
#define FILE_MAX ((size_t)4 * LINE_LEN)

/* A provider in front of the real one, that stops at a point. */
struct breaking {
	struct root_provider real;
	int left; /* calls until it breaks; negative: never */
	bool after, crash;
};

static bool
breaks(struct breaking *breaking, bool after, struct error *err)
{
	if (breaking->after != after || breaking->left < 0 || breaking->left-- > 0)
		return false;
	if (breaking->crash)
		_exit(CRASHED);
	(void)error_set(err, ERR_UNAVAILABLE, "broken");
	return true;
}

#define BREAKING_CALL(call) \
	(!breaks(breaking, false, err) && (call) && !breaks(breaking, true, err))

static bool
breaking_wrap(void *self, view plain, view aad, struct buf *out, struct error *err)
{
	struct breaking *breaking = self;

	return BREAKING_CALL(breaking->real.ops->wrap(breaking->real.self, plain, aad, out, err));
}

static bool
breaking_unwrap(void *self, view wrapped, view aad, struct plain **out, struct error *err)
{
	struct breaking *breaking = self;

	return breaking->real.ops->unwrap(breaking->real.self, wrapped, aad, out, err);
}

static bool
breaking_rotate(void *self, struct error *err)
{
	struct breaking *breaking = self;

	return BREAKING_CALL(breaking->real.ops->rotate(breaking->real.self, err));
}

static bool
breaking_retire(void *self, struct error *err)
{
	struct breaking *breaking = self;

	return BREAKING_CALL(breaking->real.ops->retire(breaking->real.self, err));
}

static void
breaking_close(void *self)
{
	struct breaking *breaking = self;

	breaking->real.ops->close(breaking->real.self);
}

static const struct root_provider_ops breaking_ops = {
	.name = "breaking",
	.wrap = breaking_wrap,
	.unwrap = breaking_unwrap,
	.rotate = breaking_rotate,
	.retire = breaking_retire,
	.close = breaking_close,
};

/* What was sealed before, to be opened after. */
struct content {
	struct arena arena;
	struct sealed sealed[VAULTS], system;
	struct buf backup;
};

static const char *const ids[VAULTS] = { "one", "two", "three" };

static void
fill(struct place *place, struct content *content)
{
	struct error err;

	*content = (struct content){ 0 };
	arena_init(&content->arena, (size_t)1 << 20);
	for (size_t i = 0; i < VAULTS; i++)
		assert_true(keyring_seal(new_vault(place, ids[i]), view_of(ids[i]), V("v"),
		    &content->arena, &content->sealed[i], &err));
	assert_true(keyring_seal(keyring_system(place->keyring), V("ours"), V("t"), &content->arena,
	    &content->system, &err));
	assert_true(
	    keyring_seal_backup(place->keyring, V("b"), V("backup"), &content->backup, &err));
}

static void
all_opens(struct place *place, const struct content *content)
{
	struct plain *plain = NULL;
	struct error err = { 0 };

	for (size_t i = 0; i < VAULTS; i++) {
		struct vault_key *key;

		assert_true(keyring_key(place->keyring, view_of(ids[i]), &key, &err));
		assert_true(opens(key, &content->sealed[i], V("v"), view_of(ids[i])));
	}
	assert_true(opens(keyring_system(place->keyring), &content->system, V("t"), V("ours")));
	assert_true(keyring_unseal_backup(place->keyring, V("b"), buf_view(&content->backup),
	    &plain, &err));
	plain_free(plain);
}

static void
content_free(struct content *content)
{
	arena_free(&content->arena);
	buf_free(&content->backup);
}

static size_t
read_root(const struct place *place, char out[FILE_MAX])
{
	FILE *file = fopen(place->root, "r");
	size_t len;

	assert_non_null(file);
	len = fread(out, 1, FILE_MAX, file);
	assert_int_equal(fclose(file), 0);
	return len;
}

static void
reopens_with_everything(struct place *place, const struct content *content)
{
	place_close(place);
	place_open(place);
	all_opens(place, content);
}

/* The next rekey makes good, whatever happened. */
static void
recovers(struct place *place, const struct content *content)
{
	char before[FILE_MAX], after[FILE_MAX];
	struct error err = { 0 };

	reopens_with_everything(place, content);
	(void)read_root(place, before);
	if (!keyring_rekey(place->keyring, NULL, &err))
		fail_msg("%s", err.message);
	all_opens(place, content);
	reopens_with_everything(place, content);
	assert_int_equal(read_root(place, after), LINE_LEN);
	assert_memory_not_equal(after, before, LINE_LEN);
}

static bool
broken_rekey(struct place *place, struct breaking *breaking, struct error *err)
{
	struct root_provider provider = { &breaking_ops, breaking };
	int left = breaking->left;

	place_close(place);
	if (place->store == NULL)
		place->store = open_store(place->store_url);
	open_provider(place, &breaking->real);
	breaking->left = -1;
	if (!keyring_open(place->store, &provider, &place->keyring, err))
		fail_msg("%s", err->message);
	breaking->left = left;
	return keyring_rekey(place->keyring, NULL, err);
}

/* True when there was no such point any more. */
static bool
fails_at(int point, bool after)
{
	struct breaking breaking = { .left = point, .after = after };
	struct content content;
	struct place place;
	struct error err = { 0 };
	bool ok;

	place_make(&place, false);
	fill(&place, &content);
	ok = broken_rekey(&place, &breaking, &err);
	if (!ok)
		assert_string_equal(err.message, "broken");
	all_opens(&place, &content);
	recovers(&place, &content);
	place_remove(&place);
	content_free(&content);
	return ok;
}

static void
test_a_failure_at_any_point(void **state)
{
	int points[2] = { 0, 0 };

	(void)state;
	for (int after = 0; after < 2; after++) {
		while (!fails_at(points[after], after == 1))
			assert_true(++points[after] < POINTS_MAX);
	}
	/* rotate, the retires, and a wrap for each row at least */
	assert_true(points[0] >= VAULTS + 2 + 3);
	assert_true(points[1] >= VAULTS + 2 + 3);
}

static bool
crashes_at(int point, bool after)
{
	struct breaking breaking = { .left = point, .after = after, .crash = true };
	struct content content;
	struct place place;
	struct error err;
	int status;
	pid_t child;

	place_make(&place, true);
	fill(&place, &content);
	place_close(&place);
	child = fork();
	if (child == 0)
		_exit(broken_rekey(&place, &breaking, &err) ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASHED);
	place_open(&place);
	recovers(&place, &content);
	place_remove(&place);
	content_free(&content);
	return WEXITSTATUS(status) == 0;
}

static void
test_a_crash_at_any_point(void **state)
{
	(void)state;
	for (int after = 0; after < 2; after++) {
		int point = 0;

		while (!crashes_at(point, after == 1))
			assert_true(++point < POINTS_MAX);
		assert_true(point >= VAULTS + 2 + 3);
	}
}

static void
test_the_old_root_key_is_worth_nothing(void **state)
{
	char old[FILE_MAX];
	struct root_provider provider;
	struct content content;
	struct place place;
	struct error err = { 0 };
	FILE *file;

	(void)state;
	place_make(&place, false);
	fill(&place, &content);
	assert_int_equal(read_root(&place, old), LINE_LEN);
	assert_true(keyring_rekey(place.keyring, NULL, &err));
	all_opens(&place, &content);
	place_close(&place);
	file = fopen(place.root, "w");
	assert_int_equal(fwrite(old, 1, LINE_LEN, file), LINE_LEN);
	assert_int_equal(fclose(file), 0);
	open_provider(&place, &provider);
	assert_false(keyring_open(place.store, &provider, &place.keyring, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	place_remove(&place);
	content_free(&content);
}

/* More keys than a page of a scan, most of them never looked up. */
static void
test_rewraps_every_page(void **state)
{
	enum { MANY = 600 };
	static struct change changes[MANY];
	AUTO(arena_free) struct arena arena;
	struct place place;
	struct error err = { 0 };

	(void)state;
	arena_init(&arena, (size_t)4 << 20);
	place_make(&place, false);
	for (size_t i = 0; i < MANY; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "vault-%zu", i);
		assert_true(keyring_new_key(place.keyring, view_of(id), &arena, &changes[i], &err));
	}
	assert_true(store_commit_wait(place.store, changes, MANY, V(""), &err));
	place_close(&place);
	place_open(&place);
	assert_true(keyring_rekey(place.keyring, NULL, &err));
	place_close(&place);
	place_open(&place);
	for (size_t i = 0; i < MANY; i++) {
		struct vault_key *key;

		assert_true(keyring_key(place.keyring, view_from(changes[i].key, 2), &key, &err));
	}
	place_remove(&place);
}

/* A vault that is purged while the rows are rewrapped, when they have been read already. */
struct purging {
	struct place *place;
	uint64_t told, at;
};

static bool
purge(void *ctx, const struct progress *progress)
{
	const struct change change = { .kind = CHANGE_DELETE, .key = V_INIT("k/purged") };
	struct purging *purging = ctx;
	struct error err;

	assert_true(progress->done <= progress->total);
	if (++purging->told != purging->at)
		return true;
	assert_true(store_commit_wait(purging->place->store, &change, 1, V(""), &err));
	keyring_forget(purging->place->keyring, V("purged"));
	return true;
}

/* Its key does not come back, and the others are rewrapped all the same. */
static void
test_a_purge_meanwhile(void **state)
{
	static const char *const names[] = { "purged", "stays" };
	enum { ROWS = 4 }; /* those, and the keyring's own two */

	(void)state;
	for (uint64_t at = ROWS + 1; at <= 2 * ROWS; at++) { /* before, all is as it is to be */
		AUTO(arena_free) struct arena arena;
		struct place place;
		struct purging purging = { .place = &place, .at = at };
		const struct watch watch = { .told = purge, .ctx = &purging };
		struct vault_key *key;
		struct error err = { 0 };

		arena_init(&arena, 65536);
		place_make(&place, false);
		for (size_t i = 0; i < COUNT_OF(names); i++) {
			struct change change;

			assert_true(keyring_new_key(place.keyring, view_of(names[i]), &arena,
			    &change, &err));
			assert_true(store_commit_wait(place.store, &change, 1, V(""), &err));
		}
		assert_true(keyring_rekey(place.keyring, &watch, &err));
		assert_true(purging.told > 2 * ROWS); /* what had changed was looked at again */
		place_close(&place);
		place_open(&place);
		assert_true(keyring_key(place.keyring, V("stays"), &key, &err));
		assert_false(keyring_key(place.keyring, V("purged"), &key, &err));
		place_remove(&place);
	}
}

static void *
rekey(void *arg)
{
	static struct error err;

	return keyring_rekey(arg, NULL, &err) ? NULL : err.message;
}

static void
sleep_millis(long millis)
{
	const struct timespec time = { .tv_nsec = millis * 1000000 };

	assert_int_equal(nanosleep(&time, NULL), 0);
}

/* A key wrapped before the rotation, whose commit comes after it. */
static void
test_waits_for_a_new_key(void **state)
{
	AUTO(arena_free) struct arena arena;
	struct change change;
	struct place place;
	struct vault_key *key;
	struct error err = { 0 };
	pthread_t thread;
	void *failed;

	(void)state;
	arena_init(&arena, 4096);
	place_make(&place, false);
	assert_true(keyring_new_key(place.keyring, V("late"), &arena, &change, &err));
	assert_int_equal(pthread_create(&thread, NULL, rekey, place.keyring), 0);
	sleep_millis(200);
	assert_true(store_commit_wait(place.store, &change, 1, V(""), &err));
	assert_int_equal(pthread_join(thread, &failed), 0);
	if (failed != NULL)
		fail_msg("%s", (const char *)failed);
	place_close(&place);
	place_open(&place);
	assert_true(keyring_key(place.keyring, V("late"), &key, &err));
	place_remove(&place);
}

static void
test_does_not_wait_forever(void **state)
{
	AUTO(arena_free) struct arena arena;
	struct change change;
	struct place place;
	struct error err = { 0 };

	(void)state;
	arena_init(&arena, 4096);
	place_make(&place, false);
	assert_true(keyring_new_key(place.keyring, V("abandoned"), &arena, &change, &err));
	place.keyring->new_key_nanos = 100000000;
	assert_true(keyring_rekey(place.keyring, NULL, &err));
	place_remove(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_failure_at_any_point),
		cmocka_unit_test(test_a_crash_at_any_point),
		cmocka_unit_test(test_the_old_root_key_is_worth_nothing),
		cmocka_unit_test(test_rewraps_every_page),
		cmocka_unit_test(test_a_purge_meanwhile),
		cmocka_unit_test(test_waits_for_a_new_key),
		cmocka_unit_test(test_does_not_wait_forever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
