/*
 * A reader's bounded cache of documents, present and absent.  It grows from nothing; when it is
 * full, what was not used since it was last looked at goes first (CLOCK).  Whether an entry still
 * holds is the reader's to judge, by ${sequence}.  Not synchronised.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "base/attr.h"
#include "base/view.h"

struct cache;

struct cached {
	uint64_t sequence; /* of the snapshot it was read from */
	uint64_t revision; /* 0: it was absent */
	view value;
};

/* cache_new(limit): At most ${limit} bytes, all counted; NULL without memory. */
MUST_USE struct cache *cache_new(size_t limit);
void cache_free(struct cache *cache); /* NULL is fine */

/* cache_get(cache, key, hash): Borrowed until the next cache_put; NULL when it is not there. */
const struct cached *cache_get(struct cache *cache, view key, uint64_t hash);

/* cache_put: Remember, replacing; what is too large, or finds no memory, is not remembered. */
void cache_put(struct cache *cache, view key, uint64_t hash, const struct cached *what);

size_t cache_used(const struct cache *cache); /* bytes */

#endif
