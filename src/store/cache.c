#include "store/cache.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN ((size_t)64)
#define LARGEST_PART 64 /* one entry may take up to this part of the cache */

struct entry {
	struct entry *next;           /* in its bucket */
	struct entry *after, *before; /* round the clock */
	uint64_t hash;
	bool used; /* since the hand went by */
	size_t key_len;
	struct cached cached; /* its value follows the key */
	char bytes[];
};

struct cache {
	struct entry **buckets;
	size_t size, count; /* size: a power of two */
	size_t used, limit; /* bytes */
	struct entry *hand; /* the next one to look at; NULL: empty */
};

struct cache *
cache_new(size_t limit)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache != NULL)
		cache->limit = limit;
	return cache;
}

static size_t
entry_size(size_t key_len, size_t value_len)
{
	return sizeof(struct entry) + key_len + value_len;
}

/* The link that points to the entry, or to the NULL where it would be. */
static struct entry **
find(struct cache *cache, view key, uint64_t hash)
{
	struct entry **link = &cache->buckets[hash & (cache->size - 1)];

	while (*link != NULL &&
	    ((*link)->hash != hash || !view_eq((view){ (*link)->bytes, (*link)->key_len }, key)))
		link = &(*link)->next;
	return link;
}

static void
drop(struct cache *cache, struct entry *entry)
{
	*find(cache, (view){ entry->bytes, entry->key_len }, entry->hash) = entry->next;
	entry->before->after = entry->after;
	entry->after->before = entry->before;
	if (cache->hand == entry)
		cache->hand = entry->after == entry ? NULL : entry->after;
	cache->used -= entry_size(entry->key_len, entry->cached.value.len);
	cache->count--;
	free(entry);
}

/* Turn the clock's hand until there is room. */
static void
make_room(struct cache *cache, size_t need)
{
	while (cache->hand != NULL && cache->used + need > cache->limit) {
		struct entry *entry = cache->hand;

		if (entry->used) {
			entry->used = false;
			cache->hand = entry->after;
			continue;
		}
		drop(cache, entry);
	}
}

static void
bucket_add(struct cache *cache, struct entry *entry)
{
	struct entry **bucket = &cache->buckets[entry->hash & (cache->size - 1)];

	entry->next = *bucket;
	*bucket = entry;
}

/* Keep chains short: at most one entry a bucket on average. */
static bool
grow(struct cache *cache)
{
	struct entry **buckets, *entry = cache->hand;
	size_t size = cache->size == 0 ? BUCKETS_MIN : cache->size * 2;

	if (cache->count < cache->size)
		return true;
	buckets = calloc(size, sizeof(struct entry *));
	if (buckets == NULL)
		return cache->size > 0;
	free(cache->buckets);
	cache->used += (size - cache->size) * sizeof(struct entry *);
	cache->buckets = buckets;
	cache->size = size;
	for (size_t i = 0; i < cache->count && entry != NULL; i++, entry = entry->after)
		bucket_add(cache, entry);
	return true;
}

/* Behind the hand: the last one it comes to. */
static void
clock_add(struct cache *cache, struct entry *entry)
{
	if (cache->hand == NULL) {
		entry->after = entry;
		entry->before = entry;
		cache->hand = entry;
		return;
	}
	entry->after = cache->hand;
	entry->before = cache->hand->before;
	entry->before->after = entry;
	cache->hand->before = entry;
}

const struct cached *
cache_get(struct cache *cache, view key, uint64_t hash)
{
	struct entry *entry = cache->size == 0 ? NULL : *find(cache, key, hash);

	if (entry == NULL)
		return NULL;
	entry->used = true;
	return &entry->cached;
}

void
cache_put(struct cache *cache, view key, uint64_t hash, const struct cached *what)
{
	size_t need = entry_size(key.len, what->value.len);
	struct entry *entry = cache->size == 0 ? NULL : *find(cache, key, hash);

	if (entry != NULL)
		drop(cache, entry);
	if (need > cache->limit / LARGEST_PART || !grow(cache))
		return;
	make_room(cache, need);
	entry = malloc(need);
	if (entry == NULL)
		return;
	*entry = (struct entry){ .hash = hash, .key_len = key.len, .cached = *what };
	memcpy(entry->bytes, key.ptr, key.len);
	if (what->value.len > 0)
		memcpy(entry->bytes + key.len, what->value.ptr, what->value.len);
	entry->cached.value.ptr = entry->bytes + key.len;
	bucket_add(cache, entry);
	clock_add(cache, entry);
	cache->used += need;
	cache->count++;
}

size_t
cache_used(const struct cache *cache)
{
	return cache->used;
}

void
cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	while (cache->hand != NULL)
		drop(cache, cache->hand);
	free(cache->buckets);
	free(cache);
}
