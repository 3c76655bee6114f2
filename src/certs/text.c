#include "certs/text.h"

bool
text_is_line(const struct body_text *text)
{
	for (size_t i = 0; i < text->text.len; i++) {
		unsigned char c = (unsigned char)text->text.ptr[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return true;
}

void
text_pack(struct buf *out, const struct body_text *text)
{
	pack_u8(out, text->given);
	pack_bytes(out, text->text);
}

void
text_unpack(struct unpack *in, struct body_text *out)
{
	out->given = unpack_u8(in) == 1;
	out->text = unpack_bytes(in);
}

void
text_write(struct json *json, const char *name, const struct body_text *text)
{
	if (text->given)
		json_text(json, name, text->text);
}
