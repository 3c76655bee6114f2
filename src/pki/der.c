#include "pki/der.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define OID_TEXT_MAX 256
_Static_assert(DER_OID_ROOM > 4 * OID_TEXT_MAX, "a byte gives up to three digits and a dot");
#define OID_ARCS_MAX 64

size_t
der_open(struct buf *out, unsigned tag)
{
	buf_add_char(out, (char)tag);
	buf_add_char(out, 0); /* the length, unless it grows */
	return out->len;
}

void
der_close(struct buf *out, size_t at)
{
	size_t len = out->len - at;
	unsigned bytes = 0;
	char *content;

	if (!buf_ok(out))
		return;
	if (len < 0x80) {
		out->ptr[at - 1] = (char)len;
		return;
	}
	for (size_t rest = len; rest > 0; rest >>= 8)
		bytes++;
	if (buf_room(out, bytes) == NULL)
		return;
	content = out->ptr + at;
	memmove(content + bytes, content, len);
	content[-1] = (char)(0x80 | bytes);
	for (unsigned i = 0; i < bytes; i++)
		content[i] = (char)(len >> 8 * (bytes - 1 - i) & 0xff);
	out->len += bytes;
}

void
der_value(struct buf *out, unsigned tag, view content)
{
	size_t at = der_open(out, tag);

	buf_add(out, content);
	der_close(out, at);
}

void
der_boolean(struct buf *out, bool value)
{
	der_value(out, DER_BOOLEAN, value ? V("\xff") : V("\x00"));
}

void
der_null(struct buf *out)
{
	der_value(out, DER_NULL, V(""));
}

void
der_unsigned(struct buf *out, view magnitude)
{
	size_t at = der_open(out, DER_INTEGER);

	while (magnitude.len > 0 && magnitude.ptr[0] == 0)
		magnitude = view_from(magnitude, 1);
	if (magnitude.len == 0 || (magnitude.ptr[0] & 0x80) != 0)
		buf_add_char(out, 0); /* zero, or else it would be negative */
	buf_add(out, magnitude);
	der_close(out, at);
}

