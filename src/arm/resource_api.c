/*
 * The rows that all types share: PUT, PATCH, GET, HEAD, DELETE and lists.
 */
#include "arm/list.h"
#include "arm/location.h"
#include "arm/resource.h"
#include "crypto/random.h"

#define TAGS_MAX 50
#define TAG_NAME_MAX 512
#define TAG_VALUE_MAX 256

static const struct resource_type *
type_of(const struct request *r)
{
	return r->op->detail;
}

static bool
parent_not_found(const struct resource_id *parent, struct error *err)
{
	return error_set(err, ERR_PARENT_NOT_FOUND,
	    "Can not perform requested operation on nested resource. Parent resource '%.*s' not "
	    "found.",
	    VIEW_ARG(parent->name));
}

/*
 * The group the resource is in must be there; ${change}: and stay as it is until the commit, which
 * it does not while it is being deleted.
 */
static bool
require_group(struct request *r, const struct resource_id *id, bool change, struct error *err)
{
	const struct resource_id group = { .group = id->group };
	struct resource found;
	bool there;

	if (id->group.len == 0)
		return true;
	if (!resource_get(&r->tx, r->services, id->group_id, change, &found, &there, err))
		return false;
	if (!there)
		return resource_not_found(&group, err);
	if (change && found.deleting)
		return error_set(err, ERR_GROUP_BEING_DELETED,
		    "The resource group '%.*s' is in deprovisioning state and cannot perform this "
		    "operation.",
		    VIEW_ARG(found.name));
	return true;
}

/*
 * A deletion of the group, or of what the new resource hangs off, that has not seen it must not be
 * committed: it expects the group's document unchanged.
 */
static bool
touch_group(struct request *r, const struct resource_id *id, struct error *err)
{
	struct resource group;
	bool found;

	if (id->group.len == 0)
		return true;
	return resource_get(&r->tx, r->services, id->group_id, true, &group, &found, err) &&
	    (!found || resource_put(&r->tx, &group, err));
}

/* The id of what the resource hangs off, as that was written when it was made. */
static bool
base_id(struct request *r, const struct resource_id *id, bool change, view *out, struct error *err)
{
	view above = id->parent.len > 0 ? id->parent : id->scope;
	struct resource_id parsed;
	struct resource found;
	struct uuid subscription;
	bool there;

	*out = V("");
	if (!require_group(r, id, change, err) || above.len == 0)
		return above.len == 0;
	if (!resource_id_parse(above, r->arena, &parsed, err))
		return false;
	if (parsed.space.len == 0 && parsed.group.len == 0)
		return (uuid_parse(parsed.subscription, &subscription) &&
			   arena_print(r->arena, out, "/subscriptions/%s", subscription.text)) ||
		    error_memory(err);
	if (!resource_get(&r->tx, r->services, above, change, &found, &there, err))
		return false;
	if (!there)
		return id->parent.len > 0 ? parent_not_found(&parsed, err)
					  : resource_not_found(&parsed, err);
	*out = found.id;
	return true;
}

/* "vaults/secrets" -> "secrets" */
static view
last_segment(view type)
{
	while (type.len > 0) {
		view segment = view_cut(&type, '/');

		if (type.len == 0)
			return segment;
	}
	return type;
}

/* The id a new resource gets. */
static bool
new_id(struct request *r, const struct resource_id *id, view base, view *out, struct error *err)
{
	const struct resource_type *type = type_of(r);
	const view parts[] = { base, V("/providers/"), view_of(type->space), V("/"),
		last_segment(view_of(type->name)), V("/"), id->name };
	const view child[] = { base, parts[3], parts[4], parts[5], parts[6] };

	if (id->parent.len > 0 ? !arena_join(r->arena, child, COUNT_OF(child), out)
			       : !arena_join(r->arena, parts, COUNT_OF(parts), out))
		return error_memory(err);
	return true;
}

bool
resource_change_location(struct resource_change *change, const struct body_text *given,
    struct error *err)
{
	const struct resource_type *type = type_of(change->r);
	struct resource *wanted = change->wanted;
	view location;

