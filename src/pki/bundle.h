/*
 * A private key with its certificates in one file: PKCS#12 (RFC 7292), also called PFX, and PEM.
 *
 * In: what openssl, Windows, Java, Go, .NET and python write.  PKCS#12 with a password or an empty
 * one; encrypted with PBES2 (PBKDF2 and AES or 3DES) or the old 3DES and RC2 of PKCS#12; its MAC
 * is checked.  What a file asks to be computed is read and bounded before anything is: iterations,
 * nesting, sizes.  PEM with an unencrypted key as PKCS#8, PKCS#1 or SEC1, and certificates, in any
 * order; text between the blocks does not matter, blocks of other kinds are refused ("EC
 * PARAMETERS", which openssl writes before a key, may be there).
 */
#ifndef PKI_BUNDLE_H
#define PKI_BUNDLE_H

#include "base/plain.h"
#include "pki/profile.h"
#include "pki/spki.h"

#define BUNDLE_MAX (256 * 1024)       /* bytes of a file, either kind */
#define BUNDLE_PASSWORD_MAX 200       /* characters, as the original has it */
#define BUNDLE_ITERATIONS_MAX 1000000 /* of one derivation; openssl: 2048, Windows: 2000 */
#define BUNDLE_WORK_MAX 2000000       /* of all derivations of one file together */
#define BUNDLE_CERTIFICATES_MAX 32

struct bundle {
	struct plain *key; /* PKCS#8, DER, as our own encoder writes it */
	struct spki kind;  /* of the key: one a vault keeps */
	view spki;         /* its public half; in the arena */
	/* DER, in the arena, in the file's order; at least one, and one of them is the key's. */
	struct views certificates;
};

void bundle_free(struct bundle *bundle); /* wipes the key; a zeroed one is fine */

/*
 * bundle_from_pfx(pfx, password, arena, out, err), bundle_from_pem(text, arena, out, err):
 * ERR_BAD_PARAMETER, by the message: not a PFX or PEM; a wrong password; no key or several; no
 * certificate, or none of that key; a key that no vault keeps (RSA of 1024 bits); too much of
 * something.  The caller frees ${out}.  A PFX burns: up to seconds.
 */
MUST_USE bool bundle_from_pfx(view pfx, view password, struct arena *arena, struct bundle *out,
    struct error *err);
MUST_USE bool bundle_from_pem(view text, struct arena *arena, struct bundle *out,
    struct error *err);

/*
 * bundle_to_pfx(key, certificates, out, err):
 * PKCS#12 with the empty password, as the certificate's secret is: the key in a bag of its own,
 * encrypted as every reader knows it (3DES, SHA-1 MAC): with an empty password that hides nothing,
 * and nothing is meant to.  The leaf is first in ${certificates}.  ${key}: PKCS#8, or empty: the
 * certificates alone.
 *
 * bundle_to_pem(key, certificates, out, err):
 * "PRIVATE KEY", if there is one, then each "CERTIFICATE".
 *
 * The caller frees ${out}.
 */
MUST_USE bool bundle_to_pfx(view key, const struct views *certificates, struct plain **out,
    struct error *err);
MUST_USE bool bundle_to_pem(view key, const struct views *certificates, struct plain **out,
    struct error *err);

#endif
