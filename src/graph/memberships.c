/*
 * Which groups a user, a group or a service principal is in.
 */
#include "graph/row.h"
#include "identity/principal.h"

#include <stddef.h>

#define CHECK_MAX 20

const struct field graph_member_groups_fields[] = {
	{ .name = "securityEnabledOnly",
	    .kind = FIELD_FLAG,
	    .offset = offsetof(struct graph_member_groups_body, security_only) },
	{ .name = NULL },
};

const struct field graph_check_groups_fields[] = {
	{ "groupIds", FIELD_TEXTS, offsetof(struct graph_check_groups_body, ids), .max = CHECK_MAX,
	    .required = true },
	{ .name = NULL },
};

/* The groups of the row's object, with those they are in; the object itself first. */
static bool
memberships_load(struct request *r, struct memberships **out, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct memberships *memberships = arena_alloc(r->arena, sizeof(*memberships));

	if (memberships == NULL)
		return error_memory(err);
	if (!graph_target_load(r, STORE_READ, &object, err))
		return false;
	directory_memberships(r->services->directory, graph_object_id(&object), memberships);
	*out = memberships;
	return memberships->whole ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"Directory_ResultSizeLimitExceeded: the object is in more than %d groups.",
		MEMBERSHIPS_MAX - 1);
}

typedef void write_group(const struct graph_object *group, const struct graph_select *select,
    struct json *json);

static void
write_id(const struct graph_object *group, const struct graph_select *select, struct json *json)
{
	(void)select;
	json_text(json, NULL, uuid_view(&group->as.group.object));
}

/* One that was deleted a moment ago is left out. */
static bool
write_one(struct request *r, const struct uuid *id, bool security_only,
    const struct graph_select *select, write_group *write, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(graph_object_done) struct graph_object group = { .kind = NULL };
	struct tx tx = r->tx;

	arena_init(&arena, (size_t)64 * 1024);
	tx.arena = &arena;
	if (!graph_load(&tx, &r->caller.tenant, uuid_view(id), OBJECT_GROUP, STORE_READ, &group,
		err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	if (!security_only || group.as.group.security_enabled)
		write(&group, select, &r->json);
	return true;
}

static bool
list_groups(struct request *r, const struct uuid *ids, size_t count, struct error *err)
{
	struct graph_page page;

	if (!graph_page_read(r, &page, err))
		return false;
	(void)graph_list_open(r, "directoryObjects");
	for (size_t i = 0; i < count; i++) {
		if (!write_one(r, &ids[i], false, &page.select, graph_typed, err))
			return false;
	}
	return graph_list_close(r, err);
}

/* All at once: they are bounded. */
bool
graph_transitive_member_of(struct request *r, struct error *err)
{
	struct memberships *memberships;

	return memberships_load(r, &memberships, err) &&
	    list_groups(r, memberships->ids + 1, memberships->count - 1, err);
}

bool
graph_member_of(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct uuid *groups = arena_alloc(r->arena, MEMBERSHIPS_DIRECT_MAX * sizeof(*groups));
	size_t count;

	if (groups == NULL)
		return error_memory(err);
	if (!graph_target_load(r, STORE_READ, &object, err))
		return false;
	principal_groups(r->services->directory, graph_object_id(&object), groups, &count);
	return list_groups(r, groups, count, err);
}

bool
graph_member_groups(struct request *r, struct error *err)
{
	const struct graph_member_groups_body *body = r->body;
	struct memberships *memberships;

	if (!memberships_load(r, &memberships, err))
		return false;
	(void)graph_list_open(r, "Collection(Edm.String)");
	for (size_t i = 1; i < memberships->count; i++) {
		if (!write_one(r, &memberships->ids[i], body->security_only.value, NULL, write_id,
			err))
			return false;
	}
	return graph_list_close(r, err);
}

static bool
is_in(const struct memberships *memberships, view id)
{
	for (size_t i = 1; i < memberships->count; i++) {
		if (view_ieq(uuid_view(&memberships->ids[i]), id))
			return true;
	}
	return false;
}

bool
graph_check_member_groups(struct request *r, struct error *err)
{
	const struct graph_check_groups_body *body = r->body;
	struct memberships *memberships;
	struct json *json;

	if (!memberships_load(r, &memberships, err))
		return false;
	json = graph_list_open(r, "Collection(Edm.String)");
	for (size_t i = 0; i < body->ids.count; i++) {
		if (is_in(memberships, body->ids.texts[i]))
			json_text(json, NULL, body->ids.texts[i]);
	}
	return graph_list_close(r, err);
}
