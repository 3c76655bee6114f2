/*
 * Public keys as certificates hold them: SubjectPublicKeyInfo in DER.  Two keys are the same when
 * their SubjectPublicKeyInfo is, byte for byte, after spki_read has accepted both.
 */
#ifndef PKI_SPKI_H
#define PKI_SPKI_H

#include "base/buf.h"
#include "base/error.h"

enum spki_kind { SPKI_OTHER, SPKI_RSA, SPKI_EC };

struct spki {
	enum spki_kind kind;
	const char *curve; /* SPKI_EC: "P-256", "P-256K", "P-384", "P-521", as a JWK has it */
	unsigned bits;     /* of the modulus or of the curve's field; SPKI_OTHER: 0 */
};

#define SPKI_MAX 8192 /* bytes */

/*
 * spki_read(der, out, err):
 * What kind of key it is.  ERR_BAD_PARAMETER: malformed, a curve spelled out in numbers, a point
 * that is not on its curve.  Keys of other kinds and curves, and points written compressed, are
 * SPKI_OTHER: a chain may have them, a vault's certificate may not.
 */
MUST_USE bool spki_read(view der, struct spki *out, struct error *err);

/* spki_is_vault(spki): Is it one that a vault keeps: RSA 2048, 3072, 4096 or one of the curves? */
bool spki_is_vault(const struct spki *spki);

/*
 * spki_from_rsa(n, e, out), spki_from_ec(curve, x, y, out):
 * Append a SubjectPublicKeyInfo of a JWK's numbers (big-endian; x and y as long as the field);
 * curve: as in a JWK.  Nothing is checked but the curve's name and the lengths: false.
 */
MUST_USE bool spki_from_rsa(view n, view e, struct buf *out);
MUST_USE bool spki_from_ec(view curve, view x, view y, struct buf *out);

/*
 * spki_key_id(der, out, err):
 * The subject key identifier that certificates made here have: the leftmost 160 bits of the SHA-256
 * of the key's bit string (RFC 7093, section 2, method 1).
 */
#define KEY_ID_LEN 20
MUST_USE bool spki_key_id(view der, uint8_t out[KEY_ID_LEN], struct error *err);

/* spki_key_bits(der, bits): The key itself, which is hashed for identifiers; false: malformed. */
MUST_USE bool spki_key_bits(view der, view *bits);

#endif
