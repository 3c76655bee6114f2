/*
 * TLS 1.2 and 1.3, server side, with a certificate that can be replaced while running: connections
 * made before keep what they had.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "base/error.h"
#include "base/view.h"

struct tls;

/* tls_new(chain, key, out, err): PEM texts: leaf first, and its unencrypted private key. */
MUST_USE bool tls_new(view chain, view key, struct tls **out, struct error *err);

/*
 * tls_replace(tls, chain, key, err):
 * From now on, use these; on failure go on with the old.  Any thread.
 */
MUST_USE bool tls_replace(struct tls *tls, view chain, view key, struct error *err);
void tls_free(struct tls *tls); /* NULL is fine */

#endif
