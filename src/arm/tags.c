/*
 * Microsoft.Resources/tags: the tags of a resource or a group by themselves, which are also changed
 * where the caller may tag, but not write, the resource.
 */
#include "arm/arm.h"
#include "arm/resource.h"

#include <string.h>

#define TYPE "Microsoft.Resources/tags"
#define TAGS_ROOM 1000 /* more than any resource has before the check */

struct tags_body {
	struct body_text operation;
	struct body_tags tags;
};

/* clang-format off */

static const struct field properties[] = {
	{ .name = "tags", .kind = FIELD_TAGS, .max = TAGS_ROOM,
	    .offset = offsetof(struct tags_body, tags) },
	{ 0 },
};

static const struct field tags_fields[] = {
	{ .name = "operation", .kind = FIELD_TEXT, .max = 16,
	    .offset = offsetof(struct tags_body, operation) },
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

static bool
require(struct request *r, bool change, struct resource *out, struct error *err)
{
	struct resource_id id;
	bool found;

	if (!resource_id_parse(r->params[0], r->arena, &id, err))
		return false;
	if (id.space.len == 0 && id.group.len == 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "Tags are kept of resource groups and resources, not of '%.*s'.",
		    VIEW_ARG(r->params[0]));
	if (!resource_get(&r->tx, r->services, r->params[0], change, out, &found, err))
		return false;
	return found || resource_not_found(&id, err);
}

static void
reply(struct request *r, const struct resource *resource)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, resource->id);
	json_text_part(json, V("/providers/" TYPE "/default"));
	json_text_close(json);
	json_text(json, "name", V("default"));
	json_text(json, "type", V(TYPE));
	json_open_in(json, "properties", '{');
	resource_write_tags(json, resource);
	json_close(json, '}');
	json_close(json, '}');
}

static const struct body_tag *
find(const struct body_tag *tags, size_t count, view name)
{
	for (size_t i = 0; i < count; i++) {
		if (view_ieq(tags[i].name, name))
			return &tags[i];
	}
	return NULL;
}

/* What is there, less what ${given} names: with its value, for a deletion. */
static struct body_tags
without(struct arena *arena, const struct resource *present, const struct body_tags *given,
    bool by_value)
{
	struct body_tag *tags =
	    arena_alloc(arena, (present->tag_count + given->count + 1) * sizeof(*tags));
	struct body_tags left = { .given = tags != NULL, .tags = tags };

	for (size_t i = 0; tags != NULL && i < present->tag_count; i++) {
		const struct body_tag *tag = &present->tags[i];
		const struct body_tag *named = find(given->tags, given->count, tag->name);

		if (named == NULL ||
		    (by_value && named->value.len > 0 && !view_eq(named->value, tag->value)))
			tags[left.count++] = *tag;
	}
	return left;
}

/* ${out} has room for what ${given} adds. */
static bool
combine(struct request *r, const struct resource *present, struct body_tags *out, struct error *err)
{
	const struct tags_body *body = r->body;
	view operation = body->operation.text;
	bool deletes = view_ieq(operation, V("Delete"));

	if (view_ieq(operation, V("Replace"))) {
		*out = (struct body_tags){ true, body->tags.tags, body->tags.count };
		return true;
	}
	if (!deletes && !view_ieq(operation, V("Merge")))
		return error_set(err, ERR_BAD_REQUEST,
		    "The operation '%.*s' is not valid: it must be 'Merge', 'Replace' or 'Delete'.",
		    VIEW_ARG(operation));
	*out = without(r->arena, present, &body->tags, deletes);
	if (!out->given)
		return error_memory(err);
	if (!deletes && body->tags.count > 0) {
		memcpy((struct body_tag *)(uintptr_t)out->tags + out->count, body->tags.tags,
		    body->tags.count * sizeof(*out->tags));
		out->count += body->tags.count;
	}
	return true;
}

static bool
store(struct request *r, const struct resource *present, const struct body_tags *tags,
    struct error *err)
{
	struct resource wanted = *present;
	struct resource_change change = { .r = r, .present = present, .wanted = &wanted };

	if (!resource_change_tags(&change, tags, err))
		return false;
	if (!resource_fresh_etag(r, &wanted, err))
		return false;
	resource_changed_by(&wanted, &r->caller, false);
	r->object_id = wanted.id;
	reply(r, &wanted);
	return resource_put(&r->tx, &wanted, err);
}

static bool
run_put(struct request *r, struct error *err)
{
	const struct tags_body *body = r->body;
	const struct body_tags tags = { true, body->tags.tags, body->tags.count };
	struct resource present;

	return require(r, true, &present, err) && store(r, &present, &tags, err);
}

static bool
run_patch(struct request *r, struct error *err)
{
	struct resource present;
	struct body_tags tags;

	return require(r, true, &present, err) && combine(r, &present, &tags, err) &&
	    store(r, &present, &tags, err);
}

static bool
run_get(struct request *r, struct error *err)
{
	struct resource present;

	if (!require(r, false, &present, err))
		return false;
	reply(r, &present);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	const struct body_tags none = { .given = true };
	struct resource present;

	if (!require(r, true, &present, err) || !store(r, &present, &none, err))
		return false;
	buf_reset(&r->out->body);
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM, \
	    .path = "{scope}/providers/" TYPE "/default"
#define BODY .body = tags_fields, .body_size = sizeof(struct tags_body)

const struct op tags_ops[] = {
	{ "TagsPut", ROW, .method = HTTP_PUT, .action = TYPE "/write", BODY, .run = run_put },
	{ "TagsPatch", ROW, .method = HTTP_PATCH, .action = TYPE "/write", BODY,
	    .run = run_patch },
	{ "TagsGet", ROW, .method = HTTP_GET, .action = TYPE "/read", .run = run_get },
	{ "TagsDelete", ROW, .method = HTTP_DELETE, .action = TYPE "/delete",
	    .run = run_delete },
	{ 0 },
};

/* clang-format on */
