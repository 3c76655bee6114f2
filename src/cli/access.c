#include "cli/access.h"

#include "base/json.h"
#include "base/json_tree.h"
#include "base/percent.h"

#include <string.h>

#define VERSION "api-version=2022-04-01"
#define REPORTS "/providers/Strongroom.Authorization/"

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "" : text;
}

static bool
is_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static bool
ask(const struct remote *remote, const struct remote_request *request, json_t **tree,
    struct error *err)
{
	AUTO(buf_free) struct buf reply = { 0 };

	if (!remote_call(remote, request, &reply, err))
		return false;
	if (!json_tree_read(buf_view(&reply), 0, tree, err))
		return false;
	return *tree != NULL || error_set(err, ERR_BAD_REQUEST, "the server's reply is no JSON");
}

/* The id of the vault of that name. */
static bool
find_vault(const struct access_place *place, struct buf *id, struct error *err)
{
	AUTO(buf_free) struct buf filter = { 0 }, target = { 0 };
	AUTO(json_tree_done) json_t *tree = NULL;
	const char *text;

	buf_print(&filter, "resourceType eq 'Microsoft.KeyVault/vaults' and name eq '%.*s'",
	    VIEW_ARG(place->where));
	buf_print(&target,
	    "/subscriptions/%s/resources?api-version=2021-04-01&$filter=", place->subscription);
	percent_encode(buf_view(&filter), &target);
	if (!buf_ok(&filter) || !buf_ok(&target))
		return error_memory(err);
	if (!ask(place->remote,
		&(struct remote_request){ "finding the vault", "GET", buf_view(&target), V("") },
		&tree, err))
		return false;
	text = text_of(json_array_get(json_object_get(tree, "value"), 0), "id");
	if (text[0] == '\0')
		return error_set(err, ERR_NOT_FOUND, "there is no vault %.*s to be seen",
		    VIEW_ARG(place->where));
	buf_add(id, view_of(text));
	return buf_ok(id) || error_memory(err);
}

/* Where the report of that name is asked for. */
static bool
report_target(const struct access_place *place, const char *report, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf id = { 0 };
	view rest;

	if (view_starts(place->where, V("/")))
		buf_add(&id, place->where);
	else if (!find_vault(place, &id, err))
		return false;
	rest = buf_view(&id);
	while (rest.len > 0) {
		view segment = view_cut(&rest, '/');

		percent_encode(segment, out);
		if (rest.len > 0)
			buf_add_char(out, '/');
	}
	buf_print(out, REPORTS "%s?" VERSION, report);
	return (buf_ok(&id) && buf_ok(out)) || error_memory(err);
}

static void
print_decider(const json_t *tree, struct buf *out)
{
	const json_t *assignment = json_object_get(tree, "roleAssignment");
	const json_t *deny = json_object_get(tree, "denyAssignment");
	const json_t *through = json_object_get(tree, "through");

	if (json_is_object(assignment))
		buf_print(out, "role        %s%s\nassignment  %s\n",
		    text_of(assignment, "roleName"),
		    is_true(assignment, "inherited") ? " (inherited)" : "",
		    text_of(assignment, "id"));
	if (json_is_object(through))
		buf_print(out, "through     group %s (%s)\n", text_of(through, "groupName"),
		    text_of(through, "groupId"));
	if (json_is_object(deny))
		buf_print(out, "denied by   %s\n            %s\n",
		    text_of(deny, "denyAssignmentName"), text_of(deny, "id"));
}

/* "secrets/getSecret/action" is one of a vault: no provider stands in front. */
static void
write_action(struct json *json, view action)
{
	view rest = action, first = view_cut(&rest, '/');

	json_text_open(json, "action");
	if (!view_find(first, '.', &(size_t){ 0 }))
		json_text_part(json, V("Microsoft.KeyVault/vaults/"));
	json_text_part(json, action);
	json_text_close(json);
}

