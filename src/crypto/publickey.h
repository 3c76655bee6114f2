/*
 * Public keys: what verifies signatures.  Made from a certificate, a JWK's numbers or a
 * SubjectPublicKeyInfo; may be used by several threads at once.
 */
#ifndef CRYPTO_PUBLICKEY_H
#define CRYPTO_PUBLICKEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

enum signature_alg {
	SIGNATURE_NONE,
	SIGNATURE_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 */
	SIGNATURE_PS256, /* RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt of 32 bytes */
	SIGNATURE_ES256, /* ECDSA on P-256 with SHA-256; raw r || s, 64 bytes */
	/* The same with SHA-384 and SHA-512, on P-384 and P-521: others' tokens. */
	SIGNATURE_RS384,
	SIGNATURE_RS512,
	SIGNATURE_PS384,
	SIGNATURE_PS512,
	SIGNATURE_ES384,
	SIGNATURE_ES512,
	/* Vaults' keys only. */
	SIGNATURE_ES256K, /* ECDSA on secp256k1 with SHA-256 */
	SIGNATURE_RSNULL, /* RSASSA-PKCS1-v1_5's padding around the caller's bytes */
	SIGNATURE_COUNT
};

enum curve { CURVE_P256, CURVE_P384, CURVE_P521 };

struct public_key;

/* signature_alg_parse: "RS256" … "ES512" exactly; all else, "none" too: SIGNATURE_NONE. */
enum signature_alg signature_alg_parse(view name);

/* RSA of 2048 to 8192 bits, or one of the curves by its name; else ERR_BAD_REQUEST. */
MUST_USE bool public_key_from_spki(view der, struct public_key **out, struct error *err);

/* public_key_from_rsa(n, e, out, err): Big-endian; 2048 to 8192 bits, else ERR_BAD_REQUEST. */
MUST_USE bool public_key_from_rsa(view n, view e, struct public_key **out, struct error *err);

/* public_key_from_ec(curve, x, y, out, err): Big-endian, as long as the curve's field is. */
MUST_USE bool public_key_from_ec(enum curve curve, view x, view y, struct public_key **out,
    struct error *err);

/*
 * public_key_from_certificate(der, out, err):
 * The key of one X.509 certificate.  Nothing but the key is looked at.
 */
MUST_USE bool public_key_from_certificate(view der, struct public_key **out, struct error *err);
void public_key_free(struct public_key *key);  /* NULL is fine */
void public_key_done(struct public_key **key); /* for AUTO */

/*
 * public_key_verify(key, alg, message, signature):
 * True only for a good signature by ${alg}, which fits the key's kind.  As signature_verify.
 */
MUST_USE bool public_key_verify(const struct public_key *key, enum signature_alg alg, view message,
    view signature);

/* RSA-OAEP (RFC 8017) with this hash, for its mask too, and no label. */
enum oaep { OAEP_SHA1, OAEP_SHA256, OAEP_SHA384 };

/* public_key_wrap(key, oaep, secret, out, err): For an RSA key; append the ciphertext. */
MUST_USE bool public_key_wrap(const struct public_key *key, enum oaep oaep, view secret,
    struct buf *out, struct error *err);

/* public_key_rsa(key, arena, n, e, err): The numbers of an RSA key, big-endian, for a JWK. */
MUST_USE bool public_key_rsa(const struct public_key *key, struct arena *arena, view *n, view *e,
    struct error *err);

/* public_key_spki(key, out, err): Append it as a SubjectPublicKeyInfo in DER. */
MUST_USE bool public_key_spki(const struct public_key *key, struct buf *out, struct error *err);

/* certificate_validity(der, not_before, not_after, err): Unix seconds. */
MUST_USE bool certificate_validity(view der, int64_t *not_before, int64_t *not_after,
    struct error *err);

#endif
