/*
 * `$filter` of the lists of this provider: terms from a table, each at most once, joined by "and".
 */
#ifndef ACCESS_FILTER_H
#define ACCESS_FILTER_H

#include "api/filter.h"
#include "api/request.h"

struct list_term {
	const char *name;
	enum filter_form form; /* FILTER_CALL, FILTER_ASK or FILTER_EQ */
	bool given;
	view value; /* in the request's arena */
};

/* list_filter_read(r, terms, count, err): ERR_BAD_REQUEST for a term that is none of these. */
MUST_USE bool list_filter_read(struct request *r, struct list_term *terms, size_t count,
    struct error *err);

/* list_filter_parse(text, ...): The same of a text. False when it can't be understood. */
bool list_filter_parse(view text, struct list_term *terms, size_t count, struct arena *arena);

#endif
