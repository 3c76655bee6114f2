#include "arm/id.h"

#include "base/json.h"

#include <string.h>

#define SUBSCRIPTIONS "/subscriptions/"
#define GROUPS "/resourceGroups/"
#define PROVIDERS "/providers/"

static bool
bad_id(view text, struct error *err)
{
	return error_set(err, ERR_BAD_REQUEST, "The resource id '%.*s' is not valid.",
	    VIEW_ARG(text));
}

/* Shape only: every segment is there and is a name. */
static bool
segments_fine(view text)
{
	if (text.len < 2 || text.len > RESOURCE_ID_MAX || text.ptr[0] != '/' || !utf8_valid(text) ||
	    text.ptr[text.len - 1] == '/')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	}
	for (view rest = view_from(text, 1); rest.len > 0;) {
		view segment = view_cut(&rest, '/');

		if (segment.len == 0 || view_eq(segment, V(".")) || view_eq(segment, V("..")))
			return false;
	}
	return true;
}

/* Where the last "/providers/" stands. */
static bool
last_providers(view text, size_t *at)
{
	for (size_t i = text.len; i-- > 0;) {
		if (view_istarts(view_from(text, i), V(PROVIDERS))) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* The subscription and the group at the front, when there are. */
static bool
read_front(view text, struct resource_id *out)
{
	view rest = text;
	struct uuid id;

	if (!view_istarts(text, V(SUBSCRIPTIONS)))
		return true;
	rest = view_from(text, sizeof(SUBSCRIPTIONS) - 1);
	out->subscription = view_cut(&rest, '/');
	if (!uuid_parse(out->subscription, &id))
		return false;
	rest = view_from(text, sizeof(SUBSCRIPTIONS) - 1 + UUID_LEN);
	if (!view_istarts(rest, V(GROUPS)))
		return true;
	rest = view_from(rest, sizeof(GROUPS) - 1);
	out->group = view_cut(&rest, '/');
	out->group_id = (view){ text.ptr, (size_t)(out->group.ptr + out->group.len - text.ptr) };
	return true;
}

/* "space/type/name[/type/name]…" */
static bool
read_resource(view rest, struct arena *arena, struct resource_id *out, struct error *err)
{
	view parts[2 * (RESOURCE_ID_MAX / 4)];
	size_t count = 0;

	out->space = view_cut(&rest, '/');
	out->path = rest;
	while (rest.len > 0) {
		view type = view_cut(&rest, '/');

		if (rest.len == 0 || count + 2 > COUNT_OF(parts))
			return bad_id(out->text, err);
		if (count > 0)
			parts[count++] = V("/");
		parts[count++] = type;
		out->name = view_cut(&rest, '/');
		if (rest.len == 0 && count > 1)
			out->parent =
			    (view){ out->text.ptr, (size_t)(type.ptr - 1 - out->text.ptr) };
	}
	if (count == 0)
		return bad_id(out->text, err);
	out->type = parts[0];
	return count == 1 || arena_join(arena, parts, count, &out->type) || error_memory(err);
}

/* What has no "/providers/" in it is a subscription or a group, and nothing more. */
static bool
read_container(struct resource_id *id)
{
	size_t whole = id->group.len > 0 ? id->group_id.len : sizeof(SUBSCRIPTIONS) - 1 + UUID_LEN;

	id->name = id->group.len > 0 ? id->group : id->subscription;
	return id->subscription.len > 0 && id->text.len == whole;
}

/* The scope is an id, too; so deep as a text of that length can be. */
static bool
scope_fine(view scope, struct arena *arena, struct error *err)
{
	struct resource_id above;

	return scope.len == 0 || resource_id_parse(scope, arena, &above, err);
}

bool
resource_id_parse(view text, struct arena *arena, struct resource_id *out, struct error *err)
{
	struct resource_id id = { .text = text, .scope = text };
	size_t at;

	if (!segments_fine(text) || !read_front(text, &id))
		return bad_id(text, err);
	if (!last_providers(text, &at)) {
		if (!read_container(&id))
			return bad_id(text, err);
	} else {
		id.scope = (view){ text.ptr, at };
		if (!scope_fine(id.scope, arena, err) ||
		    !read_resource(view_from(text, at + sizeof(PROVIDERS) - 1), arena, &id, err))
			return false;
	}
	*out = id;
	return true;
}

view
id_group(view id)
{
	struct resource_id out = { 0 };

	return read_front(id, &out) ? out.group : V("");
}

bool
id_lower(struct arena *arena, view id, view *out, struct error *err)
{
	char *copy = arena_alloc(arena, id.len + 1);

	if (copy == NULL)
		return error_memory(err);
	for (size_t i = 0; i < id.len; i++)
		copy[i] = ascii_lower(id.ptr[i]);
	*out = (view){ copy, id.len };
	return true;
}

view
group_name_fault(view name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)ascii_lower(name.ptr[i]);

		if (c == '\0' ||
		    (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c < 0x80 &&
			strchr("_-.()", c) == NULL))
			return (view){ name.ptr + i, 1 };
	}
	return name.len > 0 && name.ptr[name.len - 1] == '.' ? (view){ name.ptr + name.len - 1, 1 }
							     : V("");
}

bool
group_name_valid(view name)
{
	return name.len > 0 && name.len <= GROUP_NAME_MAX && group_name_fault(name).len == 0;
}

bool
resource_name_valid(view name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c < 0x20 || c == 0x7f || strchr("<>%&\\?/:#", c) != NULL)
			return false;
	}
	return name.len > 0 && name.ptr[name.len - 1] != '.';
}
