/*
 * Guessing credentials gets slow.  Ten failures in a row of one client from one address lock that
 * pair for a minute, each further one for twice as long, up to a quarter of an hour.  An address
 * with a hundred failures within ten minutes is locked for the rest of them, except for the clients
 * that have signed in from there before: behind one address may stand a whole company.
 *
 * IPv6 addresses count by their first 64 bits, which is what one customer gets.  Bounded; safe from
 * any thread.  ${now} is monotonic, in seconds.
 */
#ifndef IDENTITY_LOCKOUT_H
#define IDENTITY_LOCKOUT_H

#include "base/attr.h"
#include "base/view.h"

struct lockout;

MUST_USE struct lockout *lockout_new(void); /* NULL without memory */
void lockout_free(struct lockout *lockout); /* NULL is fine */

/* lockout_allows(lockout, client, address, now): May this client try from there? */
MUST_USE bool lockout_allows(struct lockout *lockout, view client, view address, int64_t now);
void lockout_failed(struct lockout *lockout, view client, view address, int64_t now);
void lockout_passed(struct lockout *lockout, view client, view address, int64_t now);

/*
 * lockout_address(address, out):
 * What an address counts as, and how many bytes that takes: an IPv4 address itself, the first half
 * of an IPv6 one; 0 for what is none.
 */
size_t lockout_address(view address, unsigned char out[16]);

#endif
