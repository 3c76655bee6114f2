/*
 * Routing: from plane, method and path to a row.  Segments match in any case; a literal segment is
 * preferred to a "{name}"; "{rest...}" at the end takes all that is left.  A row whose path starts
 * with "{scope}" hangs off any resource: what stands before the last "/providers/" is the scope.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/op.h"
#include "api/request.h"

struct router;

/*
 * router_new(tables, out, err):
 * Build the tree of all rows. ERR_INTERNAL for a row without permission or with a path that
 * another one has.
 */
MUST_USE bool router_new(const struct op *const *tables, struct router **out, struct error *err);
void router_free(struct router *router); /* NULL is fine */

/*
 * router_match(router, method, r, err):
 * Set r->op and r->params from r->plane and r->path.  ERR_NOT_FOUND, or ERR_METHOD_NOT_ALLOWED when
 * another method has that path.
 */
MUST_USE bool router_match(const struct router *router, enum http_method method, struct request *r,
    struct error *err);

#endif
