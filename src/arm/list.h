/*
 * Lists of resources, in pages: a range of the store, less what is not asked for and what the
 * caller may not see.  A page costs the same however much there is.
 */
#ifndef ARM_LIST_H
#define ARM_LIST_H

#include "arm/resource.h"

#define LIST_PAGE 100      /* items a page has that nobody asked for */
#define LIST_PAGE_MAX 1000 /* and at most, whatever $top says */

struct list {
	view prefix;                      /* of the store's keys */
	view scope;                       /* where the caller must have a role, or below it */
	const struct resource_type *type; /* NULL: any */
	view name;                        /* of the only one wanted, in any case; empty: any */
	const char *action;               /* to see one; NULL: its type's "/read" */
	/* NULL: all; decides on a resource that is otherwise to be shown. */
	bool (*wanted)(const void *ctx, const struct resource *resource);
	const void *ctx;
	/* NULL: resource_show. */
	void (*write)(struct json *json, const struct resource *resource);
};

/*
 * list_run(r, list, err):
 * Reply with a page: {"value": [...], "nextLink": "..."}.  Minds `$top` and `$skiptoken`.
 * ERR_AUTHORIZATION_FAILED for a caller without any role at, above or below the scope.  A row that
 * runs this is COST_POOL: much may be looked at.
 */
MUST_USE bool list_run(struct request *r, const struct list *list, struct error *err);

/*
 * list_admit(r, list, err):
 * Only that last check, before anything tells a stranger what is there.
 */
MUST_USE bool list_admit(struct request *r, const struct list *list, struct error *err);

/* caller_may(r, action, scope): The guard's question, about another scope than the row's. */
bool caller_may(const struct request *r, view action, view scope);

#endif
