/*
 * Role definitions: what a role may do on the control plane (actions) and on the data plane (data
 * actions).  The built-in ones are data.
 */
#ifndef ACCESS_ROLE_H
#define ACCESS_ROLE_H

#include "access/permissions.h"
#include "base/uuid.h"
#include "base/view.h"

/* What only custom roles have. */
struct role_custom {
	struct uuid tenant;        /* nobody else sees it */
	const char *const *scopes; /* where it can be assigned, and below; NULL-terminated */
	int64_t created, updated;  /* Unix seconds */
	struct uuid created_by, updated_by;
};

struct role {
	const char *id; /* the original's GUID */
	const char *name;
	const char *description;
	struct permissions permissions;
	const char *condition;            /* NULL: none */
	const struct role_custom *custom; /* NULL: built in */
};

/* role_find(id): A built-in one, by GUID; NULL when unknown. */
const struct role *role_find(view id);
const struct role *role_find_named(view name); /* in any case */
const struct role *role_at(size_t index);      /* to list them; NULL behind the last */

struct uuid role_id(const struct role *role);

/* role_allows(role, action, data): Does it allow this action, on the data or the control plane? */
bool role_allows(const struct role *role, view action, bool data);

#endif
