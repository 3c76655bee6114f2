#include "answer_private.h"

#include "base/percent.h"
#include "config.h"
#include "vault/vault.h"

/* Labels that stand before the domain, and the plane behind them. */
static const struct {
	view label;
	enum plane plane;
} planes[] = {
	{ V_INIT("login"), PLANE_LOGIN },
	{ V_INIT("management"), PLANE_MANAGEMENT },
	{ V_INIT("graph"), PLANE_GRAPH },
};

static bool
lower(struct arena *arena, view text, view *out)
{
	char *bytes = arena_alloc(arena, text.len + 1);

	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++)
		bytes[i] = ascii_lower(text.ptr[i]);
	*out = (view){ bytes, text.len };
	return true;
}

/* The labels before the domain, without the dot: "login", "NAME.vault". */
static bool
labels_of(const struct request *r, view host, view *out)
{
	view domain = view_of(r->services->config->domain);

	if (!view_ends(host, domain) || host.len < domain.len + 2 ||
	    host.ptr[host.len - domain.len - 1] != '.')
		return false;
	*out = (view){ host.ptr, host.len - domain.len - 1 };
	return true;
}

static void
find_plane(struct request *r, view labels)
{
	static const view vault = V_INIT(".vault");

	for (size_t i = 0; i < COUNT_OF(planes); i++) {
		if (view_eq(labels, planes[i].label))
			r->plane = planes[i].plane;
	}
	if (view_ends(labels, vault) && labels.len > vault.len) {
		r->plane = PLANE_VAULT;
		/* One that is not there is noticed when the caller is known: names are no secret
		 * to callers.  Strangers get the challenge of one that is there. */
		r->vault =
		    vaults_find(r->services->vaults, (view){ labels.ptr, labels.len - vault.len });
	}
}

bool
host_resolve(struct request *r, struct error *err)
{
	view rest, host, labels;

	if (!lower(r->arena, r->in->host, &r->authority))
		return error_memory(err);
	rest = r->authority;
	host = view_cut(&rest, ':');
	r->domain = r->authority;
	if (labels_of(r, host, &labels)) {
		r->domain = view_from(r->authority, labels.len + 1);
		find_plane(r, labels);
	}
	return true;
}

void
vault_resolve(struct request *r)
{
	const struct vault *before = r->vault;

	if (before != NULL)
		r->vault = vaults_find(r->services->vaults, before->name);
	vault_release(before);
}

bool
path_resolve(struct request *r, struct error *err)
{
	return path_decode(r->in->path, r->arena, &r->path) ||
	    error_set(err, ERR_BAD_REQUEST, "The request URI is not valid.");
}

/* Weak clients send POST and say here what they mean. */
static enum http_method
method_of(const struct request *r)
{
	static const struct {
		view name;
		enum http_method method;
	} methods[] = {
		{ V_INIT("PATCH"), HTTP_PATCH },
		{ V_INIT("DELETE"), HTTP_DELETE },
		{ V_INIT("PUT"), HTTP_PUT },
		{ V_INIT("GET"), HTTP_GET },
	};
	view wish = http_field(r->in, V("X-HTTP-METHOD"));

	if (r->in->method != HTTP_POST || wish.len == 0)
		return r->in->method;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (view_ieq(wish, methods[i].name))
			return methods[i].method;
	}
	return HTTP_OTHER;
}

void
route_find(const struct router *router, struct request *r, struct error *err)
{
	if (!router_match(router, method_of(r), r, err))
		r->op = NULL;
}
