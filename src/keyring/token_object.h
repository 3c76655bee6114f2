/*
 * Which objects in the token are whose, so that none stays in it when its key is purged, or was
 * made and not kept.  Documents, sealed under the system key:
 *	hsm/<vault>/<object>/<id>	belongs to a version of that object
 *	hsm-drop/<id>			is to be destroyed from a time on
 * One that is being made is to be destroyed in an hour, until the commit that keeps it takes that
 * back; it is written down before it is made, so nothing is left over wherever the process stops.
 */
#ifndef KEYRING_TOKEN_OBJECT_H
#define KEYRING_TOKEN_OBJECT_H

#include "keyring/tx.h"

#include <stdatomic.h>

/*
 * token_object_announce(keyring, id, revision, err):
 * It will be made.  Waits for a commit of its own; ${revision} is for token_object_keep.
 */
MUST_USE bool token_object_announce(struct keyring *keyring, view id, uint64_t *revision,
    struct error *err);

/*
 * token_object_keep(tx, vault, object, id, revision, err):
 * With the commit of the version that it is of, which is refused when that comes so late that it
 * may have been destroyed.
 */
MUST_USE bool token_object_keep(struct tx *tx, view vault, view object, view id, uint64_t revision,
    struct error *err);

/*
 * token_object_release(tx, vault, object, limit, more, err):
 * With the purge of an object, or (${object} empty) of a vault: what belongs to it is to be
 * destroyed, at most ${limit} of them in this commit; ${more}: there may be others.
 */
MUST_USE bool token_object_release(struct tx *tx, view vault, view object, size_t limit, bool *more,
    struct error *err);

/*
 * token_object_drop(tx, vault, object, id, err):
 * One that belongs to ${object} and is of no version after all: it is to be destroyed.
 */
MUST_USE bool token_object_drop(struct tx *tx, view vault, view object, view id, struct error *err);

/*
 * token_objects_destroy(keyring, stopping, err):
 * Destroy what is to be destroyed by now, until ${stopping}.  While the token is away it waits: no
 * error.  For a job: it blocks.
 */
MUST_USE bool token_objects_destroy(struct keyring *keyring, const atomic_bool *stopping,
    struct error *err);

#endif
