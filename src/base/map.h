/*
 * A hash map from bytes to pointers.  The hash is keyed with a random number of the process
 * (SipHash-1-3), so that clients can't choose colliding names.  Keys are copied; values are the
 * caller's.  Not synchronised.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/attr.h"
#include "base/view.h"

struct map; /* NULL is the empty map for map_get, map_count, map_next and map_free */

MUST_USE struct map *map_new(void);
void *map_get(const struct map *map, view key);                /* NULL when absent */
MUST_USE bool map_put(struct map *map, view key, void *value); /* replaces; false: no memory */
void *map_remove(struct map *map, view key);                   /* the value, NULL when absent */
size_t map_count(const struct map *map);

/*
 * map_next(map, at, key, value):
 * Walk in no particular order; start with *at = 0.  The map must not change in between.  ${key}
 * may be NULL.
 */
bool map_next(const struct map *map, size_t *at, view *key, void **value);
void map_free(struct map *map); /* not the values */

uint64_t keyed_hash(view bytes); /* stable within the process only */

#endif
