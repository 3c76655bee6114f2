/*
 * Principals: whoever a role can be given to.  The directory keeps all of them in memory, with the
 * groups they are in, brought up to date by every commit before it is acknowledged.
 */
#ifndef IDENTITY_PRINCIPAL_H
#define IDENTITY_PRINCIPAL_H

#include "api/request.h"

enum principal_kind {
	PRINCIPAL_NONE,
	PRINCIPAL_USER,
	PRINCIPAL_GROUP,
	PRINCIPAL_APPLICATION, /* an application's service principal */
	PRINCIPAL_IDENTITY,    /* a managed identity's service principal */
};

struct principal {
	enum principal_kind kind;
	struct uuid object, tenant;
	struct uuid application; /* of the last two kinds */
	bool enabled;            /* a disabled one is refused everywhere, at once */
};

/* directory_principal(directory, object, out): From memory; any thread.  False: there is none. */
bool directory_principal(struct directory *directory, const struct uuid *object,
    struct principal *out);

/* What assignments and Graph call it: "User", "Group", "ServicePrincipal". */
const char *principal_type(enum principal_kind kind);

#define MEMBERSHIPS_MAX 1024

/* A principal and every group it is in, directly or through groups; the principal itself first. */
struct memberships {
	bool whole; /* false: there were more; who decides then has to refuse */
	size_t count;
	struct uuid ids[MEMBERSHIPS_MAX];
};

/* directory_memberships(directory, object, out): From memory; any thread; cycles do no harm. */
void directory_memberships(struct directory *directory, const struct uuid *object,
    struct memberships *out);

/*
 * principal_name(tx, object, out, err):
 * How it is shown: a user's sign-in name, an application's or group's display name, in tx->arena.
 * Empty when there is none.
 */
MUST_USE bool principal_name(struct tx *tx, const struct uuid *object, view *out,
    struct error *err);

#define MEMBERSHIPS_DIRECT_MAX 1000 /* groups that a principal is directly in */

/*
 * principal_groups(directory, object, out, count):
 * The groups it is directly in, at most MEMBERSHIPS_DIRECT_MAX.  From memory; any thread.
 */
void principal_groups(struct directory *directory, const struct uuid *object,
    struct uuid out[MEMBERSHIPS_DIRECT_MAX], size_t *count);

size_t principal_group_count(struct directory *directory, const struct uuid *object);

/* principal_leave(directory, tx, object, err): Out of all groups, because it is deleted. */
MUST_USE bool principal_leave(struct directory *directory, struct tx *tx, const struct uuid *object,
    struct error *err);

#endif
