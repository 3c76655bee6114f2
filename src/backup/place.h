/*
 * The data folder that a backup is restored to.
 *
 * From when it is taken until all is in its place, the file `root.key.restoring` marks it: nobody
 * serves it, and what else is there is a restore's.  The root keys are written to that file, which
 * gets its own name last: so what makes the folder whole takes the mark away, in one step.
 */
#ifndef BACKUP_PLACE_H
#define BACKUP_PLACE_H

#include "backup/stage.h"

struct place {
	const char *data; /* the caller's */
	int folder;       /* locked: one restore at a time; -1: none */
	bool made, marked;
};

/*
 * place_take(data, out, err):
 * Make it, or take an empty one, and mark it.  What a restore that was killed has left is removed
 * before.  ERR_CONFLICT: there is something in it, or another restore is under way.
 */
MUST_USE bool place_take(const char *data, struct place *out, struct error *err);

/* place_put(place, stage, err): Move what is in ${stage} there, from the same disk; durable. */
MUST_USE bool place_put(struct place *place, const struct stage *stage, struct error *err);

void place_done(struct place *place); /* taken, and nothing was put there: it is as before */

#endif
