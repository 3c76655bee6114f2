#include "pki/attribute.h"

#include "base/json.h"

#include <string.h>

static const struct attribute_type types[] = {
	{ "CN", "2.5.4.3", DER_UTF8, 1, 64 },
	{ "SN", "2.5.4.4", DER_UTF8, 1, 200 },
	{ "SERIALNUMBER", "2.5.4.5", DER_PRINTABLE, 1, 64 },
	{ "C", "2.5.4.6", DER_PRINTABLE, 2, 2 },
	{ "L", "2.5.4.7", DER_UTF8, 1, 128 },
	{ "S", "2.5.4.8", DER_UTF8, 1, 128 },
	{ "STREET", "2.5.4.9", DER_UTF8, 1, 128 },
	{ "O", "2.5.4.10", DER_UTF8, 1, 64 },
	{ "OU", "2.5.4.11", DER_UTF8, 1, 64 },
	{ "T", "2.5.4.12", DER_UTF8, 1, 64 },
	{ "Description", "2.5.4.13", DER_UTF8, 1, 200 },
	{ "POSTALCODE", "2.5.4.17", DER_UTF8, 1, 40 },
	{ "POBox", "2.5.4.18", DER_UTF8, 1, 40 },
	{ "PHONE", "2.5.4.20", DER_PRINTABLE, 1, 32 },
	{ "G", "2.5.4.42", DER_UTF8, 1, 200 },
	{ "I", "2.5.4.43", DER_UTF8, 1, 200 },
	{ "dnQualifier", "2.5.4.46", DER_PRINTABLE, 1, 200 },
	{ "E", "1.2.840.113549.1.9.1", DER_IA5, 1, 200 },
	{ "DC", "0.9.2342.19200300.100.1.25", DER_IA5, 1, 63 },
	{ "UID", "0.9.2342.19200300.100.1.1", DER_UTF8, 1, 200 },
};

/* What they are called besides. */
static const struct {
	const char *other, *name;
} others[] = {
	{ "ST", "S" },
	{ "commonName", "CN" },
	{ "countryName", "C" },
	{ "emailAddress", "E" },
	{ "Email", "E" },
	{ "givenName", "G" },
	{ "GN", "G" },
	{ "Initials", "I" },
	{ "localityName", "L" },
	{ "organizationName", "O" },
	{ "organizationalUnitName", "OU" },
	{ "stateOrProvinceName", "S" },
	{ "streetAddress", "STREET" },
	{ "surname", "SN" },
	{ "title", "T" },
	{ "domainComponent", "DC" },
	{ "userId", "UID" },
};

static const struct attribute_type *
by_name(view name)
{
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (view_ieq(name, view_of(others[i].other)))
			name = view_of(others[i].name);
	}
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (view_ieq(name, view_of(types[i].name)) || view_eq(name, view_of(types[i].oid)))
			return &types[i];
	}
	return NULL;
}

const struct attribute_type *
attribute_find(view name)
{
	return by_name(view_istarts(name, V("OID.")) ? view_from(name, 4) : name);
}

/* X.680, 41.4. */
static bool
is_printable(char c)
{
	return ascii_alphanumeric(c) || (c != '\0' && strchr(" '()+,-./:=?", c) != NULL);
}

static bool
is_control(view text, size_t at)
{
	unsigned char c = (unsigned char)text.ptr[at];

	/* U+0080 to U+009F are control characters, too. */
	return c < ' ' || c == 0x7f ||
	    (c == 0xc2 && at + 1 < text.len && (unsigned char)text.ptr[at + 1] < 0xa0);
}

static bool
char_fits(enum der_tag tag, char c)
{
	return tag == DER_UTF8 || (tag == DER_IA5 && (unsigned char)c < 0x80) || is_printable(c);
}

bool
attribute_fits(const struct attribute_type *type, view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_control(text, i) || !char_fits(type->tag, text.ptr[i]))
			return false;
	}
	return utf8_valid(text) && utf8_length(text) >= type->min && utf8_length(text) <= type->max;
}
