/*
 * Who signs what is built here: the key's holder, which never hands the key over.
 */
#ifndef PKI_SIGNER_H
#define PKI_SIGNER_H

#include "base/buf.h"
#include "base/error.h"
#include "crypto/publickey.h"

/*
 * Append a signature over ${message} to ${out}: as JWS has it, for ECDSA r || s.  ${digest} is the
 * message's, by the algorithm's hash, for holders that take digests.
 */
typedef bool signer_sign(void *ctx, view message, view digest, struct buf *out, struct error *err);

struct signer {
	enum signature_alg alg; /* any but SIGNATURE_RSNULL; it has to fit the key */
	signer_sign *sign;
	void *ctx;
};

/* signer_alg(rsa, curve): RSA: RS256; a curve: its ECDSA.  What certificates are signed with. */
enum signature_alg signer_alg(bool rsa, view curve);

/*
 * signer_wrap(signer, tbs, out, err):
 * Append SEQUENCE { tbs, signatureAlgorithm, signatureValue }, which certificates, requests and
 * CRLs are; signer_body: the same without the SEQUENCE around it.  For pki/ only.
 */
MUST_USE bool signer_wrap(const struct signer *signer, view tbs, struct buf *out,
    struct error *err);
MUST_USE bool signer_body(const struct signer *signer, view tbs, struct buf *out,
    struct error *err);

/* signer_algorithm(alg, out, err): Append its AlgorithmIdentifier (RFC 4055, RFC 5758). */
MUST_USE bool signer_algorithm(enum signature_alg alg, struct buf *out, struct error *err);

#endif
