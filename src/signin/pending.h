/*
 * What waits for a person or a client to come back with a code: kept in memory under a random text,
 * for a time.  Bounded, and an address can fill no more than its share: what it puts gives way to
 * what it puts later.  Safe from any thread.  Times are monotonic, in seconds.
 */
#ifndef SIGNIN_PENDING_H
#define SIGNIN_PENDING_H

#include "base/arena.h"
#include "base/error.h"

#define PENDING_TEXT_LEN 43                  /* base64url of 32 bytes */
#define PENDING_BYTES_MAX ((size_t)8 * 1024) /* of one entry */
#define PENDING_ALIAS_MAX 15

struct pending;

MUST_USE struct pending *pending_new(int64_t seconds); /* how long entries last; NULL: no memory */
void pending_free(struct pending *pending);            /* wipes; NULL is fine */

struct pending_item {
	view address; /* who put it */
	view alias;   /* another name that people can type; empty: none */
	view bytes;   /* copied */
};

/* pending_put(pending, item, now, text, err): ${text} gets the name, with a NUL. */
MUST_USE bool pending_put(struct pending *pending, const struct pending_item *item, int64_t now,
    char text[PENDING_TEXT_LEN + 1], struct error *err);

enum pending_verdict {
	PENDING_ABSENT, /* never there, or expired, or pushed out */
	PENDING_HERE,
	PENDING_SPENT, /* it was spent before */
};

/* pending_get(pending, text, now, arena, out): A copy.  Absent, too, when there is no memory. */
enum pending_verdict pending_get(struct pending *pending, view text, int64_t now,
    struct arena *arena, view *out);

/* pending_spend: The same, and it is spent: only the first gets PENDING_HERE. */
enum pending_verdict pending_spend(struct pending *pending, view text, int64_t now,
    struct arena *arena, view *out);

/* pending_find: As pending_get, by the alias; PENDING_ABSENT also when it is spent. */
enum pending_verdict pending_find(struct pending *pending, view alias, int64_t now,
    struct arena *arena, view *out);

/* pending_change: Other bytes in the one with that alias; false when it is gone or spent. */
MUST_USE bool pending_change(struct pending *pending, view alias, view bytes, int64_t now);

/* pending_rest: Seconds since this was last asked of it; very many the first time. */
int64_t pending_rest(struct pending *pending, view text, int64_t now);

#endif
