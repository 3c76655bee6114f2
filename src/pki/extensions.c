#include "pki/extensions.h"

#include "base/address.h"
#include "base/json.h"
#include "pki/der.h"

#include <string.h>

/* OIDs, as their content octets. */
#define OID_UPN V("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03")

/* What is read goes to ${out}: false without an error is malformed. */
struct reader {
	struct arena *arena;
	struct extensions *out;
	bool memory; /* there was none */
};

static void *
room(struct reader *reader, size_t len)
{
	void *bytes = arena_alloc(reader->arena, len);

	reader->memory = reader->memory || bytes == NULL;
	return bytes;
}

static bool
read_usages(struct reader *reader, view value)
{
	view bits;

	if (!der_expect(&value, DER_BIT_STRING, &bits) || value.len != 0 || bits.len < 1 ||
	    bits.len > 3 || (unsigned char)bits.ptr[0] > 7)
		return false;
	for (unsigned i = 0; i < USAGES && 1 + i / 8 < bits.len; i++) {
		if (((unsigned char)bits.ptr[1 + i / 8] & 0x80 >> i % 8) != 0)
			reader->out->usages |= 1U << i;
	}
	return true;
}

static bool
read_constraints(struct reader *reader, view value)
{
	view in, flag, length;

	if (!der_expect(&value, DER_SEQUENCE, &in) || value.len != 0)
		return false;
	/* Only FF is DER's true; but 01 is what many write, our own first authorities too. */
	if (der_expect(&in, DER_BOOLEAN, &flag)) {
		if (flag.len != 1)
			return false;
		reader->out->ca = flag.ptr[0] != 0;
	}
	if (der_expect(&in, DER_INTEGER, &length)) {
		if (length.len != 1 || (length.ptr[0] & 0x80) != 0)
			return false;
		reader->out->path_length = (unsigned char)length.ptr[0];
	}
	return in.len == 0;
}

static bool
read_ekus(struct reader *reader, view value)
{
	struct views ekus = { room(reader, EKUS_MAX * sizeof(view)), 0 };
	char dotted[DER_OID_ROOM];
	view in, oid, text;

	if (ekus.items == NULL || !der_expect(&value, DER_SEQUENCE, &in) || value.len != 0)
		return false;
	while (in.len > 0) {
		if (ekus.count == EKUS_MAX || !der_expect(&in, DER_OID, &oid) ||
		    !der_oid_text(oid, dotted, &text))
			return false;
		if (!arena_copy(reader->arena, text, &ekus.items[ekus.count])) {
			reader->memory = true;
			return false;
		}
		ekus.count++;
	}
	reader->out->ekus = ekus;
	return true;
}

static bool
read_upn(view other, view *text, bool *is_upn)
{
	view oid, value;

	if (!der_expect(&other, DER_OID, &oid) || !der_expect(&other, DER_CONSTRUCTED(0), &value) ||
	    other.len != 0)
		return false;
	*is_upn = view_eq(oid, OID_UPN) && der_expect(&value, DER_UTF8, text) && value.len == 0;
	return true;
}

static bool
read_ip(struct reader *reader, view bytes, view *text)
{
	struct address address = { 0 };
	char room_for[ADDRESS_TEXT];

	if (bytes.len == 4)
		address = address_from_ipv4((const uint8_t *)bytes.ptr);
	else if (bytes.len == sizeof(address.bytes))
		memcpy(address.bytes, bytes.ptr, bytes.len);
	else
		return false;
	reader->memory =
	    !arena_copy(reader->arena, address_print(&address, room_for), text) || reader->memory;
	return !reader->memory;
}

/* An IA5String of a name: no control characters, above all no NUL, behind which readers stop. */
static bool
is_clean(view text, bool ascii)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c == 0x7f || (ascii && c > 0x7f))
			return false;
	}
	return text.len <= ALT_NAME_MAX && utf8_valid(text);
}

