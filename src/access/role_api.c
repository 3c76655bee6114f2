/*
 * Microsoft.Authorization: role definitions, built-in ones and a tenant's own.
 */
#include "access/filter.h"
#include "access/role_store.h"
#include "access/shape.h"
#include "api/paging.h"
#include "base/clock.h"

#include <string.h>

#define PROVIDER "{scope}/providers/Microsoft.Authorization/"
#define NAME_MAX_BYTES 512
#define DESCRIPTION_MAX 2048
#define PAGE 50
#define WRITE "Microsoft.Authorization/roleDefinitions/write"
#define DELETE "Microsoft.Authorization/roleDefinitions/delete"

struct role_body {
	struct body_text name, description, type;
	struct body_texts scopes;
	struct body_list permissions;
};

/* clang-format off */

static const struct field properties[] = {
	{ .name = "roleName", .kind = FIELD_TEXT, .max = NAME_MAX_BYTES, .required = true,
	    .offset = offsetof(struct role_body, name) },
	{ .name = "description", .kind = FIELD_TEXT, .max = DESCRIPTION_MAX,
	    .offset = offsetof(struct role_body, description) },
	{ .name = "type", .kind = FIELD_TEXT, .max = 32, .offset = offsetof(struct role_body, type) },
	{ .name = "assignableScopes", .kind = FIELD_TEXTS, .max = ROLE_SCOPES_MAX, .size = SCOPE_MAX,
	    .required = true, .offset = offsetof(struct role_body, scopes) },
	{ .name = "permissions", .kind = FIELD_LIST, .max = 1, .required = true,
	    .fields = permission_fields, .size = sizeof(struct permission_body),
	    .offset = offsetof(struct role_body, permissions) },
	{ 0 },
};

static const struct field role_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

static void
write_permissions(struct json *json, const struct role *role)
{
	json_open_in(json, "permissions", '[');
	json_open(json, '{');
	permissions_write(json, &role->permissions);
	if (role->condition != NULL) {
		json_text(json, "conditionVersion", V("2.0"));
		json_text(json, "condition", view_of(role->condition));
	}
	json_close(json, '}');
	json_close(json, ']');
}

static void
write_custom(struct json *json, const struct role_custom *custom)
{
	if (custom == NULL) {
		shape_patterns(json, "assignableScopes", (const char *const[]){ "/", NULL });
		return;
	}
	shape_patterns(json, "assignableScopes", custom->scopes);
	shape_time(json, "createdOn", custom->created);
	shape_time(json, "updatedOn", custom->updated);
	json_text(json, "createdBy", uuid_view(&custom->created_by));
	json_text(json, "updatedBy", uuid_view(&custom->updated_by));
}

static void
write_role(struct json *json, view scope, const struct role *role)
{
	json_open(json, '{');
	json_open_in(json, "properties", '{');
	json_text(json, "roleName", view_of(role->name));
	json_text(json, "type", role->custom == NULL ? V("BuiltInRole") : V("CustomRole"));
	json_text(json, "description", view_of(role->description));
	write_custom(json, role->custom);
	write_permissions(json, role);
	json_close(json, '}');
	shape_definition_id(json, "id", scope, view_of(role->id));
	json_text(json, "type", V(DEFINITION_TYPE));
	json_text(json, "name", view_of(role->id));
	json_close(json, '}');
}

enum { TERM_NAME, TERM_TYPE, TERM_BELOW, TERMS };

struct role_query {
	view scope, name;
	bool below, built_in, custom;
};

static bool
read_query(struct request *r, struct role_query *out, struct error *err)
{
	struct list_term terms[TERMS] = {
		[TERM_NAME] = { .name = "roleName", .form = FILTER_EQ },
		[TERM_TYPE] = { .name = "type", .form = FILTER_EQ },
		[TERM_BELOW] = { .name = "atScopeAndBelow", .form = FILTER_CALL },
	};

	if (!list_filter_read(r, terms, TERMS, err))
		return false;
	*out = (struct role_query){
		.scope = r->params[0],
		.name = terms[TERM_NAME].value,
		.below = terms[TERM_BELOW].given,
		.built_in = !view_ieq(terms[TERM_TYPE].value, V("CustomRole")),
		.custom = !view_ieq(terms[TERM_TYPE].value, V("BuiltInRole")),
	};
	return true;
}

