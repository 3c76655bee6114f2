/*
 * `$filter` of the lists of this provider: terms from a table, joined by "and".
 */
#ifndef ACCESS_FILTER_H
#define ACCESS_FILTER_H

#include "api/request.h"

enum term_form {
	TERM_CALL,   /* name() */
	TERM_ASK,    /* name('value') */
	TERM_EQUALS, /* name eq 'value' */
};

struct filter_term {
	const char *name;
	enum term_form form;
	bool given;
	view value; /* in the request's arena */
};

/* filter_read(r, terms, count, err): ERR_BAD_REQUEST for a term that is none of these. */
MUST_USE bool filter_read(struct request *r, struct filter_term *terms, size_t count,
    struct error *err);

/* filter_terms_parse(text, ...): The same of a text. False when it can't be understood. */
bool filter_terms_parse(view text, struct filter_term *terms, size_t count, struct arena *arena);

#endif
