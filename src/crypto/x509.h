/*
 * Making certificates for the installation's own authority: the to-be-signed part is built here,
 * and signed by whoever holds the key (the keyring), ECDSA with SHA-256 on P-256.
 */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

struct x509_wish {
	const char *subject; /* the common name */
	const char *issuer;
	bool authority;                /* may sign certificates (path length 0) */
	bool signer;                   /* signs documents; neither: a TLS server */
	int64_t not_before, not_after; /* Unix seconds */
	const char *const *dns;        /* names and IP addresses, NULL at the end; NULL: none */
	view public_key;               /* SubjectPublicKeyInfo, DER */
	view issuer_key;               /* the issuer's, for the authority key identifier */
};

/* A signer: an ES256 signature over ${message}, as DER (an ECDSA-Sig-Value), appended to ${out}. */
typedef bool x509_sign(void *ctx, view message, struct buf *out, struct error *err);

/* x509_make(wish, sign, ctx, der, err): Append the certificate's DER to ${der}. */
MUST_USE bool x509_make(const struct x509_wish *wish, x509_sign *sign, void *ctx, struct buf *der,
    struct error *err);

/* x509_pem(der, out): Append it as PEM. */
MUST_USE bool x509_pem(view der, struct buf *out, struct error *err);

/*
 * x509_leaf_key(pem, spki, err):
 * A fresh P-256 key for the listener, which the TLS library will hold: the private key as PEM
 * (PKCS#8) to ${pem}, the public one as SubjectPublicKeyInfo to ${spki}.
 */
MUST_USE bool x509_leaf_key(struct buf *pem, struct buf *spki, struct error *err);

#endif
