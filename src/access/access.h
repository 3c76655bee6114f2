/*
 * Who may do what where: role assignments, custom roles and deny assignments, in memory.  A change
 * counts from the next request on: the index is brought up to date by the commit itself, before it
 * is acknowledged.  The decision over them is decide.h.
 *
 * Documents, sealed under the system key: "a/<assignment name>", "role/<tenant>/<role>",
 * "deny/<deny assignment name>".  Of arm's "sub/<subscription>" the tenant is read.
 */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "access/role.h"
#include "access/scope.h"
#include "api/op.h"
#include "api/request.h"

struct access;

/* Across the installation: what is in memory has to be bounded. */
#define ASSIGNMENTS_MAX 200000

struct assignment {
	struct uuid name, principal;
	struct uuid tenant; /* of who made it: it holds only there */
	struct uuid role;   /* the definition's id */
	view scope;         /* as it was written; compared in any case */
	view principal_type;
	view condition, description; /* empty: none */
	int64_t created, updated;    /* Unix seconds */
	struct uuid created_by, updated_by;
};

/*
 * access_open(store, keyring, directory, home, out, err):
 * Load everything and watch the store for changes.  ${directory} says who is in which group.
 * ${home} is the tenant of the assignments from before they carried one.
 */
MUST_USE bool access_open(struct store *store, struct keyring *keyring, struct directory *directory,
    const struct uuid *home, struct access **out, struct error *err);
void access_close(struct access *access); /* NULL is fine */

/*
 * access_reaches(access, tenant, principal, scope):
 * Has ${principal}, itself or through a group, any role at, above or below ${scope}?
 */
bool access_reaches(struct access *access, const struct uuid *tenant, const struct uuid *principal,
    view scope);

/* The same principal, role and scope, whatever their names. */
bool assignment_same(const struct assignment *a, const struct assignment *b);
bool access_has(struct access *access, const struct assignment *wanted);
size_t access_count(struct access *access); /* assignments there are */

/*
 * assignment_put, assignment_update, assignment_delete(tx, ...):
 * Add the change: a new one, another condition or description of one, its end.
 * ERR_STORE_CONFLICT when the store is ahead of the index that was asked: run again.
 */
MUST_USE bool assignment_put(struct tx *tx, const struct assignment *assignment, struct error *err);
MUST_USE bool assignment_update(struct tx *tx, const struct assignment *assignment,
    struct error *err);
MUST_USE bool assignment_delete(struct tx *tx, const struct assignment *assignment,
    struct error *err);

/* assignment_find(access, name, arena, out): A copy, in ${arena}. False when there is none. */
bool assignment_find(struct access *access, const struct uuid *name, struct arena *arena,
    struct assignment *out);

/* What a list is asked for: what holds at a scope and, unless ${at_scope}, what is below it. */
struct assignment_query {
	struct uuid tenant;
	view scope;
	bool at_scope;                /* not those below */
	bool not_above;               /* only those at the scope and below */
	const struct uuid *principal; /* NULL: anybody's */
	bool groups;                  /* those of the principal's groups, too */
};

/*
 * assignments_page(access, query, after, limit, arena, out, err):
 * Copies of the first ${limit} behind the marker ${after} (empty: from the first).  ${next} is the
 * next page's marker; empty when there is nothing more.  Costs what it returns.
 */
struct assignment_page {
	struct assignment *items;
	size_t count;
	view next;
};
MUST_USE bool assignments_page(struct access *access, const struct assignment_query *query,
    view after, size_t limit, struct arena *arena, struct assignment_page *out, struct error *err);

/* subscription_tenant(access, subscription, out): False when there is no such subscription. */
bool subscription_tenant(struct access *access, view subscription, struct uuid *out);

extern const struct op assignment_ops[];
extern const struct op role_ops[];
extern const struct op deny_ops[];

#endif
