/*
 * Microsoft.Authorization: role assignments, below any scope.
 */
#include "access/access.h"
#include "access/condition.h"
#include "access/filter.h"
#include "access/role_store.h"
#include "access/shape.h"
#include "api/paging.h"
#include "base/clock.h"

#define PROVIDER "{scope}/providers/Microsoft.Authorization/"
#define DESCRIPTION_MAX 2048
#define PAGE 200

struct assignment_body {
	struct body_text role, principal, principal_type, condition, condition_version, description;
};

/* clang-format off */

#define TEXT(text, member, size) .name = text, .kind = FIELD_TEXT, .max = size, \
	    .offset = offsetof(struct assignment_body, member)

static const struct field properties[] = {
	{ TEXT("roleDefinitionId", role, 512), .required = true },
	{ TEXT("principalId", principal, 64), .required = true },
	{ TEXT("principalType", principal_type, 64) },
	{ TEXT("condition", condition, CONDITION_MAX) },
	{ TEXT("conditionVersion", condition_version, 16) },
	{ TEXT("description", description, DESCRIPTION_MAX) },
	{ 0 },
};

static const struct field assignment_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

static void
write_assignment(struct json *json, const struct assignment *assignment)
{
	view scope = assignment->scope;

	json_open(json, '{');
	json_open_in(json, "properties", '{');
	shape_definition_id(json, "roleDefinitionId", scope, uuid_view(&assignment->role));
	json_text(json, "principalId", uuid_view(&assignment->principal));
	json_text(json, "principalType", assignment->principal_type);
	json_text(json, "scope", scope);
	shape_text(json, "condition", assignment->condition);
	shape_text(json, "conditionVersion", assignment->condition.len > 0 ? V("2.0") : V(""));
	shape_time(json, "createdOn", assignment->created);
	shape_time(json, "updatedOn", assignment->updated);
	json_text(json, "createdBy", uuid_view(&assignment->created_by));
	json_text(json, "updatedBy", uuid_view(&assignment->updated_by));
	json_null_value(json, "delegatedManagedIdentityResourceId");
	shape_text(json, "description", assignment->description);
	json_close(json, '}');
	shape_id(json, "id", scope, ASSIGNMENT_TYPE, uuid_view(&assignment->name));
	json_text(json, "type", V(ASSIGNMENT_TYPE));
	json_text(json, "name", uuid_view(&assignment->name));
	json_close(json, '}');
}

