/*
 * Bodies as strangers send them, read by a table with every kind of field: what is accepted keeps
 * its bounds.
 */
#include "api/body.h"

#include "base/fuzzing.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct item {
	struct body_text name;
};

struct body {
	struct body_text value, kind;
	struct body_tags tags;
	struct body_flag enabled;
	struct body_number exp;
	struct body_list items;
	struct body_texts texts;
	struct body_members members;
	struct body_flag kept;
};

static const struct field item_fields[] = {
	{ .name = "name",
	    .kind = FIELD_TEXT,
	    .max = 8,
	    .required = true,
	    .offset = offsetof(struct item, name) },
	{ 0 },
};

/* An object's fields are relative to it: this one begins where the struct does. */
static const struct field attribute_fields[] = {
	{ .name = "enabled", .kind = FIELD_FLAG, .offset = offsetof(struct body, enabled) },
	{ .name = "exp", .kind = FIELD_NUMBER, .offset = offsetof(struct body, exp) },
	{ 0 },
};

static const struct field fields[] = {
	{ .name = "value",
	    .kind = FIELD_TEXT,
	    .max = 64,
	    .required = true,
	    .offset = offsetof(struct body, value) },
	{ .name = "contentType", .kind = FIELD_TEXT, .offset = offsetof(struct body, kind) },
	{ .name = "tags", .kind = FIELD_TAGS, .max = 15, .offset = offsetof(struct body, tags) },
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attribute_fields },
	{ .name = "items",
	    .kind = FIELD_LIST,
	    .max = 3,
	    .fields = item_fields,
	    .size = sizeof(struct item),
	    .offset = offsetof(struct body, items) },
	{ .name = "texts", .kind = FIELD_TEXTS, .max = 3, .offset = offsetof(struct body, texts) },
	{ .name = "members",
	    .kind = FIELD_MEMBERS,
	    .max = 3,
	    .offset = offsetof(struct body, members) },
	{ .name = "members", .kind = FIELD_PRESENT, .offset = offsetof(struct body, kept) },
	{ 0 },
};

static void
check_body(const struct body *body)
{
	const struct item *items = body->items.items;

	check(body->value.given && body->value.text.len <= 64 && utf8_valid(body->value.text));
	check(utf8_valid(body->kind.text));
	check(body->tags.count <= 15 && body->items.count <= 3 && body->texts.count <= 3);
	check(body->members.count <= 3 && (!body->members.given || body->kept.given));
	for (size_t i = 0; i < body->members.count; i++)
		check(utf8_valid(body->members.items[i].name));
	for (size_t i = 0; i < body->texts.count; i++)
		check(utf8_valid(body->texts.texts[i]));
	for (size_t i = 0; i < body->tags.count; i++)
		check(utf8_valid(body->tags.tags[i].name) && utf8_valid(body->tags.tags[i].value));
	for (size_t i = 0; i < body->items.count; i++)
		check(items[i].name.given && items[i].name.text.len <= 8);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena;
	struct body body = { 0 };
	struct error err = { 0 };
	char *copy = malloc(len);

	check(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	arena_init(&arena, 65536);
	if (body_read((view){ copy, len }, fields, &body, &arena, &err))
		check_body(&body);
	else
		check(err.code == ERR_BAD_PARAMETER || err.code == ERR_UNAVAILABLE);
	free(copy);
	return 0;
}
