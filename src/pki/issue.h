/*
 * Making certificates (RFC 5280) and certificate requests (PKCS#10, RFC 2986).
 *
 * Extensions stand as the original's certificates have them: key usage (critical), basic
 * constraints (critical for a CA), extended key usage, alternative names (critical when there is no
 * subject), then the key identifiers and where the issuer is found.
 */
#ifndef PKI_ISSUE_H
#define PKI_ISSUE_H

#include "pki/profile.h"
#include "pki/signer.h"
#include "pki/spki.h"

#define SERIAL_LEN 16     /* of those made here: 128 random bits */
#define SERIAL_LEN_MAX 20 /* RFC 5280, section 4.1.2.2 */

struct x509_wish {
	const struct profile *profile;
	view spki; /* the subject's */
	int64_t not_before,
	    not_after; /* Unix seconds, both ends belong to it; years 1950 to 9999 */
	view serial;   /* big-endian, positive; empty: a random one */
	/* The issuer: its Name, and the subject key identifier it has; empty: self-signed. */
	view issuer, issuer_key_id;
};

/*
 * x509_issue(wish, signer, der, err):
 * Append a certificate.  ERR_BAD_PARAMETER: what the profile asks for can't be said; the signer's
 * errors.  A failure appends nothing.
 */
MUST_USE bool x509_issue(const struct x509_wish *wish, const struct signer *signer, struct buf *der,
    struct error *err);

/* csr_make(profile, spki, signer, der, err): Append a request, signed by the key it is about. */
MUST_USE bool csr_make(const struct profile *profile, view spki, const struct signer *signer,
    struct buf *der, struct error *err);

/* x509_serial(out): 128 bits from the generator, always as long, never zero. */
void x509_serial(uint8_t out[SERIAL_LEN]);

#endif
