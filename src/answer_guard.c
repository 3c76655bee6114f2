#include "answer_private.h"

#include "access/decide.h"
#include "identity/identity.h"
#include "vault/vault.h"

#define DATA_ACTIONS "Microsoft.KeyVault/vaults/"

/* What each plane calls a missing and a bad token, and its audience: "https://<label>.<domain>". */
static const struct plane_identity {
	const char *label;
	enum error_code missing, bad;
	const char *missing_text;
} identities[] = {
	[PLANE_VAULT] = { "vault", ERR_UNAUTHORIZED, ERR_UNAUTHORIZED,
	    "AKV10000: Request is missing a Bearer or PoP token." },
	[PLANE_MANAGEMENT] = { "management", ERR_AUTHENTICATION_FAILED, ERR_INVALID_TOKEN,
	    "Authentication failed. The 'Authorization' header is missing." },
	[PLANE_GRAPH] = { "graph", ERR_INVALID_TOKEN, ERR_INVALID_TOKEN, "Access token is empty." },
};

/* The vault's tenant; without a vault, the one clients would sign in to. */
static bool
challenge_tenant(const struct request *r, struct uuid *out)
{
	if (r->vault == NULL)
		return directory_home_tenant(r->services->directory, out);
	*out = r->vault->tenant;
	return true;
}

static void
challenge(struct request *r)
{
	struct uuid tenant;
	view value;
	bool fine;

	if (!challenge_tenant(r, &tenant))
		return;
	if (r->plane == PLANE_VAULT)
		fine = arena_print(r->arena, &value,
		    "Bearer authorization=\"https://login.%.*s/%s\", "
		    "resource=\"https://vault.%.*s\"",
		    VIEW_ARG(r->domain), tenant.text, VIEW_ARG(r->domain));
	else
		fine = arena_print(r->arena, &value,
		    "Bearer authorization_uri=\"https://login.%.*s/%s\", "
		    "error=\"invalid_token\", error_description=\"The authentication failed "
		    "because of missing 'Authorization' header.\"",
		    VIEW_ARG(r->domain), tenant.text);
	if (fine)
		reply_field(r, "WWW-Authenticate", value);
}

static bool
bearer_token(const struct request *r, view *out)
{
	view field = http_field(r->in, V("Authorization"));

	if (!view_istarts(field, V("Bearer ")))
		return false;
	*out = view_trim(view_from(field, sizeof("Bearer ") - 1));
	return out->len > 0;
}

/* A vault serves its own tenant only. */
static bool
check_tenant(const struct request *r, struct error *err)
{
	if (r->vault == NULL || view_eq(uuid_view(&r->caller.tenant), uuid_view(&r->vault->tenant)))
		return true;
	return error_set(err, ERR_UNAUTHORIZED,
	    "AKV10032: Invalid issuer. Expected one of https://login.%.*s/%s/, found %s.",
	    VIEW_ARG(r->domain), r->vault->tenant.text, r->caller.issuer);
}

static bool
verify_token(struct request *r, const struct plane_identity *identity, view token,
    struct error *err)
{
	view audience;
	const view parts[] = { V("https://"), view_of(identity->label), V("."), r->domain };

	if (!arena_join(r->arena, parts, COUNT_OF(parts), &audience))
		return error_memory(err);
	if (!token_authenticate(r->services->directory, http_loop_index(r->exchange->loop), token,
		audience, &r->caller, err) ||
	    !check_tenant(r, err)) {
		r->caller.known = false;
		if (err->code == ERR_UNAUTHORIZED)
			err->code = identity->bad;
		return false;
	}
	return true;
}

bool
caller_authenticate(struct request *r, struct error *err)
{
	const struct plane_identity *identity = &identities[r->plane];
	view token;

	if (r->plane == PLANE_NONE || r->plane == PLANE_LOGIN ||
	    (r->op != NULL && r->op->guard == GUARD_PUBLIC))
		return true;
	if (!bearer_token(r, &token)) {
		challenge(r);
		return error_set(err, identity->missing, "%s", identity->missing_text);
	}
	if (verify_token(r, identity, token, err))
		return true;
	if (error_table[err->code].status == 401)
		challenge(r);
	return false;
}

bool
vault_require(const struct request *r, struct error *err)
{
	if (r->plane != PLANE_VAULT || r->vault != NULL || r->op->guard == GUARD_PUBLIC)
		return true;
	return error_set(err, ERR_VAULT_NOT_FOUND, "There is no vault at this address.");
}

static bool
vault_version(struct request *r, view text, struct error *err)
{
	if (text.len == 0)
		return error_set(err, ERR_BAD_PARAMETER, "api-version must be specified");
	r->version = api_version_find(text);
	if (r->version != NULL)
		return true;
	return error_set(err, ERR_BAD_PARAMETER,
	    "The specified version (%.*s) is not recognized. Consider using the latest supported "
	    "version (%s).",
	    VIEW_ARG(text), api_version_newest()->name);
}

