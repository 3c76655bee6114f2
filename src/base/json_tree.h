/*
 * JSON that was read, a tree of jansson's: what everybody who looks at one needs.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include "base/error.h"
#include "base/view.h"

#include <jansson.h>

static inline void
json_tree_done(json_t **tree) /* for AUTO */
{
	json_decref(*tree);
}

/*
 * json_tree_read(text, flags, out, err):
 * Read ${text} with jansson's ${flags}; *out is NULL when it is not JSON.  Fails only for want of
 * memory.  The caller gives the tree back, and all memory it took is wiped then.
 */
MUST_USE bool json_tree_read(view text, size_t flags, json_t **out, struct error *err);

/* json_tree_text(value): A view of the text that it is; empty when it is none. Any ${value}. */
static inline view
json_tree_text(const json_t *value)
{
	return json_is_string(value) ? (view){ json_string_value(value), json_string_length(value) }
				     : V("");
}

/* json_tree_member(object, name): The same, of the member of that name. */
static inline view
json_tree_member(const json_t *object, const char *name)
{
	return json_tree_text(json_object_get(object, name));
}

#endif
