/*
 * Microsoft.Authorization: role assignments and definitions, below any scope.
 */
#include "access/access.h"
#include "api/body.h"
#include "base/clock.h"
#include "identity/identity.h"

#include <string.h>

#define PROVIDER "{scope}/providers/Microsoft.Authorization/"
#define ASSIGNMENT_TYPE "Microsoft.Authorization/roleAssignments"
#define DEFINITION_TYPE "Microsoft.Authorization/roleDefinitions"
#define SCOPE_MAX 512

struct assignment_body {
	struct body_text role, principal, principal_type;
};

/* clang-format off */

static const struct field properties[] = {
	{ .name = "roleDefinitionId", .kind = FIELD_TEXT, .max = 512, .required = true,
	    .offset = offsetof(struct assignment_body, role) },
	{ .name = "principalId", .kind = FIELD_TEXT, .max = 64, .required = true,
	    .offset = offsetof(struct assignment_body, principal) },
	{ .name = "principalType", .kind = FIELD_TEXT, .max = 64,
	    .offset = offsetof(struct assignment_body, principal_type) },
	{ 0 },
};

static const struct field assignment_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

/* Definitions are named relative to the subscription they are asked for under. */
static view
subscription_of(view scope)
{
	static const view word = V_INIT("/subscriptions/");
	size_t at;

	if (!view_istarts(scope, word))
		return V("");
	if (!view_find(view_from(scope, word.len), '/', &at))
		return scope;
	return (view){ scope.ptr, word.len + at };
}

static void
write_definition_id(struct json *json, const char *name, view scope, const struct role *role)
{
	json_text_open(json, name);
	json_text_part(json, subscription_of(scope));
	json_text_part(json, V("/providers/" DEFINITION_TYPE "/"));
	json_text_part(json, view_of(role->id));
	json_text_close(json);
}

static void
write_time(struct json *json, const char *name, int64_t seconds)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso(seconds * 1000000000, iso);
	json_text(json, name, view_of(iso));
}

static void
write_assignment(struct json *json, const struct assignment *assignment)
{
	view scope = assignment->scope;

	json_open(json, '{');
	json_open_in(json, "properties", '{');
	write_definition_id(json, "roleDefinitionId", scope, assignment->role);
	json_text(json, "principalId", uuid_view(&assignment->principal));
	json_text(json, "principalType", assignment->principal_type);
	json_text(json, "scope", scope);
	json_null_value(json, "condition");
	json_null_value(json, "conditionVersion");
	write_time(json, "createdOn", assignment->created);
	write_time(json, "updatedOn", assignment->created);
	json_text(json, "createdBy", uuid_view(&assignment->created_by));
	json_text(json, "updatedBy", uuid_view(&assignment->created_by));
	json_null_value(json, "delegatedManagedIdentityResourceId");
	json_null_value(json, "description");
	json_close(json, '}');
	json_text_open(json, "id");
	json_text_part(json, view_eq(scope, V("/")) ? V("") : scope);
	json_text_part(json, V("/providers/" ASSIGNMENT_TYPE "/"));
	json_text_part(json, uuid_view(&assignment->name));
	json_text_close(json);
	json_text(json, "type", V(ASSIGNMENT_TYPE));
	json_text(json, "name", uuid_view(&assignment->name));
	json_close(json, '}');
}

static const struct role *
role_of_id(view id)
{
	while (id.len > 0) {
		view last = view_cut(&id, '/');

		if (id.len == 0)
			return role_find(last);
	}
	return NULL;
}

static bool
assignment_name(const struct request *r, struct uuid *out, struct error *err)
{
	if (!uuid_parse(r->params[1], out))
		return error_set(err, ERR_BAD_REQUEST,
		    "The role assignment ID '%.*s' is not valid. The role assignment ID must be a "
		    "GUID.",
		    VIEW_ARG(r->params[1]));
	return true;
}

static bool
refuse_duplicate(struct request *r, const struct assignment *wanted, struct error *err)
{
	return !access_has(r->services->access, wanted) ||
	    error_set(err, ERR_ROLE_ASSIGNMENT_EXISTS, "The role assignment already exists.");
}

/* The longest there is names an object in a vault. */
static bool
check_scope(view scope, struct error *err)
{
	return scope.len <= SCOPE_MAX ||
	    error_set(err, ERR_BAD_REQUEST, "The scope of a role assignment is too long.");
}

