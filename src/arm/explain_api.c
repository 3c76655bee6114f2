/*
 * Strongroom.Authorization, an extension of ours: why may somebody do something, and who may do
 * anything at all.  Both ask what the guard asks.
 *
 *	POST {scope}/providers/Strongroom.Authorization/explain
 *	     {"principalId", "action", "isDataAction", "applicationId"}
 *	     -> {"allowed", "reason", "model", "scope", "roleAssignment", "through",
 *	         "denyAssignment"}
 *	     A principal may also be named by its sign-in name or its application's id.  What a data
 *	     action is need not be said.  In a vault with access policies, those decide (model).
 *	GET {scope}/providers/Strongroom.Authorization/effectiveAccess
 *	     -> {"value": [every assignment that counts there, with its role and where it is from],
 *	         "denyAssignments": [those that count there, on the first page], "nextLink"}
 *
 * A group is shown with its first direct members; the directory knows the others.
 */
#include "access/deny.h"
#include "access/policy.h"
#include "access/role_store.h"
#include "access/shape.h"
#include "api/paging.h"
#include "arm/arm.h"
#include "arm/id.h"
#include "identity/application_store.h"
#include "identity/group_store.h"
#include "identity/principal.h"
#include "identity/user_store.h"
#include "vault/vault.h"

#define PROVIDER "{scope}/providers/Strongroom.Authorization/"
#define DATA_PREFIX "Microsoft.KeyVault/vaults/"
#define PAGE 100
#define DENIES 50
#define MEMBERS 20 /* of each group */

struct explain_body {
	struct body_text principal, action, application;
	struct body_flag data;
};

/* clang-format off */

static const struct field explain_fields[] = {
	{ .name = "principalId", .kind = FIELD_TEXT, .max = UPN_MAX, .required = true,
	    .offset = offsetof(struct explain_body, principal) },
	{ .name = "action", .kind = FIELD_TEXT, .max = ROLE_ACTION_MAX, .required = true,
	    .offset = offsetof(struct explain_body, action) },
	{ .name = "applicationId", .kind = FIELD_TEXT, .max = UUID_LEN,
	    .offset = offsetof(struct explain_body, application) },
	{ .name = "isDataAction", .kind = FIELD_FLAG, .offset = offsetof(struct explain_body, data) },
	{ 0 },
};

/* clang-format on */

static void
write_principal(struct json *json, const struct uuid *id, view type, view name)
{
	json_text(json, "principalId", uuid_view(id));
	json_text(json, "principalType", type);
	shape_text(json, "principalName", name);
}

/* The assignment, and the role's name: it may be gone by now. */
static void
write_assignment(struct request *r, struct json *json, const struct assignment *assignment)
{
	bool inherited = !scope_same(assignment->scope, r->params[0]);
	struct role role;

	shape_id(json, "id", assignment->scope, ASSIGNMENT_TYPE, uuid_view(&assignment->name));
	json_text(json, "scope", assignment->scope);
	json_flag(json, "inherited", inherited);
	shape_definition_id(json, "roleDefinitionId", assignment->scope,
	    uuid_view(&assignment->role));
	if (role_get(r->services->access, &r->caller.tenant, uuid_view(&assignment->role), r->arena,
		&role))
		json_text(json, "roleName", view_of(role.name));
	else
		json_null_value(json, "roleName");
	shape_text(json, "condition", assignment->condition);
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
	shape_id(json, "id", view_of(deny.scope), DENY_TYPE, uuid_view(&deny.name));
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
	shape_text(json, "groupName", name);
	json_close(json, '}');
	return true;
}

/* By object id, by sign-in name, or by the id of its application. */
static bool
find_principal(struct request *r, view name, struct uuid *out)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration application;
	struct principal principal;
	struct error none;
	struct user user;

	if (uuid_parse(name, out) && directory_principal(r->services->directory, out, &principal))
		return view_eq(uuid_view(&principal.tenant), uuid_view(&r->caller.tenant));
	if (user_by_upn(&r->tx, &r->caller.tenant, name, STORE_READ, &document, &user, &none)) {
		*out = user.object;
		return true;
	}
	if (!registration_get(&r->tx, uuid_view(&r->caller.tenant), name, STORE_READ, &document,
		&application, &none))
		return false;
	*out = application.object;
	return true;
}

static bool
is_data_action(view action)
{
	for (size_t i = 0; data_action_at(i) != NULL; i++) {
		if (view_istarts(action, V(DATA_PREFIX)) &&
		    view_ieq(view_from(action, sizeof(DATA_PREFIX) - 1),
			view_of(data_action_at(i))))
			return true;
	}
	return false;
}

