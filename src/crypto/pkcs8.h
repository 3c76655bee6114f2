/*
 * Private keys as the keyring seals them, and as files of certificates hold them: PKCS#8 in DER.
 * For keyring/, and for pki/, which takes such files apart.
 */
#ifndef CRYPTO_PKCS8_H
#define CRYPTO_PKCS8_H

#include "base/plain.h"
#include "crypto/openssl.h"

/* pkcs8_encode(pkey, out, err): The caller frees ${out}. */
MUST_USE bool pkcs8_encode(EVP_PKEY *pkey, struct plain **out, struct error *err);

/* pkcs8_decode(der, out, err): One key, else ERR_CORRUPT; the caller frees ${out}. */
MUST_USE bool pkcs8_decode(view der, EVP_PKEY **out, struct error *err);

#endif