static bool
read_wanted(struct request *r, struct assignment *out, struct error *err)
{
	const struct assignment_body *body = r->body;
	struct application principal;

	*out = (struct assignment){
		.role = role_of_id(body->role.text),
		.scope = r->params[0],
		.principal_type = V("ServicePrincipal"),
		.created = clock_now(),
		.created_by = r->caller.object,
	};
	if (!assignment_name(r, &out->name, err) || !check_scope(out->scope, err))
		return false;
	if (out->role == NULL)
		return error_set(err, ERR_ROLE_DEFINITION_MISSING,
		    "The specified role definition with ID '%.*s' does not exist.",
		    VIEW_ARG(body->role.text));
	if (uuid_parse(body->principal.text, &out->principal) &&
	    application_by_object(&r->tx, uuid_view(&out->principal), &principal, err))
		return true;
	if (err->code == ERR_NONE || err->code == ERR_GRAPH_NOT_FOUND)
		return error_set(err, ERR_PRINCIPAL_NOT_FOUND,
		    "Principal %.*s does not exist in the directory %s. Check that you have the "
		    "correct principal ID.",
		    VIEW_ARG(body->principal.text), r->caller.tenant.text);
	return false;
}

/* The audit log says who was given what, where. */
static bool
name_for_audit(struct request *r, const struct assignment *assignment, struct error *err)
{
	return arena_print(r->arena, &r->object_id,
		   "%.*s/providers/" ASSIGNMENT_TYPE "/%s (role %s, principal %s)",
		   VIEW_ARG(assignment->scope), assignment->name.text, assignment->role->id,
		   assignment->principal.text) ||
	    error_memory(err);
}

static bool
run_put(struct request *r, struct error *err)
{
	struct assignment wanted, present;

	if (!read_wanted(r, &wanted, err) || !name_for_audit(r, &wanted, err))
		return false;
	if (assignment_find(r->services->access, &wanted.name, r->arena, &present)) {
		if (!assignment_same(&present, &wanted))
			return error_set(err, ERR_ROLE_ASSIGNMENT_FIXED,
			    "Tenant ID, application ID, principal ID, and scope are not allowed to "
			    "be updated.");
		write_assignment(reply_json(r), &present);
		return true;
	}
	if (!refuse_duplicate(r, &wanted, err) || !assignment_put(&r->tx, &wanted, err))
		return false;
	write_assignment(reply_json(r), &wanted);
	r->out->status = 201;
	return true;
}

