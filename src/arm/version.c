/*
 * Which provider and type a path is about, its api-versions, and what to say when there is none.
 */
#include "arm/provider.h"

#include <string.h>

#define TYPE_MAX 256

struct target {
	view space;
	char text[TYPE_MAX];
	view type; /* "vaults/secrets", in ->text */
};

/* The last "/providers/" of the path and what stands behind it; false when there is none. */
static bool
target_of(view path, struct target *out)
{
	static const view word = V_INIT("/providers/");
	size_t at = path.len, len = 0;
	view rest;

	while (at > 0 && !view_istarts(view_from(path, at), word))
		at--;
	if (!view_istarts(view_from(path, at), word))
		return false;
	rest = view_from(path, at + word.len);
	out->space = view_cut(&rest, '/');
	while (rest.len > 0) {
		view type = view_cut(&rest, '/');

		(void)view_cut(&rest, '/');
		if (len + type.len + 1 > sizeof(out->text))
			return false;
		if (len > 0)
			out->text[len++] = '/';
		memcpy(out->text + len, type.ptr, type.len);
		len += type.len;
	}
	out->type = (view){ out->text, len };
	return true;
}

/* "vaults/privateLinkResources" is what vaults' versions hold for, unless it is a type itself. */
static const struct resource_type *
nearest_type(const struct services *services, const struct target *target)
{
	const struct resource_type *type = NULL;
	view name = target->type;

	while (name.len > 0 && type == NULL) {
		type = provider_type(services, target->space, name);
		while (name.len > 0 && name.ptr[name.len - 1] != '/')
			name.len--;
		if (name.len > 0)
			name.len--;
	}
	return type;
}

static void
add_versions(const struct resource_type *type, struct buf *out)
{
	for (const char *const *version = type->versions; *version != NULL; version++) {
		if (version != type->versions)
			buf_add(out, V(", "));
		buf_add(out, view_of(*version));
	}
}

static bool
has_version(const struct resource_type *type, view version)
{
	for (const char *const *at = type->versions; *at != NULL; at++) {
		if (view_ieq(view_of(*at), version))
			return true;
	}
	return false;
}

bool
provider_version_check(const struct request *r, view version, struct error *err)
{
	AUTO(buf_free) struct buf versions = { 0 };
	const struct resource_type *type;
	struct target target;

	if (!target_of(r->path, &target))
		return true;
	type = nearest_type(r->services, &target);
	if (type == NULL || has_version(type, version))
		return true;
	add_versions(type, &versions);
	if (!buf_ok(&versions))
		return error_memory(err);
	return error_set(err, ERR_NO_REGISTERED_PROVIDER,
	    "No registered resource provider found for location '%s' and API version '%.*s' for "
	    "type '%s'. The supported api-versions are '%.*s'. The supported locations are '%s'.",
	    type->placeless ? "" : r->services->location, VIEW_ARG(version), type->name,
	    VIEW_ARG(buf_view(&versions)), type->placeless ? "" : r->services->location);
}

void
provider_unrouted(const struct request *r, struct error *err)
{
	view version = V("");
	struct target target;

	if (r->plane != PLANE_MANAGEMENT || err->code != ERR_NOT_FOUND ||
	    !target_of(r->path, &target))
		return;
	(void)request_query(r, "api-version", &version);
	if (provider_find(r->services, target.space) == NULL)
		(void)error_set(err, ERR_INVALID_NAMESPACE,
		    "The resource namespace '%.*s' is invalid.", VIEW_ARG(target.space));
	else if (provider_type(r->services, target.space, target.type) == NULL)
		(void)error_set(err, ERR_INVALID_TYPE,
		    "The resource type '%.*s' could not be found in the namespace '%.*s' for api "
		    "version '%.*s'.",
		    VIEW_ARG(target.type), VIEW_ARG(target.space), VIEW_ARG(version));
}
