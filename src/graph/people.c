/*
 * Users and groups as Graph shows them.
 */
#include "graph/object.h"

#include <stddef.h>

/* There is no mailbox to have another. */
static void
write_nickname(const void *object, const char *name, struct json *json)
{
	const struct user *user = object;
	view rest = user->upn;

	json_text(json, name, view_cut(&rest, '@'));
}

#define OF(member) offsetof(struct user, member)

static const struct graph_member user_members[] = {
	{ "id", MEMBER_UUID, OF(object), .filter = true, .key = true },
	{ .name = "businessPhones", .kind = MEMBER_EMPTY },
	{ "displayName", MEMBER_TEXT, OF(name), .filter = true },
	{ "givenName", MEMBER_TEXT, OF(given), .filter = true },
	{ .name = "jobTitle", .kind = MEMBER_NULL },
	{ "mail", MEMBER_TEXT, OF(mail), .filter = true },
	{ .name = "mobilePhone", .kind = MEMBER_NULL },
	{ .name = "officeLocation", .kind = MEMBER_NULL },
	{ .name = "preferredLanguage", .kind = MEMBER_NULL },
	{ "surname", MEMBER_TEXT, OF(family), .filter = true },
	{ "userPrincipalName", MEMBER_TEXT, OF(upn), .filter = true, .key = true },
	{ "accountEnabled", MEMBER_FLAG, OF(enabled), .filter = true, .asked = true },
	{ "createdDateTime", MEMBER_TIME, OF(created), .asked = true },
	{ "mailNickname", MEMBER_OTHER, .write = write_nickname, .asked = true },
	{ "userType", MEMBER_FIXED, .fixed = "Member", .filter = true, .asked = true },
	{ .name = NULL },
};

#undef OF
#define OF(member) offsetof(struct security_group, member)

static const struct graph_member group_members[] = {
	{ "id", MEMBER_UUID, OF(object), .filter = true, .key = true },
	{ .name = "deletedDateTime", .kind = MEMBER_NULL },
	{ .name = "createdDateTime", .kind = MEMBER_TIME, .offset = OF(created) },
	{ "description", MEMBER_TEXT, OF(description), .filter = true },
	{ "displayName", MEMBER_TEXT, OF(name), .filter = true },
	{ .name = "groupTypes", .kind = MEMBER_EMPTY },
	{ .name = "mail", .kind = MEMBER_NULL },
	{ "mailEnabled", MEMBER_FLAG, OF(mail_enabled), .filter = true },
	{ "mailNickname", MEMBER_TEXT, OF(nickname), .filter = true },
	{ "securityEnabled", MEMBER_FLAG, OF(security_enabled), .filter = true },
	{ .name = "visibility", .kind = MEMBER_NULL },
	{ .name = NULL },
};

struct walk {
	graph_visit *visit;
	void *ctx;
};

static bool
visit_user(void *ctx, const struct user *user)
{
	const struct walk *walk = ctx;

	return walk->visit(walk->ctx, user);
}

static bool
visit_group(void *ctx, const struct security_group *group)
{
	const struct walk *walk = ctx;

	return walk->visit(walk->ctx, group);
}

static bool
walk_users(struct tx *tx, const struct uuid *tenant, view after, size_t limit, graph_visit *visit,
    void *ctx, bool *end, struct error *err)
{
	struct walk walk = { visit, ctx };

	return user_walk(tx, tenant, after, limit, visit_user, &walk, end, err);
}

static bool
walk_groups(struct tx *tx, const struct uuid *tenant, view after, size_t limit, graph_visit *visit,
    void *ctx, bool *end, struct error *err)
{
	struct walk walk = { visit, ctx };

	return security_group_walk(tx, tenant, after, limit, visit_group, &walk, end, err);
}

const struct graph_kind graph_user = {
	.collection = "users",
	.type = "#microsoft.graph.user",
	.object = OBJECT_USER,
	.members = user_members,
	.mark = offsetof(struct user, object),
	.walk = walk_users,
};

const struct graph_kind graph_group = {
	.collection = "groups",
	.type = "#microsoft.graph.group",
	.object = OBJECT_GROUP,
	.members = group_members,
	.mark = offsetof(struct security_group, object),
	.walk = walk_groups,
};