	if (!given->given || given->text.len == 0) {
		if (change->present != NULL || type->placeless)
			return true;
		return error_set(err, ERR_LOCATION_REQUIRED,
		    "The location property is required for this definition.");
	}
	if (!location_normal(change->r->arena, given->text, &location, err))
		return false;
	if (change->present != NULL && !view_eq(location, change->present->location))
		return error_set(err, ERR_LOCATION_FIXED,
		    "The resource '%.*s' already exists in location '%.*s'. A resource with the "
		    "same name cannot be created in location '%.*s'. Please select a new resource "
		    "name.",
		    VIEW_ARG(change->present->name), VIEW_ARG(change->present->location),
		    VIEW_ARG(location));
	if (!location_known(change->r->services, location) &&
	    !(type->global && view_eq(location, V("global"))))
		return error_set(err, ERR_LOCATION_UNKNOWN,
		    "The provided location '%.*s' is not available for resource type '%s/%s'.",
		    VIEW_ARG(given->text), type->space, type->name);
	wanted->location = location;
	return true;
}

static bool
tag_fine(const struct body_tag *tag, struct error *err)
{
	if (tag->name.len == 0 || tag->name.len > TAG_NAME_MAX)
		return error_set(err, ERR_TAGS_INVALID, "Tag names must have 1 to %d characters.",
		    TAG_NAME_MAX);
	if (!resource_name_valid(tag->name))
		return error_set(err, ERR_TAGS_INVALID,
		    "The tag name '%.*s' has reserved characters '<,>,%%,&,\\,?,/' or control "
		    "characters.",
		    VIEW_ARG(tag->name));
	return tag->value.len <= TAG_VALUE_MAX ||
	    error_set(err, ERR_TAGS_INVALID,
		"The value of tag '%.*s' is longer than %d characters.", VIEW_ARG(tag->name),
		TAG_VALUE_MAX);
}

bool
resource_change_tags(struct resource_change *change, const struct body_tags *given,
    struct error *err)
{
	if (!given->given) {
		/* A PUT says all there is to be; a PATCH what is to change. */
		if (!change->patch)
			change->wanted->tag_count = 0;
		return true;
	}
	if (given->count > TAGS_MAX)
		return error_set(err, ERR_TAGS_INVALID,
		    "A resource can have %d tags at most; %zu were given.", TAGS_MAX, given->count);
	for (size_t i = 0; i < given->count; i++) {
		if (!tag_fine(&given->tags[i], err))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (view_ieq(given->tags[i].name, given->tags[j].name))
				return error_set(err, ERR_TAGS_INVALID,
				    "The tag name '%.*s' is given twice.",
				    VIEW_ARG(given->tags[i].name));
		}
	}
	change->wanted->tags = given->tags;
	change->wanted->tag_count = given->count;
	return true;
}

/* RFC 9110, section 13.1, as far as resource management goes. */
static bool
preconditions(const struct request *r, const struct resource *present, struct error *err)
{
	view match = http_field(r->in, V("If-Match")), none = http_field(r->in, V("If-None-Match"));

	if (none.len > 0 && present != NULL &&
	    (view_eq(none, V("*")) || view_eq(none, present->etag)))
		return error_set(err, ERR_PRECONDITION_FAILED,
		    "The condition 'If-None-Match: %.*s' is not met: the resource '%.*s' exists.",
		    VIEW_ARG(none), VIEW_ARG(present->name));
	if (match.len > 0 &&
	    (present == NULL ||
		(type_of(r)->etags && !view_eq(match, V("*")) && !view_eq(match, present->etag))))
		return error_set(err, ERR_PRECONDITION_FAILED,
		    "The condition 'If-Match: %.*s' is not met.", VIEW_ARG(match));
	return true;
}

bool
resource_fresh_etag(struct request *r, struct resource *wanted, struct error *err)
{
	struct uuid id;

	if (wanted->type == NULL || !wanted->type->etags)
		return true;
	random_uuid(&id);
	return arena_print(r->arena, &wanted->etag, "\"%s\"", id.text) || error_memory(err);
}

/* What every type does with a body, then what this one does. */
static bool
apply(struct resource_change *change, struct error *err)
{
	const struct resource_type *type = type_of(change->r);
	const struct resource_body *common = change->body;

	if (common != NULL &&
	    (!resource_change_location(change, &common->location, err) ||
		!resource_change_tags(change, &common->tags, err)))
		return false;
	resource_changed_by(change->wanted, &change->r->caller, change->present == NULL);
	if (!resource_fresh_etag(change->r, change->wanted, err))
		return false;
	return type->put == NULL || type->put(change, err);
}

