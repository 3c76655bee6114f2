/*
 * What certificates and certificate requests say.  They come from strangers: they are read whole,
 * bounded, and what is not understood is an error or left out, never guessed.
 */
#ifndef PKI_READ_H
#define PKI_READ_H

#include "crypto/hash.h"
#include "pki/profile.h"
#include "pki/spki.h"

#define CERTIFICATE_MAX 65536 /* bytes of DER */

struct x509 {
	view der; /* as it was given: borrowed */
	/*
	 * The subject, alternative names, usages, CA and path length.  Names of kinds that policies
	 * do not know are left out; usages of 0: it does not say.
	 */
	struct profile profile;
	view issuer;                   /* a Name's DER, as profile.subject */
	view serial;                   /* the content of its INTEGER: may be negative in old ones */
	int64_t not_before, not_after; /* Unix seconds */
	view spki;                     /* SubjectPublicKeyInfo, DER */
	struct spki key;
	view key_id, issuer_key_id; /* empty: it does not say */
	uint8_t thumbprint[SHA1_LEN];
};

/*
 * x509_read(der, arena, out, err):
 * One certificate and nothing behind it; ERR_BAD_PARAMETER: it is none, or it is malformed
 * somewhere, or a name in it has a NUL or another control character.  No signature is verified and
 * no time is compared.  The views are in ${der} or the arena.
 */
MUST_USE bool x509_read(view der, struct arena *arena, struct x509 *out, struct error *err);

struct csr {
	struct profile profile; /* what it asks for, as above */
	view spki;
	struct spki key;
};

/*
 * csr_read(der, arena, out, err):
 * One request, whose signature is by the key it is about; else ERR_BAD_PARAMETER.
 */
MUST_USE bool csr_read(view der, struct arena *arena, struct csr *out, struct error *err);

/* x509_signed_by(certificate, issuer): Do the issuer's name, CA flag and key fit the signature? */
bool x509_signed_by(const struct x509 *certificate, const struct x509 *issuer);

#endif
