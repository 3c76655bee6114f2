/* Many threads at once: nothing lost, nothing torn, nothing older after something newer. */
#include "store/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMITTERS 64
#define INCREMENTS 10
#define PAIRS 8
#define ROUNDS 1500
#define READERS 3

/* cmocka's assertions are for the main thread only; these end the process. */
#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                              \
		}                                                                             \
	} while (0)

struct number {
	char text[24];
};

static view
number_text(struct number *out, uint64_t number)
{
	int len = snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)number);

	return (view){ out->text, (size_t)len };
}

static uint64_t
read_number(struct store_reader *reader, view key, struct arena *arena, uint64_t *revision)
{
	struct document found;
	struct error err;
	uint64_t number = 0;

	CHECK(store_get(reader, key, arena, &found, &err));
	CHECK(found.revision == 0 || view_u64(found.value.bytes, &number));
	if (revision != NULL)
		*revision = found.revision;
	return number;
}

static void
increment(struct store *store, struct store_reader *reader, struct arena *arena)
{
	struct change changes[] = { expect("n", 0), put("n", "") };
	struct number text = { 0 };
	struct error err;
	uint64_t number;
	bool ok;

	do {
		CHECK(store_begin(reader, &err));
		number = read_number(reader, V("n"), arena, &changes[0].revision) + 1;
		store_end(reader);
		changes[1].value.bytes = number_text(&text, number);
		ok = store_commit_wait(store, changes, 2, changes[1].value.bytes, &err);
		CHECK(ok || err.code == ERR_STORE_CONFLICT);
	} while (!ok);
	CHECK(store_begin(reader, &err)); /* one's own write can be read */
	CHECK(read_number(reader, V("n"), arena, NULL) >= number);
	store_end(reader);
	arena_wipe(arena);
}

static void *
committer(void *ctx)
{
	AUTO(arena_free) struct arena arena;
	struct store_reader *reader;
	struct store *store = ctx;
	struct error err;

	arena_init(&arena, 65536);
	CHECK(store_reader_new(store, &reader, &err));
	for (int i = 0; i < INCREMENTS; i++)
		increment(store, reader, &arena);
	store_reader_free(reader);
	return NULL;
}

static void
test_nothing_is_lost(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[COMMITTERS];
	struct journal_line *lines;
	size_t count;
	uint64_t number;

	for (size_t i = 0; i < COMMITTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, committer, f->store), 0);
	for (size_t i = 0; i < COMMITTERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	fixture_renew(f);
	assert_int_equal(read_number(f->reader, V("n"), &f->arena, NULL), COMMITTERS * INCREMENTS);
	assert_true(store_journal_read(f->reader, 0, SIZE_MAX, &f->arena, &lines, &count, &f->err));
	assert_int_equal(count, COMMITTERS * INCREMENTS);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(lines[i].number, i + 1);
		assert_true(view_u64(lines[i].line, &number));
		assert_int_equal(number, i + 1); /* in the order of the commits */
	}
}

/* Pairs of documents that are always written together, the same number to both. */
struct pairs {
	struct store *store;
	_Atomic uint64_t acknowledged[PAIRS], watched[PAIRS];
	atomic_bool stop;
};

static const char *const lefts[PAIRS] = { "l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7" };
static const char *const rights[PAIRS] = { "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7" };

static bool
pair_watch(void *ctx, view key, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct pairs *pairs = ctx;
	uint64_t number;

	CHECK(revision > 0 && value != NULL && view_u64(value->bytes, &number));
	atomic_store(&pairs->watched[key.ptr[1] - '0'], number);
	(void)err;
	return true;
}

static void *
pair_writer(void *ctx)
{
	struct pairs *pairs = ctx;
	struct number text = { 0 };
	struct error err;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		size_t which = i * 5 % PAIRS;
		struct change changes[] = { put(lefts[which], ""), put(rights[which], "") };

		changes[0].value.bytes = number_text(&text, i);
		changes[1].value.bytes = changes[0].value.bytes;
		CHECK(store_commit_wait(pairs->store, changes, 2, V(""), &err));
		CHECK(atomic_load(&pairs->watched[which]) == i); /* before the callback */
		atomic_store(&pairs->acknowledged[which], i);
	}
	atomic_store(&pairs->stop, true);
	return NULL;
}

/* Scans are never cached, so this finds out whether the cache keeps up with the snapshot. */
static uint64_t
scan_number(struct store_reader *reader, view key, struct arena *arena)
{
	struct document *found;
	struct error err;
	uint64_t number = 0;
	size_t count;

	CHECK(store_scan(reader, key, V(""), 2, arena, &found, &count, &err));
	CHECK(count == 0 || (count == 1 && view_u64(found[0].value.bytes, &number)));
	return number;
}

static void
read_pairs(struct pairs *pairs, struct store_reader *reader, struct arena *arena,
    uint64_t seen[PAIRS], uint64_t turn)
{
	uint64_t floor[PAIRS], left, right, newest = 0;
	struct error err;

	for (size_t i = 0; i < PAIRS; i++)
		floor[i] = atomic_load(&pairs->acknowledged[i]);
	CHECK(store_begin(reader, &err));
	for (size_t i = 0; i < PAIRS; i++) {
		/* Not all each time, so that some are cached long and some are not. */
		if ((turn >> i & 1) == 0)
			continue;
		left = read_number(reader, view_of(lefts[i]), arena, NULL);
		right = scan_number(reader, view_of(rights[i]), arena);
		CHECK(left == right);
		CHECK(left >= floor[i] && left >= seen[i]);
		seen[i] = left;
		newest = left > newest ? left : newest;
	}
	/* One writer, so a snapshot with round N has all rounds before it. */
	for (size_t i = 0; i < PAIRS; i++) {
		if ((turn >> i & 1) != 0)
			CHECK(seen[i] + PAIRS > newest);
	}
	store_end(reader);
	arena_wipe(arena);
}

static void *
pair_reader(void *ctx)
{
	AUTO(arena_free) struct arena arena;
	struct store_reader *reader;
	struct pairs *pairs = ctx;
	uint64_t seen[PAIRS] = { 0 };
	struct error err;

	arena_init(&arena, 65536);
	CHECK(store_reader_new(pairs->store, &reader, &err));
	for (uint64_t turn = 0; !atomic_load(&pairs->stop); turn++)
		read_pairs(pairs, reader, &arena, seen, turn);
	store_reader_free(reader);
	return NULL;
}

static void
test_nothing_is_torn_or_old(void **state)
{
	struct fixture *f = *state;
	struct pairs pairs = { .store = f->store };
	pthread_t writer, readers[READERS];

	store_end(f->reader); /* stands idle with a snapshot all the time */
	assert_true(store_watch(f->store, V("l"), pair_watch, &pairs, &f->err));
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, pair_reader, &pairs), 0);
	assert_int_equal(pthread_create(&writer, NULL, pair_writer, &pairs), 0);
	assert_int_equal(pthread_join(writer, NULL), 0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_true(store_begin(f->reader, &f->err));
}

#define FIXED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
	FIXED(test_nothing_is_lost),
	FIXED(test_nothing_is_torn_or_old),
};

int
main(void)
{
	int failed;

	fixture_scheme = "memory";
	failed = cmocka_run_group_tests_name("threads in memory", tests, NULL, NULL);
	fixture_scheme = "sqlite";
	return failed + cmocka_run_group_tests_name("threads in sqlite", tests, NULL, NULL);
}
