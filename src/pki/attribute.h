/*
 * The attribute types of names: what they are called, and what their values may be (X.520; RFC
 * 5280, appendix A; RFC 4519).  For pki/ only.
 */
#ifndef PKI_ATTRIBUTE_H
#define PKI_ATTRIBUTE_H

#include "pki/der.h"

struct attribute_type {
	const char *name; /* as it is shown */
	const char *oid;
	enum der_tag tag;  /* of its values: UTF8, PRINTABLE or IA5 */
	unsigned min, max; /* characters */
};

/* attribute_find(name): By one of its names in any case, or by its number; NULL when unknown. */
const struct attribute_type *attribute_find(view name);

/* attribute_fits(type, text): Text without control characters, as long and of the characters. */
bool attribute_fits(const struct attribute_type *type, view text);

#endif
