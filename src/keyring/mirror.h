/*
 * A mirror: sealed documents under a prefix, opened and kept in memory by whoever asks them often
 * (vaults, role assignments, tenants).  Loaded whole at start, then brought up to date by every
 * commit before it is acknowledged: what a client was told holds from the next request on.
 */
#ifndef KEYRING_MIRROR_H
#define KEYRING_MIRROR_H

#include "keyring/keyring.h"
#include "store/store.h"

struct mirror;

/*
 * Takes over one document, or, when ${document} is NULL, drops it.  ${name} is its key without the
 * prefix.  Runs at start on the opener's thread, later on the store's writer thread; a failure at
 * start fails mirror_open, later it is a watcher's (store_watcher): called again, but for
 * ERR_CORRUPT.
 * After a failure it must hold what it held, or deny more.
 */
typedef bool mirror_update(void *ctx, view name, const view *document, struct error *err);

/*
 * mirror_open(store, keyring, prefix, update, ctx, out, err):
 * Load and watch.  ${prefix} is static text.  Before the store's first commit by another thread.
 */
MUST_USE bool mirror_open(struct store *store, struct keyring *keyring, view prefix,
    mirror_update *update, void *ctx, struct mirror **out, struct error *err);

/* mirror_close(mirror): After the store's last commit; NULL is fine. */
void mirror_close(struct mirror *mirror);

#endif
