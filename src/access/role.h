/*
 * Role definitions: what a role may do on the control plane (actions) and on the data plane (data
 * actions), each a pattern in which '*' stands for any text.  The built-in ones are data.
 */
#ifndef ACCESS_ROLE_H
#define ACCESS_ROLE_H

#include "base/view.h"

struct role {
	const char *id; /* the original's GUID */
	const char *name;
	const char *description;
	/* Each NULL-terminated; NULL: none. */
	const char *const *actions, *const *not_actions;
	const char *const *data_actions, *const *not_data_actions;
};

/* role_find(id): By GUID; NULL when unknown. */
const struct role *role_find(view id);
const struct role *role_find_named(view name); /* in any case */
const struct role *role_at(size_t index);      /* to list them; NULL behind the last */

/* role_allows(role, action, data): Does it allow this action, on the data or the control plane? */
bool role_allows(const struct role *role, view action, bool data);

/* action_matches(pattern, action): In any case; '*' stands for any text, '/' too. */
bool action_matches(view pattern, view action);

#endif
