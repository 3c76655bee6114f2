#include "cli/agent_ask.h"

#include "base/address.h"
#include "base/percent.h"

#include <string.h>

#define RESOURCE_MAX 512 /* bytes */

static bool
refuse(struct agent_refusal *refusal, int status, const char *error, view description)
{
	*refusal = (struct agent_refusal){ status, error, description };
	return false;
}

static bool
invalid(struct agent_refusal *refusal, view description)
{
	return refuse(refusal, 400, "invalid_request", description);
}

static const struct path {
	view path;
	enum agent_shape shape;
} paths[] = {
	{ V_INIT("/msi/token"), SHAPE_APP_SERVICE },
	{ V_INIT("/metadata/identity/oauth2/token"), SHAPE_IMDS },
	{ V_INIT("/oauth2/token"), SHAPE_IMDS },
	{ V_INIT("/environment"), SHAPE_ENVIRONMENT },
};

/* JavaScript's client puts a slash behind the path. */
static bool
find_shape(view path, enum agent_shape *out)
{
	if (path.len > 1 && view_ends(path, V("/")))
		path.len--;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (view_eq(path, paths[i].path)) {
			*out = paths[i].shape;
			return true;
		}
	}
	return false;
}

/*
 * A page in a browser on this host can have a name of its own lead here, and then set any header.
 * An address is no name, and browsers answer "localhost" themselves.
 */
static bool
check_host(const struct http_request *request, struct agent_refusal *refusal)
{
	view host = request->host, name;
	struct address address;
	size_t end;

	if (request->peer.len == 0) /* no browser speaks over a Unix socket */
		return true;
	if (view_starts(host, V("[")) && view_find(host, ']', &end))
		name = (view){ host.ptr + 1, end - 1 };
	else
		name = view_cut(&host, ':');
	return view_ieq(name, V("localhost")) || address_parse(name, &address) ||
	    invalid(refusal, V("The Host must be an address or localhost"));
}

/* Headers that no browser and no forwarder sends by itself: a workload means it. */
static bool
check_headers(const struct http_request *request, struct agent_ask *ask,
    struct agent_refusal *refusal)
{
	ask->header = http_field(request, V("X-IDENTITY-HEADER"));
	if (http_field(request, V("X-Forwarded-For")).len > 0)
		return invalid(refusal, V("Requests may not be forwarded: X-Forwarded-For"));
	if (ask->shape == SHAPE_APP_SERVICE)
		return ask->header.len > 0 ||
		    refuse(refusal, 401, "unauthorized", V("X-IDENTITY-HEADER is missing"));
	return ask->shape == SHAPE_ENVIRONMENT ||
	    view_ieq(http_field(request, V("Metadata")), V("true")) ||
	    invalid(refusal, V("Required metadata header not specified"));
}

/* "2019-08-01" and later, and what only looks like it. */
static bool
check_version(view query, const struct agent_ask *ask, struct arena *arena,
    struct agent_refusal *refusal)
{
	view oldest = ask->shape == SHAPE_APP_SERVICE ? V("2019-08-01") : V("2018-02-01");
	view version;

	if (!pairs_find(query, V("api-version"), true, arena, &version) || version.len == 0)
		return invalid(refusal, V("Required query variable 'api-version' is missing"));
	for (size_t i = 0; i < version.len; i++) {
		bool dash = i == 4 || i == 7;

		if (dash ? version.ptr[i] != '-' : version.ptr[i] < '0' || version.ptr[i] > '9')
			return invalid(refusal, V("The api-version is not supported"));
	}
	return (version.len == oldest.len && view_cmp(version, oldest) >= 0) ||
	    invalid(refusal, V("The api-version is not supported"));
}

/* What may stand in a URI, and nothing that a reply or a log would have to escape. */
static bool
resource_fine(view resource)
{
	for (size_t i = 0; i < resource.len; i++) {
		char c = resource.ptr[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>')
			return false;
	}
	return resource.len > 0 && resource.len <= RESOURCE_MAX;
}

static bool
read_resource(view query, struct agent_ask *ask, struct arena *arena, struct agent_refusal *refusal)
{
	if (!pairs_find(query, V("resource"), true, arena, &ask->resource))
		return invalid(refusal, V("Required query variable 'resource' is missing"));
	return resource_fine(ask->resource) ||
	    invalid(refusal, V("The resource is not a valid URI"));
}

/* At most one of them may be given. */
static bool
read_identity(view query, struct agent_ask *ask, struct arena *arena, struct agent_refusal *refusal)
{
	static const struct {
		view name;
		enum identity_key key;
	} names[] = {
		{ V_INIT("client_id"), IDENTITY_CLIENT_ID },
		{ V_INIT("clientid"), IDENTITY_CLIENT_ID },
		{ V_INIT("principal_id"), IDENTITY_OBJECT_ID },
		{ V_INIT("object_id"), IDENTITY_OBJECT_ID },
		{ V_INIT("mi_res_id"), IDENTITY_RESOURCE_ID },
		{ V_INIT("msi_res_id"), IDENTITY_RESOURCE_ID },
	};
	view value;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!pairs_find(query, names[i].name, true, arena, &value))
			continue;
		if (ask->key != IDENTITY_DEFAULT)
			return invalid(refusal, V("Only one identity may be named"));
		ask->key = names[i].key;
		ask->identity = value;
	}
	return true;
}

bool
agent_ask_read(const struct http_request *request, struct arena *arena, struct agent_ask *out,
    struct agent_refusal *refusal)
{
	struct agent_ask ask = { 0 };

	/* No browser speaks over a Unix socket: there the environment needs no header. */
	if (!find_shape(request->path, &ask.shape) ||
	    (ask.shape == SHAPE_ENVIRONMENT && request->peer.len > 0))
		return refuse(refusal, 404, "not_found", V("There is nothing at this path"));
	if (request->method != HTTP_GET)
		return refuse(refusal, 405, "method_not_allowed", V("Only GET is allowed here"));
	if (!check_host(request, refusal) || !check_headers(request, &ask, refusal))
		return false;
	if (ask.shape != SHAPE_ENVIRONMENT &&
	    (!check_version(request->query, &ask, arena, refusal) ||
		!read_resource(request->query, &ask, arena, refusal) ||
		!read_identity(request->query, &ask, arena, refusal)))
		return false;
	*out = ask;
	return true;
}
