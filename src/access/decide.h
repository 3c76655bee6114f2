/*
 * The decision: may this caller do this action at this scope?  One function, which every guard and
 * every report asks, so that what is explained is what is enforced.
 *
 * The rules: of the caller and the groups it is in, directly or through others, every assignment at
 * the scope or above it counts whose role allows the action and whose conditions, the role's and
 * its own, hold.  A deny assignment that covers the scope, the action and the caller wins over them
 * all; it can be ended by whoever was given the right to above it.  Everything counts in its own
 * tenant only: a grant at "/" does not reach into a subscription of another tenant, nor into one
 * that does not exist.
 */
#ifndef ACCESS_DECIDE_H
#define ACCESS_DECIDE_H

#include "access/access.h"
#include "identity/principal.h"

#define ASSIGNMENT_WRITE "Microsoft.Authorization/roleAssignments/write"
#define ASSIGNMENT_DELETE "Microsoft.Authorization/roleAssignments/delete"
#define DENY_DELETE "Microsoft.Authorization/denyAssignments/delete"

struct access_question {
	struct uuid tenant, principal; /* the caller's tid and oid */
	view action;                   /* its whole name */
	bool data;                     /* a data action */
	view scope;                    /* "/" is the caller's own tenant's root */
	/*
	 * What conditions may look at beyond principal, scope and action: attributes of the
	 * request, "Microsoft.Authorization/roleAssignments:PrincipalId" -> value; may be empty.
	 */
	const struct access_attribute *attributes;
	size_t attribute_count;
	/*
	 * The request's body has not been read yet.  For the two actions above, and no other, a
	 * condition that could still hold once it is, counts as holding: their rows ask again, with
	 * the attributes.  Only for the guard.
	 */
	bool attributes_pending;
};

struct access_attribute {
	view source; /* "Request", "Resource", "Environment" */
	view name, value;
};

enum access_reason {
	ACCESS_NO_ASSIGNMENT,
	ACCESS_ASSIGNED,
	ACCESS_DENIED,    /* a deny assignment */
	ACCESS_CONDITION, /* assignments there are, but their conditions do not hold */
	ACCESS_UNDECIDED, /* more groups than can be looked at: refused */
};

struct access_decision {
	bool allowed;
	enum access_reason reason;
	struct uuid assignment; /* that allows it, or whose condition failed; else empty */
	struct uuid deny;       /* the deny assignment; else empty */
	struct uuid through;    /* the group that has the assignment; empty when it is direct */
};

/*
 * access_decide(access, question, out):
 * Any thread; out->allowed is returned, too.  Allocates nothing, and costs look-ups by the levels
 * of the scope and the caller's groups, however many assignments there are.
 */
bool access_decide(struct access *access, const struct access_question *question,
    struct access_decision *out);

/* access_decide_among: The same for a principal whose groups are known. */
bool access_decide_among(struct access *access, const struct access_question *question,
    const struct memberships *who, struct access_decision *out);

/*
 * access_refuse(r, action, scope, decision, err):
 * Resource management's refusal in the original's words; always false.
 */
bool access_refuse(struct request *r, view action, view scope,
    const struct access_decision *decision, struct error *err);

/* access_reason_name(reason): "Assigned", "NoAssignment" ... */
const char *access_reason_name(enum access_reason reason);

#endif
