#include "base/json.h"

#include "base/base64.h"

#include <string.h>

struct json
json_to(struct buf *out)
{
	return (struct json){ .out = out };
}

static void
item(struct json *json, const char *name)
{
	if (json->comma)
		buf_add_char(json->out, ',');
	json->comma = true;
	if (name == NULL)
		return;
	buf_add_char(json->out, '"');
	buf_add(json->out, view_of(name));
	buf_add(json->out, V("\":"));
}

void
json_open_in(struct json *json, const char *name, char bracket)
{
	item(json, name);
	buf_add_char(json->out, bracket);
	json->comma = false;
}

void
json_open(struct json *json, char bracket)
{
	json_open_in(json, NULL, bracket);
}

void
json_close(struct json *json, char bracket)
{
	buf_add_char(json->out, bracket);
	json->comma = true;
}

static bool
needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

static void
escape(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[32] = {
		['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
	};
	char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\' || (c < 0x20 && shorts[c] != 0)) {
		text[1] = c < 0x20 ? shorts[c] : (char)c;
		buf_add(out, (view){ text, 2 });
	} else {
		buf_add(out, (view){ text, sizeof(text) });
	}
}

/* Nothing among eight bytes that needs an escape; nearly all there is to write is like that. */
static bool
is_plain(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	const uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\',
		       rubout = eight ^ ones * 0x7f;

	return ((((eight - ones * 0x20) & ~eight) | ((quote - ones) & ~quote) |
		    ((slash - ones) & ~slash) | ((rubout - ones) & ~rubout)) &
		   high) == 0;
}

/* How much of ${text} from ${at} on needs none. */
static size_t
plain_run(view text, size_t at)
{
	size_t end = at;
	uint64_t eight;

	while (text.len - end >= sizeof(eight)) {
		memcpy(&eight, text.ptr + end, sizeof(eight));
		if (!is_plain(eight))
			break;
		end += sizeof(eight);
	}
	while (end < text.len && !needs_escape((unsigned char)text.ptr[end]))
		end++;
	return end - at;
}

void
json_text_part(struct json *json, view text)
{
	size_t at = 0;

	while (at < text.len) {
		size_t run = plain_run(text, at);

		buf_add(json->out, (view){ text.ptr + at, run });
		at += run;
		if (at < text.len)
			escape(json->out, (unsigned char)text.ptr[at++]);
	}
}

void
json_text_open(struct json *json, const char *name)
{
	item(json, name);
	buf_add_char(json->out, '"');
}

void
json_text_close(struct json *json)
{
	buf_add_char(json->out, '"');
}

void
json_text(struct json *json, const char *name, view text)
{
	json_text_open(json, name);
	json_text_part(json, text);
	json_text_close(json);
}

void
json_text_named(struct json *json, view name, view text)
{
	json_text(json, NULL, name);
	buf_add(json->out, V(":\""));
	json_text_part(json, text);
	json_text_close(json);
}

void
json_number(struct json *json, const char *name, int64_t value)
{
	item(json, name);
	if (value < 0)
		buf_add_char(json->out, '-');
	buf_add_u64(json->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void
json_flag(struct json *json, const char *name, bool value)
{
	json_raw(json, name, value ? V("true") : V("false"));
}

void
json_null_value(struct json *json, const char *name)
{
	json_raw(json, name, V("null"));
}

void
json_raw(struct json *json, const char *name, view text)
{
	item(json, name);
	buf_add(json->out, text);
}

/* The length of the sequence at ${p}, 0 when it is not well-formed (RFC 3629, section 4). */
static size_t
sequence_len(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (left < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

size_t
utf8_length(view text)
{
	size_t length = 0;

	for (size_t i = 0; i < text.len; i++)
		length += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return length;
}

bool
utf8_valid(view text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;

	for (size_t i = 0, len; i < text.len; i += len) {
		len = sequence_len(p + i, text.len - i);
		if (len == 0)
			return false;
	}
	return true;
}

/* The alphabet needs no escaping. */
void
json_bytes(struct json *json, const char *name, view bytes)
{
	json_text_open(json, name);
	base64_encode(BASE64URL, bytes, json->out);
	json_text_close(json);
}

void
json_base64(struct json *json, const char *name, view bytes)
{
	json_text_open(json, name);
	base64_encode(BASE64, bytes, json->out);
	json_text_close(json);
}
