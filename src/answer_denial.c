/*
 * What a caller is told who may not: the original's texts (reference of the data plane, section
 * 5.3), with what it takes to mend it and nothing about what is behind the door.
 */
#include "answer_private.h"

#include "access/policy.h"
#include "identity/principal.h"
#include "vault/vault.h"

/* "name=ada@example.org;appid=…;oid=…;iss=…"; in front of the issuer stands ${more}. */
static bool
caller_text(struct request *r, view more, view *out, struct error *err)
{
	const struct caller *caller = &r->caller;

	return arena_print(r->arena, out, "%s%s%sappid=%s;oid=%s;%.*siss=%s",
		   caller->person ? "name=" : "", caller->upn, caller->person ? ";" : "",
		   caller->application.text, caller->object.text, VIEW_ARG(more), caller->issuer) ||
	    error_memory(err);
}

/* The resource as the original prints it: these words in lower case, the rest as it was written. */
static bool
printed_resource(struct request *r, view *out, struct error *err)
{
	return arena_print(r->arena, out,
		   "/subscriptions/%s/resourcegroups/%.*s/providers/microsoft.keyvault/vaults/%.*s%.*s",
		   r->vault->subscription.text, VIEW_ARG(r->vault->resource_group),
		   VIEW_ARG(r->vault->name), VIEW_ARG(view_from(r->scope, r->vault->scope.len))) ||
	    error_memory(err);
}

/* An assignment whose condition failed is named; one that denies, too. */
bool
deny_data(struct request *r, view action, const struct access_decision *decision, struct error *err)
{
	bool conditional = decision->reason == ACCESS_CONDITION;
	bool denied = decision->reason == ACCESS_DENIED;
	view resource, caller;

	if (!printed_resource(r, &resource, err) || !caller_text(r, V(""), &caller, err))
		return false;
	return error_set(err, ERR_FORBIDDEN_BY_RBAC,
	    "Caller is not authorized to perform action on resource.\r\n"
	    "If role assignments, deny assignments or role definitions were changed recently, "
	    "please observe propagation time.\r\n"
	    "Caller: %.*s\r\n"
	    "Action: '%.*s'\r\n"
	    "Resource: '%.*s'\r\n"
	    "Assignment: %s\r\n"
	    "DenyAssignmentId: %s\r\n"
	    "DecisionReason: %s\r\n"
	    "Vault: %.*s;location=%.*s\r\n",
	    VIEW_ARG(caller), VIEW_ARG(action), VIEW_ARG(resource),
	    conditional ? decision->assignment.text : "(not found)",
	    denied ? decision->deny.text : "null",
	    denied            ? "'DeniedByDenyAssignment'"
		: conditional ? "'DeniedByCondition'"
			      : "null",
	    VIEW_ARG(r->vault->name), VIEW_ARG(r->vault->location));
}

bool
deny_policy(struct request *r, struct error *err)
{
	struct memberships *groups = arena_alloc(r->arena, sizeof(*groups));
	view kind = V(""), permission = V(""), caller, more;

	if (groups == NULL)
		return error_memory(err);
	(void)policy_need(view_of(r->op->action), view_of(r->op->permission), &kind, &permission);
	directory_memberships(r->services->directory, &r->caller.object, groups);
	if (!arena_print(r->arena, &more, "numgroups=%zu;", groups->count - 1) ||
	    !caller_text(r, more, &caller, err))
		return error_memory(err);
	return error_set(err, ERR_FORBIDDEN_BY_POLICY,
	    "The user, group or application '%.*s' does not have %.*s %.*s permission on key "
	    "vault '%.*s;location=%.*s'. For help resolving this issue, please see "
	    "https://go.microsoft.com/fwlink/?linkid=2125287",
	    VIEW_ARG(caller), VIEW_ARG(kind), VIEW_ARG(permission), VIEW_ARG(r->vault->name),
	    VIEW_ARG(r->vault->location));
}

bool
deny_network(struct request *r, enum network_verdict verdict, struct error *err)
{
	view caller;

	if (!caller_text(r, V(""), &caller, err))
		return false;
	if (verdict == NETWORK_CONNECTION)
		return error_set(err, ERR_FORBIDDEN_BY_CONNECTION,
		    "Public network access is disabled and request is not from a trusted service "
		    "nor via an approved private link.\r\nCaller: %.*s\r\n"
		    "Vault: %.*s;location=%.*s",
		    VIEW_ARG(caller), VIEW_ARG(r->vault->name), VIEW_ARG(r->vault->location));
	return error_set(err, ERR_FORBIDDEN_BY_FIREWALL,
	    "Client address is not authorized and caller is not a trusted service.\r\n"
	    "Client address: %.*s\r\nCaller: %.*s\r\nVault: %.*s;location=%.*s",
	    VIEW_ARG(r->in->peer), VIEW_ARG(caller), VIEW_ARG(r->vault->name),
	    VIEW_ARG(r->vault->location));
}
