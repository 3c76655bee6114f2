/*
 * What the callers of OpenSSL share: algorithms fetched once, owners for AUTO, and how to fail.
 */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

struct algorithms {
	EVP_MD *sha1, *sha256;
	EVP_CIPHER *aes_256_gcm;
	/* By the key's length: 128, 192, 256 bits. */
	EVP_CIPHER *aes_gcm[3], *aes_cbc[3], *aes_wrap[3], *aes_wrap_pad[3];
	EVP_MAC *hmac;
	EVP_KDF *hkdf;
};

/* algorithms(): Fetched at the first call and kept; NULL when this OpenSSL lacks one of them. */
const struct algorithms *algorithms(void);

/*
 * openssl_starved():
 * Has memory failed OpenSSL on this thread since this was asked last?  Its queue says so of some
 * allocations, crypto/memory.h of the others; both are empty then.
 */
bool openssl_starved(void);

/*
 * openssl_failed(err, code, message):
 * Set the error and empty OpenSSL's own queue of this thread: what is left there makes the next
 * SSL_get_error on the thread report a connection as broken.  Where memory failed, as
 * openssl_starved has it, it is error_memory's instead: nobody is blamed for that.  Always false.
 */
bool openssl_failed(struct error *err, enum error_code code, const char *message);

/* openssl_unable(err): The same, where only a lack of memory or a broken OpenSSL can cause it. */
bool openssl_unable(struct error *err);

const unsigned char *octets(view bytes); /* never NULL */

/* spki_encode(pkey, out, err): Append the public half, a SubjectPublicKeyInfo in DER. */
MUST_USE bool spki_encode(EVP_PKEY *pkey, struct buf *out, struct error *err);

/*
 * pkey_build(kind, selection, builder, out):
 * A key out of numbers, "RSA" or "EC"; selection: EVP_PKEY_PUBLIC_KEY or EVP_PKEY_KEYPAIR.
 */
MUST_USE bool pkey_build(const char *kind, int selection, OSSL_PARAM_BLD *builder, EVP_PKEY **out);

#define OPENSSL_OWNER(name, type, release)           \
	static inline void name##_done(type **owned) \
	{                                            \
		release(*owned);                     \
	}

OPENSSL_OWNER(bio, BIO, BIO_free_all)
OPENSSL_OWNER(bn, BIGNUM, BN_free)
OPENSSL_OWNER(pkey, EVP_PKEY, EVP_PKEY_free)
OPENSSL_OWNER(pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
OPENSSL_OWNER(mac_ctx, EVP_MAC_CTX, EVP_MAC_CTX_free)
OPENSSL_OWNER(kdf_ctx, EVP_KDF_CTX, EVP_KDF_CTX_free)
OPENSSL_OWNER(cipher_ctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
OPENSSL_OWNER(param_bld, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
OPENSSL_OWNER(params, OSSL_PARAM, OSSL_PARAM_free)
OPENSSL_OWNER(certificate, X509, X509_free)

#endif
