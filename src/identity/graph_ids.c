#include "identity/graph_ids.h"

#include <jansson.h>

#define IDS_MAX 1000
#define TYPES_MAX 16
#define BODY_MAX ((size_t)128 * 1024)

static void
tree_done(json_t **tree)
{
	json_decref(*tree);
}

static bool
refused(struct error *err, const char *name)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "Property '%s' must be a list of at most %d texts.", name, IDS_MAX);
}

static bool
read_list(const json_t *object, const char *name, size_t max, struct arena *arena, const view **out,
    size_t *count, struct error *err)
{
	const json_t *list = json_object_get(object, name);
	size_t size = json_array_size(list);
	view *texts;

	if (list == NULL || json_is_null(list))
		return true;
	if (!json_is_array(list) || size > max)
		return refused(err, name);
	texts = arena_alloc(arena, (size + 1) * sizeof(*texts));
	if (texts == NULL)
		return error_memory(err);
	for (size_t i = 0; i < size; i++) {
		const json_t *text = json_array_get(list, i);

		if (!json_is_string(text))
			return refused(err, name);
		if (!arena_copy(arena, (view){ json_string_value(text), json_string_length(text) },
			&texts[i]))
			return error_memory(err);
	}
	*out = texts;
	*count = size;
	return true;
}

bool
graph_ids_read(view body, struct arena *arena, struct graph_ids *out, struct error *err)
{
	AUTO(tree_done) json_t *tree = NULL;
	struct graph_ids ids = { .ids = NULL };
	json_error_t problem;

	if (body.len > BODY_MAX)
		return error_set(err, ERR_BODY_TOO_LARGE, "The request body is too large.");
	tree = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &problem);
	if (!json_is_object(tree))
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "The request body is not a valid JSON object.");
	if (!read_list(tree, "ids", IDS_MAX, arena, &ids.ids, &ids.id_count, err) ||
	    !read_list(tree, "types", TYPES_MAX, arena, &ids.types, &ids.type_count, err))
		return false;
	if (ids.ids == NULL)
		return refused(err, "ids");
	*out = ids;
	return true;
}
