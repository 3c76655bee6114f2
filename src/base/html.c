#include "base/html.h"

#include "base/json.h"

#include <string.h>

static const char *
entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void
html_text(struct buf *out, view text)
{
	bool fine = utf8_valid(text);

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		const char *name = entity(text.ptr[i]);

		if (name != NULL)
			buf_add(out, view_of(name));
		else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !fine))
			buf_add_char(out, '?');
		else
			buf_add_char(out, text.ptr[i]);
	}
}

void
html_fill(struct buf *out, const char *format, const view *texts, size_t count)
{
	const char *next;

	for (size_t i = 0; i < count && (next = strstr(format, "%s")) != NULL; i++) {
		buf_add(out, (view){ format, (size_t)(next - format) });
		html_text(out, texts[i]);
		format = next + 2;
	}
	buf_add(out, view_of(format));
}
