/*
 * /metadata/endpoints: how `az cloud register` and Terraform learn the other hosts' names. Its
 * shape depends on the api-version: an object for 2015-01-01, an array of clouds from 2018 to
 * 2021, one cloud as an object from 2022 on.
 */
#include "arm/arm.h"

#define CLOUD_NAME "Strongroom"

/* Members that are URLs of our hosts; a client insists on some that lead nowhere here. */
struct endpoint {
	const char *member, *host; /* host: its label before the domain */
	const char *slash;
};

static void
write_url(struct request *r, struct json *json, const char *name, const char *host,
    const char *slash)
{
	json_text_open(json, name);
	json_text_part(json, V("https://"));
	json_text_part(json, view_of(host));
	json_text_part(json, V("."));
	json_text_part(json, r->domain);
	json_text_part(json, view_of(slash));
	json_text_close(json);
}

static void
write_suffix(struct request *r, struct json *json, const char *name, const char *label)
{
	json_text_open(json, name);
	json_text_part(json, view_of(label));
	json_text_part(json, V("."));
	json_text_part(json, r->domain);
	json_text_close(json);
}

/*
 * The authority's path starts with "adfs" for the clients of the old shape: they can't be told
 * not to look the authority up at the public cloud's, and with that path they don't.
 */
static void
write_old(struct request *r, struct json *json)
{
	json_open(json, '{');
	write_url(r, json, "galleryEndpoint", "management", "/");
	write_url(r, json, "graphEndpoint", "graph", "/");
	write_url(r, json, "portalEndpoint", "portal", "/");
	json_open_in(json, "authentication", '{');
	write_url(r, json, "loginEndpoint", "login", "/adfs");
	json_open_in(json, "audiences", '[');
	write_url(r, json, NULL, "management", "/");
	json_close(json, ']');
	json_close(json, '}');
	json_close(json, '}');
}

static void
write_authentication(struct request *r, struct json *json)
{
	json_open_in(json, "authentication", '{');
	write_url(r, json, "loginEndpoint", "login", "");
	json_open_in(json, "audiences", '[');
	write_url(r, json, NULL, "management", "/");
	json_close(json, ']');
	json_text(json, "tenant", V("common"));
	json_text(json, "identityProvider", V("AAD"));
	json_close(json, '}');
}

static void
write_cloud(struct request *r, struct json *json)
{
	static const struct endpoint endpoints[] = {
		{ "portal", "portal", "" },
		{ "resourceManager", "management", "/" },
		{ "gallery", "management", "/" },
		{ "graph", "graph", "/" },
		{ "graphAudience", "graph", "/" },
		{ "microsoftGraphResourceId", "graph", "/" },
		{ "logAnalyticsResourceId", "api.loganalytics", "" },
	};

	json_open(json, '{');
	json_text(json, "name", V(CLOUD_NAME));
	for (size_t i = 0; i < COUNT_OF(endpoints); i++)
		write_url(r, json, endpoints[i].member, endpoints[i].host, endpoints[i].slash);
	write_authentication(r, json);
	json_open_in(json, "suffixes", '{');
	write_suffix(r, json, "keyVaultDns", "vault");
	write_suffix(r, json, "mhsmDns", "managedhsm");
	json_close(json, '}');
	json_close(json, '}');
}

static bool
run_endpoints(struct request *r, struct error *err)
{
	struct json *json;
	view version;

	if (!request_query(r, "api-version", &version) || version.len == 0)
		return error_set(err, ERR_MISSING_API_VERSION,
		    "The api-version query parameter (?api-version=) is required for all "
		    "requests.");
	json = reply_json(r);
	if (view_cmp(version, V("2018")) < 0) {
		write_old(r, json);
	} else if (view_cmp(version, V("2022")) < 0) {
		json_open(json, '[');
		write_cloud(r, json);
		json_close(json, ']');
	} else {
		write_cloud(r, json);
	}
	return true;
}

const struct op metadata_ops[] = {
	{ "MetadataEndpoints", PLANE_MANAGEMENT, HTTP_GET, "/metadata/endpoints", GUARD_PUBLIC,
	    VERSION_NONE, COST_LOOP, .run = run_endpoints },
	{ 0 },
};
