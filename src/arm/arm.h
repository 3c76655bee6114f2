/*
 * Resource management: what clients need to find and enter an installation: the endpoints'
 * metadata, tenants, subscriptions; and all rows of this folder.
 *
 * Documents, sealed under the system key: "sub/<subscription>", "alias/<tenant>/<name>" (by which a
 * subscription was made).
 */
#ifndef ARM_ARM_H
#define ARM_ARM_H

#include "api/request.h"

struct subscriptions;

struct subscription {
	struct uuid id, tenant;
	view name;
};

/* subscription_create(tx, subscription, err): Write it, new or changed. */
MUST_USE bool subscription_create(struct tx *tx, const struct subscription *subscription,
    struct error *err);

/* subscriptions_open(store, keyring, out, err): Load all and watch the store for changes. */
MUST_USE bool subscriptions_open(struct store *store, struct keyring *keyring,
    struct subscriptions **out, struct error *err);
void subscriptions_close(struct subscriptions *subscriptions); /* NULL is fine */

/* subscriptions_find(subscriptions, id, arena, out): A copy in ${arena}. Any thread. */
bool subscriptions_find(struct subscriptions *subscriptions, const struct uuid *id,
    struct arena *arena, struct subscription *out);

/* subscriptions_list(subscriptions, tenant, arena, out, count, err): Of a tenant, by id. */
MUST_USE bool subscriptions_list(struct subscriptions *subscriptions, const struct uuid *tenant,
    struct arena *arena, struct subscription **out, size_t *count, struct error *err);

/*
 * subscription_check(r, err):
 * For the guard, before it authorises: the subscription that r->path names is there, and of the
 * caller's tenant.  True when the path names none.  ERR_SUBSCRIPTION_INVALID,
 * ERR_SUBSCRIPTION_NOT_FOUND, ERR_INVALID_TOKEN_TENANT.
 */
MUST_USE bool subscription_check(struct request *r, struct error *err);

extern const struct op metadata_ops[];
extern const struct op subscription_ops[];
extern const struct op alias_ops[];
extern const struct op group_ops[];
extern const struct op location_ops[];
extern const struct op resources_ops[];
extern const struct op provider_ops[];
extern const struct op lock_ops[];
extern const struct op explain_ops[];
extern const struct op tags_ops[];

#endif
