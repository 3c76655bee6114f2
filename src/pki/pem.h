/*
 * PEM (RFC 7468), written.
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

#endif
