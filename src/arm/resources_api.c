/*
 * All resources of a subscription or a group, whatever their types: how clients find one whose
 * group they do not know.
 */
#include "arm/arm.h"
#include "arm/filter.h"
#include "arm/list.h"
#include "arm/provider.h"

/* Those that stand by themselves: not extensions, nor what belongs to another one. */
static bool
wanted(const void *filter, const struct resource *resource)
{
	return resource->type != NULL && !resource->type->placeless &&
	    resource_filter_fits(filter, resource);
}

static void
write_generic(struct json *json, const struct resource *resource)
{
	struct resource shown = *resource;

	shown.created_by = shown.etag = V("");
	json_open(json, '{');
	resource_write_envelope(json, &shown);
	json_close(json, '}');
}

/* What the filter fixes is looked up by the keys alone. */
static void
narrow(const struct request *r, const struct resource_filter *filter, struct list *list)
{
	view type = resource_filter_only(filter, FILTER_TYPE), space = view_cut(&type, '/');

	list->name = resource_filter_only(filter, FILTER_NAME);
	list->type = provider_type(r->services, space, type);
}

static bool
prefix_of(struct request *r, const struct resource_filter *filter, view group, struct list *list,
    struct error *err)
{
	struct uuid id;
	view lower;

	if (!uuid_parse(r->params[0], &id))
		return error_set(err, ERR_SUBSCRIPTION_INVALID,
		    "The provided subscription identifier '%.*s' is malformed or invalid.",
		    VIEW_ARG(r->params[0]));
	if (group.len == 0)
		group = resource_filter_only(filter, FILTER_GROUP);
	if (!id_lower(r->arena, group, &lower, err))
		return false;
	return arena_print(r->arena, &list->prefix, "r/subscriptions/%s/resourcegroups/%.*s%s",
		   id.text, VIEW_ARG(lower), lower.len > 0 ? "/" : "") ||
	    error_memory(err);
}

static bool
list_resources(struct request *r, view group, view scope, struct error *err)
{
	struct resource_filter filter;
	struct list list = { .scope = scope,
		.wanted = wanted,
		.ctx = &filter,
		.write = write_generic };
	view text = V("");

	(void)request_query(r, "$filter", &text);
	if (!resource_filter_parse(text, false, r->arena, &filter, err) ||
	    !prefix_of(r, &filter, group, &list, err))
		return false;
	narrow(r, &filter, &list);
	return list_run(r, &list, err);
}

static bool
run_all(struct request *r, struct error *err)
{
	view scope;

	return (arena_print(r->arena, &scope, "/subscriptions/%.*s", VIEW_ARG(r->params[0])) ||
		   error_memory(err)) &&
	    list_resources(r, V(""), scope, err);
}

static bool
run_group(struct request *r, struct error *err)
{
	const struct resource_id id = { .group = r->params[1] };
	struct list list = { 0 };
	struct resource group;
	bool found;
	view scope;

	if (!arena_print(r->arena, &scope, "/subscriptions/%.*s/resourceGroups/%.*s",
		VIEW_ARG(r->params[0]), VIEW_ARG(r->params[1])))
		return error_memory(err);
	list.scope = scope;
	if (!list_admit(r, &list, err) ||
	    !resource_get(&r->tx, r->services, scope, false, &group, &found, err))
		return false;
	return found ? list_resources(r, r->params[1], scope, err) : resource_not_found(&id, err);
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .method = HTTP_GET, .guard = GUARD_CALLER, \
	    .versioning = VERSION_ARM, .cost = COST_POOL

const struct op resources_ops[] = {
	{ "ResourceListAll", ROW, .path = "/subscriptions/{subscription}/resources",
	    .run = run_all },
	{ "ResourceList", ROW,
	    .path = "/subscriptions/{subscription}/resourceGroups/{group}/resources",
	    .run = run_group },
	{ 0 },
};

/* clang-format on */
