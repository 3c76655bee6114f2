/*
 * What the tests of Graph's rows share: rows are run as the journey does it.
 */
#ifndef GRAPH_TESTING_H
#define GRAPH_TESTING_H

#include "graph/row.h"
#include "identity/testing.h"

#include <stdio.h>

struct asked {
	const char *path; /* the row's */
	enum http_method method;
	view param, second, body;
	const char *query;
};

struct graph_town {
	struct http_reply reply;
	struct caller caller;
	view object_id; /* of the last request, as the audit log has it */
};

extern struct graph_town graph;

int graph_setup(void **state); /* for cmocka */
int graph_teardown(void **state);

/* ask(asked): Body, row, commit. */
bool ask(const struct asked *asked);

/* member(name): The text of a member of the reply, with a NUL behind it; the first, or empty. */
view member(const char *name);
size_t graph_items(const char *name); /* how often the member is in the reply */
bool replied(const char *part);

/* print(format, ...): In the town's arena. */
#define print(...) ((void)snprintf(graph_text, sizeof(graph_text), __VA_ARGS__), graph_keep())
extern char graph_text[4096];
view graph_keep(void);

/* POST("/v1.0/…", .body = …): The row's path first. */
#define POST(...) (&(struct asked){ .method = HTTP_POST, .path = __VA_ARGS__ })
#define GET(...) (&(struct asked){ .method = HTTP_GET, .path = __VA_ARGS__ })
#define PATCH(...) (&(struct asked){ .method = HTTP_PATCH, .path = __VA_ARGS__ })
#define DELETE(...) (&(struct asked){ .method = HTTP_DELETE, .path = __VA_ARGS__ })

#endif
