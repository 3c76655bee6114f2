/*
 * Client assertions that were used, until they expire, so that one that was overheard is worth
 * nothing elsewhere (RFC 7523, section 3, item 7).  The clients' libraries do use an assertion
 * again, for as long as it lives, when they need a token for another resource: so it belongs to
 * whoever used it first, known by address.  A client may have one address of each family and come
 * from either.
 *
 * Bounded: when it is full, the one that expires first is forgotten.  Safe from any thread.
 */
#ifndef IDENTITY_REPLAY_H
#define IDENTITY_REPLAY_H

#include "base/attr.h"
#include "base/view.h"

struct replay;

MUST_USE struct replay *replay_new(void); /* NULL without memory */
void replay_free(struct replay *replay);  /* NULL is fine */

/*
 * replay_admit(replay, id, expires, address, ipv6, now):
 * Note that the assertion named ${id} was used from ${address}; false when it belongs to another.
 */
MUST_USE bool replay_admit(struct replay *replay, view id, int64_t expires, view address, bool ipv6,
    int64_t now);

#endif