/* One GeneralName: its kind and text, or ALT_KINDS when policies have no word for it. */
static bool
read_name(struct reader *reader, const struct der *name, enum alt_kind *kind, view *text)
{
	bool is_upn = false;

	*kind = ALT_KINDS;
	*text = name->content;
	switch (name->tag) {
	case DER_CONTEXT(1): *kind = ALT_EMAIL; break;
	case DER_CONTEXT(2): *kind = ALT_DNS; break;
	case DER_CONTEXT(6): *kind = ALT_URI; break;
	case DER_CONTEXT(7): *kind = ALT_IP; return read_ip(reader, name->content, text);
	case DER_CONSTRUCTED(0):
		if (!read_upn(name->content, text, &is_upn))
			return false;
		*kind = is_upn ? ALT_UPN : ALT_KINDS;
		break;
	default: break;
	}
	return *kind == ALT_KINDS || is_clean(*text, *kind != ALT_UPN);
}

static bool
next_name(struct reader *reader, view *rest, enum alt_kind *kind, view *text)
{
	struct der name;

	return der_next(rest, &name) && read_name(reader, &name, kind, text);
}

/* Count, make room, read again. */
static bool
read_alt(struct reader *reader, view value)
{
	struct alt_names alt = { 0 };
	size_t counts[ALT_KINDS + 1] = { 0 }, total = 0;
	enum alt_kind kind;
	view in, rest, text;

	if (!der_expect(&value, DER_SEQUENCE, &in) || value.len != 0)
		return false;
	for (rest = in; rest.len > 0; counts[kind]++) {
		if (total++ == ALT_NAMES_MAX || !next_name(reader, &rest, &kind, &text))
			return false;
	}
	for (size_t i = 0; i < ALT_KINDS; i++) {
		alt.of[i].items = counts[i] == 0 ? NULL : room(reader, counts[i] * sizeof(view));
		if (reader->memory)
			return false;
	}
	for (rest = in; rest.len > 0;) {
		if (!next_name(reader, &rest, &kind, &text))
			return false;
		if (kind < ALT_KINDS)
			alt.of[kind].items[alt.of[kind].count++] = text;
	}
	reader->out->alt = alt;
	return true;
}

static bool
read_key_id(struct reader *reader, view value)
{
	return der_expect(&value, DER_OCTET_STRING, &reader->out->key_id) && value.len == 0;
}

/* AuthorityKeyIdentifier: of its fields only [0] names a key. */
static bool
read_issuer_key_id(struct reader *reader, view value)
{
	view in;

	if (!der_expect(&value, DER_SEQUENCE, &in) || value.len != 0)
		return false;
	(void)der_optional(&in, DER_CONTEXT(0), &reader->out->issuer_key_id);
	return true;
}

static const struct {
	view oid; /* content octets */
	bool (*read)(struct reader *reader, view value);
} known[] = {
	{ V_INIT("\x55\x1d\x0e"), read_key_id },
	{ V_INIT("\x55\x1d\x0f"), read_usages },
	{ V_INIT("\x55\x1d\x11"), read_alt },
	{ V_INIT("\x55\x1d\x13"), read_constraints },
	{ V_INIT("\x55\x1d\x23"), read_issuer_key_id },
	{ V_INIT("\x55\x1d\x25"), read_ekus },
};

static bool
read_one(struct reader *reader, view extension, view *oid)
{
	view flag, value;

	if (!der_expect(&extension, DER_OID, oid))
		return false;
	(void)der_optional(&extension, DER_BOOLEAN, &flag);
	if (!der_expect(&extension, DER_OCTET_STRING, &value) || extension.len != 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (view_eq(*oid, known[i].oid))
			return known[i].read(reader, value);
	}
	return true;
}

static bool
read_all(struct reader *reader, view content)
{
	view seen[EXTENSIONS_MAX], extension;
	size_t count = 0;

	while (content.len > 0) {
		if (count == EXTENSIONS_MAX || !der_expect(&content, DER_SEQUENCE, &extension) ||
		    !read_one(reader, extension, &seen[count]))
			return false;
		for (size_t i = 0; i < count; i++) {
			if (view_eq(seen[i], seen[count]))
				return false;
		}
		count++;
	}
	return true;
}

bool
extensions_read(view content, struct arena *arena, struct extensions *out, struct error *err)
{
	struct extensions found = { .path_length = -1 };
	struct reader reader = { arena, &found, false };

	if (!read_all(&reader, content))
		return reader.memory ? error_memory(err)
				     : error_set(err, ERR_BAD_PARAMETER,
					   "The certificate's extensions are malformed.");
	*out = found;
	return true;
}
