/*
 * What the directory keeps in memory: the tenants and their signing keys, followed through the
 * store's watcher, and what must be remembered of tokens and guesses.  For the folders that make
 * and show the directory (identity, signin, graph) only.
 */
#ifndef IDENTITY_DIRECTORY_H
#define IDENTITY_DIRECTORY_H

#include "identity/identity.h"
#include "identity/issuer.h"
#include "identity/gate.h"
#include "identity/lockout.h"
#include "identity/principals.h"
#include "identity/replay.h"
#include "identity/token_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#define ISSUER_MAX 110 /* "<issuer>/<tenant>/" has to fit caller.issuer */
#define TENANT_KEYS_MAX 8
#define TOKEN_SKEW 300 /* seconds another's clock may be off */

/* A signing key; held by references, so that a removed one lives until its last use is over. */
struct token_key {
	atomic_uint holders;
	struct uuid tenant;
	view kid;  /* kid, n, e: in ->text */
	view n, e; /* base64url, for the key set */
	int64_t created;
	struct public_key *public_key;
	struct signing_key *private_key;
	struct buf text;
};

struct tenant {
	struct uuid id;
	bool known;      /* its own document was seen, not just a key of it */
	int64_t created; /* Unix nanoseconds */
	struct token_key *keys[TENANT_KEYS_MAX];
	size_t key_count;
};

struct trust;

struct directory {
	struct store *store;
	struct keyring *keyring;
	char issuer[ISSUER_MAX + 1];
	pthread_rwlock_t lock; /* guards the three below */
	struct map *tenants;   /* id -> struct tenant */
	struct map *keys;      /* kid -> struct token_key; the tenant holds it */
	const struct tenant *home;
	atomic_uint_fast64_t
	    generation;              /* rises when a key goes: cached tokens are verified anew */
	struct token_cache **caches; /* one a loop */
	unsigned loops;
	struct lockout *lockout;
	struct gate *gate; /* of who has a password checked, or hashed */
	struct replay *replay;
	struct issuers *issuers;      /* NULL until directory_federate */
	struct trust *trust;          /* trust.h */
	const char *const *attesters; /* attestation.h; NULL: none */
	struct principals *principals;
};

/*
 * directory_resolve(directory, name, out, created):
 * A tenant by its id, or the home tenant by "adfs", "common" or "organizations".  ${created} (may
 * be NULL) is Unix seconds.
 */
MUST_USE bool directory_resolve(struct directory *directory, view name, struct uuid *out,
    int64_t *created);

/* The callers release what they get; NULL when there is none. */
struct token_key *directory_hold_key(struct directory *directory, view kid);

/*
 * directory_hold_current(directory, tenant, now):
 * The key to sign with: the newest that has been published for a day, so that whoever keeps a copy
 * of the key set knows it; without such, the oldest.
 */
struct token_key *directory_hold_current(struct directory *directory, const struct uuid *tenant,
    int64_t now);
size_t directory_hold_keys(struct directory *directory, const struct uuid *tenant,
    struct token_key *out[TENANT_KEYS_MAX]);
void token_key_done(struct token_key **key); /* for AUTO; NULL inside is fine */

/* directory_rotate_at: directory_rotate_signing_keys at a given time. */
MUST_USE bool directory_rotate_at(struct directory *directory, struct tx *tx, int64_t now,
    struct error *err);

/* directory_tenants: The tenants' ids, copied into ${arena}. */
MUST_USE bool directory_tenants(struct directory *directory, struct arena *arena, struct uuid **out,
    size_t *count, struct error *err);

#endif
