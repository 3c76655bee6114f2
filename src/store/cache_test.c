#include "store/cache.h"

#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)100000)

static view
key_of(char out[24], unsigned number)
{
	return (view){ out, (size_t)snprintf(out, 24, "key-%u", number) };
}

static void
add(struct cache *cache, unsigned number, uint64_t revision, view value)
{
	struct cached what = { .sequence = number, .revision = revision, .value = value };
	char room[24];
	view key = key_of(room, number);

	cache_put(cache, key, keyed_hash(key), &what);
}

static const struct cached *
find(struct cache *cache, unsigned number)
{
	char room[24];
	view key = key_of(room, number);

	return cache_get(cache, key, keyed_hash(key));
}

static void
cache_done(struct cache **cache)
{
	cache_free(*cache);
}

static void
test_keeps_and_replaces(void **state)
{
	AUTO(cache_done) struct cache *cache = cache_new(LIMIT);

	(void)state;
	assert_non_null(cache);
	assert_null(find(cache, 1));
	add(cache, 1, 7, V("old"));
	add(cache, 2, 0, V(""));
	add(cache, 1, 8, V("new and longer"));
	assert_int_equal(find(cache, 1)->revision, 8);
	assert_true(view_eq(find(cache, 1)->value, V("new and longer")));
	assert_int_equal(find(cache, 2)->revision, 0); /* absence is known, too */
	assert_int_equal(find(cache, 2)->sequence, 2);
	assert_null(find(cache, 3));
}

static void
test_is_bounded(void **state)
{
	AUTO(cache_done) struct cache *cache = cache_new(LIMIT);
	char value[1000] = { 0 };
	unsigned kept = 0;

	(void)state;
	assert_non_null(cache);
	assert_true(cache_used(cache) < 1000); /* grows from nothing */
	for (unsigned i = 0; i < 5000; i++) {
		add(cache, i, 1, (view){ value, i % sizeof(value) });
		assert_true(cache_used(cache) <= LIMIT);
		assert_non_null(find(cache, i)); /* the newest is there */
	}
	for (unsigned i = 0; i < 5000; i++)
		kept += find(cache, i) != NULL;
	assert_in_range(kept, 80, 300);
	assert_true(cache_used(cache) > LIMIT / 2);
}

static void
test_what_is_used_stays(void **state)
{
	AUTO(cache_done) struct cache *cache = cache_new(LIMIT);
	char value[500] = { 0 };

	(void)state;
	assert_non_null(cache);
	for (unsigned i = 0; i < 5000; i++) {
		add(cache, i, 1, (view){ value, sizeof(value) });
		assert_non_null(find(cache, 0)); /* however many come only once */
	}
}

static void
test_too_large_is_not_kept(void **state)
{
	AUTO(cache_done) struct cache *cache = cache_new(LIMIT);
	static char value[LIMIT];

	(void)state;
	assert_non_null(cache);
	add(cache, 1, 1, V("small"));
	add(cache, 2, 1, (view){ value, sizeof(value) });
	assert_null(find(cache, 2));
	add(cache, 1, 2, (view){ value, sizeof(value) });
	assert_null(find(cache, 1)); /* and not the one before in its place */
	assert_true(cache_used(cache) < 1000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_and_replaces),
		cmocka_unit_test(test_is_bounded),
		cmocka_unit_test(test_what_is_used_stays),
		cmocka_unit_test(test_too_large_is_not_kept),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
