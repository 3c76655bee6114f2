/*
 * The directory's administrators: which users and service principals may change it.  Their own
 * documents say so; "t/<tenant>/administrators" lists them, so that there is always one.
 */
#ifndef IDENTITY_ADMINISTRATORS_H
#define IDENTITY_ADMINISTRATORS_H

#include "identity/object_store.h"

#define ADMINISTRATORS_MAX 500

struct administrators {
	size_t count;
	struct uuid ids[ADMINISTRATORS_MAX];
};

/* administrators_read(tx, tenant, use, out, err): Object ids. */
MUST_USE bool administrators_read(struct tx *tx, const struct uuid *tenant, enum store_use use,
    struct administrators *out, struct error *err);

/* administrators_add: ERR_GRAPH_BAD_REQUEST: too many.  The object's document is the caller's. */
MUST_USE bool administrators_add(struct tx *tx, const struct uuid *tenant,
    const struct uuid *object, struct error *err);

/*
 * administrators_leave(tx, tenant, object, keep, err):
 * One is not an administrator any more or, with ${keep}, can't be one for now (disabled).
 * ERR_GRAPH_BAD_REQUEST when nobody else is left.  Who is none: nothing happens.
 */
MUST_USE bool administrators_leave(struct tx *tx, const struct uuid *tenant,
    const struct uuid *object, bool keep, struct error *err);

#endif
