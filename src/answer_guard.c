#include "answer_private.h"

#include "arm/provider.h"
#include "identity/identity.h"
#include "identity/principal.h"
#include "vault/vault.h"

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
		audience, r->vault == NULL ? NULL : &r->vault->tenant, &r->caller, err) ||
	    !check_tenant(r, err)) {
		if (err->code == ERR_UNAUTHORIZED)
			err->code = identity->bad;
		return false;
	}
	return true;
}

/* A token outlives its principal by up to an hour; what it may be used for does not. */
static bool
check_principal(struct request *r, const struct plane_identity *identity, struct error *err)
{
	struct principal principal;

	if (directory_principal(r->services->directory, &r->caller.object, &principal) &&
	    principal.enabled &&
	    view_eq(uuid_view(&principal.tenant), uuid_view(&r->caller.tenant)))
		return true;
	return error_set(err, identity->bad, "The token's principal is gone or disabled.");
}

/* Always false. */
static bool
refuse_caller(struct request *r, const struct error *err)
{
	r->caller.known = false;
	if (error_table[err->code].status == 401)
		challenge(r);
	return false;
}

bool
caller_require(struct request *r, struct error *err)
{
	if (!r->caller.known)
		return true;
	return (check_tenant(r, err) && check_principal(r, &identities[r->plane], err)) ||
	    refuse_caller(r, err);
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
	return (verify_token(r, identity, token, err) && check_principal(r, identity, err)) ||
	    refuse_caller(r, err);
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
arm_version(const struct request *r, view text, struct error *err)
{
	if (text.len == 0)
		return error_set(err, ERR_MISSING_API_VERSION,
		    "The api-version query parameter (?api-version=) is required for all "
		    "requests.");
	if (!date_shaped(text))
		return error_set(err, ERR_INVALID_API_VERSION, "The api-version '%.*s' is invalid.",
		    VIEW_ARG(text));
	return provider_version_check(r, text, err);
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
						  : arm_version(r, text, err);
}
