/*
 * PEM (RFC 7468), written and read.
 */
#ifndef PKI_PEM_H
#define PKI_PEM_H

#include "base/buf.h"

#define PEM_CERTIFICATE V("CERTIFICATE")
#define PEM_REQUEST V("CERTIFICATE REQUEST")
#define PEM_PRIVATE_KEY V("PRIVATE KEY")
#define PEM_CRL V("X509 CRL")

/* pem_write(label, der, out): Append a block, its lines ended by "\n". */
void pem_write(view label, view der, struct buf *out);

/*
 * Reading is lax about what people and mail do to it, as .NET is: text before, between and behind
 * the blocks, any white space inside them, all on one line.
 */
struct pem_block {
	view label; /* "CERTIFICATE" */
	view body;  /* between the marks; for pem_decode */
};

enum pem_found {
	PEM_NONE,
	PEM_BLOCK,
	PEM_BROKEN, /* it has no end, or another label's */
};

/* pem_next(rest, out): The next block; ${rest} goes behind it. */
enum pem_found pem_next(view *rest, struct pem_block *out);

/*
 * pem_decode(body, out, len):
 * Base64 with white space in it; ${out} has room for pem_room(body) bytes.  False: a foreign
 * character, an impossible length.
 */
size_t pem_room(view body);
MUST_USE bool pem_decode(view body, char *out, size_t *len);

#endif