/* A custom role is shown where it can be assigned, and, when asked, above that. */
static bool
is_asked_for(const struct role *role, const struct role_query *query)
{
	if (query->name.len > 0 && !view_ieq(query->name, view_of(role->name)))
		return false;
	if (role->custom == NULL || role_assignable(role, query->scope))
		return true;
	for (const char *const *scope = role->custom->scopes; *scope != NULL; scope++) {
		if (query->below && scope_contains(query->scope, view_of(*scope)))
			return true;
	}
	return false;
}

/* The built-in ones stand on the first page. */
static void
write_built_in(struct request *r, const struct role_query *query)
{
	const struct role *role;

	for (size_t i = 0; query->built_in && (role = role_at(i)) != NULL; i++) {
		if (is_asked_for(role, query))
			write_role(&r->json, query->scope, role);
	}
}

static bool
write_custom_page(struct request *r, const struct role_query *query, view after, view *next,
    struct error *err)
{
	struct role_page page;

	*next = V("");
	if (!query->custom)
		return true;
	if (!roles_page(r->services->access, &r->caller.tenant, after, PAGE, r->arena, &page, err))
		return false;
	for (size_t i = 0; i < page.count; i++) {
		if (is_asked_for(&page.items[i], query))
			write_role(&r->json, query->scope, &page.items[i]);
	}
	*next = page.next;
	return true;
}

