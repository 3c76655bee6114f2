/*
 * Microsoft.Authorization: deny assignments.  The original only shows them, as its other services
 * make them; here PUT and DELETE make and end them, with the actions .../denyAssignments/write and
 * .../delete, which Owner and User Access Administrator have.
 */
#include "access/deny.h"
#include "access/filter.h"
#include "access/role_store.h"
#include "access/shape.h"
#include "api/paging.h"
#include "base/clock.h"

#include <string.h>

#define PROVIDER "{scope}/providers/Microsoft.Authorization/"
#define TITLE_MAX 512
#define DESCRIPTION_MAX 2048
#define PAGE 20

struct principal_body {
	struct body_text id, type;
};

struct deny_body {
	struct body_text title, description;
	struct body_list permissions, principals, excluded;
	struct body_flag here_only;
};

/* clang-format off */

static const struct field principal_fields[] = {
	{ .name = "id", .kind = FIELD_TEXT, .max = 64, .required = true,
	    .offset = offsetof(struct principal_body, id) },
	{ .name = "type", .kind = FIELD_TEXT, .max = 64,
	    .offset = offsetof(struct principal_body, type) },
	{ 0 },
};

static const struct field properties[] = {
	{ .name = "denyAssignmentName", .kind = FIELD_TEXT, .max = TITLE_MAX, .required = true,
	    .offset = offsetof(struct deny_body, title) },
	{ .name = "description", .kind = FIELD_TEXT, .max = DESCRIPTION_MAX,
	    .offset = offsetof(struct deny_body, description) },
	{ .name = "permissions", .kind = FIELD_LIST, .max = 1, .required = true,
	    .fields = permission_fields, .size = sizeof(struct permission_body),
	    .offset = offsetof(struct deny_body, permissions) },
	{ .name = "principals", .kind = FIELD_LIST, .max = DENY_PRINCIPALS_MAX, .required = true,
	    .fields = principal_fields, .size = sizeof(struct principal_body),
	    .offset = offsetof(struct deny_body, principals) },
	{ .name = "excludePrincipals", .kind = FIELD_LIST, .max = DENY_PRINCIPALS_MAX,
	    .fields = principal_fields, .size = sizeof(struct principal_body),
	    .offset = offsetof(struct deny_body, excluded) },
	{ .name = "doNotApplyToChildScopes", .kind = FIELD_FLAG,
	    .offset = offsetof(struct deny_body, here_only) },
	{ 0 },
};

static const struct field deny_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

