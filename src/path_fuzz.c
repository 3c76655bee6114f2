/*
 * Paths as strangers send them, decoded and matched with all rows there are: what is decoded has no
 * way up and no empty segment, and parameters are parts of it.  The first byte says which plane is
 * asked and how.
 */
#include "api/route.h"
#include "base/fuzzing.h"
#include "base/json.h"
#include "base/percent.h"

#include <string.h>

static void
check_path(view path)
{
	view rest = view_from(path, 1);

	check(path.len > 0 && path.ptr[0] == '/' && utf8_valid(path));
	check(memchr(path.ptr, '\0', path.len) == NULL);
	while (rest.len > 0) {
		view segment = view_cut(&rest, '/');

		check(segment.len > 0 && !view_eq(segment, V(".")) && !view_eq(segment, V("..")));
	}
	check(path.len == 1 || path.ptr[path.len - 1] != '/');
}

static void
check_match(const struct request *r)
{
	check(r->op != NULL && r->op->plane == r->plane);
	check(r->op->guard != GUARD_UNSET && r->param_count <= REQUEST_PARAMS_MAX);
	for (size_t i = 0; i < r->param_count; i++) {
		check(r->params[i].len > 0);
		check(view_eq(r->params[i], V("/")) ||
		    memmem(r->path.ptr, r->path.len, r->params[i].ptr, r->params[i].len) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct router *router;
	AUTO(arena_free) struct arena arena;
	view input = view_from((view){ (const char *)data, len }, 1);
	unsigned choice = len == 0 ? 0 : data[0];
	struct request r = { .plane = choice % (PLANE_GRAPH + 1) };
	enum http_method method = choice / (PLANE_GRAPH + 1) % (HTTP_OPTIONS + 1);
	struct error err = { 0 };

	if (router == NULL)
		check(router_new(op_tables, &router, &err));
	arena_init(&arena, 65536);
	if (!path_decode(input, &arena, &r.path))
		return 0;
	check_path(r.path);
	if (router_match(router, method, &r, &err))
		check_match(&r);
	else
		check(err.code == ERR_NOT_FOUND || err.code == ERR_METHOD_NOT_ALLOWED);
	return 0;
}