static bool
run_list(struct request *r, struct error *err)
{
	struct role_query query;
	view list, after, next;

	if (!read_query(r, &query, err))
		return false;
	if (!arena_print(r->arena, &list, "roleDefinitions of %s", r->caller.tenant.text))
		return error_memory(err);
	if (!page_marker(r, list, &after, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	if (after.len == 0)
		write_built_in(r, &query);
	if (!write_custom_page(r, &query, after, &next, err))
		return false;
	json_close(&r->json, ']');
	if (!page_next_arm(r, list, next, err))
		return false;
	json_close(&r->json, '}');
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	struct role role;

	if (!role_get(r->services->access, &r->caller.tenant, r->params[1], r->arena, &role))
		return error_set(err, ERR_ROLE_DEFINITION_NOT_FOUND,
		    "The specified role definition with ID '%.*s' does not exist.",
		    VIEW_ARG(r->params[1]));
	write_role(reply_json(r), r->params[0], &role);
	return true;
}

/* "/subscriptions/ID" or below, of the caller's tenant. */
static bool
check_scope(struct request *r, view scope, struct error *err)
{
	view subscription = scope_subscription(scope);
	struct uuid tenant;

	if (subscription.len == 0 || memchr(scope.ptr, '*', scope.len) != NULL ||
	    !subscription_tenant(r->services->access, subscription, &tenant) ||
	    !view_eq(uuid_view(&tenant), uuid_view(&r->caller.tenant)))
		return error_set(err, ERR_ROLE_DEFINITION_INVALID,
		    "The assignable scope '%.*s' is not valid: it has to be a subscription of the "
		    "directory %s, or below one.",
		    VIEW_ARG(scope), r->caller.tenant.text);
	return scope_check(scope, err);
}

static bool
read_scopes(struct request *r, const struct body_texts *texts, const char *const **out,
    struct error *err)
{
	const char **list = arena_alloc(r->arena, (texts->count + 1) * sizeof(*list));

	if (list == NULL)
		return error_memory(err);
	if (texts->count == 0)
		return error_set(err, ERR_ROLE_DEFINITION_INVALID,
		    "A role definition needs at least one assignable scope.");
	for (size_t i = 0; i < texts->count; i++) {
		if (!check_scope(r, texts->texts[i], err))
			return false;
		list[i] = texts->texts[i].ptr; /* ends with a NUL */
	}
	*out = list;
	return true;
}

static bool
read_name(struct request *r, struct role *out, struct uuid *id, struct error *err)
{
	const struct role_body *body = r->body;

	if (!uuid_parse(r->params[1], id) || role_find(uuid_view(id)) != NULL)
		return error_set(err, ERR_ROLE_DEFINITION_INVALID,
		    "The role definition ID '%.*s' is not valid. It must be a GUID, and not a "
		    "built-in role's.",
		    VIEW_ARG(r->params[1]));
	if (view_trim(body->name.text).len == 0 ||
	    memchr(body->name.text.ptr, '\0', body->name.text.len) != NULL)
		return error_set(err, ERR_ROLE_DEFINITION_INVALID,
		    "The role definition's name is empty or not valid.");
	if (body->type.given && !view_ieq(body->type.text, V("CustomRole")))
		return error_set(err, ERR_ROLE_DEFINITION_INVALID,
		    "Only custom roles can be written.");
	out->id = id->text;
	out->name = body->name.text.ptr;
	out->description = body->description.given ? body->description.text.ptr : "";
	return true;
}

/* Who writes a role may do so everywhere that it can be assigned. */
static bool
require_scopes(struct request *r, const struct role *role, struct error *err)
{
	for (const char *const *scope = role->custom->scopes; *scope != NULL; scope++) {
		if (!access_require(r, r->op->action, view_of(*scope), NULL, 0, err))
			return false;
	}
	return true;
}

static bool
check_against_others(struct request *r, const struct role *role, bool present, struct error *err)
{
	struct access *access = r->services->access;

	if (role_named(access, &r->caller.tenant, view_of(role->name), view_of(role->id)))
		return error_set(err, ERR_ROLE_DEFINITION_NAMED,
		    "A role definition cannot be created or updated with a name that is already "
		    "in use: '%s'.",
		    role->name);
	if (present && role_assigned_outside(access, role))
		return error_set(err, ERR_ROLE_DEFINITION_ASSIGNED,
		    "There are role assignments that are not within the new assignable scopes.");
	if (!present && roles_count(access) >= CUSTOM_ROLES_MAX)
		return error_set(err, ERR_ROLE_DEFINITION_LIMIT,
		    "No more custom roles can be created: there are %d already.", CUSTOM_ROLES_MAX);
	return true;
}

static bool
name_for_audit(struct request *r, const struct role *role, struct error *err)
{
	return arena_print(r->arena, &r->object_id, "/providers/" DEFINITION_TYPE "/%s (%s)",
		   role->id, role->name) ||
	    error_memory(err);
}

static bool
run_put(struct request *r, struct error *err)
{
	static const struct permissions_words words = { ERR_ROLE_DEFINITION_INVALID,
		"role definition", "allow" };
	struct role_custom custom = {
		.tenant = r->caller.tenant,
		.created = clock_now(),
		.updated = clock_now(),
		.created_by = r->caller.object,
		.updated_by = r->caller.object,
	};
	struct role role = { .custom = &custom }, before;
	const struct role_body *body = r->body;
	struct uuid id;
	bool present;

	if (!read_name(r, &role, &id, err) || !read_scopes(r, &body->scopes, &custom.scopes, err) ||
	    !permissions_read(r, &body->permissions, &words, &role.permissions, err) ||
	    !require_scopes(r, &role, err))
		return false;
	present =
	    role_get(r->services->access, &r->caller.tenant, uuid_view(&id), r->arena, &before);
	/* Also where it could be assigned until now. */
	if (present && !require_scopes(r, &before, err))
		return false;
	if (present) {
		custom.created = before.custom->created;
		custom.created_by = before.custom->created_by;
	}
	if (!check_against_others(r, &role, present, err) || !name_for_audit(r, &role, err) ||
	    !role_put(&r->tx, &role, present, err))
		return false;
	write_role(reply_json(r), r->params[0], &role);
	r->out->status = 201;
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	struct access *access = r->services->access;
	struct role role;
	struct uuid id;

	if (!role_get(access, &r->caller.tenant, r->params[1], r->arena, &role)) {
		r->out->status = 204;
		return true;
	}
	if (role.custom == NULL)
		return error_set(err, ERR_ROLE_DEFINITION_INVALID,
		    "The built-in role '%s' can't be deleted.", role.name);
	id = role_id(&role);
	if (!require_scopes(r, &role, err))
		return false;
	if (role_assigned(access, &r->caller.tenant, &id))
		return error_set(err, ERR_ROLE_DEFINITION_ASSIGNED,
		    "There are existing role assignments referencing role (code: "
		    "RoleDefinitionHasAssignments).");
	write_role(reply_json(r), r->params[0], &role);
	return name_for_audit(r, &role, err) && role_delete(&r->tx, &role, err);
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM
#define READ .action = "Microsoft.Authorization/roleDefinitions/read", .method = HTTP_GET

const struct op role_ops[] = {
	{ "RoleDefinitionList", ROW, READ, .path = PROVIDER "roleDefinitions", .run = run_list },
	{ "RoleDefinitionGet", ROW, READ, .path = PROVIDER "roleDefinitions/{name}", .run = run_get },
	{ "RoleDefinitionPut", ROW, .method = HTTP_PUT, .path = PROVIDER "roleDefinitions/{name}",
	    .action = WRITE, .cost = COST_POOL, .body = role_fields,
	    .body_size = sizeof(struct role_body), .run = run_put },
	{ "RoleDefinitionDelete", ROW, .method = HTTP_DELETE,
	    .path = PROVIDER "roleDefinitions/{name}", .action = DELETE, .run = run_delete },
	{ 0 },
};

/* clang-format on */
