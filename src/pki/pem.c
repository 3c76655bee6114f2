#include "pki/pem.h"

#include "base/base64.h"

#include <string.h>

#define BEGIN V("-----BEGIN ")
#define END V("-----END ")
#define DASHES V("-----")
#define LINE_BYTES 48 /* 64 characters */

static void
mark(const char *what, view label, struct buf *out)
{
	buf_print(out, "-----%s %.*s-----\n", what, VIEW_ARG(label));
}

void
pem_write(view label, view der, struct buf *out)
{
	mark("BEGIN", label, out);
	while (der.len > 0) {
		view line = { der.ptr, der.len < LINE_BYTES ? der.len : LINE_BYTES };

		base64_encode(BASE64, line, out);
		buf_add_char(out, '\n');
		der = view_from(der, line.len);
	}
	mark("END", label, out);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
find(view text, view what, size_t *at)
{
	const char *found = text.len == 0 ? NULL : memmem(text.ptr, text.len, what.ptr, what.len);

	if (found != NULL)
		*at = (size_t)(found - text.ptr);
	return found != NULL;
}

/* What stands in front of it in ${rest}, which it goes behind. */
static bool
cut(view *rest, view what, view *before)
{
	size_t at;

	if (!find(*rest, what, &at))
		return false;
	*before = (view){ rest->ptr, at };
	*rest = view_from(*rest, at + what.len);
	return true;
}

/* "-----BEGIN LABEL-----", behind white space or nothing. */
static bool
next_label(view *rest, view *label)
{
	view before, after;

	while (cut(rest, BEGIN, &before)) {
		after = *rest;
		if ((before.len > 0 && !is_space(before.ptr[before.len - 1])) ||
		    !cut(&after, DASHES, label) || label->len == 0 ||
		    view_find(*label, '\n', &(size_t){ 0 }))
			continue;
		*rest = after;
		return true;
	}
	return false;
}

enum pem_found
pem_next(view *rest, struct pem_block *out)
{
	view label;

	if (!next_label(rest, &out->label))
		return PEM_NONE;
	if (!cut(rest, END, &out->body) || !cut(rest, DASHES, &label) ||
	    !view_eq(label, out->label))
		return PEM_BROKEN;
	return PEM_BLOCK;
}

size_t
pem_room(view body)
{
	return body.len + 3;
}

bool
pem_decode(view body, char *out, size_t *len)
{
	size_t count = 0;

	for (size_t i = 0; i < body.len; i++) {
		if (!is_space(body.ptr[i]))
			out[count++] = body.ptr[i];
	}
	return base64_decode(BASE64, (view){ out, count }, out, len);
}
