/*
 * Deleted vaults: kept whole, out of the data plane's reach, until they are recovered or purged.
 *
 * Documents, sealed under the system key:
 *	dvault/<name>			everything there is to restore; holds the name, too
 *	dvaults/<subscription>/<name>	finds those of a subscription
 * What is in the vault stays where it is: "v/<vault id>/".
 */
#ifndef VAULT_DELETED_H
#define VAULT_DELETED_H

#include "vault/vault.h"

struct deleted_vault {
	struct vault vault; /* as it was, with its scope and key */
	view resource;      /* what resource management kept of it: its own encoding */
	int64_t deleted, purge;
};

/* All live in tx->arena.  _take: to change it, as tx_take; _get: to show it. */
MUST_USE bool deleted_vault_get(struct tx *tx, view name, struct deleted_vault *out, bool *found,
    struct error *err);
MUST_USE bool deleted_vault_take(struct tx *tx, view name, struct deleted_vault *out, bool *found,
    struct error *err);

/*
 * deleted_vaults_list(tx, subscription, after, limit, out, count, err):
 * The names (in lower case) of the subscription's deleted vaults behind ${after}, in order; at most
 * ${limit}.
 */
MUST_USE bool deleted_vaults_list(struct tx *tx, const struct uuid *subscription, view after,
    size_t limit, view **out, size_t *count, struct error *err);

/*
 * vault_delete(tx, vault, resource, err):
 * Move a vault (from vault_take) away: the data plane knows it no more as soon as this is
 * committed.  Its purge is scheduled for the end of its retention.
 */
MUST_USE bool vault_delete(struct tx *tx, const struct vault *vault, view resource,
    struct error *err);

/* vault_recover(tx, deleted, err): Put it back as it was: same id, same key, same contents. */
MUST_USE bool vault_recover(struct tx *tx, const struct deleted_vault *deleted, struct error *err);

/*
 * vault_purge(tx, deleted, now, err):
 * Destroy it: its key goes with this commit, so the server can read nothing in it any more (of the
 * disk, see THREATS.md); what is left of its documents is swept up later.  ERR_PURGE_PROTECTED
 * before the end of a protected vault's retention.
 */
MUST_USE bool vault_purge(struct tx *tx, const struct deleted_vault *deleted, int64_t now,
    struct error *err);

#endif
