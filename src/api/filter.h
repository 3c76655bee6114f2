/*
 * OData's $filter, as far as the lists here know it: terms joined by "and" and "or", the former
 * first, without parentheses.
 *
 *	atScope() and assignedTo('X')
 *	userPrincipalName eq 'a@b.c' or mail eq 'a@b.c'
 *	id in ('X','Y') and startswith(displayName,'a')
 *	servicePrincipalNames/any(c:c eq 'X')
 *	substringof('vault', name) and location ne 'westeurope'
 *
 * Strict: what is not understood is refused, because a filter that was ignored would show too much.
 * What the names mean is the list's to say.
 */
#ifndef API_FILTER_H
#define API_FILTER_H

#include "base/arena.h"

#define FILTER_MAX 4096 /* bytes */
#define FILTER_TERMS_MAX 16
#define FILTER_VALUES_MAX 64

/* Keywords in any case; 'It''s': a quote is written twice. */
enum filter_form {
	FILTER_CALL = 1 << 0,   /* NAME() */
	FILTER_ASK = 1 << 1,    /* NAME('X') */
	FILTER_EQ = 1 << 2,     /* NAME eq 'X' */
	FILTER_NE = 1 << 3,     /* NAME ne 'X' */
	FILTER_IN = 1 << 4,     /* NAME in ('X','Y') */
	FILTER_ANY = 1 << 5,    /* NAME/any(c:c eq 'X') */
	FILTER_STARTS = 1 << 6, /* startswith(NAME,'X') */
	FILTER_HAS = 1 << 7,    /* substringof('X',NAME) */
	FILTER_OR = 1 << 8,     /* no term, but what may stand between two */
};

struct filter_term {
	enum filter_form form;
	view name;    /* as written */
	size_t first; /* of its values, in ->values */
	size_t count; /* one, but of FILTER_CALL, none, and FILTER_IN, some */
	bool word;    /* a value is true or false, without quotes */
	bool ends;    /* the last before an "or", and of all */
};

struct filter {
	struct filter_term terms[FILTER_TERMS_MAX];
	size_t count; /* 0: an empty filter, which everything passes */
	view values[FILTER_VALUES_MAX];
	size_t value_count;
};

/*
 * filter_parse(text, allowed, arena, out):
 * ${text}: decoded.  ${allowed}: the forms that the list knows.  False when it is anything else, or
 * too long, or has too many terms or values.  Names borrow from ${text}, values lie in ${arena}.
 */
MUST_USE bool filter_parse(view text, unsigned allowed, struct arena *arena, struct filter *out);

/* filter_fits(filter, term, value): Whether what the name stands for passes the term. */
bool filter_fits(const struct filter *filter, const struct filter_term *term, view value);

#endif
