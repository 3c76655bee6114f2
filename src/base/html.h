/*
 * HTML out: texts in places where they can be nothing but text.
 */
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include "base/buf.h"

/*
 * html_text(out, text):
 * Append ${text} for use between tags and in quoted values of attributes; what is not UTF-8 and
 * what is a control character becomes a question mark.
 */
void html_text(struct buf *out, view text);

/*
 * html_print(out, format, ...):
 * Append markup that is ours, each %s in it replaced by the next of the views, escaped.
 */
#define html_print(out, format, ...)                          \
	html_fill(out, format, (const view[]){ __VA_ARGS__ }, \
	    COUNT_OF(((const view[]){ __VA_ARGS__ })))
void html_fill(struct buf *out, const char *format, const view *texts, size_t count);

#endif
