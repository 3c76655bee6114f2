/*
 * A string is a view: pointer and length travel together.  Views borrow: whoever made the bytes
 * keeps them alive.  Never NUL-terminated unless a comment says so.
 */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	const char *ptr;
	size_t len;
} view;

#define V(literal) ((view){ "" literal, sizeof(literal) - 1 })
/* clang-format off */
#define V_INIT(literal) { "" literal, sizeof(literal) - 1 }
/* clang-format on */
/* For printf: "%.*s", VIEW_ARG(v) */
#define VIEW_ARG(v) (int)(v).len, (v).ptr

view view_of(const char *text); /* NULL is the empty view */
bool view_eq(view a, view b);   /* not for secrets: see constant_time_equal */
bool view_ieq(view a, view b);  /* ASCII letters only */
int view_cmp(view a, view b);   /* as memcmp; a prefix sorts first */
bool view_starts(view text, view prefix);
bool view_istarts(view text, view prefix);
bool view_ends(view text, view suffix);
bool view_find(view text, char c, size_t *at); /* the first */
view view_from(view text, size_t at);          /* the rest from ${at}; empty when beyond */
view view_trim(view text);                     /* without spaces and tabs at both ends */

/*
 * view_cut(rest, separator):
 * Return what stands before the next ${separator} and move ${rest} behind it; the whole rest, and
 * an empty ${rest}, when there is none.
 */
view view_cut(view *rest, char separator);

/* view_u64(text, out): Parse decimal digits, nothing else, no overflow. */
bool view_u64(view text, uint64_t *out);

char ascii_lower(char c);
char ascii_upper(char c);
bool ascii_alphanumeric(char c);

/* host_name_valid(name): RFC 1123: labels of letters, digits, inner hyphens; no dot at the end. */
bool host_name_valid(view name);

#endif
