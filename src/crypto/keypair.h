/*
 * Fresh key pairs for others than the keyring: the TLS library, the agent of a host.
 */
#ifndef CRYPTO_KEYPAIR_H
#define CRYPTO_KEYPAIR_H

#include "base/buf.h"
#include "base/error.h"

/*
 * keypair_new(pem, spki, err):
 * A P-256 key: the private part as PEM (PKCS#8) appended to ${pem}, the public one as
 * SubjectPublicKeyInfo in DER to ${spki}.
 */
MUST_USE bool keypair_new(struct buf *pem, struct buf *spki, struct error *err);

#endif
