/*
 * Groups: made, changed, deleted; their members.
 */
#include "base/clock.h"
#include "crypto/random.h"
#include "graph/row.h"
#include "identity/principal.h"

#include <stddef.h>

#define NAME_MAX_BYTES 1024
#define NICKNAME_MAX 64
#define BIND_MAX 20
#define OF(member) offsetof(struct graph_group_body, member)

const struct field graph_group_fields[] = {
	{ "displayName", FIELD_TEXT, OF(name), .max = NAME_MAX_BYTES },
	{ "mailNickname", FIELD_TEXT, OF(nickname), .max = NICKNAME_MAX },
	{ "description", FIELD_TEXT, OF(description), .max = NAME_MAX_BYTES },
	{ .name = "mailEnabled", .kind = FIELD_FLAG, .offset = OF(mail_enabled) },
	{ .name = "securityEnabled", .kind = FIELD_FLAG, .offset = OF(security_enabled) },
	{ "members@odata.bind", FIELD_TEXTS, OF(members), .max = BIND_MAX },
	{ .name = NULL },
};

const struct field graph_reference_fields[] = {
	{ "@odata.id", FIELD_TEXT, offsetof(struct graph_reference_body, url), .max = 512,
	    .required = true },
	{ .name = NULL },
};

static bool
invalid(struct error *err, const char *property)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "Invalid value specified for property '%s' of resource 'Group'.", property);
}

static bool
nickname_allowed(view name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] <= 0x20 || name.ptr[i] >= 0x7f ||
		    view_find(V("@()\\[]\";:<>,"), name.ptr[i], &(size_t){ 0 }))
			return false;
	}
	return name.len > 0;
}

static bool
apply(const struct graph_group_body *body, struct security_group *group, struct error *err)
{
	if (body->name.given)
		group->name = body->name.text;
	if (body->nickname.given)
		group->nickname = body->nickname.text;
	if (body->description.given)
		group->description = body->description.text;
	if (body->mail_enabled.given)
		group->mail_enabled = body->mail_enabled.value;
	if (body->security_enabled.given)
		group->security_enabled = body->security_enabled.value;
	if (group->name.len == 0 || !utf8_valid(group->name))
		return invalid(err, "displayName");
	if (!nickname_allowed(group->nickname))
		return invalid(err, "mailNickname");
	return utf8_valid(group->description) || invalid(err, "description");
}

/* The audit log says who came into which group. */
static bool
name_for_audit(struct request *r, const struct uuid *group, const struct uuid *member,
    struct error *err)
{
	bool fine = r->object_id.len > 0
	    ? arena_print(r->arena, &r->object_id, "%.*s,%s", VIEW_ARG(r->object_id), member->text)
	    : arena_print(r->arena, &r->object_id, "https://%.*s/v1.0/groups/%s/members/%s",
		  VIEW_ARG(r->authority), group->text, member->text);

	return fine || error_memory(err);
}

static bool
add_member(struct request *r, const struct uuid *group, const struct uuid *member,
    struct error *err)
{
	static const char twice[] = "One or more added object references already exist for the "
				    "following modified properties: 'members'.";
	struct principal principal;
	bool has;

	if (!directory_principal(r->services->directory, member, &principal) ||
	    !view_eq(uuid_view(&principal.tenant), uuid_view(&r->caller.tenant)))
		return object_not_found(err, uuid_view(member));
	if (view_eq(uuid_view(group), uuid_view(member)))
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "A group can't be its own member.");
	if (!membership_has(&r->tx, group, member, &has, err))
		return false;
	if (has)
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "%s", twice);
	if (principal_group_count(r->services->directory, member) >= MEMBERSHIPS_DIRECT_MAX)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "The object is a member of too many groups.");
	return membership_add(&r->tx, group, member, err) && name_for_audit(r, group, member, err);
}

static bool
bind_members(struct request *r, const struct uuid *group, const struct body_texts *members,
    struct error *err)
{
	struct uuid member;

	r->object_id = V("");
	for (size_t i = 0; i < members->count; i++) {
		if (!graph_reference(members->texts[i], "members@odata.bind", &member, err) ||
		    !add_member(r, group, &member, err))
			return false;
	}
	return true;
}

bool
graph_group_create(struct request *r, struct error *err)
{
	const struct graph_group_body *body = r->body;
	struct graph_object object = { .kind = &graph_group };
	struct security_group *group = &object.as.group;
	view joined;

	*group = (struct security_group){
		.tenant = r->caller.tenant,
		.created = clock_wall(),
		.security_enabled = true,
	};
	random_uuid(&group->object);
	if (!apply(body, group, err) || !security_group_add(&r->tx, group, err) ||
	    !bind_members(r, &group->object, &body->members, err))
		return false;
	joined = r->object_id;
	if (!graph_reply(r, 201, &object, err))
		return false;
	if (joined.len > 0)
		r->object_id = joined;
	return true;
}

bool
graph_group_patch(struct request *r, struct error *err)
{
	const struct graph_group_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct security_group *group = &object.as.group;

	return graph_target_load(r, STORE_CHANGE, &object, err) && apply(body, group, err) &&
	    bind_members(r, &group->object, &body->members, err) &&
	    security_group_put(&r->tx, group, err) && graph_done(r);
}

bool
graph_group_delete(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct security_group *group = &object.as.group;

	return graph_target_load(r, STORE_CHANGE, &object, err) &&
	    principal_leave(r->services->directory, &r->tx, &group->object, err) &&
	    security_group_delete(&r->tx, group, err) && graph_done(r);
}

bool
graph_member_add(struct request *r, struct error *err)
{
	const struct graph_reference_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct uuid member;

	if (!graph_reference(body->url.text, "@odata.id", &member, err))
		return false;
	r->object_id = V("");
	return graph_target_load(r, STORE_READ, &object, err) &&
	    add_member(r, &object.as.group.object, &member, err) && graph_done(r);
}

bool
graph_member_remove(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct uuid member;
	bool has = false;

	if (!graph_target_load(r, STORE_READ, &object, err))
		return false;
	if (!uuid_parse(r->params[1], &member))
		return object_not_found(err, r->params[1]);
	if (!membership_has(&r->tx, &object.as.group.object, &member, &has, err))
		return false;
	if (!has)
		return object_not_found(err, r->params[1]);
	return membership_delete(&r->tx, &object.as.group.object, &member, err) && graph_done(r);
}

/* Who was deleted since is left out. */
static bool
write_member(struct request *r, const struct uuid *id, const struct graph_select *select,
    struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct tx tx = r->tx;

	arena_init(&arena, (size_t)1024 * 1024);
	tx.arena = &arena;
	if (!graph_load(&tx, &r->caller.tenant, uuid_view(id), OBJECT_ANY, STORE_READ, &object,
		err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	graph_typed(&object, select, &r->json);
	return true;
}

bool
graph_members_list(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct graph_page page;
	struct uuid *ids;
	size_t count;

	if (!graph_page_read(r, &page, err) || !graph_target_load(r, STORE_READ, &object, err) ||
	    !membership_list(&r->tx, &object.as.group.object, view_of(page.after.text), page.left,
		&ids, &count, err))
		return false;
	(void)graph_list_open(r, "directoryObjects");
	for (size_t i = 0; i < count; i++) {
		if (!write_member(r, &ids[i], &page.select, err))
			return false;
	}
	json_close(&r->json, ']');
	if (count == page.left && !graph_page_next(r, &ids[count - 1], err))
		return false;
	json_close(&r->json, '}');
	return graph_written(r, err);
}
