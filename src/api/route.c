#include "api/route.h"

#include <stdlib.h>
#include <string.h>

#define PLANES (PLANE_GRAPH + 1)
#define METHODS (HTTP_OPTIONS + 1)

struct node {
	view segment; /* of the row's path, which is static; "{…}" for a parameter */
	struct node *next, *children;
	const struct op *rows[METHODS];
};

struct router {
	struct node plain[PLANES];    /* rows with a path of their own */
	struct node extended[PLANES]; /* rows below any scope */
};

static bool
is_param(view segment)
{
	return segment.len > 1 && segment.ptr[0] == '{';
}

static bool
is_rest(view segment)
{
	return is_param(segment) && view_ends(segment, V("...}"));
}

static struct node *
child_named(const struct node *parent, view segment)
{
	for (struct node *node = parent->children; node != NULL; node = node->next) {
		/* One parameter a place, whatever it is called. */
		if (is_param(segment) ? is_param(node->segment) : view_ieq(node->segment, segment))
			return node;
	}
	return NULL;
}

/* A parameter inside of a segment: "applications(appId='{id}')". */
static bool
has_hole(view segment, view *before, view *behind)
{
	size_t open, close;

	if (!view_find(segment, '{', &open) || open == 0 || !view_find(segment, '}', &close))
		return false;
	*before = (view){ segment.ptr, open };
	*behind = view_from(segment, close + 1);
	return true;
}

/* Whether the row's segment takes what the client wrote, and what its parameter is then. */
static bool
takes(view segment, view text, view *param)
{
	view before, behind;

	*param = (view){ NULL, 0 };
	if (is_param(segment)) {
		*param = text;
		return true;
	}
	if (!has_hole(segment, &before, &behind))
		return view_ieq(segment, text);
	if (text.len <= before.len + behind.len || !view_istarts(text, before) ||
	    !view_ends(text, behind))
		return false;
	*param = (view){ text.ptr + before.len, text.len - before.len - behind.len };
	return true;
}

/* A place has one segment's parameter or one for all the rest, and nothing stands behind that. */
static bool
fits(const struct node *child, view segment, view path)
{
	return is_rest(child->segment) == is_rest(segment) && (!is_rest(segment) || path.len == 0);
}

/* Literals in front, so that a walk meets them before the parameter. */
static struct node *
child_add(struct node *parent, view segment)
{
	struct node *node = calloc(1, sizeof(*node)), **place = &parent->children;

	if (node == NULL)
		return NULL;
	node->segment = segment;
	while (is_param(segment) && *place != NULL)
		place = &(*place)->next;
	node->next = *place;
	*place = node;
	return node;
}

static bool
row_add(struct router *router, const struct op *op, struct error *err)
{
	view path = view_from(view_of(op->path), 1);
	struct node *node = &router->plain[op->plane];

	if (op->guard == GUARD_UNSET || op->run == NULL ||
	    (op->plane == PLANE_NONE && op->guard != GUARD_PUBLIC) ||
	    ((op->guard == GUARD_DATA || op->guard == GUARD_SCOPE) && op->action == NULL))
		return error_set(err, ERR_INTERNAL, "row %s is not complete", op->name);
	if (view_starts(view_of(op->path), V("{scope}/"))) {
		node = &router->extended[op->plane];
		path = view_from(view_of(op->path), sizeof("{scope}/") - 1);
	}
	while (path.len > 0) {
		view segment = view_cut(&path, '/');
		struct node *child = child_named(node, segment);

		if (child == NULL)
			child = child_add(node, segment);
		if (child == NULL)
			return error_memory(err);
		if (!fits(child, segment, path))
			return error_set(err, ERR_INTERNAL, "row %s has two kinds of parameter",
			    op->name);
		node = child;
	}
	if (node->rows[op->method] != NULL)
		return error_set(err, ERR_INTERNAL, "rows %s and %s have the same path", op->name,
		    node->rows[op->method]->name);
	node->rows[op->method] = op;
	return true;
}

bool
router_new(const struct op *const *tables, struct router **out, struct error *err)
{
	struct router *router = calloc(1, sizeof(*router));

	if (router == NULL)
		return error_memory(err);
	for (; *tables != NULL; tables++) {
		for (const struct op *op = *tables; op->name != NULL; op++) {
			if (!row_add(router, op, err)) {
				router_free(router);
				return false;
			}
		}
	}
	*out = router;
	return true;
}

static void
children_free(struct node *node)
{
	while (node->children != NULL) {
		struct node *child = node->children;

		node->children = child->next;
		children_free(child);
		free(child);
	}
}

void
router_free(struct router *router)
{
	if (router == NULL)
		return;
	for (size_t i = 0; i < PLANES; i++) {
		children_free(&router->plain[i]);
		children_free(&router->extended[i]);
	}
	free(router);
}

static bool
param_add(struct request *r, view text)
{
	if (r->param_count == REQUEST_PARAMS_MAX)
		return false;
	r->params[r->param_count++] = text;
	return true;
}

static bool
has_row(const struct node *node)
{
	for (size_t i = 0; node != NULL && i < METHODS; i++) {
		if (node->rows[i] != NULL)
			return true;
	}
	return false;
}

/*
 * The node with rows that ${path} leads to.  A literal is tried before a parameter; where it leads
 * nowhere, the parameter has its turn ("/providers/{space}" beside "/providers/Microsoft.X/new").
 * The tree is as deep as the longest row, which bounds this.
 */
static const struct node *
walk(const struct node *node, view path, struct request *r)
{
	size_t count = r->param_count;
	view rest = path, segment;

	if (path.len == 0)
		return has_row(node) ? node : NULL;
	segment = view_cut(&rest, '/');
	for (const struct node *child = node->children; child != NULL; child = child->next) {
		bool all = is_rest(child->segment);
		const struct node *found;
		view param;

		r->param_count = count;
		if (!takes(child->segment, segment, &param) ||
		    (param.ptr != NULL && !param_add(r, all ? path : param)))
			continue;
		found = walk(child, all ? V("") : rest, r);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static bool
last_providers(view path, size_t *at)
{
	static const view word = V_INIT("/providers/");

	for (size_t i = path.len; i-- > 0;) {
		if (view_istarts(view_from(path, i), word)) {
			*at = i;
			return true;
		}
	}
	return false;
}

static const struct node *
find(const struct router *router, struct request *r)
{
	const struct node *node = NULL;
	size_t at;

	if (router->extended[r->plane].children != NULL && last_providers(r->path, &at)) {
		(void)param_add(r, at == 0 ? V("/") : (view){ r->path.ptr, at });
		node = walk(&router->extended[r->plane], view_from(r->path, at + 1), r);
	}
	if (node != NULL)
		return node;
	r->param_count = 0;
	return walk(&router->plain[r->plane], view_from(r->path, 1), r);
}

bool
router_match(const struct router *router, enum http_method method, struct request *r,
    struct error *err)
{
	const struct node *node;

	r->param_count = 0;
	node = find(router, r);
	if (node == NULL)
		return error_set(err, ERR_NOT_FOUND, "The requested resource does not exist.");
	if (node->rows[method] == NULL)
		return error_set(err, ERR_METHOD_NOT_ALLOWED,
		    "The method is not allowed for the requested resource.");
	r->op = node->rows[method];
	return true;
}
