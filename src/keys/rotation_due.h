/*
 * What the scheduler does with keys: rotating them, and announcing that they expire.
 */
#ifndef KEYS_ROTATION_DUE_H
#define KEYS_ROTATION_DUE_H

#include "keys/rotation.h"

/*
 * rotation_prepare(services, due, arena, out, err):
 * Make the new key, outside of any transaction: it takes its time.  NULL in ${out} when there is
 * nothing to be made.  That it can't be made now is no error: rotation_run puts it off.
 */
MUST_USE bool rotation_prepare(const struct services *services, const struct due *due,
    struct arena *arena, void **out, struct error *err);

/*
 * rotation_run(services, tx, due, prepared, now, done, err):
 * Add the version, if all is as it was when the key was made; else leave it.  What can't be done
 * now, because the vault is deleted or the key could not be made, is due again an hour later.
 */
MUST_USE bool rotation_run(const struct services *services, struct tx *tx, const struct due *due,
    void *prepared, int64_t now, struct due_done *done, struct error *err);

/* rotation_announce(...): Tell, once for each version and expiry; by the same rules. */
MUST_USE bool rotation_announce(const struct services *services, struct tx *tx,
    const struct due *due, void *prepared, int64_t now, struct due_done *done, struct error *err);

#endif
