#include "api/body.h"
#include "base/json_tree.h"

#include <stdlib.h>
#include <string.h>

static bool
invalid(const struct field *field, struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "Property %s has invalid value\r\n", field->name);
}

/* One item of the body: where it goes, where its texts are copied to. */
struct target {
	void *out;
	struct arena *arena;
};

static bool read_object(const json_t *object, const struct field *fields, struct target target,
    struct error *err);

static bool
read_text(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	struct body_text *text = (void *)((char *)target.out + field->offset);

	if (!json_is_string(value) || (field->max > 0 && json_string_length(value) > field->max))
		return invalid(field, err);
	text->given = true;
	return arena_copy(target.arena, json_tree_text(value), &text->text) || error_memory(err);
}

static bool
read_flag(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	struct body_flag *flag = (void *)((char *)target.out + field->offset);

	if (!json_is_boolean(value))
		return invalid(field, err);
	*flag = (struct body_flag){ .given = true, .value = json_is_true(value) };
	return true;
}

static bool
read_number(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	struct body_number *number = (void *)((char *)target.out + field->offset);

	if (!json_is_integer(value))
		return invalid(field, err);
	*number = (struct body_number){ .given = true, .value = json_integer_value(value) };
	return true;
}

static bool
read_nested(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	target.out = (char *)target.out + field->offset;
	if (!json_is_object(value))
		return invalid(field, err);
	return read_object(value, field->fields, target, err);
}

static bool
read_tag(view name, const json_t *value, struct body_tag *tag, struct arena *arena,
    struct error *err)
{
	return (arena_copy(arena, name, &tag->name) &&
		   arena_copy(arena, json_tree_text(value), &tag->value)) ||
	    error_memory(err);
}

static bool
read_tags(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	struct body_tags *tags = (void *)((char *)target.out + field->offset);
	size_t count = json_object_size(value);
	struct body_tag *list;
	const char *name;
	json_t *text;

	if (!json_is_object(value) || (field->max > 0 && count > field->max))
		return invalid(field, err);
	list = arena_alloc(target.arena, (count + 1) * sizeof(*list));
	if (list == NULL)
		return error_memory(err);
	*tags = (struct body_tags){ .given = true, .tags = list, .count = 0 };
	json_object_foreach ((json_t *)(uintptr_t)value, name, text) {
		/* A tag whose value is null counts as not given, like any member. */
		if (json_is_null(text))
			continue;
		if (!json_is_string(text))
			return invalid(field, err);
		if (!read_tag(view_of(name), text, &list[tags->count], target.arena, err))
			return false;
		tags->count++;
	}
	return true;
}

static bool
read_list(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	struct body_list *list = (void *)((char *)target.out + field->offset);
	size_t count = json_array_size(value);
	char *items;

	if (!json_is_array(value) || (field->max > 0 && count > field->max))
		return invalid(field, err);
	items = arena_alloc(target.arena, (count + 1) * field->size);
	if (items == NULL)
		return error_memory(err);
	*list = (struct body_list){ .given = true, .items = items, .count = count };
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(value, i);

		target.out = items + i * field->size;
		if (!json_is_object(item))
			return invalid(field, err);
		if (!read_object(item, field->fields, target, err))
			return false;
	}
	return true;
}

static bool
read_texts(const json_t *value, const struct field *field, struct target target, struct error *err)
{
	struct body_texts *texts = (void *)((char *)target.out + field->offset);
	size_t count = json_array_size(value);
	view *list;

	if (!json_is_array(value) || (field->max > 0 && count > field->max))
		return invalid(field, err);
	list = arena_alloc(target.arena, (count + 1) * sizeof(*list));
	if (list == NULL)
		return error_memory(err);
	*texts = (struct body_texts){ .given = true, .texts = list, .count = count };
	for (size_t i = 0; i < count; i++) {
		const json_t *text = json_array_get(value, i);

		if (!json_is_string(text) ||
		    (field->size > 0 && json_string_length(text) > field->size))
			return invalid(field, err);
		if (!arena_copy(target.arena, json_tree_text(text), &list[i]))
			return error_memory(err);
	}
	return true;
}

/* Here null says something: that the member is not to be. */
static bool
read_members(const json_t *value, const struct field *field, struct target target,
    struct error *err)
{
	struct body_members *members = (void *)((char *)target.out + field->offset);
	size_t count = json_object_size(value), at = 0;
	struct body_member *list;
	const char *name;
	json_t *member;

	if (!json_is_object(value) || (field->max > 0 && count > field->max))
		return invalid(field, err);
	list = arena_alloc(target.arena, (count + 1) * sizeof(*list));
	if (list == NULL)
		return error_memory(err);
	*members = (struct body_members){ .given = true, .items = list, .count = count };
	json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
		if (!json_is_object(member) && !json_is_null(member))
			return invalid(field, err);
		if (!arena_copy(target.arena, view_of(name), &list[at].name))
			return error_memory(err);
		list[at++].gone = json_is_null(member);
	}
	return true;
}

static bool
read_present(const json_t *value, const struct field *field, struct target target,
    struct error *err)
{
	struct body_flag *flag = (void *)((char *)target.out + field->offset);

	(void)value;
	(void)err;
	*flag = (struct body_flag){ .given = true, .value = true };
	return true;
}

typedef bool read_field(const json_t *value, const struct field *field, struct target target,
    struct error *err);

static read_field *const readers[] = {
	[FIELD_TEXT] = read_text,
	[FIELD_FLAG] = read_flag,
	[FIELD_NUMBER] = read_number,
	[FIELD_OBJECT] = read_nested,
	[FIELD_TAGS] = read_tags,
	[FIELD_LIST] = read_list,
	[FIELD_TEXTS] = read_texts,
	[FIELD_MEMBERS] = read_members,
	[FIELD_PRESENT] = read_present,
};

static bool
read_object(const json_t *object, const struct field *fields, struct target target,
    struct error *err)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		const json_t *value = json_object_get(object, field->name);

		if (value == NULL || json_is_null(value)) {
			if (field->required)
				return error_set(err, ERR_BAD_PARAMETER,
				    "The request body must contain the property \"%s\".",
				    field->name);
			continue;
		}
		if (!readers[field->kind](value, field, target, err))
			return false;
	}
	return true;
}

bool
body_read(view text, const struct field *fields, void *out, struct arena *arena, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;

	if (text.len == 0)
		text = V("{}");
	if (!json_tree_read(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &tree, err))
		return false;
	if (!json_is_object(tree))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The request body is not a valid JSON object.");
	return read_object(tree, fields, (struct target){ out, arena }, err);
}
