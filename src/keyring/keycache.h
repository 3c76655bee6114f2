/*
 * Parsed keys that were used lately, by their material's id, at most MATERIAL_CACHE_MAX of them.
 * For keyring/ only.  Any thread; the store's writer calls keycache_changed.
 */
#ifndef KEYRING_KEYCACHE_H
#define KEYRING_KEYCACHE_H

#include "keyring/material.h"
#include "keyring/software.h"

struct keycache;

MUST_USE struct keycache *keycache_new(void); /* NULL: no memory */
void keycache_free(struct keycache *cache);   /* NULL is fine */

uint64_t keycache_ticket(const struct keycache *cache);

/* keycache_get(cache, material): The caller releases it; NULL when it is not there. */
struct software_key *keycache_get(struct keycache *cache, const struct material *material);

/* keycache_put(cache, ticket, material, key): Kept when no key changed since the ticket. */
void keycache_put(struct keycache *cache, uint64_t ticket, const struct material *material,
    struct software_key *key);

/*
 * keycache_changed, keycache_vault_changed:
 * Watchers of "v/" and "vault/": a version's document that changes, a live head or a vault that is
 * deleted.
 */
bool keycache_changed(void *cache, view key, const struct sealed *value, uint64_t revision,
    struct error *err);
bool keycache_vault_changed(void *cache, view key, const struct sealed *value, uint64_t revision,
    struct error *err);

void keycache_forget(struct keycache *cache, view vault); /* all keys of "v/<vault>/" */
size_t keycache_count(struct keycache *cache);

#endif