void
der_u64(struct buf *out, uint64_t value)
{
	char bytes[sizeof(value)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(value >> 8 * (sizeof(bytes) - 1 - i) & 0xff);
	der_unsigned(out, (view){ bytes, sizeof(bytes) });
}

void
der_bits(struct buf *out, view bytes)
{
	size_t at = der_open(out, DER_BIT_STRING);

	buf_add_char(out, 0); /* no unused bits */
	buf_add(out, bytes);
	der_close(out, at);
}

/* Named bit 0 is the first byte's highest; zeros at the end are left out (X.690, 11.2.2). */
void
der_named_bits(struct buf *out, unsigned bits)
{
	unsigned char bytes[3] = { 0 };
	size_t len = 1;

	for (unsigned i = 0; i < 16; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		bytes[1 + i / 8] |= (unsigned char)(0x80 >> i % 8);
		bytes[0] = (unsigned char)(7 - i % 8);
		len = 2 + i / 8;
	}
	der_value(out, DER_BIT_STRING, (view){ (const char *)bytes, len });
}

/* "20300101000000Z", without the first ${skip} characters. */
static void
add_time(struct buf *out, unsigned tag, size_t skip, int64_t seconds)
{
	time_t time = seconds;
	char text[32];
	struct tm tm;
	view written = { text, 0 };

	if (gmtime_r(&time, &tm) != NULL)
		written.len = strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	if (written.len == 0)
		out->failed = true;
	der_value(out, tag, view_from(written, skip));
}

void
der_generalized(struct buf *out, int64_t seconds)
{
	add_time(out, DER_GENERALIZED_TIME, 0, seconds);
}

void
der_time(struct buf *out, int64_t seconds)
{
	static const int64_t year_1950 = -631152000, year_2050 = 2524608000;

	if (seconds >= year_1950 && seconds < year_2050)
		add_time(out, DER_UTC_TIME, 2, seconds);
	else
		der_generalized(out, seconds);
}

/* The next number of a dotted OID, without leading zeros. */
static bool
take_arc(view *rest, uint64_t *arc)
{
	view digits = view_cut(rest, '.');

	return digits.len > 0 && (digits.len == 1 || digits.ptr[0] != '0') &&
	    view_u64(digits, arc) && *arc < UINT64_MAX - 80;
}

/* The numbers as they are encoded: the first two are one. */
static bool
parse_oid(view dotted, uint64_t arcs[OID_ARCS_MAX], size_t *count)
{
	uint64_t first;
	size_t found = 0;

	if (dotted.len == 0 || dotted.len > OID_TEXT_MAX || dotted.ptr[dotted.len - 1] == '.' ||
	    !take_arc(&dotted, &first) || first > 2 || dotted.len == 0 ||
	    !take_arc(&dotted, &arcs[found]) || (first < 2 && arcs[found] > 39))
		return false;
	arcs[found++] += 40 * first;
	while (dotted.len > 0) {
		if (found == OID_ARCS_MAX || !take_arc(&dotted, &arcs[found++]))
			return false;
	}
	*count = found;
	return true;
}

bool
der_oid_valid(view dotted)
{
	uint64_t arcs[OID_ARCS_MAX];
	size_t count;

	return parse_oid(dotted, arcs, &count);
}

static void
add_arc(struct buf *out, uint64_t arc)
{
	unsigned groups = 1;

	for (uint64_t rest = arc >> 7; rest > 0; rest >>= 7)
		groups++;
	while (groups-- > 0)
		buf_add_char(out, (char)((arc >> 7 * groups & 0x7f) | (groups > 0 ? 0x80U : 0)));
}

void
der_oid(struct buf *out, view dotted)
{
	uint64_t arcs[OID_ARCS_MAX];
	size_t count, at;

	if (!parse_oid(dotted, arcs, &count)) {
		out->failed = true;
		return;
	}
	at = der_open(out, DER_OID);
	for (size_t i = 0; i < count; i++)
		add_arc(out, arcs[i]);
	der_close(out, at);
}

static bool
next_arc(view *rest, uint64_t *arc)
{
	uint64_t value = 0;
	unsigned char byte;

	if (rest->len == 0 || (unsigned char)rest->ptr[0] == 0x80)
		return false;
	do {
		if (rest->len == 0 || value > UINT64_MAX >> 7)
			return false;
		byte = (unsigned char)rest->ptr[0];
		value = value << 7 | (byte & 0x7f);
		*rest = view_from(*rest, 1);
	} while ((byte & 0x80) != 0);
	*arc = value;
	return true;
}

bool
der_oid_text(view content, char room[DER_OID_ROOM], view *text)
{
	uint64_t arc, first;
	size_t len;

	if (content.len > OID_TEXT_MAX || !next_arc(&content, &arc))
		return false;
	first = arc < 80 ? arc / 40 : 2;
	len = (size_t)snprintf(room, DER_OID_ROOM, "%" PRIu64 ".%" PRIu64, first, arc - 40 * first);
	while (content.len > 0) {
		if (!next_arc(&content, &arc))
			return false;
		len += (size_t)snprintf(room + len, DER_OID_ROOM - len, ".%" PRIu64, arc);
	}
	*text = (view){ room, len };
	return true;
}

/* A definite length, as short as it can be (X.690, section 10.1); at most four bytes of it. */
static bool
take_length(view *rest, size_t *out)
{
	size_t bytes, len = 0;

	if (rest->len == 0)
		return false;
	bytes = (unsigned char)rest->ptr[0];
	*rest = view_from(*rest, 1);
	if (bytes < 0x80) {
		*out = bytes;
		return true;
	}
	bytes &= 0x7f;
	if (bytes == 0 || bytes > 4 || bytes > rest->len || rest->ptr[0] == 0)
		return false;
	for (size_t i = 0; i < bytes; i++)
		len = len << 8 | (unsigned char)rest->ptr[i];
	*rest = view_from(*rest, bytes);
	*out = len;
	return len >= 0x80;
}

bool
der_next(view *rest, struct der *out)
{
	view at = *rest;
	struct der found;
	size_t len;

	/* Tags of more than one byte do not occur in what is read here. */
	if (at.len < 2 || (at.ptr[0] & 0x1f) == 0x1f)
		return false;
	found.tag = (unsigned char)at.ptr[0];
	at = view_from(at, 1);
	if (!take_length(&at, &len) || len > at.len)
		return false;
	found.content = (view){ at.ptr, len };
	found.whole = (view){ rest->ptr, rest->len - at.len + len };
	*rest = view_from(*rest, found.whole.len);
	*out = found;
	return true;
}

bool
der_expect(view *rest, unsigned tag, view *content)
{
	view at = *rest;
	struct der found;

	if (!der_next(&at, &found) || found.tag != tag)
		return false;
	*rest = at;
	*content = found.content;
	return true;
}

bool
der_optional(view *rest, unsigned tag, view *content)
{
	return der_expect(rest, tag, content);
}
