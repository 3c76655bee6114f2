/*
 * The authority's rows.  {tenant} is a tenant's id, or "adfs", "common" or "organizations", which
 * mean the home tenant; clients take an authority named "adfs" without asking anybody else for it.
 */
#include "identity/oidc.h"
#include "identity/sts_grant.h"

#include "base/clock.h"
#include "identity/jwt.h"
#include "identity/token_issue.h"

static bool
resolve(struct request *r, struct uuid *out, struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return directory_resolve(r->services->directory, r->params[0], out, NULL) ||
	    error_set(err, ERR_STS_UNKNOWN_TENANT,
		"AADSTS90002: Tenant '%s' not found. Check to make sure you have the correct "
		"tenant ID and are signing into the correct cloud.",
		printable(r->params[0], text));
}

static bool
written(const struct request *r, struct error *err)
{
	return buf_ok(&r->out->body) || error_memory(err);
}

static bool
configuration(struct request *r, enum oidc_flavour flavour, struct error *err)
{
	struct oidc_place place = {
		.flavour = view_ieq(r->params[0], V("adfs")) ? OIDC_ADFS : flavour,
		.authority = r->authority,
		.domain = r->domain,
		.issuer = view_of(r->services->directory->issuer),
	};

	if (!resolve(r, &place.tenant, err))
		return false;
	oidc_configuration(&place, reply_json(r));
	return written(r, err);
}

static bool
configuration_v1(struct request *r, struct error *err)
{
	return configuration(r, OIDC_V1, err);
}

static bool
configuration_v2(struct request *r, struct error *err)
{
	return configuration(r, OIDC_V2, err);
}

static bool
keys(struct request *r, struct error *err)
{
	struct uuid tenant;

	if (!resolve(r, &tenant, err))
		return false;
	oidc_keys(r->services->directory, &tenant, reply_json(r));
	return written(r, err);
}

static bool
instance(struct request *r, struct error *err)
{
	view endpoint = V(""), version = V("");

	(void)request_query(r, "authorization_endpoint", &endpoint);
	(void)request_query(r, "api-version", &version);
	return oidc_instance(r->services->directory, r->authority, endpoint, version, reply_json(r),
		   err) &&
	    written(r, err);
}

static bool
realm(struct request *r, struct error *err)
{
	if (!utf8_valid(r->params[1]))
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS90014: The user's name is not valid.");
	oidc_realm(r->authority, r->params[1], reply_json(r));
	return written(r, err);
}

/*
 * No client_info, even when a client asks for it: it names the user of a token, and here is none.
 * MSAL for Python files a token under it, and never finds an application's token there again.
 */
static void
write_token(struct request *r, const struct sts_form *form, view token)
{
	struct json *json = reply_json(r);
	int64_t now = clock_wall();

	json_open(json, '{');
	json_text(json, "token_type", V("Bearer"));
	if (form->v1) {
		/* Version 1 writes its numbers as texts. */
		json_text(json, "expires_in", V("3599"));
		json_text(json, "ext_expires_in", V("3599"));
		json_text_open(json, "expires_on");
		buf_add_u64(json->out, (uint64_t)now + TOKEN_SECONDS - 1);
		json_text_close(json);
		json_text_open(json, "not_before");
		buf_add_u64(json->out, (uint64_t)now);
		json_text_close(json);
		json_text(json, "resource", form->resource);
	} else {
		json_number(json, "expires_in", TOKEN_SECONDS - 1);
		json_number(json, "ext_expires_in", TOKEN_SECONDS - 1);
	}
	json_text(json, "access_token", token);
	json_close(json, '}');
}

static bool
token(struct request *r, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	const struct sts_place place = {
		.tenant = r->params[0],
		.authority = r->authority,
		.domain = r->domain,
		.peer = r->in->peer,
		.peer_ipv6 = r->in->peer_ipv6,
	};
	struct sts_form form;

	if (!sts_form_read(r, &form, err) ||
	    !sts_grant(r->services->directory, &r->tx, &place, &form, &r->caller, &text, err))
		return false;
	write_token(r, &form, buf_view(&text));
	return written(r, err);
}

#define STS_ROW(row_name, row_method, row_path, row_cost, row_run)                     \
	{                                                                              \
		.name = (row_name), .plane = PLANE_LOGIN, .method = (row_method),      \
		.path = (row_path), .guard = GUARD_PUBLIC, .versioning = VERSION_NONE, \
		.cost = (row_cost), .run = (row_run)                                   \
	}
#define DISCOVERY(path, run) STS_ROW("SignIn.Discovery", HTTP_GET, path, COST_LOOP, run)
#define TOKEN(path) STS_ROW("SignIn.Token", HTTP_POST, path, COST_POOL, token)

const struct op sts_ops[] = {
	DISCOVERY("/{tenant}/.well-known/openid-configuration", configuration_v1),
	DISCOVERY("/{tenant}/v2.0/.well-known/openid-configuration", configuration_v2),
	DISCOVERY("/{tenant}/discovery/keys", keys),
	DISCOVERY("/{tenant}/discovery/v2.0/keys", keys),
	DISCOVERY("/{tenant}/discovery/instance", instance),
	DISCOVERY("/{tenant}/userrealm/{user}", realm),
	TOKEN("/{tenant}/oauth2/token"),
	TOKEN("/{tenant}/oauth2/v2.0/token"),
	{ .name = NULL },
};
