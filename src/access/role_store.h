/*
 * Custom roles: kept per tenant, found by id, held by the index.
 */
#ifndef ACCESS_ROLE_STORE_H
#define ACCESS_ROLE_STORE_H

#include "access/access.h"

#define CUSTOM_ROLES_MAX 5000 /* in the installation */
#define ROLE_PATTERNS_MAX 500 /* of each kind */
#define ROLE_SCOPES_MAX 100
#define ROLE_ACTION_MAX 256 /* bytes of a pattern */

/* role_get(access, tenant, id, arena, out): Built in, or a copy of the tenant's own. */
bool role_get(struct access *access, const struct uuid *tenant, view id, struct arena *arena,
    struct role *out);

/* role_named(access, tenant, name, except): Has another role of the tenant this name? */
bool role_named(struct access *access, const struct uuid *tenant, view name, view except);

/* role_assignable(role, scope): Built-in ones are everywhere. */
bool role_assignable(const struct role *role, view scope);

/* role_assigned_outside(access, role): Is it assigned where its scopes don't reach any more? */
bool role_assigned_outside(struct access *access, const struct role *role);
bool role_assigned(struct access *access, const struct uuid *tenant, const struct uuid *id);
size_t roles_count(struct access *access); /* of custom ones */

struct role_page {
	struct role *items;
	size_t count;
	view next;
};

/* roles_page: Copies of the tenant's custom ones, by id, behind ${after}. */
MUST_USE bool roles_page(struct access *access, const struct uuid *tenant, view after, size_t limit,
    struct arena *arena, struct role_page *out, struct error *err);

/* role_put(tx, role, present, err): ${present}: one of that id is there already. */
MUST_USE bool role_put(struct tx *tx, const struct role *role, bool present, struct error *err);
MUST_USE bool role_delete(struct tx *tx, const struct role *role, struct error *err);

MUST_USE bool role_decode(view name, view document, struct arena *arena, struct role *out,
    struct error *err);

#endif
