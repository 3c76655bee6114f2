/*
 * Locks (Microsoft.Authorization/locks): at a subscription, a group or a resource, against
 * deletion or against any change of what is there and below.  They hold on the management plane
 * only, as in the original.  Kept in memory, for the guard.
 *
 * Documents, sealed under the system key: "lock<scope in lower case>/<name in lower case>".
 */
#ifndef ARM_LOCK_H
#define ARM_LOCK_H

#include "api/request.h"

struct locks;

/* locks_open(store, keyring, out, err): Load all and watch the store for changes. */
MUST_USE bool locks_open(struct store *store, struct keyring *keyring, struct locks **out,
    struct error *err);
void locks_close(struct locks *locks); /* NULL is fine */

/*
 * locks_check(locks, scope, action, err):
 * For the guard, after it authorised: may ${action} ("Microsoft.KeyVault/vaults/delete") be done at
 * ${scope}, as far as locks go?  A deletion is also held up by locks below.  ERR_SCOPE_LOCKED names
 * the locked scopes.  Any thread.
 */
MUST_USE bool locks_check(struct locks *locks, view scope, view action, struct error *err);

#endif
