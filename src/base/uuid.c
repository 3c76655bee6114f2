#include "base/uuid.h"

#include <string.h>

static const size_t dashes[] = { 8, 13, 18, 23 };

static bool
is_dash(size_t at)
{
	return at == dashes[0] || at == dashes[1] || at == dashes[2] || at == dashes[3];
}

static int
hex_value(char c)
{
	c = ascii_lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
hex_encode(view bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.ptr[i];

		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
}

bool
hex_decode(view text, uint8_t *out)
{
	if (text.len % 2 != 0)
		return false;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_value(text.ptr[i]), low = hex_value(text.ptr[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
uuid_from(const uint8_t bytes[16], struct uuid *out)
{
	uint8_t raw[16];
	char hex[HEX16_LEN];
	size_t from = 0;

	memcpy(raw, bytes, sizeof(raw));
	raw[6] = (uint8_t)(0x40 | (raw[6] & 0x0f));
	raw[8] = (uint8_t)(0x80 | (raw[8] & 0x3f));
	hex_encode((view){ (const char *)raw, sizeof(raw) }, hex);
	for (size_t i = 0; i < UUID_LEN; i++)
		out->text[i] = is_dash(i) ? '-' : hex[from++];
	out->text[UUID_LEN] = '\0';
}

bool
uuid_parse(view text, struct uuid *out)
{
	if (text.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		if (is_dash(i) ? text.ptr[i] != '-' : hex_value(text.ptr[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < UUID_LEN; i++)
		out->text[i] = ascii_lower(text.ptr[i]);
	out->text[UUID_LEN] = '\0';
	return true;
}

view
uuid_view(const struct uuid *uuid)
{
	return (view){ uuid->text, UUID_LEN };
}