static bool
read_question(struct request *r, struct access_question *out, struct error *err)
{
	const struct explain_body *body = r->body;

	*out = (struct access_question){
		.tenant = r->caller.tenant,
		.action = body->action.text,
		.data = body->data.given ? body->data.value : is_data_action(body->action.text),
		.scope = r->params[0],
	};
	return find_principal(r, body->principal.text, &out->principal) ||
	    error_set(err, ERR_PRINCIPAL_NOT_FOUND,
		"Principal %.*s does not exist in the directory %s.",
		VIEW_ARG(body->principal.text), r->caller.tenant.text);
}

/* The vault that decides over the question by access policies; NULL: roles decide. */
static const struct vault *
policy_vault(struct request *r, const struct access_question *question)
{
	static const view type = V_INIT("/providers/Microsoft.KeyVault/vaults/");
	const struct vault *vault = NULL;
	size_t at = 0;

	while (at < question->scope.len && !view_istarts(view_from(question->scope, at), type))
		at++;
	if (question->data && at < question->scope.len) {
		view rest = view_from(question->scope, at + type.len);

		vault = vaults_find(r->services->vaults, view_cut(&rest, '/'));
	}
	if (vault != NULL && (vault->rbac || !scope_contains(vault->scope, question->scope))) {
		vault_release(vault);
		return NULL;
	}
	return vault;
}

static bool
policies_decide(struct request *r, const struct vault *vault,
    const struct access_question *question)
{
	const struct explain_body *body = r->body;
	struct caller caller = { .tenant = question->tenant, .object = question->principal };

	(void)uuid_parse(body->application.text, &caller.application);
	return policies_allow(vault->policies, vault->policy_count, r->services->directory, &caller,
	    view_from(question->action, sizeof(DATA_PREFIX) - 1), V(""));
}

static bool
write_roles_answer(struct request *r, const struct access_question *question, struct error *err)
{
	struct access_decision decision;

	(void)access_decide(r->services->access, question, &decision);
	json_flag(&r->json, "allowed", decision.allowed);
	json_text(&r->json, "reason", view_of(access_reason_name(decision.reason)));
	json_text(&r->json, "model", V("RoleAssignments"));
	if (!write_named_assignment(r, &decision, err) || !write_through(r, &decision, err))
		return false;
	write_named_deny(r, &decision);
	return true;
}

static void
write_policies_answer(struct json *json, bool allowed)
{
	json_flag(json, "allowed", allowed);
	json_text(json, "reason", allowed ? V("AccessPolicy") : V("NoAccessPolicy"));
	json_text(json, "model", V("AccessPolicies"));
}

static bool
run_explain(struct request *r, struct error *err)
{
	struct access_question question;
	const struct vault *vault;
	struct json *json;
	bool fine = true;

	if (!read_question(r, &question, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	json_text(json, "principalId", uuid_view(&question.principal));
	json_text(json, "action", question.action);
	json_flag(json, "isDataAction", question.data);
	json_text(json, "scope", question.scope);
	vault = policy_vault(r, &question);
	if (vault != NULL)
		write_policies_answer(json, policies_decide(r, vault, &question));
	else
		fine = write_roles_answer(r, &question, err);
	vault_release(vault);
	json_close(json, '}');
	return fine;
}

static bool
write_member(struct request *r, const struct uuid *member, struct error *err)
{
	struct principal principal;
	view name;

	if (!directory_principal(r->services->directory, member, &principal))
		return true;
	if (!principal_name(&r->tx, member, &name, err))
		return false;
	json_open(&r->json, '{');
	write_principal(&r->json, member, view_of(principal_type(principal.kind)), name);
	json_close(&r->json, '}');
	return true;
}

static bool
write_members(struct request *r, const struct uuid *group, struct error *err)
{
	struct uuid *members;
	size_t count;

	if (!membership_list(&r->tx, group, V(""), MEMBERS + 1, &members, &count, err))
		return false;
	json_open_in(&r->json, "members", '[');
	for (size_t i = 0; i < count && i < MEMBERS; i++) {
		if (!write_member(r, &members[i], err))
			return false;
	}
	json_close(&r->json, ']');
	json_flag(&r->json, "moreMembers", count > MEMBERS);
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
	if (view_eq(assignment->principal_type, view_of(principal_type(PRINCIPAL_GROUP))) &&
	    !write_members(r, &assignment->principal, err))
		return false;
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
		shape_id(json, "id", view_of(deny->scope), DENY_TYPE, uuid_view(&deny->name));
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
	view list, after;

	if (!arena_print(r->arena, &list, "effectiveAccess of %s at %.*s", query.tenant.text,
		VIEW_ARG(query.scope)))
		return error_memory(err);
	if (!page_marker(r, list, &after, err) ||
	    !assignments_page(r->services->access, &query, after, PAGE, r->arena, &items, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < items.count; i++) {
		if (!write_holder(r, &items.items[i], err))
			return false;
	}
	json_close(&r->json, ']');
	if (after.len == 0 && !write_denies(r, &query, err))
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
	    .cost = COST_POOL, .run = run_effective },
	{ 0 },
};

/* clang-format on */
