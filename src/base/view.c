#include "base/view.h"

#include <string.h>

#define NAME_MAX_LEN 253
#define LABEL_MAX 63

char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

bool
ascii_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
label_valid(view label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' ||
	    label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!ascii_alphanumeric(label.ptr[i]) && label.ptr[i] != '-')
			return false;
	}
	return true;
}

bool
host_name_valid(view name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN || name.ptr[name.len - 1] == '.')
		return false;
	while (name.len > 0) {
		if (!label_valid(view_cut(&name, '.')))
			return false;
	}
	return true;
}

view
view_of(const char *text)
{
	return text == NULL ? (view){ "", 0 } : (view){ text, strlen(text) };
}

bool
view_eq(view a, view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
view_ieq(view a, view b)
{
	return a.len == b.len && view_istarts(a, b);
}

int
view_cmp(view a, view b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool
view_starts(view text, view prefix)
{
	return text.len >= prefix.len && view_eq((view){ text.ptr, prefix.len }, prefix);
}

bool
view_istarts(view text, view prefix)
{
	if (text.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		if (ascii_lower(text.ptr[i]) != ascii_lower(prefix.ptr[i]))
			return false;
	}
	return true;
}

bool
view_ends(view text, view suffix)
{
	return text.len >= suffix.len && view_eq(view_from(text, text.len - suffix.len), suffix);
}

bool
view_find(view text, char c, size_t *at)
{
	const char *found = text.len == 0 ? NULL : memchr(text.ptr, c, text.len);

	if (found == NULL)
		return false;
	*at = (size_t)(found - text.ptr);
	return true;
}

view
view_from(view text, size_t at)
{
	if (at >= text.len)
		return (view){ "", 0 };
	return (view){ text.ptr + at, text.len - at };
}

view
view_trim(view text)
{
	while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = view_from(text, 1);
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

view
view_cut(view *rest, char separator)
{
	view piece = *rest;
	size_t at;

	if (!view_find(*rest, separator, &at)) {
		*rest = (view){ "", 0 };
		return piece;
	}
	piece.len = at;
	*rest = view_from(*rest, at + 1);
	return piece;
}

bool
view_u64(view text, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.ptr[i] - '0');

		if (digit > 9 || __builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*out = value;
	return true;
}
