#include "identity/token_cache.h"

#include <stdlib.h>
#include <string.h>

/* 1024 tokens, in sets chosen by the digest. */
#define SETS 128
#define WAYS 8

struct entry {
	uint64_t used; /* the cache's clock at the last use; 0: free */
	uint64_t generation;
	uint8_t digest[SHA256_LEN];
	struct token_facts facts;
};

struct token_cache {
	uint64_t clock;
	struct entry entries[SETS][WAYS];
};

struct token_cache *
token_cache_new(void)
{
	return calloc(1, sizeof(struct token_cache));
}

void
token_cache_free(struct token_cache *cache)
{
	free(cache);
}

/* A digest is as good as random; nobody but holders of good tokens gets anything in. */
static struct entry *
set_of(struct token_cache *cache, const uint8_t digest[SHA256_LEN])
{
	return cache->entries[digest[0] % SETS];
}

const struct token_facts *
token_cache_find(struct token_cache *cache, const uint8_t digest[SHA256_LEN], uint64_t generation)
{
	struct entry *set = set_of(cache, digest);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used == 0 || set[i].generation != generation ||
		    memcmp(set[i].digest, digest, SHA256_LEN) != 0)
			continue;
		set[i].used = ++cache->clock;
		return &set[i].facts;
	}
	return NULL;
}

void
token_cache_put(struct token_cache *cache, const uint8_t digest[SHA256_LEN], uint64_t generation,
    const struct token_facts *facts)
{
	struct entry *set = set_of(cache, digest), *oldest = set;

	for (size_t i = 1; i < WAYS; i++) {
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	oldest->used = ++cache->clock;
	oldest->generation = generation;
	memcpy(oldest->digest, digest, SHA256_LEN);
	oldest->facts = *facts;
}
