/*
 * How many connections an address has open, so that one client cannot take all there are.  IPv6
 * clients are counted by their /64, which is what one of them is given.  For all loops: locked.
 */
#ifndef HTTP_CROWD_H
#define HTTP_CROWD_H

#include "base/address.h"
#include "base/attr.h"

struct crowd;

MUST_USE struct crowd *crowd_new(unsigned most); /* of one address; NULL without memory */
void crowd_free(struct crowd *crowd);            /* NULL is fine */

/* crowd_enter(crowd, address): One more; false when there are too many, or there's no memory. */
MUST_USE bool crowd_enter(struct crowd *crowd, const struct address *address);
void crowd_leave(struct crowd *crowd, const struct address *address); /* one that has entered */

#endif
