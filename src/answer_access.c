/*
 * Whether the caller may: from where it comes, then what it is allowed.
 */
#include "answer_private.h"

#include "access/decide.h"
#include "access/policy.h"
#include "arm/lock.h"
#include "arm/arm.h"
#include "config.h"
#include "identity/identity.h"
#include "vault/vault.h"

#define DATA_ACTIONS "Microsoft.KeyVault/vaults/"

/*
 * Services that the installation's owner named: they pass the rules of vaults that let them.  A
 * person chooses what to sign in with, so that is no proof of anything.
 */
static bool
is_trusted(const struct request *r)
{
	const struct config_list *trusted = &r->services->config->trusted_services;

	for (size_t i = 0; !r->caller.person && i < trusted->count; i++) {
		if (view_ieq(view_of(trusted->items[i]), uuid_view(&r->caller.application)))
			return true;
	}
	return false;
}

bool
network_admit(struct request *r, struct error *err)
{
	enum network_verdict verdict;

	if (r->vault == NULL || r->op->guard == GUARD_PUBLIC)
		return true;
	verdict = network_judge(&r->vault->network, r->in->peer, is_trusted(r));
	return verdict == NETWORK_ADMITTED || deny_network(r, verdict, err);
}

/* The first word of the action says what kind of object it is about; of some, of whose. */
static view
collection_of(const struct op *op)
{
	view rest = view_of(op->action), first = view_cut(&rest, '/');

	return view_eq(first, V("keyrotationpolicies")) ? V("keys") : first;
}

/* A vault's object by its name, "<vault>/secrets/<name>", or the vault. */
static bool
data_scope(struct request *r, view *out, struct error *err)
{
	view collection = collection_of(r->op);

	*out = r->vault->scope;
	/* Issuers are no objects: nobody has a role at one. */
	if (r->param_count == 0 || view_eq(collection, V("certificatecas")))
		return true;
	return arena_join(r->arena,
		   (const view[]){ r->vault->scope, V("/"), collection, V("/"), r->params[0] }, 5,
		   out) ||
	    error_memory(err);
}

/* Ask; what decided is kept for the denial's text and for the audit log. */
static bool
decide(struct request *r, view action, bool data, struct access_decision *decision,
    struct error *err)
{
	const struct access_question question = {
		.tenant = r->caller.tenant,
		.principal = r->caller.object,
		.action = action,
		.data = data,
		.scope = r->scope,
		.attributes_pending = !data,
	};

	if (!access_decide(r->services->access, &question, decision))
		return true;
	return arena_copy(r->arena, uuid_view(&decision->assignment), &r->assignment) ||
	    error_memory(err);
}

static bool
authorize_by_roles(struct request *r, struct error *err)
{
	struct access_decision decision;
	view action;

	if (!arena_join(r->arena, (const view[]){ V(DATA_ACTIONS), view_of(r->op->action) }, 2,
		&action))
		return error_memory(err);
	return decide(r, action, true, &decision, err) &&
	    (decision.allowed || deny_data(r, action, &decision, err));
}

/* One of the two models at a time. */
static bool
authorize_data(struct request *r, struct error *err)
{
	const struct vault *vault = r->vault;

	if (!data_scope(r, &r->scope, err))
		return false;
	if (vault->rbac)
		return authorize_by_roles(r, err);
	return policies_allow(vault->policies, vault->policy_count, r->services->directory,
		   &r->caller, view_of(r->op->action), view_of(r->op->permission)) ||
	    deny_policy(r, err);
}

/* What the row is about: what stands before its extension, else its path to the last name. */
static view
row_scope(const struct request *r)
{
	view last;

	if (r->param_count == 0)
		return V("/");
	if (view_starts(view_of(r->op->path), V("{scope}/")))
		return r->params[0];
	last = r->params[r->param_count - 1];
	return (view){ r->path.ptr, (size_t)(last.ptr + last.len - r->path.ptr) };
}

static bool
authorize_scope(struct request *r, struct error *err)
{
	struct access_decision decision;

	if (!decide(r, view_of(r->op->action), false, &decision, err))
		return false;
	if (!decision.allowed)
		return access_refuse(r, view_of(r->op->action), r->scope, &decision, err);
	return locks_check(r->services->locks, r->scope, view_of(r->op->action), err);
}

static bool
authorize_administrator(struct request *r, struct error *err)
{
	bool administrator = false;

	if (!caller_is_administrator(&r->tx, &r->caller, &administrator, err))
		return false;
	return administrator ||
	    error_set(err, ERR_GRAPH_DENIED, "Insufficient privileges to complete the operation.");
}

bool
caller_authorize(struct request *r, struct error *err)
{
	if (r->plane == PLANE_MANAGEMENT && r->op->guard != GUARD_PUBLIC) {
		r->scope = row_scope(r);
		if (!subscription_check(r, err))
			return false;
	}
	switch (r->op->guard) {
	case GUARD_PUBLIC: return true;
	case GUARD_CALLER: return r->caller.known;
	case GUARD_DATA: return authorize_data(r, err);
	case GUARD_SCOPE: return authorize_scope(r, err);
	case GUARD_ADMIN: return authorize_administrator(r, err);
	case GUARD_UNSET: break;
	}
	return error_set(err, ERR_FORBIDDEN, "The operation is not available.");
}
