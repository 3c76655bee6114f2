/*
 * Vaults' documents: their keys in the store and their encoding.  Private to vault/.
 */
#ifndef VAULT_VAULT_STORE_H
#define VAULT_VAULT_STORE_H

#include "vault/vault.h"

#define VAULT_PREFIX "vault/"
#define DELETED_PREFIX "dvault/"

/* tx_get or tx_take */
typedef bool document_read(struct tx *tx, struct vault_key *key, view path, struct plain **out,
    struct error *err);

/* vault_path(arena, prefix, name, out, err): ${prefix} and the name in lower case. */
MUST_USE bool vault_path(struct arena *arena, const char *prefix, view name, view *out,
    struct error *err);

/* vault_document(tx, prefix, name, read, out, found, err): Its document there, in the arena. */
MUST_USE bool vault_document(struct tx *tx, const char *prefix, view name, document_read *read,
    view *out, bool *found, struct error *err);

void vault_encode(const struct vault *vault, struct buf *out);

/*
 * vault_decode(document, arena, out, err):
 * Texts borrow from ${document}, lists lie in ${arena}; the scope and the key are left empty.
 */
MUST_USE bool vault_decode(view document, struct arena *arena, struct vault *out,
    struct error *err);

/* vault_scope(vault, arena, err): Fill in the scope, in both spellings. */
MUST_USE bool vault_scope(struct vault *vault, struct arena *arena, struct error *err);

/*
 * vault_open_key(tx, vault, err):
 * Fill in the key of a vault that was read.  ERR_STORE_CONFLICT: it was purged since the snapshot.
 */
MUST_USE bool vault_open_key(struct tx *tx, struct vault *vault, struct error *err);

#endif
