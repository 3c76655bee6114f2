/*
 * The documents of groups, "t/<tenant>/group/<object id>", and of memberships, one each:
 * "member/<group>/<member>", so that a large group costs nothing to change.  A membership counts
 * as long as both exist: those of a deleted group may be left behind.
 */
#ifndef IDENTITY_GROUP_STORE_H
#define IDENTITY_GROUP_STORE_H

#include "identity/object_store.h"

/* Views borrow from the document. */
struct security_group {
	struct uuid tenant, object;
	view name, nickname;
	view description; /* "" */
	bool mail_enabled, security_enabled;
	int64_t created; /* Unix seconds */
};

/* security_group_get: By object id; ERR_GRAPH_NOT_FOUND.  The caller frees ${document}. */
MUST_USE bool security_group_get(struct tx *tx, const struct uuid *object, enum store_use use,
    struct plain **document, struct security_group *out, struct error *err);
MUST_USE bool security_group_add(struct tx *tx, const struct security_group *group,
    struct error *err);
MUST_USE bool security_group_put(struct tx *tx, const struct security_group *group,
    struct error *err);

/* security_group_delete: With as many of its memberships as fit into a commit. */
MUST_USE bool security_group_delete(struct tx *tx, const struct security_group *group,
    struct error *err);

/* security_group_walk: As registration_walk, by object id. */
typedef bool security_group_visit(void *ctx, const struct security_group *group);
MUST_USE bool security_group_walk(struct tx *tx, const struct uuid *tenant, view after,
    size_t limit, security_group_visit *visit, void *ctx, bool *end, struct error *err);

/* membership_has: Whether it is one, directly. */
MUST_USE bool membership_has(struct tx *tx, const struct uuid *group, const struct uuid *member,
    bool *out, struct error *err);

/* membership_add: Both must exist when it is committed, or the commit is refused. */
MUST_USE bool membership_add(struct tx *tx, const struct uuid *group, const struct uuid *member,
    struct error *err);
MUST_USE bool membership_delete(struct tx *tx, const struct uuid *group, const struct uuid *member,
    struct error *err);

/* membership_list: At most ${limit} members behind the object id ${after}; in tx->arena. */
MUST_USE bool membership_list(struct tx *tx, const struct uuid *group, view after, size_t limit,
    struct uuid **out, size_t *count, struct error *err);

/* membership_parse(name, group, member): "<group>/<member>" */
bool membership_parse(view name, struct uuid *group, struct uuid *member);

#endif
