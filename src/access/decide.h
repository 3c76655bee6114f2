/*
 * The decision: may this caller do this action at this scope?  One function, which every guard and
 * every report asks, so that what is explained is what is enforced.
 *
 * The rules: of the caller and the groups it is in, directly or through others, every assignment at
 * the scope or above it counts whose role allows the action and whose condition, if it has one,
 * holds.  A deny assignment that covers the scope, the action and the caller wins over them all.
 */
#ifndef ACCESS_DECIDE_H
#define ACCESS_DECIDE_H

#include "access/access.h"

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

/* access_decide(access, question, out): Any thread; out->allowed is returned, too. */
bool access_decide(struct access *access, const struct access_question *question,
    struct access_decision *out);

#endif
