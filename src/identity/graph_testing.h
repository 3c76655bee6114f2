/*
 * What the tests of Graph's rows share: rows are run as the journey does it.
 */
#ifndef IDENTITY_GRAPH_TESTING_H
#define IDENTITY_GRAPH_TESTING_H

#include "identity/graph_row.h"
#include "identity/testing.h"

struct asked {
	const char *path; /* the row's */
	enum http_method method;
	view param, second, body;
	const char *query;
};

struct graph_town {
	struct http_reply reply;
	struct caller caller;
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
PRINTF(1, 2) view print(const char *format, ...);

#define POST(where, ...) (&(struct asked){ .path = where, .method = HTTP_POST, __VA_ARGS__ })
#define GET(where, ...) (&(struct asked){ .path = where, .method = HTTP_GET, __VA_ARGS__ })
#define PATCH(where, ...) (&(struct asked){ .path = where, .method = HTTP_PATCH, __VA_ARGS__ })
#define DELETE(where, ...) (&(struct asked){ .path = where, .method = HTTP_DELETE, __VA_ARGS__ })

#endif
