/*
 * Private keys as the keyring seals them: PKCS#8 in DER.  For keyring/ only.
 */
#ifndef KEYRING_PKCS8_H
#define KEYRING_PKCS8_H

#include "base/plain.h"
#include "crypto/openssl.h"

/* pkcs8_encode(pkey, out, err): The caller frees ${out}. */
MUST_USE bool pkcs8_encode(EVP_PKEY *pkey, struct plain **out, struct error *err);

/* pkcs8_decode(der, out, err): Of pkcs8_encode, else ERR_CORRUPT; the caller frees ${out}. */
MUST_USE bool pkcs8_decode(view der, EVP_PKEY **out, struct error *err);

#endif
