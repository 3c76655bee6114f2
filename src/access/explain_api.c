/*
 * Strongroom.Authorization, an extension of ours: why may somebody do something, and who may do
 * anything at all.  Both ask what the guard asks.
 *
 *	POST {scope}/providers/Strongroom.Authorization/explain
 *	     {"principalId", "action", "isDataAction"}
 *	     -> {"allowed", "reason", "scope", "roleAssignment", "through", "denyAssignment"}
 *	GET {scope}/providers/Strongroom.Authorization/effectiveAccess
 *	     -> {"value": [every assignment that counts there, with its role and where it is from],
 *	         "denyAssignments": [those that count there, on the first page], "nextLink"}
 *
 * A group is shown as such; who is in it, the directory says.
 */
#include "access/deny.h"
#include "access/role_store.h"
#include "access/shape.h"
#include "api/paging.h"

#define PROVIDER "{scope}/providers/Strongroom.Authorization/"
#define PAGE 100
#define DENIES 50

struct explain_body {
	struct body_text principal, action;
	struct body_flag data;
};

/* clang-format off */

static const struct field explain_fields[] = {
	{ .name = "principalId", .kind = FIELD_TEXT, .max = 64, .required = true,
	    .offset = offsetof(struct explain_body, principal) },
	{ .name = "action", .kind = FIELD_TEXT, .max = ROLE_ACTION_MAX, .required = true,
	    .offset = offsetof(struct explain_body, action) },
	{ .name = "isDataAction", .kind = FIELD_FLAG, .offset = offsetof(struct explain_body, data) },
	{ 0 },
};

/* clang-format on */

static void
write_principal(struct json *json, const struct uuid *id, view type, view name)
{
	json_text(json, "principalId", uuid_view(id));
	json_text(json, "principalType", type);
	write_text_or_null(json, "principalName", name);
}

/* The assignment, and the role's name: it may be gone by now. */
static void
write_assignment(struct request *r, struct json *json, const struct assignment *assignment)
{
	bool inherited = !scope_same(assignment->scope, r->params[0]);
	struct role role;

	write_extension_id(json, "id", assignment->scope, ASSIGNMENT_TYPE, uuid_view(&assignment->name));
	json_text(json, "scope", assignment->scope);
	json_flag(json, "inherited", inherited);
	write_definition_id(json, "roleDefinitionId", assignment->scope,
	    uuid_view(&assignment->role));
	if (role_get(r->services->access, &r->caller.tenant, uuid_view(&assignment->role), r->arena,
		&role))
		json_text(json, "roleName", view_of(role.name));
	else
		json_null_value(json, "roleName");
	write_text_or_null(json, "condition", assignment->condition);
}

static bool
write_named_assignment(struct request *r, const struct access_decision *decision, struct error *err)
{
	struct json *json = &r->json;
	struct assignment assignment;
	view name;

	if (decision->assignment.text[0] == '\0' ||
	    !assignment_find(r->services->access, &decision->assignment, r->arena, &assignment)) {
		json_null_value(json, "roleAssignment");
		return true;
	}
	if (!principal_name(&r->tx, &assignment.principal, &name, err))
		return false;
	json_open_in(json, "roleAssignment", '{');
	write_assignment(r, json, &assignment);
	write_principal(json, &assignment.principal, assignment.principal_type, name);
	json_close(json, '}');
	return true;
}

static void
write_named_deny(struct request *r, const struct access_decision *decision)
{
	struct json *json = &r->json;
	struct deny deny;

	if (decision->deny.text[0] == '\0' ||
	    !deny_find(r->services->access, &decision->deny, r->arena, &deny)) {
		json_null_value(json, "denyAssignment");
		return;
	}
	json_open_in(json, "denyAssignment", '{');
	write_extension_id(json, "id", view_of(deny.scope), DENY_TYPE, uuid_view(&deny.name));
	json_text(json, "denyAssignmentName", view_of(deny.title));
	json_text(json, "scope", view_of(deny.scope));
	json_close(json, '}');
}

static bool
write_through(struct request *r, const struct access_decision *decision, struct error *err)
{
	struct json *json = &r->json;
	view name;

	if (decision->through.text[0] == '\0') {
		json_null_value(json, "through");
		return true;
	}
	if (!principal_name(&r->tx, &decision->through, &name, err))
		return false;
	json_open_in(json, "through", '{');
	json_text(json, "groupId", uuid_view(&decision->through));
	write_text_or_null(json, "groupName", name);
	json_close(json, '}');
	return true;
}

