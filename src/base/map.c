#include "base/map.h"

#include "base/starved.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS_MIN 16

struct slot {
	uint64_t hash;
	char *key; /* NULL: never used; REMOVED: was used */
	size_t key_len;
	void *value;
};

struct map {
	struct slot *slots;
	size_t size, used, count; /* used: with the removed ones */
};

static char removed_mark;
#define REMOVED (&removed_mark)

static uint64_t hash_key[2];
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void
hash_init(void)
{
	if (getrandom(hash_key, sizeof(hash_key), 0) != (ssize_t)sizeof(hash_key))
		abort();
}

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3: one round a word, three at the end. */
uint64_t
keyed_hash(view bytes)
{
	uint64_t v[4], word = (uint64_t)bytes.len << 56;
	size_t whole = bytes.len / 8 * 8;

	(void)pthread_once(&hash_once, hash_init);
	v[0] = hash_key[0] ^ 0x736f6d6570736575U;
	v[1] = hash_key[1] ^ 0x646f72616e646f6dU;
	v[2] = hash_key[0] ^ 0x6c7967656e657261U;
	v[3] = hash_key[1] ^ 0x7465646279746573U;
	for (size_t i = 0; i < whole; i += 8) {
		uint64_t part;

		memcpy(&part, bytes.ptr + i, 8);
		v[3] ^= part;
		sip_round(v);
		v[0] ^= part;
	}
	for (size_t i = whole; i < bytes.len; i++)
		word |= (uint64_t)(unsigned char)bytes.ptr[i] << 8 * (i - whole);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct map *
map_new(void)
{
	struct map *map = calloc(1, sizeof(*map));

	if (map == NULL)
		return NULL;
	map->size = SLOTS_MIN;
	map->slots = calloc(map->size, sizeof(*map->slots));
	if (map->slots == NULL) {
		free(map);
		return NULL;
	}
	return map;
}

static bool
live(const struct slot *slot)
{
	return slot->key != NULL && slot->key != REMOVED;
}

static struct slot *
find(const struct map *map, view key, uint64_t hash)
{
	for (size_t i = hash & (map->size - 1);; i = (i + 1) & (map->size - 1)) {
		struct slot *slot = &map->slots[i];

		if (slot->key == NULL)
			return NULL;
		if (live(slot) && slot->hash == hash &&
		    view_eq((view){ slot->key, slot->key_len }, key))
			return slot;
	}
}

void *
map_get(const struct map *map, view key)
{
	struct slot *slot = map == NULL ? NULL : find(map, key, keyed_hash(key));

	return slot == NULL ? NULL : slot->value;
}

static void
place(struct slot *slots, size_t size, struct slot from)
{
	size_t i = from.hash & (size - 1);

	while (slots[i].key != NULL)
		i = (i + 1) & (size - 1);
	slots[i] = from;
}

/* Keep at most three quarters in use, and forget the removed ones on the way. */
static bool
make_room(struct map *map)
{
	size_t size = map->size;
	struct slot *slots;

	if ((map->used + 1) * 4 <= map->size * 3)
		return true;
	if ((map->count + 1) * 2 > map->size)
		size *= 2;
	slots = calloc(size, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < map->size; i++) {
		if (live(&map->slots[i]))
			place(slots, size, map->slots[i]);
	}
	free(map->slots);
	map->slots = slots;
	map->size = size;
	map->used = map->count;
	return true;
}

bool
map_put(struct map *map, view key, void *value)
{
	struct slot fresh = { .hash = keyed_hash(key), .key_len = key.len, .value = value };
	struct slot *slot = find(map, key, fresh.hash);

	if (slot != NULL) {
		slot->value = value;
		return true;
	}
	if (make_room(map))
		fresh.key = malloc(key.len + 1);
	if (fresh.key == NULL) {
		starved_note();
		return false;
	}
	if (key.len > 0)
		memcpy(fresh.key, key.ptr, key.len);
	place(map->slots, map->size, fresh);
	map->used++;
	map->count++;
	return true;
}

void *
map_remove(struct map *map, view key)
{
	struct slot *slot = find(map, key, keyed_hash(key));
	void *value;

	if (slot == NULL)
		return NULL;
	value = slot->value;
	free(slot->key);
	*slot = (struct slot){ .key = REMOVED };
	map->count--;
	return value;
}

size_t
map_count(const struct map *map)
{
	return map == NULL ? 0 : map->count;
}

bool
map_next(const struct map *map, size_t *at, view *key, void **value)
{
	for (; map != NULL && *at < map->size; (*at)++) {
		const struct slot *slot = &map->slots[*at];

		if (!live(slot))
			continue;
		if (key != NULL)
			*key = (view){ slot->key, slot->key_len };
		*value = slot->value;
		(*at)++;
		return true;
	}
	return false;
}

void
map_free(struct map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->size; i++) {
		if (live(&map->slots[i]))
			free(map->slots[i].key);
	}
	free(map->slots);
	free(map);
}
