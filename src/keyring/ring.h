/*
 * What the files of keyring/ share of a keyring.
 *
 * Vault keys are looked up in the store when they are first asked for, by a reader of the keyring's
 * own: a server with ten thousand vaults starts as fast as an empty one.
 */
#ifndef KEYRING_RING_H
#define KEYRING_RING_H

#include "base/map.h"
#include "keyring/keycache.h"
#include "keyring/keyring.h"
#include "keyring/token.h"
#include "keyring/vault_key.h"

#define SYSTEM_KEY "system"
#define BACKUP_KEY "backup"

/* Taken in this order: rekeying, lock, keys_lock; the cache's own inside any of them. */
struct keyring {
	struct store *store;

	pthread_mutex_t rekeying; /* one at a time */

	pthread_mutex_t lock; /* the provider, the reader, and changes of the map */
	struct root_provider provider;
	struct store_reader *reader;
	struct vault_key *forgotten;

	pthread_rwlock_t keys_lock;
	struct map *keys; /* vault_key by id */

	struct vault_key *system, *backup;
	struct keycache *keycache;
	struct token *token;   /* NULL: there is none; its owner's */
	int64_t new_key_nanos; /* how long a rekey waits for a new key's commit */
};

/*
 * A wrapped vault key, as it lies in the store: a format byte (1), then what the provider made,
 * which starts with the id of the root key.  ${path}, the row's key, is bound in.  Both are called
 * with keyring->lock held.
 */
MUST_USE bool ring_wrap(struct keyring *keyring, view path, const struct plain *bytes,
    struct arena *arena, struct sealed *out, struct error *err);
MUST_USE bool ring_unwrap(struct keyring *keyring, view path, const struct sealed *value,
    struct plain **out, struct error *err);

/* ring_root_id(value): The root key that ${value} is wrapped under; empty when it is malformed. */
view ring_root_id(const struct sealed *value);

/* ring_path(id, arena, out, err): "k/<id>"; ERR_CORRUPT for what can't be an id. */
MUST_USE bool ring_path(view id, struct arena *arena, view *out, struct error *err);

#endif
