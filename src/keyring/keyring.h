/*
 * The keyring: the only place that holds key material.  Its calls are message-shaped (seal, open,
 * sign ...), so that it can live in a process of its own.
 *
 * A root key wraps one random key per vault; documents are sealed under the vault's key with their
 * store key as additional data, so rows can't be swapped.  The installation's own documents
 * (tenants, roles ...) have a key of the same kind, named "system".  The wrapped keys lie in the
 * store under "k/<id>".
 */
#ifndef KEYRING_KEYRING_H
#define KEYRING_KEYRING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/plain.h"
#include "base/watch.h"
#include "crypto/publickey.h"
#include "keyring/provider.h"
#include "store/store.h"

struct keyring;
struct token;
struct vault_key; /* a name for one key; valid as long as the keyring */

/*
 * keyring_open(store, provider, out, err):
 * Take the root key from ${provider} (owned by the keyring from here on, also on failure), make the
 * system key when there is none, and load the vault keys' index.  The store outlives the keyring.
 * ERR_UNAVAILABLE when the root key does not open the store's keys.
 */
MUST_USE bool keyring_open(struct store *store, struct root_provider *provider,
    struct keyring **out, struct error *err);
void keyring_close(struct keyring *keyring); /* wipes; NULL is fine */

/* keyring_set_token(keyring, token): Before the first request; ${token} stays its owner's. */
void keyring_set_token(struct keyring *keyring, struct token *token);
bool keyring_has_token(const struct keyring *keyring);

struct vault_key *keyring_system(struct keyring *keyring);

/* keyring_key(keyring, id, out, err): The vault key of that name; ERR_CORRUPT: there is none. */
MUST_USE bool keyring_key(struct keyring *keyring, view id, struct vault_key **out,
    struct error *err);

/*
 * keyring_new_key(keyring, id, arena, out, err):
 * Make a vault key: ${out} is the change that has to be committed with the vault's own document,
 * within KEYRING_NEW_KEY_SECONDS (a rekey waits so long for it).  The key can be used at once (to
 * seal the documents of the same commit).  Asked again before it is committed, as when the
 * transaction is run again, the key is the same; ERR_CONFLICT once it is in the store.
 */
#define KEYRING_NEW_KEY_SECONDS 30
MUST_USE bool keyring_new_key(struct keyring *keyring, view id, struct arena *arena,
    struct change *out, struct error *err);

/*
 * keyring_forget(keyring, id):
 * Wipe a vault's key from memory, once the delete of "k/<id>" is committed (or the vault was not
 * made after all).  Handles stay valid, but seal and open nothing any more: ERR_STORE_CONFLICT, as
 * for whoever still looks at a snapshot from before.
 */
void keyring_forget(struct keyring *keyring, view id);

/*
 * keyring_seal(key, plain, aad, arena, out, err):
 * Seal; ${out} lies in ${arena}.  Safe from any thread.
 */
MUST_USE bool keyring_seal(struct vault_key *key, view plain, view aad, struct arena *arena,
    struct sealed *out, struct error *err);

/*
 * keyring_unseal(key, sealed, aad, out, err):
 * Open what keyring_seal made; the caller frees ${out}.  ERR_CORRUPT when it was tampered with, or
 * belongs elsewhere.
 */
MUST_USE bool keyring_unseal(struct vault_key *key, const struct sealed *sealed, view aad,
    struct plain **out, struct error *err);

/*
 * Backups leave the vault and may come back to another one of the same subscription and geography:
 * sealed under a key derived for that ${binding} from the installation's backup key.  What was not
 * sealed for this ${binding} is ERR_MALFORMED_BACKUP.
 */
MUST_USE bool keyring_seal_backup(struct keyring *keyring, view binding, view plain,
    struct buf *out, struct error *err);
MUST_USE bool keyring_unseal_backup(struct keyring *keyring, view binding, view sealed,
    struct plain **out, struct error *err);

/* A MAC under a key of the keyring, for tokens that come back to us (skip tokens, form state). */
MUST_USE bool keyring_mac(struct keyring *keyring, view purpose, view message, uint8_t out[32],
    struct error *err);

/*
 * Signing keys: made here, kept sealed by whoever owns the document, used here.  ${name} is bound
 * in as additional data.  ${private_key} is for the store, ${spki} is public.
 */
enum signing_kind { SIGNING_RSA_2048, SIGNING_P256 };
struct signing_key;

MUST_USE bool keyring_new_signing_key(struct keyring *keyring, enum signing_kind kind, view name,
    struct arena *arena, struct sealed *private_key, view *spki, struct error *err);
MUST_USE bool keyring_load_signing_key(struct keyring *keyring, view name,
    const struct sealed *private_key, struct signing_key **out, struct error *err);
void signing_key_free(struct signing_key *key); /* NULL is fine */

/*
 * signing_key_sign(key, alg, message, out, err):
 * Append a signature as JWS has it: RS256 or PS256 for RSA; ES256 (r || s) for P-256.  Any thread.
 */
MUST_USE bool signing_key_sign(struct signing_key *key, enum signature_alg alg, view message,
    struct buf *out, struct error *err);

/*
 * keyring_rekey(keyring, watch, err):
 * Rotate the root key: make a new one in the provider, rewrap every vault key under it in one
 * commit, drop the old one.  A crash at any point leaves a store that opens, and the next rekey
 * finishes what it left.  ${watch} is told of each ("wrapping", keys).  Blocks: not on an event
 * loop.
 */
MUST_USE bool keyring_rekey(struct keyring *keyring, const struct watch *watch, struct error *err);

#endif
