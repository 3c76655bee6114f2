/*
 * A unit of work outside a request: one transaction over a fresh snapshot, committed when its
 * function is done, and run again from the start when it lost a race; or one that only reads.
 */
#ifndef KEYRING_WORK_H
#define KEYRING_WORK_H

#include "keyring/tx.h"

/* Fills ${tx}; ${journal} may be set to a line for the commit, in tx->arena. */
typedef bool work_body(void *ctx, struct tx *tx, view *journal, struct error *err);

/* work_run(store, keyring, body, ctx, err): Blocks until it is durable. Not on an event loop. */
MUST_USE bool work_run(struct store *store, struct keyring *keyring, work_body *body, void *ctx,
    struct error *err);

/*
 * reading_begin(store, keyring, arena, out, err):
 * A transaction over a fresh snapshot to look around in, out->tx, until reading_done; what is read
 * may lie in ${arena}.  Changes to it are lost.
 */
struct reading {
	struct store_reader *reader;
	struct tx tx;
};
MUST_USE bool reading_begin(struct store *store, struct keyring *keyring, struct arena *arena,
    struct reading *out, struct error *err);
void reading_done(struct reading *reading); /* for AUTO; one that did not begin is fine */

#endif
