/*
 * Who may do what where: role assignments and the decision over them.  An assignment at a scope
 * holds for everything below it.  A change counts from the next request on: the index is brought up
 * to date by the commit itself, before it is acknowledged.
 *
 * Documents, sealed under the system key: "a/<assignment name>".
 */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "access/role.h"
#include "api/op.h"
#include "api/request.h"

struct access;

struct assignment {
	struct uuid name, principal;
	const struct role *role;
	view scope; /* as it was written; compared in any case */
	view principal_type;
	int64_t created;
	struct uuid created_by;
};

/* access_open(store, keyring, out, err): Load the assignments and watch the store for changes. */
MUST_USE bool access_open(struct store *store, struct keyring *keyring, struct access **out,
    struct error *err);
void access_close(struct access *access); /* NULL is fine */

/*
 * access_check(access, principal, action, data, scope, assignment):
 * May ${principal} do ${action} (its whole name) at ${scope}?  ${assignment} is the one that allows
 * it; it may be NULL.  Any thread.
 */
bool access_check(struct access *access, const struct uuid *principal, view action, bool data,
    view scope, struct uuid *assignment);

/*
 * access_reaches(access, principal, scope): Has ${principal} any role at, above or below
 * ${scope}?
 */
bool access_reaches(struct access *access, const struct uuid *principal, view scope);

/* The same principal, role and scope, whatever their names. */
bool assignment_same(const struct assignment *a, const struct assignment *b);
bool access_has(struct access *access, const struct assignment *wanted);

/*
 * assignment_put, assignment_delete(tx, ...):
 * Add the change.  ERR_STORE_CONFLICT when the store is ahead of the index that was asked: run
 * again.
 */
MUST_USE bool assignment_put(struct tx *tx, const struct assignment *assignment, struct error *err);
MUST_USE bool assignment_delete(struct tx *tx, const struct assignment *assignment,
    struct error *err);

/* assignment_find(access, name, arena, out): A copy, in ${arena}. False when there is none. */
bool assignment_find(struct access *access, const struct uuid *name, struct arena *arena,
    struct assignment *out);

/*
 * assignments_list(access, filter, ctx, arena, out, count, err):
 * Copies of those for which ${filter} is true.
 */
typedef bool assignment_filter(const struct assignment *assignment, const void *ctx);
MUST_USE bool assignments_list(struct access *access, assignment_filter *filter, const void *ctx,
    struct arena *arena, struct assignment **out, size_t *count, struct error *err);

/* scope_contains(outer, inner): ${inner} is ${outer} or below it; in any case; "/" holds all. */
bool scope_contains(view outer, view inner);

extern const struct op assignment_ops[];

#endif
