#include "signin/oidc.h"

static view
host_of(view authority)
{
	return view_cut(&authority, ':');
}

static void
write_list(struct json *json, const char *name, const char *const *items)
{
	json_open_in(json, name, '[');
	for (; *items != NULL; items++)
		json_text(json, NULL, view_of(*items));
	json_close(json, ']');
}

/* "https://<authority>/<tenant, or adfs>/<tail>" */
static void
write_url(const struct oidc_place *place, struct json *json, const char *name, const char *tail)
{
	json_text_open(json, name);
	json_text_part(json, V("https://"));
	json_text_part(json, place->authority);
	json_text_part(json, V("/"));
	json_text_part(json, place->flavour == OIDC_ADFS ? V("adfs") : uuid_view(&place->tenant));
	json_text_part(json, view_of(tail));
	json_text_close(json);
}

static void
write_access_issuer(const struct oidc_place *place, struct json *json, const char *name)
{
	json_text_open(json, name);
	json_text_part(json, place->issuer);
	json_text_part(json, V("/"));
	json_text_part(json, uuid_view(&place->tenant));
	json_text_part(json, V("/"));
	json_text_close(json);
}

static void
write_issuer(const struct oidc_place *place, struct json *json)
{
	if (place->flavour == OIDC_V1) {
		write_access_issuer(place, json, "issuer");
		return;
	}
	write_url(place, json, "issuer", place->flavour == OIDC_V2 ? "/v2.0" : "");
	/* The access tokens are of version 1 whichever way they were asked for. */
	write_access_issuer(place, json, "access_token_issuer");
}

static void
write_endpoints(const struct oidc_place *place, struct json *json)
{
	static const struct {
		const char *name, *v1, *v2; /* AD FS has the paths of version 1 */
	} endpoints[] = {
		{ "authorization_endpoint", "/oauth2/authorize", "/oauth2/v2.0/authorize" },
		{ "token_endpoint", "/oauth2/token", "/oauth2/v2.0/token" },
		{ "device_authorization_endpoint", "/oauth2/devicecode",
		    "/oauth2/v2.0/devicecode" },
		{ "end_session_endpoint", "/oauth2/logout", "/oauth2/v2.0/logout" },
		{ "jwks_uri", "/discovery/keys", "/discovery/v2.0/keys" },
	};

	for (size_t i = 0; i < COUNT_OF(endpoints); i++)
		write_url(place, json, endpoints[i].name,
		    place->flavour == OIDC_V2 ? endpoints[i].v2 : endpoints[i].v1);
}

