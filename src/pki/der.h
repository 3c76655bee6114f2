/*
 * Writing DER (X.690), into a buffer that remembers a failure.  For pki/ only.
 *
 * Nested values are opened and closed; the length goes in when it is known:
 *
 *	size_t at = der_open(out, DER_SEQUENCE);
 *	der_oid(out, V("2.5.29.15"));
 *	der_close(out, at);
 */
#ifndef PKI_DER_H
#define PKI_DER_H

#include "base/buf.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_CONTEXT(number) (0x80 + (number))     /* [number] IMPLICIT of a primitive type */
#define DER_CONSTRUCTED(number) (0xa0 + (number)) /* [number] EXPLICIT, or IMPLICIT SEQUENCE */

/* der_open(out, tag): Begin a value; what der_close is to be given. */
size_t der_open(struct buf *out, unsigned tag);
void der_close(struct buf *out, size_t at);

void der_value(struct buf *out, unsigned tag, view content);
void der_boolean(struct buf *out, bool value);
void der_null(struct buf *out);
void der_u64(struct buf *out, uint64_t value);          /* INTEGER */
void der_unsigned(struct buf *out, view magnitude);     /* INTEGER of a big-endian number */
void der_bits(struct buf *out, view bytes);             /* BIT STRING of whole bytes */
void der_named_bits(struct buf *out, unsigned bits);    /* bit 0 of ${bits} is named bit 0; 16 */
void der_time(struct buf *out, int64_t seconds);        /* Time of RFC 5280, section 4.1.2.5 */
void der_generalized(struct buf *out, int64_t seconds); /* GeneralizedTime, in any year */

/*
 * der_oid(out, dotted):
 * An OBJECT IDENTIFIER by its numbers ("1.3.6.1.5.5.7.3.1"); der_oid_valid: could it be one?
 */
void der_oid(struct buf *out, view dotted);
bool der_oid_valid(view dotted);

/*
 * der_oid_text(content, room, text):
 * The other way, from the content octets; ${text} lies in ${room}.  False: malformed.
 */
#define DER_OID_ROOM 1025
MUST_USE bool der_oid_text(view content, char room[DER_OID_ROOM], view *text);

/* What comes in, at one level: a tag and its content, strictly as DER writes lengths. */
struct der {
	unsigned tag;
	view content;
	view whole; /* with tag and length */
};

/* der_next(rest, out): Take the value at the front; false: none there, or malformed. */
MUST_USE bool der_next(view *rest, struct der *out);

/* der_expect(rest, tag, content): The same, of that tag; the content alone. */
MUST_USE bool der_expect(view *rest, unsigned tag, view *content);

/* der_optional(rest, tag, content): The same, where it may be missing: then nothing changes. */
bool der_optional(view *rest, unsigned tag, view *content);

#endif