static bool
find_named(struct request *r, struct assignment *out, bool *found, struct error *err)
{
	struct uuid name;

	if (!assignment_name(r, &name, err))
		return false;
	*found = assignment_find(r->services->access, &name, r->arena, out) &&
	    view_ieq(out->scope, r->params[0]);
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	struct assignment assignment;
	bool found;

	if (!find_named(r, &assignment, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_ROLE_ASSIGNMENT_NOT_FOUND,
		    "The role assignment '%.*s' is not found.", VIEW_ARG(r->params[1]));
	write_assignment(reply_json(r), &assignment);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	struct assignment assignment;
	bool found;

	if (!find_named(r, &assignment, &found, err))
		return false;
	if (!found) {
		r->out->status = 204;
		return true;
	}
	write_assignment(reply_json(r), &assignment);
	return name_for_audit(r, &assignment, err) && assignment_delete(&r->tx, &assignment, err);
}

/*
 * What a list is asked for: everything at, above and below a scope, less what the filter leaves
 * out.
 */
struct list_filter {
	view scope;
	bool at_scope; /* not below */
	view principal;
};

static bool
in_list(const struct assignment *assignment, const void *ctx)
{
	const struct list_filter *filter = ctx;
	bool above = scope_contains(assignment->scope, filter->scope);
	bool below = scope_contains(filter->scope, assignment->scope);

	if (filter->principal.len > 0 &&
	    !view_ieq(uuid_view(&assignment->principal), filter->principal))
		return false;
	return above || (below && !filter->at_scope);
}

/* "NAME eq 'VALUE'": the value, without the quotes. */
static bool
filter_equals(view filter, view name, view *value)
{
	if (!view_istarts(filter, name))
		return false;
	filter = view_trim(view_from(filter, name.len));
	if (!view_istarts(filter, V("eq ")))
		return false;
	filter = view_trim(view_from(filter, 3));
	if (filter.len < 2 || filter.ptr[0] != '\'' || filter.ptr[filter.len - 1] != '\'')
		return false;
	*value = (view){ filter.ptr + 1, filter.len - 2 };
	return true;
}

static bool
read_filter(struct request *r, struct list_filter *out, struct error *err)
{
	view text;

	*out = (struct list_filter){ .scope = r->params[0] };
	if (!request_query(r, "$filter", &text) || text.len == 0)
		return true;
	if (view_ieq(text, V("atScope()"))) {
		out->at_scope = true;
		return true;
	}
	if (filter_equals(text, V("principalId"), &out->principal))
		return true;
	return error_set(err, ERR_BAD_REQUEST, "The filter '%.*s' is not supported.",
	    VIEW_ARG(text));
}

static bool
run_list(struct request *r, struct error *err)
{
	struct list_filter filter;
	struct assignment *list;
	struct json *json;
	size_t count;

	if (!read_filter(r, &filter, err) ||
	    !assignments_list(r->services->access, in_list, &filter, r->arena, &list, &count, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	json_open_in(json, "value", '[');
	for (size_t i = 0; i < count; i++)
		write_assignment(json, &list[i]);
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

static void
write_patterns(struct json *json, const char *name, const char *const *patterns)
{
	json_open_in(json, name, '[');
	for (; patterns != NULL && *patterns != NULL; patterns++)
		json_text(json, NULL, view_of(*patterns));
	json_close(json, ']');
}

static void
write_definition(struct json *json, view scope, const struct role *role)
{
	json_open(json, '{');
	json_open_in(json, "properties", '{');
	json_text(json, "roleName", view_of(role->name));
	json_text(json, "type", V("BuiltInRole"));
	json_text(json, "description", view_of(role->description));
	json_open_in(json, "assignableScopes", '[');
	json_text(json, NULL, V("/"));
	json_close(json, ']');
	json_open_in(json, "permissions", '[');
	json_open(json, '{');
	write_patterns(json, "actions", role->actions);
	write_patterns(json, "notActions", role->not_actions);
	write_patterns(json, "dataActions", role->data_actions);
	write_patterns(json, "notDataActions", role->not_data_actions);
	json_close(json, '}');
	json_close(json, ']');
	json_close(json, '}');
	write_definition_id(json, "id", scope, role);
	json_text(json, "type", V(DEFINITION_TYPE));
	json_text(json, "name", view_of(role->id));
	json_close(json, '}');
}

static bool
run_definitions(struct request *r, struct error *err)
{
	view filter = V(""), name = V("");
	const struct role *role;
	struct json *json;

	if (request_query(r, "$filter", &filter) && filter.len > 0 &&
	    !filter_equals(filter, V("roleName"), &name) &&
	    !view_ieq(filter, V("type eq 'BuiltInRole'")))
		return error_set(err, ERR_BAD_REQUEST, "The filter '%.*s' is not supported.",
		    VIEW_ARG(filter));
	json = reply_json(r);
	json_open(json, '{');
	json_open_in(json, "value", '[');
	for (size_t i = 0; (role = role_at(i)) != NULL; i++) {
		if (name.len == 0 || view_ieq(name, view_of(role->name)))
			write_definition(json, r->params[0], role);
	}
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

static bool
run_definition(struct request *r, struct error *err)
{
	const struct role *role = role_find(r->params[1]);

	if (role == NULL)
		return error_set(err, ERR_ROLE_DEFINITION_MISSING,
		    "The specified role definition with ID '%.*s' does not exist.",
		    VIEW_ARG(r->params[1]));
	write_definition(reply_json(r), r->params[0], role);
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM
#define READ .action = "Microsoft.Authorization/roleAssignments/read"

const struct op assignment_ops[] = {
	{ "RoleAssignmentPut", ROW, .method = HTTP_PUT, .path = PROVIDER "roleAssignments/{name}",
	    .action = "Microsoft.Authorization/roleAssignments/write", .body = assignment_fields,
	    .body_size = sizeof(struct assignment_body), .run = run_put },
	{ "RoleAssignmentGet", ROW, READ, .method = HTTP_GET,
	    .path = PROVIDER "roleAssignments/{name}", .run = run_get },
	{ "RoleAssignmentDelete", ROW, .method = HTTP_DELETE,
	    .path = PROVIDER "roleAssignments/{name}",
	    .action = "Microsoft.Authorization/roleAssignments/delete", .run = run_delete },
	{ "RoleAssignmentList", ROW, READ, .method = HTTP_GET, .path = PROVIDER "roleAssignments",
	    .run = run_list },
	{ "RoleDefinitionList", ROW, .method = HTTP_GET, .path = PROVIDER "roleDefinitions",
	    .action = "Microsoft.Authorization/roleDefinitions/read", .run = run_definitions },
	{ "RoleDefinitionGet", ROW, .method = HTTP_GET, .path = PROVIDER "roleDefinitions/{name}",
	    .action = "Microsoft.Authorization/roleDefinitions/read", .run = run_definition },
	{ 0 },
};

/* clang-format on */
