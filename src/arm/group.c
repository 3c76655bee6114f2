/*
 * Resource groups as resources: create, change, show, list.
 */
#include "arm/group.h"
#include "arm/arm.h"
#include "arm/filter.h"
#include "arm/group_delete.h"
#include "arm/list.h"
#include "arm/location.h"

#define GROUPS_ACTION "Microsoft.Resources/subscriptions/resourceGroups/"
#define SUCCEEDED "{\"provisioningState\":\"Succeeded\"}"

static const char *const versions[] = { "2025-04-01", "2025-03-01", "2024-11-01", "2024-07-01",
	"2024-03-01", "2023-07-01", "2022-12-01", "2022-09-01", "2021-04-01", "2021-01-01",
	"2020-10-01", "2020-08-01", "2020-06-01", "2020-05-01", "2019-10-01", "2019-08-01",
	"2019-07-01", "2019-05-10", "2019-05-01", "2019-03-01", "2018-11-01", "2018-09-01",
	"2018-08-01", "2018-07-01", "2018-05-01", "2018-02-01", "2018-01-01", "2017-12-01",
	"2017-08-01", "2017-06-01", "2017-05-10", "2017-05-01", "2017-03-01", "2016-09-01",
	"2016-07-01", "2016-06-01", "2016-02-01", "2015-11-01", "2015-01-01", "2014-04-01-preview",
	"2014-04-01", NULL };

static const struct resource_type group_type = {
	.space = RESOURCES_SPACE,
	.name = GROUPS_TYPE,
	.versions = versions,
};

static const char *const tags_versions[] = { "2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01",
	"2023-07-01", "2022-09-01", "2021-04-01", "2021-01-01", "2020-10-01", "2020-06-01",
	"2019-10-01", NULL };

static const struct resource_type tags_type = {
	.space = RESOURCES_SPACE,
	.name = "tags",
	.versions = tags_versions,
	.placeless = true,
};

const struct provider resources_provider = {
	.space = RESOURCES_SPACE,
	.types = (const struct resource_type *const[]){ &group_type, &tags_type, NULL },
	.registered = true,
};

struct group_body {
	struct resource_body common;
	struct body_text managed_by;
};

static const struct field group_fields[] = {
	RESOURCE_FIELDS(struct group_body),
	{ .name = "managedBy",
	    .kind = FIELD_TEXT,
	    .max = RESOURCE_ID_MAX,
	    .offset = offsetof(struct group_body, managed_by) },
	{ 0 },
};

static bool
group_id(struct arena *arena, view subscription, view name, view *out, struct error *err)
{
	struct uuid id;

	if (!uuid_parse(subscription, &id))
		return error_set(err, ERR_BAD_REQUEST,
		    "The provided subscription identifier '%.*s' is malformed or invalid.",
		    VIEW_ARG(subscription));
	return arena_print(arena, out, "/subscriptions/%s/resourceGroups/%.*s", id.text,
		   VIEW_ARG(name)) ||
	    error_memory(err);
}

bool
resource_group_create(struct tx *tx, const struct uuid *subscription, view name, view location,
    const struct caller *by, struct error *err)
{
	static const struct services none = { 0 };
	struct resource group = { .type = &group_type, .name = name, .properties = V(SUCCEEDED) };
	struct resource present;
	bool found;

	if (!group_id(tx->arena, uuid_view(subscription), name, &group.id, err) ||
	    !location_normal(tx->arena, location, &group.location, err) ||
	    !resource_get(tx, &none, group.id, true, &present, &found, err))
		return false;
	resource_changed_by(&group, by, true);
	return found || resource_put(tx, &group, err);
}

static void
write_group(struct json *json, const struct resource *group)
{
	json_open(json, '{');
	json_text(json, "id", group->id);
	json_text(json, "name", group->name);
	json_text(json, "type", V(RESOURCES_SPACE "/" GROUPS_TYPE));
	json_text(json, "location", group->location);
	if (group->managed_by.len > 0)
		json_text(json, "managedBy", group->managed_by);
	resource_write_tags(json, group);
	json_raw(json, "properties",
	    group->deleting ? V("{\"provisioningState\":\"Deleting\"}") : group->properties);
	json_close(json, '}');
}