static bool
name_fine(const struct resource_id *id, struct error *err)
{
	return resource_name_valid(id->name) ||
	    error_set(err, ERR_RESOURCE_NAME_INVALID,
		"The provided resource name '%.*s' is not valid: it must not end with a period or "
		"have any of these characters: <>%%&:\\?/#.",
		VIEW_ARG(id->name));
}

static bool
store_change(struct request *r, bool patch, struct error *err)
{
	struct resource present, wanted = { 0 };
	struct resource_change change = { .r = r,
		.wanted = &wanted,
		.body = r->body,
		.patch = patch };
	struct resource_id id;
	view base;
	bool found;

	if (!resource_id_parse(r->path, r->arena, &id, err) || !name_fine(&id, err) ||
	    !base_id(r, &id, true, &base, err) ||
	    !resource_get(&r->tx, r->services, r->path, true, &present, &found, err))
		return false;
	if (!found && patch)
		return resource_not_found(&id, err);
	if (!preconditions(r, found ? &present : NULL, err))
		return false;
	if (found) {
		wanted = present;
		change.present = &present;
	} else if (!new_id(r, &id, base, &wanted.id, err) || !touch_group(r, &id, err) ||
	    !assignments_remove(&r->tx, r->services, wanted.id, err)) {
		return false;
	}
	wanted.type = type_of(r);
	wanted.name = found ? present.name : id.name;
	r->object_id = wanted.id;
	if (!apply(&change, err) || !resource_put(&r->tx, &wanted, err))
		return false;
	(void)reply_json(r);
	resource_show(r, &wanted);
	r->out->status = found || wanted.type->always_ok ? 200 : 201;
	return true;
}

bool
resource_run_put(struct request *r, struct error *err)
{
	return store_change(r, false, err);
}

bool
resource_run_patch(struct request *r, struct error *err)
{
	return store_change(r, true, err);
}

/* The resource of the path, or the original's refusal. */
static bool
require(struct request *r, struct resource *out, struct error *err)
{
	struct resource_id id;
	bool found;

	if (!resource_id_parse(r->path, r->arena, &id, err) || !require_group(r, &id, false, err) ||
	    !resource_get(&r->tx, r->services, r->path, false, out, &found, err))
		return false;
	return found || resource_not_found(&id, err);
}

bool
resource_run_get(struct request *r, struct error *err)
{
	struct resource resource;

	if (!require(r, &resource, err))
		return false;
	(void)reply_json(r);
	resource_show(r, &resource);
	return true;
}

bool
resource_run_head(struct request *r, struct error *err)
{
	struct resource resource;

	if (!require(r, &resource, err))
		return false;
	r->out->status = 204;
	return true;
}

bool
resource_run_delete(struct request *r, struct error *err)
{
	struct resource resource;
	struct resource_id id;
	bool found;

	if (!resource_id_parse(r->path, r->arena, &id, err) ||
	    !resource_get(&r->tx, r->services, r->path, true, &resource, &found, err) ||
	    !preconditions(r, found ? &resource : NULL, err))
		return false;
	r->out->status = found ? 200 : 204;
	if (!found)
		return true;
	r->object_id = resource.id;
	if (id.group.len > 0 && !resource_expect(&r->tx, id.group_id, err))
		return false;
	return resource_remove(&r->tx, r->services, &resource, &r->caller, err);
}

bool
resource_run_list(struct request *r, struct error *err)
{
	const struct resource_type *type = type_of(r);
	struct list list = { .type = type };
	struct resource_id id;
	view whole, base;

	/* As the id of any one in the list. */
	if (!arena_join(r->arena, (const view[]){ r->path, V("/*") }, 2, &whole))
		return error_memory(err);
	if (!resource_id_parse(whole, r->arena, &id, err))
		return false;
	list.scope = id.parent.len > 0 ? id.parent : id.scope;
	if (!list_admit(r, &list, err))
		return false;
	if (id.parent.len > 0 || id.group.len > 0 || type->extension) {
		if (!base_id(r, &id, false, &base, err))
			return false;
		whole = r->path;
	} else {
		whole = list.scope;
	}
	if (!id_lower(r->arena, whole, &whole, err))
		return false;
	return (arena_join(r->arena, (const view[]){ V("r"), whole, V("/") }, 3, &list.prefix) ||
		   error_memory(err)) &&
	    list_run(r, &list, err);
}
