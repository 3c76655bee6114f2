/*
 * How a refusal reads on each plane: the vaults' and resource management's envelope, Graph's, and
 * the sign-in authority's.
 */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include "api/op.h"
#include "base/buf.h"
#include "base/uuid.h"

/* refusal_write(plane, err, id, body): Append the JSON body for ${err}; ${id} names the request. */
void refusal_write(enum plane plane, const struct error *err, const struct uuid *id,
    struct buf *body);

#endif
