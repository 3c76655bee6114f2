/*
 * Refresh tokens.  One sign-in makes a family; every use of its token gives the next one.  Only a
 * digest of the newest is kept, and how those of the last minute lead to it:
 *
 *	next = HMAC-SHA256(key: the one before, a random number)
 *
 * so that processes which share one token file and come at the same time all end up with the same
 * token, while neither the store nor anybody who did not hold the one before can make it.  An older
 * one was copied: its family is void from then on.
 *
 * Documents: "t/<tenant>/refresh/<user>/<family>".
 */
#ifndef SIGNIN_REFRESH_H
#define SIGNIN_REFRESH_H

#include "base/uuid.h"
#include "keyring/tx.h"

#define REFRESH_GRACE ((int64_t)60)        /* seconds */
#define REFRESH_IDLE ((int64_t)14 * 86400) /* without use */
#define REFRESH_LIFE ((int64_t)90 * 86400) /* at all */
#define REFRESH_FAMILIES_MAX 50            /* of one user; the oldest gives way */

struct directory;

/* A family; "<family>" sorts by when it was made. */
struct refresh_name {
	struct uuid tenant, user;
	char family[HEX16_LEN + 1];
};

struct refresh_facts {
	struct uuid client;
	int64_t sessions; /* the user's sessions_started when they signed in */
	int64_t created;  /* Unix seconds; refresh_begin sets it */
	view resource;    /* what the first token was for */
	bool proven;      /* the client proved itself with a credential */
};

/*
 * refresh_begin(tx, name, facts, now, token, err):
 * Start a family, of which there must be none of that name, and append its first token.
 */
MUST_USE bool refresh_begin(struct tx *tx, const struct refresh_name *name,
    const struct refresh_facts *facts, int64_t now, struct buf *token, struct error *err);

enum refresh_verdict {
	REFRESH_UNKNOWN, /* no such family: never, or long ago */
	REFRESH_FINE,
	REFRESH_EXPIRED,
	REFRESH_REVOKED,
	REFRESH_REUSED, /* just noticed: the caller has to commit, so that the family ends */
};

struct refresh_use {
	struct refresh_name name;
	struct refresh_facts facts; /* of all verdicts but REFRESH_UNKNOWN; in tx->arena */
	view next;                  /* REFRESH_FINE: the token from here on; in tx->arena */
};

/* refresh_use(tx, tenant, token, now, out, verdict, err): Use a token, and make the next. */
MUST_USE bool refresh_use(struct tx *tx, const struct uuid *tenant, view token, int64_t now,
    struct refresh_use *out, enum refresh_verdict *verdict, struct error *err);

/* refresh_revoke: End a family, also one whose first token is just being committed. */
MUST_USE bool refresh_revoke(struct tx *tx, const struct refresh_name *name, int64_t now,
    struct error *err);

/*
 * refresh_sweep(directory, now, err):
 * For the scheduler, once an hour or so: remove families that have expired at ${now} (Unix
 * seconds).  Commits by itself, in portions.
 */
MUST_USE bool refresh_sweep(struct directory *directory, int64_t now, struct error *err);

#endif
