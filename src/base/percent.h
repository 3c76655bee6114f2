/*
 * Percent-encoding (RFC 3986, section 2.1) and the query and form encodings made of it.
 */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * percent_decode(text, plus, arena, out):
 * Decode; with ${plus}, '+' is a space (forms). False for a broken escape, a NUL, what is not
 * UTF-8 (replies quote it), or no memory. Text without escapes is returned as it is.
 */
MUST_USE bool percent_decode(view text, bool plus, struct arena *arena, view *out);

/* percent_encode(text, out): Append; unreserved characters stay as they are. */
void percent_encode(view text, struct buf *out);

/*
 * pairs_find(pairs, name, plus, arena, out):
 * The decoded value of the first "name=value" in an &-separated list; names match in any case, and
 * encoded too.  A broken escape is as good as absent.
 */
bool pairs_find(view pairs, view name, bool plus, struct arena *arena, view *out);

/* pairs_add(pairs, name, value): Append "name=value", ${value} encoded, behind '&' if need be. */
void pairs_add(struct buf *pairs, const char *name, view value);

/*
 * path_decode(path, arena, out):
 * Decode a path and collapse its slashes: one at the front, none at the end, no empty segments.
 * False for a broken escape, a control character, or a "." or ".." segment.
 */
MUST_USE bool path_decode(view path, struct arena *arena, view *out);

#endif
