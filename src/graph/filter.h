/*
 * Graph's $filter, as far as directory objects need it: eq, in, startswith and any on some of their
 * members, joined by "and" and "or".
 */
#ifndef GRAPH_FILTER_H
#define GRAPH_FILTER_H

#include "api/filter.h"
#include "base/error.h"
#include "graph/member.h"

struct graph_filter {
	struct filter filter;
	const struct graph_member *members[FILTER_TERMS_MAX]; /* what each term is about */
};

/* graph_filter_parse(text, members, arena, out, err): ERR_GRAPH_BAD_REQUEST for any other. */
MUST_USE bool graph_filter_parse(view text, const struct graph_member *members, struct arena *arena,
    struct graph_filter *out, struct error *err);

bool graph_filter_match(const struct graph_filter *filter, const void *object);

/*
 * graph_filter_keys(filter, keys):
 * The key terms (their numbers) without which no object fits, one for each side of an "or"; 0 when
 * a side has none (or there is no filter): then all objects have to be looked at.
 */
size_t graph_filter_keys(const struct graph_filter *filter, size_t keys[FILTER_TERMS_MAX]);

#endif
