/*
 * The authority's rows.  {tenant} is a tenant's id, or "adfs", "common" or "organizations", which
 * mean the home tenant; clients take an authority named "adfs" without asking anybody else for it.
 */
#include "signin/oidc.h"
#include "signin/row.h"
#include "signin/signin.h"
#include "signin/sts_ask.h"

#include "api/refusal.h"
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

/* Version 1 writes its numbers as texts. */
static void
write_times(const struct sts_reply *reply, int64_t now, struct json *json)
{
	if (!reply->v1) {
		json_number(json, "expires_in", TOKEN_SECONDS - 1);
		json_number(json, "ext_expires_in", TOKEN_SECONDS - 1);
		return;
	}
	json_text(json, "expires_in", V("3599"));
	json_text(json, "ext_expires_in", V("3599"));
	json_text_open(json, "expires_on");
	buf_add_u64(json->out, (uint64_t)now + TOKEN_SECONDS - 1);
	json_text_close(json);
	json_text_open(json, "not_before");
	buf_add_u64(json->out, (uint64_t)now);
	json_text_close(json);
	json_text(json, "resource", reply->resource);
}

static void
write_given(struct json *json, const char *name, view text)
{
	if (text.len > 0)
		json_text(json, name, text);
}

static void
write_tokens(struct request *r, const struct sts_reply *reply, int64_t now)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	json_text(json, "token_type", V("Bearer"));
	write_given(json, "scope", reply->scope);
	write_times(reply, now, json);
	json_text(json, "access_token", buf_view(&reply->access));
	write_given(json, "refresh_token", reply->refresh);
	if (reply->family && reply->refresh.len > 0)
		json_text(json, "foci", V("1"));
	write_given(json, "id_token", reply->identity);
	write_given(json, "client_info", reply->client_info);
	json_close(json, '}');
}

/*
 * No client_info, even when a client asks for it: it names the user of a token, and here is none.
 * MSAL for Python files a token under it, and never finds an application's token there again.
 */
bool
sts_grant_application(const struct sts_ask *ask, struct sts_reply *out, struct error *err)
{
	struct sts_form form;

	if (!sts_form_read(ask->form, ask->authorization, ask->tx->arena, &form, err))
		return false;
	out->resource = form.resource;
	out->v1 = form.v1;
	return sts_grant(ask->directory, ask->tx, ask->place, &form, ask->who, &out->access, err);
}

static const struct {
	const char *name;
	sts_grant_fn *fn;
} grants[] = {
	{ "client_credentials", sts_grant_application }, { "password", sts_grant_password },
	{ "refresh_token", sts_grant_refresh }, { "authorization_code", sts_grant_code },
	{ "urn:ietf:params:oauth:grant-type:device_code", sts_grant_device },
	{ "device_code", sts_grant_device }, /* MSAL for Node */
};

static bool
grant_find(const struct form *form, sts_grant_fn **out, struct error *err)
{
	view name = form_get(form, "grant_type");
	char text[PRINTABLE_MAX + 1];

	if (name.len == 0) {
		(void)sts_missing(err, "grant_type");
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(grants); i++) {
		if (view_eq(name, view_of(grants[i].name))) {
			*out = grants[i].fn;
			return true;
		}
	}
	return error_set(err, ERR_STS_UNKNOWN_GRANT,
	    "AADSTS70003: The app requested an unsupported grant type '%s'.",
	    printable(name, text));
}

static void
reply_done(struct sts_reply *reply)
{
	buf_free(&reply->access);
}

/* A refusal that is also a change: its record and what it ended are one commit. */
static bool
refuse_for_good(struct request *r, const struct error *why)
{
	r->error = *why;
	r->out->status = error_table[why->code].status;
	buf_reset(&r->out->body);
	refusal_write(r->plane, why, &r->id, &r->out->body);
	return true;
}

static bool
token(struct request *r, struct error *err)
{
	const struct sts_place place = sts_place_of(r);
	struct form form;
	const struct sts_ask ask = sts_ask_of(r, &place, &form);
	AUTO(reply_done) struct sts_reply reply = { .v1 = false };
	sts_grant_fn *grant = NULL;

	r->caller = (struct caller){ .known = false }; /* of another try */
	if (!sts_form(r->in->body, r->arena, &form, err) || !grant_find(&form, &grant, err) ||
	    !grant(&ask, &reply, err))
		return false;
	if (reply.ends)
		return refuse_for_good(r, err);
	write_tokens(r, &reply, ask.now);
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
#define PAGE(name, path, run) STS_ROW(name, HTTP_GET, path, COST_LOOP, run)
#define DEVICE(path) STS_ROW("SignIn.DeviceCode", HTTP_POST, path, COST_LOOP, signin_device)

const struct op sts_ops[] = {
	DISCOVERY("/{tenant}/.well-known/openid-configuration", configuration_v1),
	DISCOVERY("/{tenant}/v2.0/.well-known/openid-configuration", configuration_v2),
	DISCOVERY("/{tenant}/discovery/keys", keys),
	DISCOVERY("/{tenant}/discovery/v2.0/keys", keys),
	DISCOVERY("/{tenant}/discovery/instance", instance),
	DISCOVERY("/{tenant}/userrealm/{user}", realm),
	TOKEN("/{tenant}/oauth2/token"),
	TOKEN("/{tenant}/oauth2/v2.0/token"),
	PAGE("SignIn.Authorize", "/{tenant}/oauth2/authorize", signin_authorize),
	PAGE("SignIn.Authorize", "/{tenant}/oauth2/v2.0/authorize", signin_authorize),
	PAGE("SignIn.Logout", "/{tenant}/oauth2/logout", signin_logout),
	PAGE("SignIn.Logout", "/{tenant}/oauth2/v2.0/logout", signin_logout),
	PAGE("SignIn.Device", "/{tenant}/oauth2/deviceauth", signin_entry),
	DEVICE("/{tenant}/oauth2/devicecode"),
	DEVICE("/{tenant}/oauth2/v2.0/devicecode"),
	STS_ROW("SignIn.Page", HTTP_POST, "/{tenant}/login", COST_POOL, signin_page),
	{ .name = NULL },
};
