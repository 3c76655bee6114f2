/*
 * Graph's $filter, as far as directory objects need it: comparisons joined by "and" and "or", the
 * former first, without parentheses.
 *
 *	userPrincipalName eq 'a@b.c' or mail eq 'a@b.c'
 *	id in ('X','Y') and startswith(displayName,'a')
 *	servicePrincipalNames/any(c:c eq 'X')
 */
#ifndef GRAPH_FILTER_H
#define GRAPH_FILTER_H

#include "base/arena.h"
#include "base/error.h"
#include "graph/member.h"

#define FILTER_TERMS_MAX 16
#define FILTER_VALUES_MAX 64

struct graph_term {
	const struct graph_member *member;
	bool starts;  /* startswith; otherwise it equals one of the values */
	size_t first; /* of its values, in ->values */
	size_t count;
	bool ends; /* the last before an "or" */
};

struct graph_filter {
	struct graph_term terms[FILTER_TERMS_MAX];
	size_t term_count; /* 0: all */
	view values[FILTER_VALUES_MAX];
	size_t value_count;
};

/* graph_filter_parse(text, members, arena, out, err): ERR_GRAPH_BAD_REQUEST for any other. */
MUST_USE bool graph_filter_parse(view text, const struct graph_member *members, struct arena *arena,
    struct graph_filter *out, struct error *err);

bool graph_filter_match(const struct graph_filter *filter, const void *object);

/*
 * graph_filter_keys(filter, keys):
 * The key terms without which no object fits, one for each side of an "or"; 0 when a side has none
 * (or there is no filter): then all objects have to be looked at.
 */
size_t graph_filter_keys(const struct graph_filter *filter,
    const struct graph_term *keys[FILTER_TERMS_MAX]);

#endif
