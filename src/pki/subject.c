#include "pki/subject.h"

#include "base/buf.h"
#include "base/json.h"
#include "pki/attribute.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX (4 * SUBJECT_TEXT_MAX) /* bytes */

/* A type that is named by a number that has no name here. */
static const struct attribute_type unnamed = { NULL, NULL, DER_UTF8, 1, SUBJECT_TEXT_MAX };

struct parser {
	view rest;
	char value[VALUE_MAX];
	size_t len;
	/* The RDN so far: one AttributeTypeAndValue after the other, and where each ends. */
	struct buf rdn;
	size_t ends[SUBJECT_ATTRIBUTES_MAX];
	size_t count; /* of them */
	size_t total; /* of all RDNs */
};

static void
parser_done(struct parser *parser)
{
	buf_free(&parser->rdn);
}

static bool
invalid(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "The subject is not a valid X.500 distinguished name.");
}

static void
skip_spaces(struct parser *parser)
{
	while (parser->rest.len > 0 && parser->rest.ptr[0] == ' ')
		parser->rest = view_from(parser->rest, 1);
}

static bool
take_char(struct parser *parser, char *c)
{
	if (parser->rest.len == 0)
		return false;
	*c = parser->rest.ptr[0];
	parser->rest = view_from(parser->rest, 1);
	return true;
}

static bool
keep(struct parser *parser, char c)
{
	if (parser->len == sizeof(parser->value))
		return false;
	parser->value[parser->len++] = c;
	return true;
}

