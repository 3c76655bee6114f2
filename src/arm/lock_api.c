/*
 * Microsoft.Authorization/locks, at any scope.
 */
#include "access/access.h"
#include "arm/arm.h"
#include "arm/lock_store.h"
#include "arm/provider.h"

#define TYPE "Microsoft.Authorization/locks"

struct lock_body {
	struct body_text level, notes;
};

/* clang-format off */

static const struct field properties[] = {
	{ .name = "level", .kind = FIELD_TEXT, .max = 32, .required = true,
	    .offset = offsetof(struct lock_body, level) },
	{ .name = "notes", .kind = FIELD_TEXT, .max = LOCK_NOTES_MAX,
	    .offset = offsetof(struct lock_body, notes) },
	{ 0 },
};

static const struct field lock_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

static const char *const versions[] = { "2020-05-01", "2017-04-01", "2016-09-01", "2015-01-01",
	"2015-05-01-preview", NULL };

static const struct resource_type lock_type = {
	.space = "Microsoft.Authorization",
	.name = "locks",
	.versions = versions,
	.placeless = true,
};

const struct provider authorization_provider = {
	.space = "Microsoft.Authorization",
	.types = (const struct resource_type *const[]){ &lock_type, NULL },
	.registered = true,
};

static void
write_lock(struct json *json, const struct lock *lock)
{
	json_open(json, '{');
	json_open_in(json, "properties", '{');
	json_text(json, "level", lock->read_only ? V("ReadOnly") : V("CanNotDelete"));
	if (lock->notes.len > 0)
		json_text(json, "notes", lock->notes);
	json_close(json, '}');
	json_text_open(json, "id");
	json_text_part(json, lock->scope);
	json_text_part(json, V("/providers/" TYPE "/"));
	json_text_part(json, lock->name);
	json_text_close(json);
	json_text(json, "type", V(TYPE));
	json_text(json, "name", lock->name);
	json_close(json, '}');
}

/* What is locked must be there; its id is taken as it is written there. */
static bool
require_scope(struct request *r, view *out, struct error *err)
{
	struct resource_id id;
	struct resource resource;
	struct uuid subscription;
	bool found;

	if (!resource_id_parse(r->params[0], r->arena, &id, err))
		return false;
	if (id.space.len == 0 && id.group.len == 0)
		return (uuid_parse(id.subscription, &subscription) &&
			   arena_print(r->arena, out, "/subscriptions/%s", subscription.text)) ||
		    error_memory(err);
	if (!resource_get(&r->tx, r->services, r->params[0], true, &resource, &found, err))
		return false;
	*out = resource.id;
	return found || resource_not_found(&id, err);
}

static bool
check_name(const struct request *r, struct error *err)
{
	view name = r->params[1];

	if (name.len > LOCK_NAME_MAX || !resource_name_valid(name))
		return error_set(err, ERR_RESOURCE_NAME_INVALID,
		    "The lock name '%.*s' is not valid: it must have 1 to %d characters, not end "
		    "with a period and have none of <>%%&:\\?/#.",
		    VIEW_ARG(name), LOCK_NAME_MAX);
	return r->params[0].len + name.len <= LOCK_ID_MAX ||
	    error_set(err, ERR_RESOURCE_NAME_INVALID,
		"The name of the lock and what it locks are too long together.");
}

static bool
read_level(const struct lock_body *body, bool *read_only, struct error *err)
{
	*read_only = view_ieq(body->level.text, V("ReadOnly"));
	return *read_only || view_ieq(body->level.text, V("CanNotDelete")) ||
	    error_set(err, ERR_BAD_REQUEST,
		"The lock level '%.*s' is not valid: it must be 'CanNotDelete' or 'ReadOnly'.",
		VIEW_ARG(body->level.text));
}

