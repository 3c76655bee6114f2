/*
 * The operations as a client finds them, for documentation and tests.
 */
#ifndef OPS_LIST_H
#define OPS_LIST_H

#include "base/buf.h"

/* ops_list(out): Append a JSON array: name, plane, method, path, guard, action. */
void ops_list(struct buf *out);

#endif
