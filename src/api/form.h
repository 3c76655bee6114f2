/*
 * A form (application/x-www-form-urlencoded), or a query that was made like one, taken apart once:
 * names are unique, escapes are whole, values are UTF-8 without NUL.
 */
#ifndef API_FORM_H
#define API_FORM_H

#include "base/arena.h"
#include "base/error.h"

#define FORM_BYTES_MAX ((size_t)64 * 1024)
#define FORM_PAIRS_MAX 48

struct form_pair {
	view name, value;
};

struct form {
	struct form_pair pairs[FORM_PAIRS_MAX];
	size_t count;
};

/*
 * form_read(text, arena, out, err):
 * ERR_BODY_TOO_LARGE; ERR_BAD_REQUEST for a broken escape, a name given twice (RFC 6749, section
 * 3.1), or too many of them.  The values point into ${text} or ${arena}.
 */
MUST_USE bool form_read(view text, struct arena *arena, struct form *out, struct error *err);

/* form_get(form, name): In any case; empty when absent. */
view form_get(const struct form *form, const char *name);

#endif