/* A definition's GUID alone, or its id at any scope; "" for anything else. */
static view
definition_name(view id)
{
	static const view place = V_INIT("/providers/" DEFINITION_TYPE "/");
	size_t at = id.len;

	while (at > 0 && id.ptr[at - 1] != '/')
		at--;
	if (at > 0 &&
	    (at < place.len || !view_ieq((view){ id.ptr + at - place.len, place.len }, place)))
		return V("");
	return view_from(id, at);
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
read_role(struct request *r, struct assignment *out, struct error *err)
{
	const struct assignment_body *body = r->body;
	struct role role;

	if (!role_get(r->services->access, &r->caller.tenant, definition_name(body->role.text),
		r->arena, &role))
		return error_set(err, ERR_ROLE_DEFINITION_MISSING,
		    "The specified role definition with ID '%.*s' does not exist.",
		    VIEW_ARG(body->role.text));
	if (!role_assignable(&role, out->scope))
		return error_set(err, ERR_ROLE_NOT_ASSIGNABLE,
		    "The role assignment scope '%.*s' is not among the assignable scopes of the "
		    "role definition '%s'.",
		    VIEW_ARG(out->scope), role.id);
	out->role = role_id(&role);
	return true;
}

static bool
read_principal(struct request *r, struct assignment *out, struct error *err)
{
	const struct assignment_body *body = r->body;
	struct principal principal;

	if (!uuid_parse(body->principal.text, &out->principal) ||
	    !directory_principal(r->services->directory, &out->principal, &principal) ||
	    !view_eq(uuid_view(&principal.tenant), uuid_view(&r->caller.tenant)))
		return error_set(err, ERR_PRINCIPAL_NOT_FOUND,
		    "Principal %.*s does not exist in the directory %s. Check that you have the "
		    "correct principal ID. If you are creating this principal and then "
		    "immediately assigning a role, this error might be related to a replication "
		    "delay. In this case, set the role assignment principalType property to a "
		    "value, such as ServicePrincipal, User, or Group.",
		    VIEW_ARG(body->principal.text), r->caller.tenant.text);
	out->principal_type = view_of(principal_type(principal.kind));
	if (!body->principal_type.given || view_ieq(body->principal_type.text, out->principal_type))
		return true;
	return error_set(err, ERR_PRINCIPAL_TYPE,
	    "The PrincipalId '%s' has type '%.*s', which is different from specified "
	    "PrincipalType '%.*s'.",
	    out->principal.text, VIEW_ARG(out->principal_type),
	    VIEW_ARG(body->principal_type.text));
}

static bool
read_condition(struct request *r, struct assignment *out, struct error *err)
{
	const struct assignment_body *body = r->body;

	out->condition = body->condition.text;
	out->description = body->description.text;
	if (out->condition.len == 0)
		return true;
	if (body->condition_version.given && !view_eq(body->condition_version.text, V("2.0")))
		return error_set(err, ERR_INVALID_CONDITION,
		    "The condition version '%.*s' is not supported. The supported version is "
		    "'2.0'.",
		    VIEW_ARG(body->condition_version.text));
	return condition_check(out->condition, err);
}

static bool
read_wanted(struct request *r, struct assignment *out, struct error *err)
{
	*out = (struct assignment){
		.tenant = r->caller.tenant,
		.scope = r->params[0],
		.created = clock_now(),
		.updated = clock_now(),
		.created_by = r->caller.object,
		.updated_by = r->caller.object,
	};
	return assignment_name(r, &out->name, err) && scope_check(out->scope, err) &&
	    read_role(r, out, err) && read_principal(r, out, err) && read_condition(r, out, err);
}

/* The audit log says who was given what, where. */
static bool
name_for_audit(struct request *r, const struct assignment *assignment, struct error *err)
{
	return arena_print(r->arena, &r->object_id,
		   "%.*s/providers/" ASSIGNMENT_TYPE "/%s (role %s, principal %s)",
		   VIEW_ARG(assignment->scope), assignment->name.text, assignment->role.text,
		   assignment->principal.text) ||
	    error_memory(err);
}

#define ATTRIBUTES 3

static void
add_attributes(const char *source, const struct assignment *assignment,
    struct access_attribute out[ATTRIBUTES])
{
	view from = view_of(source);

	out[0] = (struct access_attribute){ from, V(ASSIGNMENT_TYPE ":RoleDefinitionId"),
		uuid_view(&assignment->role) };
	out[1] = (struct access_attribute){ from, V(ASSIGNMENT_TYPE ":PrincipalId"),
		uuid_view(&assignment->principal) };
	out[2] = (struct access_attribute){ from, V(ASSIGNMENT_TYPE ":PrincipalType"),
		assignment->principal_type };
}

/*
 * The guard asked before it was known what is granted or taken away.  Now it is: ask again, for
 * those whose own grant says which roles they may give, and to whom.
 */
static bool
require_change(struct request *r, const struct assignment *wanted, const struct assignment *present,
    struct error *err)
{
	struct access_attribute attributes[2 * ATTRIBUTES];
	size_t count = 0;

	if (wanted != NULL) {
		add_attributes("Request", wanted, attributes);
		count += ATTRIBUTES;
	}
	if (present != NULL) {
		add_attributes("Resource", present, attributes + count);
		count += ATTRIBUTES;
	}
	return access_require(r, r->op->action, r->params[0], attributes, count, err);
}

static bool
update(struct request *r, struct assignment *wanted, const struct assignment *present,
    struct error *err)
{
	/* Another tenant's is not told from one of another principal. */
	if (!assignment_same(present, wanted) ||
	    !view_eq(uuid_view(&present->tenant), uuid_view(&wanted->tenant)))
		return error_set(err, ERR_ROLE_ASSIGNMENT_FIXED,
		    "Tenant ID, application ID, principal ID, and scope are not allowed to be "
		    "updated.");
	if (!require_change(r, wanted, present, err))
		return false;
	if (view_eq(present->condition, wanted->condition) &&
	    view_eq(present->description, wanted->description)) {
		write_assignment(reply_json(r), present);
		return true;
	}
	wanted->scope = present->scope;
	wanted->created = present->created;
	wanted->created_by = present->created_by;
	write_assignment(reply_json(r), wanted);
	return assignment_update(&r->tx, wanted, err);
}

static bool
run_put(struct request *r, struct error *err)
{
	struct access *access = r->services->access;
	struct assignment wanted, present;

	if (!read_wanted(r, &wanted, err) || !name_for_audit(r, &wanted, err))
		return false;
	if (assignment_find(access, &wanted.name, r->arena, &present))
		return update(r, &wanted, &present, err);
	if (!require_change(r, &wanted, NULL, err))
		return false;
	if (access_has(access, &wanted))
		return error_set(err, ERR_ROLE_ASSIGNMENT_EXISTS,
		    "The role assignment already exists.");
	if (access_count(access) >= ASSIGNMENTS_MAX)
		return error_set(err, ERR_ROLE_ASSIGNMENT_LIMIT,
		    "No more role assignments can be created: there are %d already.",
		    ASSIGNMENTS_MAX);
	if (!assignment_put(&r->tx, &wanted, err))
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
	    scope_same(out->scope, r->params[0]) &&
	    view_eq(uuid_view(&out->tenant), uuid_view(&r->caller.tenant));
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

/* One whose principal is gone can be deleted like any other. */
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
	if (!require_change(r, NULL, &assignment, err))
		return false;
	write_assignment(reply_json(r), &assignment);
	return name_for_audit(r, &assignment, err) && assignment_delete(&r->tx, &assignment, err);
}

enum { TERM_AT_SCOPE, TERM_PRINCIPAL, TERM_ASSIGNED_TO, TERMS };

/* Is ${principal} ${to} or one of its groups?  Otherwise nothing is assigned to both. */
static bool
both_principals(struct request *r, const struct uuid *principal, const struct uuid *to)
{
	struct memberships who;

	directory_memberships(r->services->directory, to, &who);
	for (size_t i = 0; i < who.count; i++) {
		if (view_eq(uuid_view(&who.ids[i]), uuid_view(principal)))
			return true;
	}
	return false;
}

static bool
read_list_query(struct request *r, struct assignment_query *out, struct uuid ids[2], bool *none,
    struct error *err)
{
	struct list_term terms[TERMS] = {
		[TERM_AT_SCOPE] = { .name = "atScope", .form = FILTER_CALL },
		[TERM_PRINCIPAL] = { .name = "principalId", .form = FILTER_EQ },
		[TERM_ASSIGNED_TO] = { .name = "assignedTo", .form = FILTER_ASK },
	};

	if (!list_filter_read(r, terms, TERMS, err))
		return false;
	*out = (struct assignment_query){
		.tenant = r->caller.tenant,
		.scope = r->params[0],
		.at_scope = terms[TERM_AT_SCOPE].given,
		.groups = terms[TERM_ASSIGNED_TO].given && !terms[TERM_PRINCIPAL].given,
	};
	for (size_t i = TERM_PRINCIPAL; i <= TERM_ASSIGNED_TO; i++) {
		struct uuid *id = &ids[i - TERM_PRINCIPAL];

		if (terms[i].given && !uuid_parse(terms[i].value, id))
			return error_set(err, ERR_BAD_REQUEST, "The filter's id is no GUID.");
	}
	if (terms[TERM_PRINCIPAL].given)
		out->principal = &ids[0];
	else if (terms[TERM_ASSIGNED_TO].given)
		out->principal = &ids[1];
	*none = terms[TERM_PRINCIPAL].given && terms[TERM_ASSIGNED_TO].given &&
	    !both_principals(r, &ids[0], &ids[1]);
	return true;
}

static bool
run_list(struct request *r, struct error *err)
{
	struct assignment_page items = { 0 };
	struct assignment_query query;
	struct uuid ids[2];
	bool none = false;
	view list, after;

	if (!read_list_query(r, &query, ids, &none, err))
		return false;
	if (!arena_print(r->arena, &list, "roleAssignments of %s at %.*s", query.tenant.text,
		VIEW_ARG(query.scope)))
		return error_memory(err);
	if (!page_marker(r, list, &after, err) ||
	    (!none &&
		!assignments_page(r->services->access, &query, after, PAGE, r->arena, &items, err)))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < items.count; i++)
		write_assignment(&r->json, &items.items[i]);
	json_close(&r->json, ']');
	if (!page_next_arm(r, list, items.next, err))
		return false;
	json_close(&r->json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM
#define READ .action = "Microsoft.Authorization/roleAssignments/read"

const struct op assignment_ops[] = {
	{ "RoleAssignmentPut", ROW, .method = HTTP_PUT, .path = PROVIDER "roleAssignments/{name}",
	    .action = ASSIGNMENT_WRITE, .body = assignment_fields,
	    .body_size = sizeof(struct assignment_body), .run = run_put },
	{ "RoleAssignmentGet", ROW, READ, .method = HTTP_GET,
	    .path = PROVIDER "roleAssignments/{name}", .run = run_get },
	{ "RoleAssignmentDelete", ROW, .method = HTTP_DELETE,
	    .path = PROVIDER "roleAssignments/{name}", .action = ASSIGNMENT_DELETE,
	    .run = run_delete },
	{ "RoleAssignmentList", ROW, READ, .method = HTTP_GET, .path = PROVIDER "roleAssignments",
	    .run = run_list },
	{ 0 },
};

/* clang-format on */
