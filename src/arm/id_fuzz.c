/*
 * Paths and filters as strangers send them: an id that is accepted has its parts within its text,
 * and its key in the store has a fitting length.  The input is read as an id, and as a filter.
 */
#include "arm/filter.h"

#include "base/fuzzing.h"

static bool
within(view text, view part)
{
	return part.len == 0 ||
	    (part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len);
}

static void
try_id(view text, struct arena *arena)
{
	struct resource_id id, again;
	struct error err;
	view key;

	if (!resource_id_parse(text, arena, &id, &err))
		return;
	check(text.len <= RESOURCE_ID_MAX && id.name.len > 0);
	check(within(text, id.name) && within(text, id.scope) && within(text, id.group_id) &&
	    within(text, id.space) && within(text, id.parent) && within(text, id.path));
	check(id.parent.len == 0 || resource_id_parse(id.parent, arena, &again, &err));
	check(id.scope.len == 0 || resource_id_parse(id.scope, arena, &again, &err));
	check(view_eq(id_group(text), id.group));
	check(resource_key(arena, text, &key, &err) && key.len == text.len + 1);
}

static void
try_filter(view text, struct arena *arena)
{
	static const struct resource_type type = { .space = "A.B", .name = "c" };
	const struct body_tag tags[] = { { V("a"), V("b") } };
	const struct resource resource = { .type = &type,
		.id = V("/subscriptions/00000000-0000-4000-8000-00000000000b/resourceGroups/g"),
		.name = V("n"),
		.location = V("l"),
		.tags = tags,
		.tag_count = 1 };
	struct resource_filter filter;
	struct error err;

	if (!resource_filter_parse(text, false, arena, &filter, &err))
		return;
	check(filter.filter.count <= FILTER_TERMS_MAX);
	(void)resource_filter_fits(&filter, &resource);
	(void)resource_filter_only(&filter, FILTER_NAME);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };

	arena_init(&arena, (size_t)1 << 20);
	try_id(text, &arena);
	try_filter(text, &arena);
	return 0;
}
