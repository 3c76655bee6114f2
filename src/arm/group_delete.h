/* How a resource group goes. */
#ifndef ARM_GROUP_DELETE_H
#define ARM_GROUP_DELETE_H

#include "arm/resource.h"

/*
 * group_delete(r, group, err):
 * With everything in it, if that fits in one commit: 200.  Else 202, and the rest is the job's;
 * `Location` says when it is through.
 */
MUST_USE bool group_delete(struct request *r, const struct resource *group, struct error *err);

op_run operation_result; /* what `Location` points to */

#endif