static bool
name_fine(view name, struct error *err)
{
	if (name.len > GROUP_NAME_MAX)
		return error_set(err, ERR_GROUP_NAME_INVALID,
		    "The provided resource group name has %zu characters; there can be %d.",
		    name.len, GROUP_NAME_MAX);
	return group_name_valid(name) ||
	    error_set(err, ERR_GROUP_NAME_INVALID,
		"The provided resource group name '%.*s' has these invalid characters: '%.*s'. The "
		"name can only be a letter, digit, '-', '.', '(', ')' or '_'.",
		VIEW_ARG(name), VIEW_ARG(group_name_fault(name)));
}

/* Says it in its own words; else as for every resource. */
static bool
check_location(const struct resource_change *change, const struct body_text *given,
    struct error *err)
{
	const struct resource *present = change->present;
	view location;

	if (!given->given || given->text.len == 0)
		return true;
	if (!location_normal(change->r->arena, given->text, &location, err))
		return false;
	if (present != NULL && !view_eq(location, present->location))
		return error_set(err, ERR_GROUP_LOCATION_FIXED,
		    "Invalid resource group location '%.*s'. The Resource group already exists in "
		    "location '%.*s'.",
		    VIEW_ARG(given->text), VIEW_ARG(present->location));
	return location_known(change->r->services, location) ||
	    error_set(err, ERR_GROUP_LOCATION_UNKNOWN,
		"The provided location '%.*s' is not available for resource group.",
		VIEW_ARG(given->text));
}

/* Fixed once it is set. */
static bool
change_manager(struct resource_change *change, const struct body_text *given, struct error *err)
{
	if (!given->given)
		return true;
	if (change->present != NULL && !view_ieq(given->text, change->present->managed_by))
		return error_set(err, ERR_BAD_REQUEST,
		    "The property 'managedBy' of a resource group can't be changed.");
	change->wanted->managed_by = given->text;
	return true;
}

static bool
read_change(struct resource_change *change, struct error *err)
{
	const struct group_body *body = change->body;

	if (!check_location(change, &body->common.location, err) ||
	    !resource_change_location(change, &body->common.location, err) ||
	    !resource_change_tags(change, &body->common.tags, err) ||
	    !change_manager(change, &body->managed_by, err))
		return false;
	resource_changed_by(change->wanted, &change->r->caller, change->present == NULL);
	return true;
}

static bool
find_group(struct request *r, bool change, struct resource *out, bool *found, struct error *err)
{
	view id;

	return group_id(r->arena, r->params[0], r->params[1], &id, err) &&
	    resource_get(&r->tx, r->services, id, change, out, found, err);
}

static bool
not_found(const struct request *r, struct error *err)
{
	const struct resource_id id = { .group = r->params[1] };

	return resource_not_found(&id, err);
}

static bool
store_group(struct request *r, bool patch, struct error *err)
{
	struct resource present,
	    wanted = { .type = &group_type, .name = r->params[1], .properties = V(SUCCEEDED) };
	struct resource_change change = { .r = r,
		.wanted = &wanted,
		.body = r->body,
		.patch = patch };
	bool found;

	if (!name_fine(r->params[1], err) || !find_group(r, true, &present, &found, err))
		return false;
	if (!found && patch)
		return not_found(r, err);
	if (found && present.deleting)
		return error_set(err, ERR_GROUP_BEING_DELETED,
		    "The resource group '%.*s' is in deprovisioning state and cannot perform this "
		    "operation.",
		    VIEW_ARG(present.name));
	if (found) {
		wanted = present;
		change.present = &present;
	} else if (!group_id(r->arena, r->params[0], r->params[1], &wanted.id, err) ||
	    !assignments_remove(&r->tx, r->services, wanted.id, err)) {
		return false;
	}
	r->object_id = wanted.id;
	if (!read_change(&change, err) || !resource_put(&r->tx, &wanted, err))
		return false;
	write_group(reply_json(r), &wanted);
	r->out->status = found ? 200 : 201;
	return true;
}

