#include "base/map.h"
#include "base/testing.h"

#include <stdio.h>

#define KEYS 4096
#define MANY 100000

static char values[MANY];

static view
key_of(size_t number, char text[32])
{
	return (view){ text, (size_t)snprintf(text, 32, "key/%zu", number) };
}

static unsigned
random_of(unsigned *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* Every key the map has is one the model has, once. */
static void
compare(const struct map *map, void *const *model)
{
	size_t at = 0, walked = 0, there = 0;
	char text[32];
	void *value;
	view key;

	while (map_next(map, &at, &key, &value)) {
		size_t number = (size_t)((char *)value - values) % KEYS;

		assert_text(key, key_of(number, text));
		assert_ptr_equal(value, model[number]);
		walked++;
	}
	for (size_t i = 0; i < KEYS; i++)
		there += model[i] != NULL;
	assert_int_equal(walked, there);
	assert_int_equal(map_count(map), there);
}

static void
test_like_a_model(void **state)
{
	static void *model[KEYS];
	struct map *map = map_new();
	unsigned seed = 20260101;
	char text[32];

	(void)state;
	assert_non_null(map);
	for (size_t i = 0; i < 300000; i++) {
		size_t number = random_of(&seed) % KEYS;
		view key = key_of(number, text);

		if (random_of(&seed) % 2 == 0) {
			model[number] = &values[number + KEYS * (random_of(&seed) % 4)];
			assert_true(map_put(map, key, model[number]));
		} else {
			assert_ptr_equal(map_remove(map, key), model[number]);
			model[number] = NULL;
		}
		assert_ptr_equal(map_get(map, key), model[number]);
		if (i % 30000 == 0)
			compare(map, model);
	}
	compare(map, model);
	map_free(map);
}

static void
test_many(void **state)
{
	struct map *map = map_new();
	char text[32];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		assert_true(map_put(map, key_of(i, text), &values[i]));
	assert_int_equal(map_count(map), MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(map, key_of(i, text)), &values[i]);
	for (size_t i = 0; i < MANY; i += 2)
		assert_ptr_equal(map_remove(map, key_of(i, text)), &values[i]);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(map, key_of(i, text)), i % 2 == 0 ? NULL : &values[i]);
	map_free(map);
}

/* A map that holds little must not grow by what came and went. */
static void
test_forgets_the_removed(void **state)
{
	struct map *map = map_new();
	char text[32];
	size_t at = 0;
	void *value;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		assert_true(map_put(map, key_of(i, text), &values[i]));
		assert_ptr_equal(map_remove(map, key_of(i, text)), &values[i]);
	}
	assert_int_equal(map_count(map), 0);
	assert_false(map_next(map, &at, NULL, &value));
	assert_true(at < 100);
	map_free(map);
}

static void
test_keys_are_bytes(void **state)
{
	struct map *map = map_new();
	char key[] = "key";

	(void)state;
	assert_true(map_put(map, view_of(key), &values[0]));
	key[0] = 'X'; /* copied */
	assert_ptr_equal(map_get(map, V("key")), &values[0]);
	assert_true(map_put(map, V(""), &values[1]));
	assert_true(map_put(map, V("\0"), &values[2]));
	assert_true(map_put(map, V("\0\0"), &values[3]));
	assert_ptr_equal(map_get(map, V("")), &values[1]);
	assert_ptr_equal(map_get(map, V("\0")), &values[2]);
	assert_ptr_equal(map_get(map, V("\0\0")), &values[3]);
	assert_null(map_get(map, V("KEY")));
	assert_null(map_remove(map, V("absent")));
	map_free(map);
}

static void
test_no_map_is_the_empty_map(void **state)
{
	size_t at = 0;
	void *value;

	(void)state;
	assert_null(map_get(NULL, V("a")));
	assert_int_equal(map_count(NULL), 0);
	assert_false(map_next(NULL, &at, NULL, &value));
	map_free(NULL);
}

static void
test_hashes_differ(void **state)
{
	char text[40] = { 0 };

	(void)state;
	for (size_t len = 0; len + 1 < sizeof(text); len++) {
		uint64_t hash = keyed_hash((view){ text, len });

		assert_true(hash == keyed_hash((view){ text, len }));
		assert_true(hash != keyed_hash((view){ text, len + 1 }));
		if (len > 0) {
			text[len - 1] = 1;
			assert_true(hash != keyed_hash((view){ text, len }));
			text[len - 1] = 0;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_a_model),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_forgets_the_removed),
		cmocka_unit_test(test_keys_are_bytes),
		cmocka_unit_test(test_no_map_is_the_empty_map),
		cmocka_unit_test(test_hashes_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