/* Only what works is on the lists. */
static void
write_abilities(struct json *json)
{
	static const char *const grants[] = { "authorization_code", "client_credentials",
		"password", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", NULL };
	static const char *const challenges[] = { "S256", NULL };
	static const char *const methods[] = { "client_secret_post", "private_key_jwt",
		"client_secret_basic", "none", NULL };
	static const char *const algs[] = { "RS256", NULL };
	static const char *const assertion_algs[] = { "RS256", "PS256", NULL };
	static const char *const subjects[] = { "public", NULL };
	static const char *const responses[] = { "code", NULL };
	static const char *const modes[] = { "query", "fragment", "form_post", NULL };
	static const char *const scopes[] = { "openid", "profile", "email", "offline_access",
		NULL };
	static const char *const claims[] = { "aud", "iss", "iat", "nbf", "exp", "appid",
		"appidacr", "email", "family_name", "given_name", "idp", "idtyp", "ipaddr", "name",
		"nonce", "oid", "preferred_username", "scp", "sub", "tid", "unique_name", "upn",
		"uti", "ver", NULL };

	write_list(json, "grant_types_supported", grants);
	write_list(json, "token_endpoint_auth_methods_supported", methods);
	write_list(json, "token_endpoint_auth_signing_alg_values_supported", assertion_algs);
	write_list(json, "id_token_signing_alg_values_supported", algs);
	write_list(json, "subject_types_supported", subjects);
	write_list(json, "response_types_supported", responses);
	write_list(json, "response_modes_supported", modes);
	write_list(json, "code_challenge_methods_supported", challenges);
	write_list(json, "scopes_supported", scopes);
	write_list(json, "claims_supported", claims);
	json_flag(json, "request_uri_parameter_supported", false);
	json_flag(json, "http_logout_supported", false);
	json_flag(json, "frontchannel_logout_supported", false);
}

void
oidc_configuration(const struct oidc_place *place, struct json *json)
{
	json_open(json, '{');
	write_issuer(place, json);
	write_endpoints(place, json);
	write_abilities(json);
	json_null_value(json, "tenant_region_scope");
	json_text(json, "cloud_instance_name", host_of(place->authority));
	json_text_open(json, "msgraph_host");
	json_text_part(json, V("graph."));
	json_text_part(json, place->domain);
	json_text_close(json);
	json_close(json, '}');
}

void
oidc_keys(struct directory *directory, const struct uuid *tenant, struct json *json)
{
	struct token_key *keys[TENANT_KEYS_MAX];
	size_t count = directory_hold_keys(directory, tenant, keys);

	json_open(json, '{');
	json_open_in(json, "keys", '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, '{');
		json_text(json, "kty", V("RSA"));
		json_text(json, "use", V("sig"));
		json_text(json, "alg", V("RS256"));
		json_text(json, "kid", keys[i]->kid);
		json_text(json, "n", keys[i]->n);
		json_text(json, "e", keys[i]->e);
		json_close(json, '}');
		token_key_done(&keys[i]);
	}
	json_close(json, ']');
	json_close(json, '}');
}

/* Of "https://HOST[:PORT]/TENANT/...": the tenant's name, when the host is ours. */
static bool
endpoint_tenant(view endpoint, view authority, view *out)
{
	view rest = view_from(endpoint, 8), host;

	if (!view_istarts(endpoint, V("https://")))
		return false;
	host = view_cut(&rest, '/');
	*out = view_cut(&rest, '/');
	/* MSAL leaves the port out. */
	return view_ieq(host_of(host), host_of(authority));
}

bool
oidc_instance(struct directory *directory, view authority, view endpoint, view version,
    struct json *json, struct error *err)
{
	struct uuid tenant;
	view name;

	if (!endpoint_tenant(endpoint, authority, &name) ||
	    (!directory_resolve(directory, name, &tenant, NULL) &&
		!directory_home_tenant(directory, &tenant)))
		return error_set(err, ERR_STS_UNKNOWN_INSTANCE,
		    "AADSTS50049: Unknown or invalid instance.");
	json_open(json, '{');
	json_text_open(json, "tenant_discovery_endpoint");
	json_text_part(json, V("https://"));
	json_text_part(json, authority);
	json_text_part(json, V("/"));
	json_text_part(json, uuid_view(&tenant));
	json_text_part(json, V("/v2.0/.well-known/openid-configuration"));
	json_text_close(json);
	json_text(json, "api-version", view_eq(version, V("1.0")) ? V("1.0") : V("1.1"));
	json_open_in(json, "metadata", '[');
	json_open(json, '{');
	json_text(json, "preferred_network", authority);
	json_text(json, "preferred_cache", authority);
	json_open_in(json, "aliases", '[');
	json_text(json, NULL, authority);
	if (host_of(authority).len < authority.len)
		json_text(json, NULL, host_of(authority));
	json_close(json, ']');
	json_close(json, '}');
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

void
oidc_realm(view authority, view user, struct json *json)
{
	view domain = user;

	(void)view_cut(&domain, '@');
	json_open(json, '{');
	json_text(json, "ver", V("1.0"));
	json_text(json, "account_type", V("Managed"));
	json_text(json, "domain_name", domain);
	json_text(json, "cloud_instance_name", host_of(authority));
	json_text(json, "cloud_audience_urn", V("urn:federation:MicrosoftOnline"));
	json_close(json, '}');
}
