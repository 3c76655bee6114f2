/*
 * The members of directory objects as data: how Graph writes them, which a client may choose and
 * filter by.
 */
#ifndef GRAPH_MEMBER_H
#define GRAPH_MEMBER_H

#include "base/json.h"
#include "base/uuid.h"

enum graph_member_kind {
	MEMBER_TEXT,  /* a view; empty: null */
	MEMBER_UUID,  /* struct uuid */
	MEMBER_TIME,  /* int64_t, Unix seconds */
	MEMBER_FLAG,  /* bool */
	MEMBER_FIXED, /* always ->fixed */
	MEMBER_NULL,  /* always null */
	MEMBER_EMPTY, /* always an empty list */
	MEMBER_OTHER, /* by ->write and ->value */
};

struct graph_member {
	const char *name;
	enum graph_member_kind kind;
	size_t offset;     /* of the member in the object's struct */
	const char *fixed; /* MEMBER_FIXED */
	void (*write)(const void *object, const char *name, struct json *json);
	/* value(object, i, out): The i-th value to filter by; false behind the last. */
	bool (*value)(const void *object, size_t i, view *out);
	bool filter; /* may be filtered by */
	bool key;    /* finds its object without looking at the others */
	bool asked;  /* written only when it is chosen */
};

#define GRAPH_SELECT_MAX 64

/* What $select names; of none, the usual members. */
struct graph_select {
	view names[GRAPH_SELECT_MAX];
	size_t count;
};

/* graph_select_parse(text, out): False when there are too many.  Unknown names do no harm. */
bool graph_select_parse(view text, struct graph_select *out);

/* graph_members_write: All that are chosen; ${select} may be NULL. */
void graph_members_write(const struct graph_member *members, const struct graph_select *select,
    const void *object, struct json *json);

const struct graph_member *graph_member_find(const struct graph_member *members, view name);
bool graph_member_value(const struct graph_member *member, const void *object, size_t i, view *out);

#endif