/* "2022-04-01", "2022-04-01-preview" and other suffixes of letters, digits and dots. */
static bool
date_shaped(view text)
{
	static const view shape = V_INIT("0000-00-00");

	if (text.len < shape.len || text.len > 40)
		return false;
	for (size_t i = 0; i < shape.len; i++) {
		bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';

		if (shape.ptr[i] == '-' ? text.ptr[i] != '-' : !digit)
			return false;
	}
	return text.len == shape.len || text.ptr[shape.len] == '-';
}

static bool
arm_version(view text, struct error *err)
{
	if (text.len == 0)
		return error_set(err, ERR_MISSING_API_VERSION,
		    "The api-version query parameter (?api-version=) is required for all "
		    "requests.");
	if (!date_shaped(text))
		return error_set(err, ERR_INVALID_API_VERSION, "The api-version '%.*s' is invalid.",
		    VIEW_ARG(text));
	return true;
}

bool
version_check(struct request *r, struct error *err)
{
	view text;

	if (r->op->versioning == VERSION_NONE)
		return true;
	if (!request_query(r, "api-version", &text))
		text = V("");
	return r->op->versioning == VERSION_VAULT ? vault_version(r, text, err)
						  : arm_version(text, err);
}

/* A vault's object by its name, "<vault>/secrets/<name>", or the vault. */
static bool
data_scope(struct request *r, view *out, struct error *err)
{
	view rest = view_of(r->op->action), collection = view_cut(&rest, '/');

	*out = r->vault->scope;
	if (r->param_count == 0)
		return true;
	return arena_join(r->arena,
		   (const view[]){ r->vault->scope, V("/"), collection, V("/"), r->params[0] }, 5,
		   out) ||
	    error_memory(err);
}

/* The resource as the original prints it: these words in lower case, the rest as it was written. */
static bool
printed_resource(struct request *r, view *out)
{
	return arena_print(r->arena, out,
	    "/subscriptions/%s/resourcegroups/%.*s/providers/microsoft.keyvault/vaults/%.*s%.*s",
	    r->vault->subscription.text, VIEW_ARG(r->vault->resource_group),
	    VIEW_ARG(r->vault->name), VIEW_ARG(view_from(r->scope, r->vault->scope.len)));
}

/* Reference of the data plane, section 5.3. */
static bool
deny_data(struct request *r, view action, const struct access_decision *decision, struct error *err)
{
	bool denied = decision->reason == ACCESS_DENIED;
	view resource;

	if (!printed_resource(r, &resource))
		return error_memory(err);
	return error_set(err, ERR_FORBIDDEN_BY_RBAC,
	    "Caller is not authorized to perform action on resource.\r\n"
	    "If role assignments, deny assignments or role definitions were changed recently, "
	    "please observe propagation time.\r\n"
	    "Caller: appid=%s;oid=%s;iss=%s\r\n"
	    "Action: '%.*s'\r\n"
	    "Resource: '%.*s'\r\n"
	    "Assignment: (not found)\r\n"
	    "DenyAssignmentId: %s%s%s\r\n"
	    "DecisionReason: null\r\n"
	    "Vault: %.*s;location=%.*s\r\n",
	    r->caller.application.text, r->caller.object.text, r->caller.issuer, VIEW_ARG(action),
	    VIEW_ARG(resource), denied ? "'" : "", denied ? decision->deny.text : "null",
	    denied ? "'" : "", VIEW_ARG(r->vault->name), VIEW_ARG(r->vault->location));
}

static bool
may(struct request *r, view action, bool data, struct access_decision *decision, struct error *err)
{
	const struct access_question question = {
		.tenant = r->caller.tenant,
		.principal = r->caller.object,
		.action = action,
		.data = data,
		.scope = r->scope,
		/* The rows that this lets further ask again, once they have read the body. */
		.attributes_pending = !data,
	};

	if (!access_decide(r->services->access, &question, decision))
		return false;
	return arena_copy(r->arena, uuid_view(&decision->assignment), &r->assignment) ||
	    error_memory(err);
}

static bool
authorize_data(struct request *r, struct error *err)
{
	struct access_decision decision;
	view action;

	if (!data_scope(r, &r->scope, err))
		return false;
	if (!arena_join(r->arena, (const view[]){ V(DATA_ACTIONS), view_of(r->op->action) }, 2,
		&action))
		return error_memory(err);
	return may(r, action, true, &decision, err) || deny_data(r, action, &decision, err);
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
	view action = view_of(r->op->action);

	r->scope = row_scope(r);
	return may(r, action, false, &decision, err) ||
	    access_refuse(r, action, r->scope, &decision, err);
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
