#include "base/percent.h"

#include "base/json.h"
#include "base/uuid.h"

#include <string.h>

/* A NUL would end it where C reads it, however it was written. */
static bool
is_text(view bytes)
{
	size_t at;

	return utf8_valid(bytes) && !view_find(bytes, '\0', &at);
}

bool
percent_decode(view text, bool plus, struct arena *arena, view *out)
{
	size_t at, len = 0;
	char *bytes;

	if (!view_find(text, '%', &at) && !(plus && view_find(text, '+', &at))) {
		*out = text;
		return is_text(text);
	}
	bytes = arena_alloc(arena, text.len + 1);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];

		if (byte == '%') {
			if (text.len - i < 3 || !hex_decode((view){ text.ptr + i + 1, 2 }, &byte))
				return false;
			i += 2;
		} else if (plus && byte == '+') {
			byte = ' ';
		}
		bytes[len++] = (char)byte;
	}
	*out = (view){ bytes, len };
	return is_text(*out);
}

static bool
unreserved(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

void
percent_encode(view text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (unreserved(text.ptr[i]))
			buf_add_char(out, text.ptr[i]);
		else
			buf_print(out, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
	}
}

bool
pairs_find(view pairs, view name, bool plus, struct arena *arena, view *out)
{
	while (pairs.len > 0) {
		view value = view_cut(&pairs, '&');
		view key = view_cut(&value, '=');

		if (percent_decode(key, plus, arena, &key) && view_ieq(key, name))
			return percent_decode(value, plus, arena, out);
	}
	return false;
}

void
pairs_add(struct buf *pairs, const char *name, view value)
{
	if (pairs->len > 0)
		buf_add_char(pairs, '&');
	buf_print(pairs, "%s=", name);
	percent_encode(value, pairs);
}

static bool
segment_fine(view segment)
{
	if (view_eq(segment, V(".")) || view_eq(segment, V("..")))
		return false;
	for (size_t i = 0; i < segment.len; i++) {
		if ((unsigned char)segment.ptr[i] < 0x20 || segment.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

bool
path_decode(view path, struct arena *arena, view *out)
{
	char *bytes;
	size_t len = 0;

	if (!percent_decode(path, false, arena, &path))
		return false;
	bytes = arena_alloc(arena, path.len + 2);
	if (bytes == NULL)
		return false;
	while (path.len > 0) {
		view segment = view_cut(&path, '/');

		if (!segment_fine(segment))
			return false;
		if (segment.len == 0)
			continue;
		bytes[len++] = '/';
		memcpy(bytes + len, segment.ptr, segment.len);
		len += segment.len;
	}
	if (len == 0)
		bytes[len++] = '/';
	*out = (view){ bytes, len };
	return true;
}
