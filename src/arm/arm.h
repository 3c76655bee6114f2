/*
 * Resource management: what clients need to find and enter an installation: the endpoints'
 * metadata, tenants, subscriptions.
 *
 * Documents, sealed under the system key: "sub/<subscription>".
 */
#ifndef ARM_ARM_H
#define ARM_ARM_H

#include "api/request.h"

struct subscription {
	struct uuid id, tenant;
	view name;
};

MUST_USE bool subscription_create(struct tx *tx, const struct subscription *subscription,
    struct error *err);

extern const struct op metadata_ops[];
extern const struct op subscription_ops[];

#endif