bool
access_explain(const struct access_place *place, view principal, view action, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf target = { 0 }, body = { 0 };
	AUTO(json_tree_done) json_t *tree = NULL;
	struct json json = json_to(&body);

	json_open(&json, '{');
	json_text(&json, "principalId", principal);
	write_action(&json, action);
	json_close(&json, '}');
	if (!buf_ok(&body))
		return error_memory(err);
	if (!report_target(place, "explain", &target, err) ||
	    !ask(place->remote,
		&(struct remote_request){ "asking", "POST", buf_view(&target), buf_view(&body) },
		&tree, err))
		return false;
	buf_print(out,
	    "%s\nreason      %s (%s)\nprincipal   %s\naction      %s%s\nat          %s\n",
	    is_true(tree, "allowed") ? "ALLOWED" : "REFUSED", text_of(tree, "reason"),
	    text_of(tree, "model"), text_of(tree, "principalId"), text_of(tree, "action"),
	    is_true(tree, "isDataAction") ? " (data)" : "", text_of(tree, "scope"));
	print_decider(tree, out);
	return buf_ok(out) || error_memory(err);
}

static void
print_members(const json_t *group, struct buf *out)
{
	const json_t *list = json_object_get(group, "members");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *member = json_array_get(list, i);

		buf_print(out, "  by membership  %s %s (%s)\n", text_of(member, "principalType"),
		    text_of(member, "principalName"), text_of(member, "principalId"));
	}
	if (is_true(group, "moreMembers"))
		buf_print(out, "  by membership  and others\n");
}

static void
print_holders(const json_t *page, struct buf *out)
{
	const json_t *list = json_object_get(page, "value");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *name = text_of(item, "principalName");

		buf_print(out, "%-16s %-36s %-32s %s%s%s\n", text_of(item, "principalType"),
		    name[0] != '\0' ? name : text_of(item, "principalId"),
		    text_of(item, "roleName"),
		    is_true(item, "inherited") ? "inherited from " : "here: ",
		    text_of(item, "scope"),
		    json_is_string(json_object_get(item, "condition")) ? " (with a condition)"
								       : "");
		print_members(item, out);
	}
	list = json_object_get(page, "denyAssignments");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *deny = json_array_get(list, i);

		buf_print(out, "DENIED           %s, %s%s\n", text_of(deny, "denyAssignmentName"),
		    is_true(deny, "inherited") ? "inherited from " : "here: ",
		    text_of(deny, "scope"));
	}
}

/* The next page, on the server that was asked: its path and query. */
static void
follow(const json_t *page, struct buf *target)
{
	view link = view_of(text_of(page, "nextLink")), rest = link;

	buf_reset(target);
	(void)view_cut(&rest, '/');
	(void)view_cut(&rest, '/');
	(void)view_cut(&rest, '/');
	if (rest.len > 0) {
		buf_add_char(target, '/');
		buf_add(target, rest);
	}
}

bool
access_who(const struct access_place *place, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf target = { 0 };

	if (!report_target(place, "effectiveAccess", &target, err))
		return false;
	while (target.len > 0) {
		AUTO(json_tree_done) json_t *page = NULL;

		if (!ask(place->remote,
			&(struct remote_request){ "asking", "GET", buf_view(&target), V("") },
			&page, err))
			return false;
		print_holders(page, out);
		follow(page, &target);
		if (!buf_ok(&target))
			return error_memory(err);
	}
	return buf_ok(out) || error_memory(err);
}

static void
print_list(const json_t *list, const char *member, const char *title, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		buf_print(out, "  %-11s %s\n", i == 0 ? title : "",
		    member == NULL ? json_string_value(item) : text_of(item, member));
	}
}

bool
access_coverage(const struct access_place *place, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf target = { 0 };
	AUTO(json_tree_done) json_t *tree = NULL;
	const json_t *list;

	if (!report_target(place, "coverage", &target, err) ||
	    !ask(place->remote,
		&(struct remote_request){ "asking", "GET", buf_view(&target), V("") }, &tree, err))
		return false;
	list = json_object_get(tree, "value");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);

		buf_print(out, "%s%s%s: %s\n", text_of(entry, "objectId"),
		    is_true(entry, "compound") ? " through application " : "",
		    text_of(entry, "applicationId"),
		    is_true(entry, "covered") ? "covered by roles" : "would lose access");
		print_list(json_object_get(entry, "missing"), NULL, "would lose", out);
		print_list(json_object_get(entry, "proposedRoles"), "roleName", "give it", out);
		print_list(json_object_get(entry, "gained"), NULL, "would gain", out);
	}
	buf_print(out, "%lld of %lld access policies are covered by role assignments.\n",
	    (long long)json_integer_value(json_object_get(tree, "covered")),
	    (long long)json_integer_value(json_object_get(tree, "entries")));
	return buf_ok(out) || error_memory(err);
}
