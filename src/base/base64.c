#include "base/base64.h"

static const char alphabets[][65] = {
	[BASE64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	[BASE64URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t
base64_encoded_len(enum base64_kind kind, size_t len)
{
	static const size_t tail[] = { 0, 2, 3 };

	return kind == BASE64 ? (len + 2) / 3 * 4 : len / 3 * 4 + tail[len % 3];
}

void
base64_encode(enum base64_kind kind, view bytes, struct buf *out)
{
	const unsigned char *in = (const unsigned char *)bytes.ptr;
	const char *alphabet = alphabets[kind];
	size_t len = base64_encoded_len(kind, bytes.len);
	char *text = buf_room(out, len);
	size_t at = 0;

	if (text == NULL)
		return;
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
		    (left > 2 ? in[i + 2] : 0);

		text[at++] = alphabet[bits >> 18];
		text[at++] = alphabet[bits >> 12 & 63];
		if (left > 1)
			text[at++] = alphabet[bits >> 6 & 63];
		if (left > 2)
			text[at++] = alphabet[bits & 63];
	}
	while (at < len)
		text[at++] = '=';
	out->len += len;
}

/*
 * Arithmetic instead of a table: key material passes through here, and must not choose a cache
 * line.
 */
static int
value_of(enum base64_kind kind, char c)
{
	int x = (unsigned char)c;
	int c62 = kind == BASE64 ? '+' : '-', c63 = kind == BASE64 ? '/' : '_';
	int value = -1;

	value += (((('A' - 1) - x) & (x - ('Z' + 1))) >> 8) & (x - 'A' + 1);
	value += (((('a' - 1) - x) & (x - ('z' + 1))) >> 8) & (x - 'a' + 27);
	value += (((('0' - 1) - x) & (x - ('9' + 1))) >> 8) & (x - '0' + 53);
	value += ((((c62 - 1) - x) & (x - (c62 + 1))) >> 8) & 63;
	value += ((((c63 - 1) - x) & (x - (c63 + 1))) >> 8) & 64;
	return value;
}

bool
base64_decode(enum base64_kind kind, view text, char *out, size_t *len)
{
	uint32_t bits = 0;
	size_t pads = 0, at = 0;

	while (pads < 2 && text.len > 0 && text.ptr[text.len - 1] == '=') {
		text.len--;
		pads++;
	}
	if (text.len % 4 == 1 || (pads > 0 && (text.len + pads) % 4 != 0))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(kind, text.ptr[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			out[at++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	/* The bits beyond the last byte must be zero, or two texts would mean the same. */
	if ((text.len % 4 == 2 && (bits & 15) != 0) || (text.len % 4 == 3 && (bits & 3) != 0))
		return false;
	*len = at;
	return true;
}
