/*
 * A transaction: sealed documents read at one snapshot, changes collected, committed at once by
 * whoever owns it.  What was read to be changed (tx_take) is expected to be unchanged at the
 * commit; a commit that fails with ERR_STORE_CONFLICT is run again from the start.
 */
#ifndef KEYRING_TX_H
#define KEYRING_TX_H

#include "base/arena.h"
#include "base/buf.h"
#include "keyring/keyring.h"
#include "store/store.h"

struct tx {
	struct store_reader *reader; /* between store_begin and store_end */
	struct keyring *keyring;
	struct arena *arena; /* everything the changes point to */
	struct change *changes;
	size_t count, size;
};

/*
 * tx_get(tx, key, path, out, err):
 * Read the document at ${path}, sealed under ${key}; NULL in ${out} when it is absent.  The caller
 * frees ${out}.
 */
MUST_USE bool tx_get(struct tx *tx, struct vault_key *key, view path, struct plain **out,
    struct error *err);

/* tx_take: As tx_get, and the commit is refused if the document changes (or appears) until then. */
MUST_USE bool tx_take(struct tx *tx, struct vault_key *key, view path, struct plain **out,
    struct error *err);

MUST_USE bool tx_put(struct tx *tx, struct vault_key *key, view path, const struct buf *document,
    struct error *err);
MUST_USE bool tx_delete(struct tx *tx, view path, struct error *err);

/* tx_change(tx, change, err): Add a change made elsewhere; its views must live in tx->arena. */
MUST_USE bool tx_change(struct tx *tx, struct change change, struct error *err);

/*
 * tx_commit(tx, store, journal, err):
 * Commit, with the ${journal} line if it is not empty, and wait; for start-up and jobs, not on an
 * event loop.
 */
MUST_USE bool tx_commit(struct tx *tx, struct store *store, view journal, struct error *err);

/* tx_reset(tx): Forget the changes, to run again. */
void tx_reset(struct tx *tx);

#endif
