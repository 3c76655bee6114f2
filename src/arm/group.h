/*
 * Resource groups: resources themselves, and what the others are in.  Deleting one deletes what is
 * in it: at once when that fits in one commit, else bit by bit by a job, which a restart does not
 * disturb.
 *
 * Documents: the group's (resource.h), and while it is being deleted "gd/<its id in lower case>",
 * which says who wanted that.
 */
#ifndef ARM_GROUP_H
#define ARM_GROUP_H

#include "arm/provider.h"

/* resource_group_create(tx, subscription, name, location, by, err): At provisioning; a group of
 * that name that is there stays as it is. */
MUST_USE bool resource_group_create(struct tx *tx, const struct uuid *subscription, view name,
    view location, const struct caller *by, struct error *err);

/* groups_finish(services, err): The job: go on with every deletion that is under way. Blocks. */
MUST_USE bool groups_finish(const struct services *services, struct error *err);

extern const struct provider resources_provider; /* Microsoft.Resources */

#endif
