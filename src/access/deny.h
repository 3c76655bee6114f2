/*
 * Deny assignments: what principals may not do at a scope and below, whatever they were granted.
 */
#ifndef ACCESS_DENY_H
#define ACCESS_DENY_H

#include "access/access.h"

#define DENY_PRINCIPALS_MAX 100 /* also of those excluded */
#define DENIES_MAX 2000         /* in the installation */
#define DENIES_AT_SCOPE_MAX 50

/* As a principal: everybody in the tenant. */
#define EVERYONE "00000000-0000-0000-0000-000000000000"

struct deny_principal {
	struct uuid id;
	const char *type; /* "User", "Group", "ServicePrincipal", "SystemDefined" */
};

/* All texts end with a NUL; lists of patterns are as in struct role. */
struct deny {
	struct uuid name, tenant;
	const char *scope; /* as it was written */
	const char *title, *description;
	struct permissions permissions; /* what is denied */
	const struct deny_principal *principals, *excluded;
	size_t principal_count, excluded_count;
	bool here_only; /* not below the scope */
	int64_t created, updated;
	struct uuid created_by, updated_by;
};

/* deny_find(access, name, arena, out): A copy, in ${arena}.  False when there is none. */
bool deny_find(struct access *access, const struct uuid *name, struct arena *arena,
    struct deny *out);

struct deny_page {
	struct deny *items;
	size_t count;
	view next;
};

/* denies_page: As assignments_page, without principals. */
MUST_USE bool denies_page(struct access *access, const struct assignment_query *query, view after,
    size_t limit, struct arena *arena, struct deny_page *out, struct error *err);

/* deny_limit(access, tenant, scope, err): May there be one more there? */
MUST_USE bool deny_limit(struct access *access, const struct uuid *tenant, view scope,
    struct error *err);

/* deny_put(tx, deny, present, err): ${present}: one of that name is there already. */
MUST_USE bool deny_put(struct tx *tx, const struct deny *deny, bool present, struct error *err);
MUST_USE bool deny_delete(struct tx *tx, const struct deny *deny, struct error *err);

/* The document, without its name. */
MUST_USE bool deny_decode(view name, view document, struct arena *arena, struct deny *out,
    struct error *err);

/* deny_copy: Deep, into ${arena}. */
bool deny_copy(const struct deny *from, struct arena *arena, struct deny *out);

bool deny_forbids(const struct deny *deny, view action, bool data);

#endif
