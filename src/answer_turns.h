/*
 * Whose turn it is: what waits stands in lines, one a vault.  The lines take turns; in each of them
 * it is first come, first served.  So a vault with much to do waits for itself, and another one for
 * one piece of it.  For one thread at a time.
 */
#ifndef ANSWER_TURNS_H
#define ANSWER_TURNS_H

#include "base/attr.h"
#include "base/error.h"
#include "base/uuid.h"

#include <stddef.h>

struct turns;

struct turns_bounds {
	size_t each; /* in one line */
	size_t all;  /* 0: as many as there are */
};

struct waiting {
	struct waiting *next;
};

MUST_USE struct turns *turns_new(const struct turns_bounds *bounds); /* NULL without memory */
void turns_free(struct turns *turns); /* when nothing waits any more; NULL is fine */

/*
 * turns_add(turns, vault, item, err):
 * ${item} is the caller's, until it is taken.  ERR_THROTTLED when the vault's line is full;
 * ERR_UNAVAILABLE when all are, though not to a vault that has nothing there: whatever others do,
 * it has one turn in the round.
 */
MUST_USE bool turns_add(struct turns *turns, const struct uuid *vault, struct waiting *item,
    struct error *err);

/* turns_take(turns): The next one; NULL: nothing waits. */
struct waiting *turns_take(struct turns *turns);

#endif