static bool
run_put(struct request *r, struct error *err)
{
	return store_group(r, false, err);
}

static bool
run_patch(struct request *r, struct error *err)
{
	return store_group(r, true, err);
}

static bool
run_get(struct request *r, struct error *err)
{
	struct resource group;
	bool found;

	if (!find_group(r, false, &group, &found, err))
		return false;
	if (!found)
		return not_found(r, err);
	write_group(reply_json(r), &group);
	return true;
}

/* Existence is asked for by this, so that 404 has no body. */
static bool
run_head(struct request *r, struct error *err)
{
	struct resource group;
	bool found;

	if (!find_group(r, false, &group, &found, err))
		return false;
	r->out->status = found ? 204 : 404;
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	struct resource group;
	bool found;

	if (!find_group(r, true, &group, &found, err))
		return false;
	r->object_id = found ? group.id : V("");
	return found ? group_delete(r, &group, err) : not_found(r, err);
}

static bool
wanted(const void *filter, const struct resource *resource)
{
	return resource_filter_fits(filter, resource);
}

static bool
run_list(struct request *r, struct error *err)
{
	struct resource_filter filter;
	struct list list = { .action = GROUPS_ACTION "read",
		.wanted = wanted,
		.ctx = &filter,
		.write = write_group };
	struct uuid id;
	view text = V("");

	(void)request_query(r, "$filter", &text);
	if (!resource_filter_parse(text, true, r->arena, &filter, err))
		return false;
	if (!uuid_parse(r->params[0], &id) ||
	    !arena_print(r->arena, &list.scope, "/subscriptions/%s", id.text) ||
	    !arena_print(r->arena, &list.prefix, "g/subscriptions/%s/resourcegroups/", id.text))
		return error_memory(err);
	return list_run(r, &list, err);
}

/* clang-format off */

#define ROW RESOURCE_ROW(group_type)
#define PATH "/subscriptions/{subscription}/resourceGroups"

const struct op group_ops[] = {
	{ "ResourceGroupPut", ROW, .method = HTTP_PUT, .guard = GUARD_SCOPE,
	    .path = PATH "/{group}", .action = GROUPS_ACTION "write", .body = group_fields,
	    .body_size = sizeof(struct group_body), .run = run_put },
	{ "ResourceGroupPatch", ROW, .method = HTTP_PATCH, .guard = GUARD_SCOPE,
	    .path = PATH "/{group}", .action = GROUPS_ACTION "write", .body = group_fields,
	    .body_size = sizeof(struct group_body), .run = run_patch },
	{ "ResourceGroupGet", ROW, .method = HTTP_GET, .guard = GUARD_SCOPE,
	    .path = PATH "/{group}", .action = GROUPS_ACTION "read", .run = run_get },
	{ "ResourceGroupHead", ROW, .method = HTTP_HEAD, .guard = GUARD_SCOPE,
	    .path = PATH "/{group}", .action = GROUPS_ACTION "read", .run = run_head },
	{ "ResourceGroupDelete", ROW, .method = HTTP_DELETE, .guard = GUARD_SCOPE,
	    .path = PATH "/{group}", .action = GROUPS_ACTION "delete", .cost = COST_POOL,
	    .run = run_delete },
	{ "ResourceGroupList", ROW, .method = HTTP_GET, .guard = GUARD_CALLER, .path = PATH,
	    .cost = COST_POOL, .run = run_list },
	{ "OperationResult", ROW, .method = HTTP_GET, .guard = GUARD_CALLER,
	    .path = "/subscriptions/{subscription}/operationresults/{operation}",
	    .run = operation_result },
	{ 0 },
};

/* clang-format on */