/* Every one is looked at by every change in the subscription. */
static bool
check_room(struct request *r, const struct lock *wanted, struct error *err)
{
	view subscription = { wanted->scope.ptr, sizeof("/subscriptions/") - 1 + UUID_LEN };

	return locks_count(r->services->locks, subscription) < LOCKS_MAX ||
	    error_set(err, ERR_CONFLICT, "A subscription can have %d locks at most.", LOCKS_MAX);
}

static bool
run_put(struct request *r, struct error *err)
{
	const struct lock_body *body = r->body;
	struct lock wanted = { .name = r->params[1], .notes = body->notes.text }, present;
	bool found;

	if (!check_name(r, err) || !read_level(body, &wanted.read_only, err) ||
	    !require_scope(r, &wanted.scope, err) ||
	    !lock_get(&r->tx, wanted.scope, wanted.name, true, &present, &found, err))
		return false;
	if (found)
		wanted.name = present.name;
	else if (!check_room(r, &wanted, err))
		return false;
	write_lock(reply_json(r), &wanted);
	r->out->status = found ? 200 : 201;
	return lock_put(&r->tx, &wanted, err);
}

static bool
run_get(struct request *r, struct error *err)
{
	struct lock lock;
	bool found = false;

	if (!check_name(r, err) ||
	    !lock_get(&r->tx, r->params[0], r->params[1], false, &lock, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_LOCK_NOT_FOUND, "The lock '%.*s' could not be found.",
		    VIEW_ARG(r->params[1]));
	write_lock(reply_json(r), &lock);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	struct lock lock;
	bool found;

	if (!check_name(r, err) ||
	    !lock_get(&r->tx, r->params[0], r->params[1], true, &lock, &found, err))
		return false;
	r->out->status = found ? 200 : 204;
	return !found || lock_delete(&r->tx, &lock, err);
}

/* The tenant's root holds the caller's own subscriptions only. */
static bool
is_own(struct request *r, const struct lock *lock)
{
	struct subscription subscription;
	struct resource_id id;
	struct error ignored;
	struct uuid uuid;

	return resource_id_parse(lock->scope, r->arena, &id, &ignored) &&
	    uuid_parse(id.subscription, &uuid) &&
	    subscriptions_find(r->services->subscriptions, &uuid, r->arena, &subscription) &&
	    view_eq(uuid_view(&subscription.tenant), uuid_view(&r->caller.tenant));
}

/* At the scope and below; with atScope() what holds at the scope: there and above. */
static bool
run_list(struct request *r, struct error *err)
{
	struct lock_query query = { .scope = r->params[0] };
	view filter = V("");
	struct lock *list;
	size_t count;

	(void)request_query(r, "$filter", &filter);
	query.above = view_ieq(filter, V("atScope()"));
	if (filter.len > 0 && !query.above)
		return error_set(err, ERR_FILTER_INVALID,
		    "Invalid $filter specified in the query string.");
	if (!locks_list(r->services->locks, &query, r->arena, &list, &count, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < count; i++) {
		if (is_own(r, &list[i]))
			write_lock(&r->json, &list[i]);
	}
	json_close(&r->json, ']');
	json_close(&r->json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM
#define PATH "{scope}/providers/" TYPE

const struct op lock_ops[] = {
	{ "LockPut", ROW, .method = HTTP_PUT, .path = PATH "/{name}", .action = TYPE "/write",
	    .body = lock_fields, .body_size = sizeof(struct lock_body), .run = run_put },
	{ "LockGet", ROW, .method = HTTP_GET, .path = PATH "/{name}", .action = TYPE "/read",
	    .run = run_get },
	{ "LockDelete", ROW, .method = HTTP_DELETE, .path = PATH "/{name}",
	    .action = TYPE "/delete", .run = run_delete },
	{ "LockList", ROW, .cost = COST_POOL, .method = HTTP_GET, .path = PATH, .action = TYPE "/read",
	    .run = run_list },
	{ 0 },
};

/* clang-format on */
