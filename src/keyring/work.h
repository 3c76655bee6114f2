/*
 * A unit of work outside a request: one transaction over a fresh snapshot, committed when its
 * function is done, and run again from the start when it lost a race.
 */
#ifndef KEYRING_WORK_H
#define KEYRING_WORK_H

#include "keyring/tx.h"

/* Fills ${tx}; ${journal} may be set to a line for the commit, in tx->arena. */
typedef bool work_body(void *ctx, struct tx *tx, view *journal, struct error *err);

/* work_run(store, keyring, body, ctx, err): Blocks until it is durable. Not on an event loop. */
MUST_USE bool work_run(struct store *store, struct keyring *keyring, work_body *body, void *ctx,
    struct error *err);

#endif