static bool
read_question(struct request *r, struct access_question *out, struct error *err)
{
	const struct explain_body *body = r->body;
	struct principal principal;

	*out = (struct access_question){
		.tenant = r->caller.tenant,
		.action = body->action.text,
		.data = body->data.value,
		.scope = r->params[0],
	};
	if (uuid_parse(body->principal.text, &out->principal) &&
	    directory_principal(r->services->directory, &out->principal, &principal) &&
	    view_eq(uuid_view(&principal.tenant), uuid_view(&r->caller.tenant)))
		return true;
	return error_set(err, ERR_PRINCIPAL_NOT_FOUND,
	    "Principal %.*s does not exist in the directory %s.", VIEW_ARG(body->principal.text),
	    r->caller.tenant.text);
}

static bool
run_explain(struct request *r, struct error *err)
{
	struct access_question question;
	struct access_decision decision;
	struct json *json;

	if (!read_question(r, &question, err))
		return false;
	(void)access_decide(r->services->access, &question, &decision);
	json = reply_json(r);
	json_open(json, '{');
	json_flag(json, "allowed", decision.allowed);
	json_text(json, "reason", view_of(access_reason_name(decision.reason)));
	json_text(json, "principalId", uuid_view(&question.principal));
	json_text(json, "action", question.action);
	json_flag(json, "isDataAction", question.data);
	json_text(json, "scope", question.scope);
	if (!write_named_assignment(r, &decision, err) || !write_through(r, &decision, err))
		return false;
	write_named_deny(r, &decision);
	json_close(json, '}');
	return true;
}

static bool
write_holder(struct request *r, const struct assignment *assignment, struct error *err)
{
	struct json *json = &r->json;
	view name;

	if (!principal_name(&r->tx, &assignment->principal, &name, err))
		return false;
	json_open(json, '{');
	write_principal(json, &assignment->principal, assignment->principal_type, name);
	write_assignment(r, json, assignment);
	json_close(json, '}');
	return true;
}

static bool
write_denies(struct request *r, struct assignment_query *query, struct error *err)
{
	struct json *json = &r->json;
	struct deny_page denies;

	if (!denies_page(r->services->access, query, V(""), DENIES, r->arena, &denies, err))
		return false;
	json_open_in(json, "denyAssignments", '[');
	for (size_t i = 0; i < denies.count; i++) {
		const struct deny *deny = &denies.items[i];

		if (deny->here_only && !scope_same(view_of(deny->scope), query->scope))
			continue;
		json_open(json, '{');
		write_extension_id(json, "id", view_of(deny->scope), DENY_TYPE, uuid_view(&deny->name));
		json_text(json, "denyAssignmentName", view_of(deny->title));
		json_text(json, "scope", view_of(deny->scope));
		json_flag(json, "inherited", !scope_same(view_of(deny->scope), query->scope));
		json_close(json, '}');
	}
	json_close(json, ']');
	/* They can be read on at their own list. */
	json_flag(json, "moreDenyAssignments", denies.next.len > 0);
	return true;
}

static bool
run_effective(struct request *r, struct error *err)
{
	struct assignment_query query = {
		.tenant = r->caller.tenant,
		.scope = r->params[0],
		.at_scope = true,
	};
	struct assignment_page items;
	struct page page;
	view list;

	if (!arena_print(r->arena, &list, "effectiveAccess of %s at %.*s", query.tenant.text,
		VIEW_ARG(query.scope)))
		return error_memory(err);
	if (!page_read(r, list, &page, err) ||
	    !assignments_page(r->services->access, &query, page.after, PAGE, r->arena, &items, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < items.count; i++) {
		if (!write_holder(r, &items.items[i], err))
			return false;
	}
	json_close(&r->json, ']');
	if (page.after.len == 0 && !write_denies(r, &query, err))
		return false;
	if (!page_next_arm(r, list, items.next, err))
		return false;
	json_close(&r->json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM, \
	    .action = "Microsoft.Authorization/roleAssignments/read"

const struct op explain_ops[] = {
	{ "AccessExplain", ROW, .method = HTTP_POST, .path = PROVIDER "explain",
	    .body = explain_fields, .body_size = sizeof(struct explain_body), .run = run_explain },
	{ "EffectiveAccess", ROW, .method = HTTP_GET, .path = PROVIDER "effectiveAccess",
	    .run = run_effective },
	{ 0 },
};

/* clang-format on */
