#include "base/buf.h"
#include "base/json.h"
#include "pki/attribute.h"
#include "pki/subject.h"

#include <string.h>

enum { DER_T61 = 0x14, DER_UNIVERSAL = 0x1c, DER_BMP = 0x1e };

static void
add_character(uint32_t c, struct buf *out)
{
	if (c < 0x80) {
		buf_add_char(out, (char)c);
	} else if (c < 0x800) {
		buf_add_char(out, (char)(0xc0 | c >> 6));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(out, (char)(0xe0 | c >> 12));
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xf0 | c >> 18));
		buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* Characters of ${width} bytes each, the highest first, as UTF-8. */
static void
add_wide(view content, size_t width, struct buf *out)
{
	for (size_t at = 0; at + width <= content.len; at += width) {
		uint32_t c = 0;

		for (size_t i = 0; i < width; i++)
			c = c << 8 | (unsigned char)content.ptr[at + i];
		add_character(c < 0x110000 ? c : 0xfffd, out);
	}
}

/* The value's text in UTF-8, as far as it is one. */
static void
add_text(const struct der *value, struct buf *out)
{
	switch (value->tag) {
	case DER_BMP: add_wide(value->content, 2, out); break;
	case DER_UNIVERSAL: add_wide(value->content, 4, out); break;
	case DER_T61: add_wide(value->content, 1, out); break; /* as everybody takes it: Latin-1 */
	default: buf_add(out, value->content);
	}
}

static bool
needs_quotes(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\0' || strchr(",+=\"\n<>#;\\", text.ptr[i]) != NULL)
			return true;
	}
	return text.len == 0 || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ';
}

static void
add_value(view text, struct buf *out)
{
	bool quotes = needs_quotes(text), valid = utf8_valid(text);

	if (quotes)
		buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c == 0x7f || c == '\\' || (c >= 0x80 && !valid))
			buf_print(out, "\\%02X", c);
		else
			buf_add_char(out, (char)c);
		if (c == '"')
			buf_add_char(out, '"');
	}
	if (quotes)
		buf_add_char(out, '"');
}

static bool
add_type(view content, struct buf *out)
{
	const struct attribute_type *type;
	char dotted[DER_OID_ROOM];
	view oid;

	if (!der_oid_text(content, dotted, &oid))
		return false;
	type = attribute_find(oid);
	if (type == NULL)
		buf_add(out, V("OID."));
	buf_add(out, type == NULL ? oid : view_of(type->name));
	return true;
}

static bool
add_attribute(view attribute, struct buf *out)
{
	AUTO(buf_free) struct buf text = { 0 };
	view type;
	struct der value;

	if (!der_expect(&attribute, DER_OID, &type) || !der_next(&attribute, &value) ||
	    attribute.len != 0 || !add_type(type, out))
		return false;
	add_text(&value, &text);
	if (!buf_ok(&text))
		out->failed = true;
	buf_add_char(out, '=');
	add_value(buf_view(&text), out);
	return true;
}

static bool
add_name(view name, struct buf *out)
{
	view rdns, rdn, attribute;
	const char *between = "";

	if (!der_expect(&name, DER_SEQUENCE, &rdns) || name.len != 0)
		return false;
	while (rdns.len > 0 && out->len <= SUBJECT_SHOWN_MAX) {
		if (!der_expect(&rdns, DER_SET, &rdn))
			return false;
		while (rdn.len > 0) {
			buf_add(out, view_of(between));
			if (!der_expect(&rdn, DER_SEQUENCE, &attribute) ||
			    !add_attribute(attribute, out))
				return false;
			between = rdn.len > 0 ? " + " : ", ";
		}
	}
	return true;
}

static bool
attribute_has_nul(view attribute)
{
	AUTO(buf_free) struct buf text = { 0 };
	view type;
	struct der value;

	if (!der_expect(&attribute, DER_OID, &type) || !der_next(&attribute, &value))
		return true;
	add_text(&value, &text);
	return !buf_ok(&text) || view_find(buf_view(&text), '\0', &(size_t){ 0 });
}

bool
subject_has_nul(view name)
{
	view rdns, rdn, attribute;

	if (!der_expect(&name, DER_SEQUENCE, &rdns))
		return true;
	while (rdns.len > 0) {
		if (!der_expect(&rdns, DER_SET, &rdn))
			return true;
		while (rdn.len > 0) {
			if (!der_expect(&rdn, DER_SEQUENCE, &attribute) ||
			    attribute_has_nul(attribute))
				return true;
		}
	}
	return false;
}

/* Not in the middle of a character. */
static view
cut(view text)
{
	if (text.len <= SUBJECT_SHOWN_MAX)
		return text;
	text.len = SUBJECT_SHOWN_MAX;
	while (text.len > 0 && !utf8_valid(text))
		text.len--;
	return text;
}

bool
subject_text(view name, struct arena *arena, view *text, struct error *err)
{
	AUTO(buf_free) struct buf made = { 0 };

	if (!add_name(name, &made))
		return made.failed ? error_memory(err)
				   : error_set(err, ERR_BAD_PARAMETER, "The name is malformed.");
	if (!buf_ok(&made))
		return error_memory(err);
	return arena_copy(arena, cut(buf_view(&made)), text) || error_memory(err);
}