static bool
hex_digit(char c, unsigned *out)
{
	if (c >= '0' && c <= '9')
		*out = (unsigned)(c - '0');
	else if (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f')
		*out = (unsigned)(ascii_lower(c) - 'a') + 10;
	else
		return false;
	return true;
}

/* Behind a backslash: a character that means something, or two hex digits. */
static bool
take_escaped(struct parser *parser)
{
	unsigned high, low;
	char c;

	if (!take_char(parser, &c))
		return false;
	if (c != '\0' && strchr(" \"#+,;<=>\\", c) != NULL)
		return keep(parser, c);
	return hex_digit(c, &high) && take_char(parser, &c) && hex_digit(c, &low) &&
	    keep(parser, (char)(high << 4 | low));
}

static bool
take_quoted(struct parser *parser)
{
	char c;

	while (take_char(parser, &c)) {
		if (c == '"' && !view_starts(parser->rest, V("\"")))
			return true;
		if (c == '"')
			parser->rest = view_from(parser->rest, 1);
		if (c == '\\' ? !take_escaped(parser) : !keep(parser, c))
			return false;
	}
	return false; /* it does not end */
}

static bool
is_separator(char c)
{
	return c == ',' || c == ';' || c == '+';
}

static bool
take_bare(struct parser *parser)
{
	size_t end = 0; /* behind the last character that is no space */
	char c;

	while (parser->rest.len > 0 && !is_separator(parser->rest.ptr[0])) {
		(void)take_char(parser, &c);
		if (c == '"' || c == '<' || c == '>')
			return false;
		if (c == '\\' ? !take_escaped(parser) : !keep(parser, c))
			return false;
		if (c != ' ')
			end = parser->len;
	}
	parser->len = end;
	return true;
}

/* "#0c0141": the value's own encoding, of which the text is taken (RFC 4514, section 2.4). */
static bool
take_encoded(struct parser *parser)
{
	view bytes;
	struct der value;
	unsigned high, low;
	char c;

	while (parser->rest.len > 0 && hex_digit(parser->rest.ptr[0], &high)) {
		if (!take_char(parser, &c) || !take_char(parser, &c) || !hex_digit(c, &low) ||
		    !keep(parser, (char)(high << 4 | low)))
			return false;
	}
	bytes = (view){ parser->value, parser->len };
	if (!der_next(&bytes, &value) || bytes.len != 0 ||
	    (value.tag != DER_UTF8 && value.tag != DER_PRINTABLE && value.tag != DER_IA5))
		return false;
	memmove(parser->value, value.content.ptr, value.content.len);
	parser->len = value.content.len;
	return true;
}

static bool
take_value(struct parser *parser)
{
	char c = parser->rest.len > 0 ? parser->rest.ptr[0] : '\0';

	parser->len = 0;
	if (c == '"' || c == '#')
		parser->rest = view_from(parser->rest, 1);
	if (c == '"')
		return take_quoted(parser);
	return c == '#' ? take_encoded(parser) : take_bare(parser);
}

static bool
take_type(struct parser *parser, const struct attribute_type **type, view *oid)
{
	size_t end;
	view name;

	if (!view_find(parser->rest, '=', &end))
		return false;
	name = view_trim((view){ parser->rest.ptr, end });
	parser->rest = view_from(parser->rest, end + 1);
	*type = attribute_find(name);
	if (*type != NULL) {
		*oid = view_of((*type)->oid);
		return true;
	}
	*type = &unnamed;
	*oid = view_istarts(name, V("OID.")) ? view_from(name, 4) : name;
	return der_oid_valid(*oid);
}

static bool
take_attribute(struct parser *parser)
{
	const struct attribute_type *type;
	view oid, value;
	size_t at;

	skip_spaces(parser);
	if (!take_type(parser, &type, &oid))
		return false;
	skip_spaces(parser);
	if (!take_value(parser))
		return false;
	skip_spaces(parser);
	value = (view){ parser->value, parser->len };
	if (!attribute_fits(type, value) || parser->total++ == SUBJECT_ATTRIBUTES_MAX)
		return false;
	at = der_open(&parser->rdn, DER_SEQUENCE);
	der_oid(&parser->rdn, oid);
	der_value(&parser->rdn, type->tag, value);
	der_close(&parser->rdn, at);
	parser->ends[parser->count++] = parser->rdn.len;
	return true;
}

static int
compare(const void *a, const void *b)
{
	return view_cmp(*(const view *)a, *(const view *)b);
}

/* A SET OF is sorted by what its members look like (X.690, section 11.6). */
static void
put_rdn(struct parser *parser, struct buf *out)
{
	view members[SUBJECT_ATTRIBUTES_MAX];
	size_t at = der_open(out, DER_SET), begin = 0;

	for (size_t i = 0; i < parser->count; i++) {
		members[i] = (view){ parser->rdn.ptr + begin, parser->ends[i] - begin };
		begin = parser->ends[i];
	}
	qsort(members, parser->count, sizeof(members[0]), compare);
	for (size_t i = 0; i < parser->count; i++)
		buf_add(out, members[i]);
	der_close(out, at);
	buf_reset(&parser->rdn);
	parser->count = 0;
}

static bool
parse(struct parser *parser, struct buf *out)
{
	size_t at = der_open(out, DER_SEQUENCE);
	char separator = ',';

	while (parser->rest.len > 0 || separator == '+') {
		if (!take_attribute(parser) || !buf_ok(&parser->rdn))
			return false;
		if (!take_char(parser, &separator)) {
			put_rdn(parser, out);
			break;
		}
		if (!is_separator(separator) || parser->rest.len == 0)
			return false;
		if (separator != '+')
			put_rdn(parser, out);
	}
	der_close(out, at);
	return true;
}

bool
subject_parse(view text, struct arena *arena, view *name, struct error *err)
{
	AUTO(parser_done) struct parser parser = { .rest = text };
	AUTO(buf_free) struct buf made = { 0 };

	if (!utf8_valid(text))
		return invalid(err);
	if (utf8_length(text) > SUBJECT_TEXT_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The subject must not be longer than %d characters.", SUBJECT_TEXT_MAX);
	if (!parse(&parser, &made))
		return parser.rdn.failed ? error_memory(err) : invalid(err);
	if (!buf_ok(&made))
		return error_memory(err);
	return arena_copy(arena, buf_view(&made), name) || error_memory(err);
}
