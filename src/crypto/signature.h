/*
 * What signing (keyring) and verifying (publickey) share: contexts prepared once for a key and an
 * algorithm, to be duplicated by each use, and the two encodings of an ECDSA signature.
 */
#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include "crypto/openssl.h"
#include "crypto/publickey.h"

#define ES256_RAW_LEN 64
#define ECDSA_RAW_MAX 132 /* of P-521 */
#define ECDSA_DER_MAX 144 /* of P-521 */
#define SIGNATURE_DIGEST_MAX 64

enum signature_use { SIGNATURE_SIGN, SIGNATURE_VERIFY };

/*
 * signature_ctx(pkey, alg, use, out, err):
 * A context for the algorithm's digests, ready for EVP_PKEY_sign or EVP_PKEY_verify.  Duplicate it
 * to use it: EVP_PKEY_CTX_dup only reads, so threads may share one.
 */
MUST_USE bool signature_ctx(EVP_PKEY *pkey, enum signature_alg alg, enum signature_use use,
    EVP_PKEY_CTX **out, struct error *err);

/*
 * signature_make(signer, checker, alg, digest, out, len, err):
 * Sign with a context of signature_ctx's; ${len} is the room, and then the length; ECDSA's as
 * OpenSSL writes it, in DER.  ${checker}, the key's other context, is for RSA (else NULL), whose
 * signatures are looked at before they are given: when memory fails in OpenSSL's blinding, that one
 * and those of the key's next uses are wrong.  A copy of the key makes it then, and
 * OpenSSL's queue still says of the first what it says: openssl_starved.  Any thread.
 */
MUST_USE bool signature_make(EVP_PKEY_CTX *signer, EVP_PKEY_CTX *checker, enum signature_alg alg,
    view digest, unsigned char *out, size_t *len, struct error *err);

/* signature_digest(alg, message, out, len): What is signed with ${alg}. */
MUST_USE bool signature_digest(enum signature_alg alg, view message,
    unsigned char out[SIGNATURE_DIGEST_MAX], size_t *len);

/*
 * A raw signature is r || s, each as long as the curve's field (64, 96 or 132 bytes together); in
 * DER it is an ECDSA-Sig-Value.  False: not one.
 */
bool ecdsa_raw_len(enum signature_alg alg, size_t *len); /* false: not an ECDSA algorithm */
MUST_USE bool ecdsa_to_der(view raw, unsigned char der[ECDSA_DER_MAX], size_t *len);
MUST_USE bool ecdsa_to_raw(view der, unsigned char *raw, size_t len); /* exactly ${len} bytes */

/*
 * signature_verify(prepared, alg, digest, signature):
 * True only for a good signature, raw for ECDSA; ${prepared} is signature_ctx's.  False, too, where
 * there was no memory to tell, which openssl_starved says then.  Any thread.
 */
MUST_USE bool signature_verify(EVP_PKEY_CTX *prepared, enum signature_alg alg, view digest,
    view signature);

#endif