static void
write_principals(struct json *json, const char *name, const struct deny_principal *list,
    size_t count)
{
	json_open_in(json, name, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, '{');
		json_text(json, "id", uuid_view(&list[i].id));
		json_text(json, "type", view_of(list[i].type));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
write_permissions(struct json *json, const struct deny *deny)
{
	json_open_in(json, "permissions", '[');
	json_open(json, '{');
	permissions_write(json, &deny->permissions);
	json_null_value(json, "condition");
	json_null_value(json, "conditionVersion");
	json_close(json, '}');
	json_close(json, ']');
}

static void
write_deny(struct json *json, const struct deny *deny)
{
	json_open(json, '{');
	json_open_in(json, "properties", '{');
	json_text(json, "denyAssignmentName", view_of(deny->title));
	json_text(json, "description", view_of(deny->description));
	write_permissions(json, deny);
	json_text(json, "scope", view_of(deny->scope));
	json_flag(json, "doNotApplyToChildScopes", deny->here_only);
	write_principals(json, "principals", deny->principals, deny->principal_count);
	write_principals(json, "excludePrincipals", deny->excluded, deny->excluded_count);
	json_flag(json, "isSystemProtected", false);
	shape_time(json, "createdOn", deny->created);
	shape_time(json, "updatedOn", deny->updated);
	json_text(json, "createdBy", uuid_view(&deny->created_by));
	json_text(json, "updatedBy", uuid_view(&deny->updated_by));
	json_close(json, '}');
	shape_id(json, "id", view_of(deny->scope), DENY_TYPE, uuid_view(&deny->name));
	json_text(json, "type", V(DENY_TYPE));
	json_text(json, "name", uuid_view(&deny->name));
	json_close(json, '}');
}

/* Everybody is nobody in the directory; the others have to be there, in the caller's tenant. */
static bool
read_principal(struct request *r, const struct principal_body *body, struct deny_principal *out,
    struct error *err)
{
	struct principal principal;

	if (view_eq(body->id.text, V(EVERYONE)) && uuid_parse(V(EVERYONE), &out->id)) {
		out->type = "SystemDefined";
		return true;
	}
	if (!uuid_parse(body->id.text, &out->id) ||
	    !directory_principal(r->services->directory, &out->id, &principal) ||
	    !view_eq(uuid_view(&principal.tenant), uuid_view(&r->caller.tenant)))
		return error_set(err, ERR_PRINCIPAL_NOT_FOUND,
		    "Principal %.*s does not exist in the directory %s.", VIEW_ARG(body->id.text),
		    r->caller.tenant.text);
	out->type = principal_type(principal.kind);
	return true;
}

static bool
read_principals(struct request *r, const struct body_list *list, const struct deny_principal **out,
    size_t *count, struct error *err)
{
	const struct principal_body *bodies = list->items;
	struct deny_principal *principals =
	    arena_alloc(r->arena, (list->count + 1) * sizeof(*principals));

	if (principals == NULL)
		return error_memory(err);
	for (size_t i = 0; i < list->count; i++) {
		if (!read_principal(r, &bodies[i], &principals[i], err))
			return false;
	}
	*out = principals;
	*count = list->count;
	return true;
}

static bool
deny_name(const struct request *r, struct uuid *out, struct error *err)
{
	return uuid_parse(r->params[1], out) ||
	    error_set(err, ERR_BAD_REQUEST,
		"The deny assignment ID '%.*s' is not valid. It must be a GUID.",
		VIEW_ARG(r->params[1]));
}

static bool
read_wanted(struct request *r, struct deny *out, struct error *err)
{
	static const struct permissions_words words = { ERR_BAD_REQUEST, "deny assignment",
		"deny" };
	const struct deny_body *body = r->body;
	view scope, title = body->title.text;

	if (!deny_name(r, &out->name, err) || !scope_check(r->params[0], err))
		return false;
	if (title.len == 0 || memchr(title.ptr, '\0', title.len) != NULL)
		return error_set(err, ERR_BAD_REQUEST, "A deny assignment needs a name.");
	if (!arena_copy(r->arena, r->params[0], &scope))
		return error_memory(err);
	out->tenant = r->caller.tenant;
	out->scope = scope.ptr;
	out->title = title.ptr;
	out->description = body->description.given ? body->description.text.ptr : "";
	out->here_only = body->here_only.value;
	out->created = out->updated = clock_now();
	out->created_by = out->updated_by = r->caller.object;
	if (body->principals.count == 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "A deny assignment has to name at least one principal.");
	return permissions_read(r, &body->permissions, &words, &out->permissions, err) &&
	    read_principals(r, &body->principals, &out->principals, &out->principal_count, err) &&
	    read_principals(r, &body->excluded, &out->excluded, &out->excluded_count, err);
}

static bool
is_callers(const struct request *r, const struct deny *deny)
{
	return scope_same(view_of(deny->scope), r->params[0]) &&
	    view_eq(uuid_view(&deny->tenant), uuid_view(&r->caller.tenant));
}

static bool
name_for_audit(struct request *r, const struct deny *deny, struct error *err)
{
	return arena_print(r->arena, &r->object_id, "%s/providers/" DENY_TYPE "/%s", deny->scope,
		   deny->name.text) ||
	    error_memory(err);
}

static bool
run_put(struct request *r, struct error *err)
{
	struct deny wanted = { 0 }, present;
	bool there;

	if (!read_wanted(r, &wanted, err) || !name_for_audit(r, &wanted, err))
		return false;
	there = deny_find(r->services->access, &wanted.name, r->arena, &present);
	if (there && !is_callers(r, &present))
		return error_set(err, ERR_CONFLICT,
		    "The deny assignment '%s' exists at another scope.", wanted.name.text);
	if (there) {
		wanted.created = present.created;
		wanted.created_by = present.created_by;
	} else if (!deny_limit(r->services->access, &wanted.tenant, r->params[0], err)) {
		return false;
	}
	if (!deny_put(&r->tx, &wanted, there, err))
		return false;
	write_deny(reply_json(r), &wanted);
	r->out->status = there ? 200 : 201;
	return true;
}

static bool
find_named(struct request *r, struct deny *out, bool *found, struct error *err)
{
	struct uuid name;

	if (!deny_name(r, &name, err))
		return false;
	*found = deny_find(r->services->access, &name, r->arena, out) && is_callers(r, out);
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	struct deny deny;
	bool found;

	if (!find_named(r, &deny, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_DENY_ASSIGNMENT_NOT_FOUND,
		    "The deny assignment '%.*s' is not found.", VIEW_ARG(r->params[1]));
	write_deny(reply_json(r), &deny);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	struct deny deny;
	bool found;

	if (!find_named(r, &deny, &found, err))
		return false;
	if (!found) {
		r->out->status = 204;
		return true;
	}
	write_deny(reply_json(r), &deny);
	return name_for_audit(r, &deny, err) && deny_delete(&r->tx, &deny, err);
}

enum { TERM_AT_SCOPE, TERM_PRINCIPAL, TERM_TITLE, TERMS };

static bool
names(const struct deny *deny, view principal)
{
	for (size_t i = 0; i < deny->principal_count; i++) {
		if (view_ieq(uuid_view(&deny->principals[i].id), principal))
			return true;
	}
	return false;
}

static bool
is_asked_for(const struct deny *deny, const struct list_term terms[TERMS])
{
	if (terms[TERM_PRINCIPAL].given && !names(deny, terms[TERM_PRINCIPAL].value))
		return false;
	return !terms[TERM_TITLE].given || view_ieq(terms[TERM_TITLE].value, view_of(deny->title));
}

static bool
run_list(struct request *r, struct error *err)
{
	struct list_term terms[TERMS] = {
		[TERM_AT_SCOPE] = { .name = "atScope", .form = FILTER_CALL },
		[TERM_PRINCIPAL] = { .name = "principalId", .form = FILTER_EQ },
		[TERM_TITLE] = { .name = "denyAssignmentName", .form = FILTER_EQ },
	};
	struct assignment_query query = { .tenant = r->caller.tenant, .scope = r->params[0] };
	struct deny_page items;
	view list, after;

	if (!list_filter_read(r, terms, TERMS, err))
		return false;
	query.at_scope = terms[TERM_AT_SCOPE].given;
	if (!arena_print(r->arena, &list, "denyAssignments of %s at %.*s", query.tenant.text,
		VIEW_ARG(query.scope)))
		return error_memory(err);
	if (!page_marker(r, list, &after, err) ||
	    !denies_page(r->services->access, &query, after, PAGE, r->arena, &items, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < items.count; i++) {
		if (is_asked_for(&items.items[i], terms))
			write_deny(&r->json, &items.items[i]);
	}
	json_close(&r->json, ']');
	if (!page_next_arm(r, list, items.next, err))
		return false;
	json_close(&r->json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM
#define ACTION(name) .action = "Microsoft.Authorization/denyAssignments/" name

const struct op deny_ops[] = {
	{ "DenyAssignmentList", ROW, ACTION("read"), .method = HTTP_GET,
	    .path = PROVIDER "denyAssignments", .run = run_list },
	{ "DenyAssignmentGet", ROW, ACTION("read"), .method = HTTP_GET,
	    .path = PROVIDER "denyAssignments/{name}", .run = run_get },
	{ "DenyAssignmentPut", ROW, ACTION("write"), .method = HTTP_PUT,
	    .path = PROVIDER "denyAssignments/{name}", .body = deny_fields,
	    .body_size = sizeof(struct deny_body), .run = run_put },
	{ "DenyAssignmentDelete", ROW, ACTION("delete"), .method = HTTP_DELETE,
	    .path = PROVIDER "denyAssignments/{name}", .run = run_delete },
	{ 0 },
};

/* clang-format on */
