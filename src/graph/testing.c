#include "graph/testing.h"

#include "graph/graph.h"

#include <string.h>

struct graph_town graph;
static struct services services;

static const struct op *
row_of(const struct asked *asked)
{
	for (const struct op *op = graph_ops; op->name != NULL; op++) {
		if (strcmp(op->path, asked->path) == 0 && op->method == asked->method)
			return op;
	}
	fail_msg("no row %s", asked->path);
	return NULL;
}

bool
ask(const struct asked *asked)
{
	const struct op *op = row_of(asked);
	struct http_request in = { .query = view_of(asked->query), .body = asked->body };
	struct request r = {
		.in = &in,
		.out = &graph.reply,
		.arena = &town.arena,
		.services = &services,
		.plane = PLANE_GRAPH,
		.op = op,
		.authority = V("graph.localhost:8443"),
		.domain = V("localhost:8443"),
		.path = view_of(op->path),
		.params = { asked->param, asked->second },
		.caller = graph.caller,
	};
	bool ok;

	services.directory = town.directory;
	town_begin();
	r.tx = town.tx;
	graph.reply.status = 200;
	buf_reset(&graph.reply.body);
	if (op->body != NULL) {
		r.body = arena_alloc(&town.arena, op->body_size);
		if (!body_read(asked->body, op->body, r.body, &town.arena, &town.err))
			return false;
	}
	ok = op->run(&r, &town.err);
	town.tx = r.tx;
	graph.object_id = r.object_id;
	if (ok)
		town_commit();
	town_begin();
	return ok;
}

int
graph_setup(void **state)
{
	(void)town_setup(state);
	graph = (struct graph_town){ .caller = { .known = true, .tenant = town.tenant } };
	return 0;
}

int
graph_teardown(void **state)
{
	buf_free(&graph.reply.body);
	return town_teardown(state);
}

view
member(const char *name)
{
	view rest = buf_view(&graph.reply.body), copy;
	char start[64];

	(void)snprintf(start, sizeof(start), "\"%s\":\"", name);
	while (rest.len > 0 && !view_starts(rest, view_of(start)))
		rest = view_from(rest, 1);
	rest = view_from(rest, strlen(start));
	assert_true(arena_copy(&town.arena, view_cut(&rest, '"'), &copy));
	return copy;
}

size_t
graph_items(const char *name)
{
	view rest = buf_view(&graph.reply.body);
	char start[64];
	size_t count = 0;

	(void)snprintf(start, sizeof(start), "\"%s\":\"", name);
	for (; rest.len > 0; rest = view_from(rest, 1))
		count += view_starts(rest, view_of(start));
	return count;
}

bool
replied(const char *part)
{
	return holds(buf_view(&graph.reply.body), part);
}

char graph_text[4096];

view
graph_keep(void)
{
	view copy;

	assert_true(arena_copy(&town.arena, view_of(graph_text), &copy));
	return copy;
}
