/*
 * Certificate revocation lists (RFC 5280, section 5).
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "pki/signer.h"

/* RFC 5280, section 5.3.1; 7 is not used. */
enum crl_reason {
	CRL_UNSPECIFIED = 0, /* the extension is left out */
	CRL_KEY_COMPROMISE = 1,
	CRL_CA_COMPROMISE = 2,
	CRL_AFFILIATION_CHANGED = 3,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION_OF_OPERATION = 5,
	CRL_CERTIFICATE_HOLD = 6,
	CRL_REMOVE_FROM_CRL = 8,
	CRL_PRIVILEGE_WITHDRAWN = 9,
	CRL_AA_COMPROMISE = 10,
};

struct crl_entry {
	view serial;     /* big-endian, positive */
	int64_t revoked; /* Unix seconds */
	enum crl_reason reason;
};

struct crl_wish {
	view issuer, issuer_key_id;       /* a Name's DER; its subject key identifier */
	uint64_t number;                  /* has to grow */
	int64_t this_update, next_update; /* Unix seconds */
	const struct crl_entry *entries;
	size_t count;
};

/* crl_make(wish, signer, der, err): Append the list.  A failure appends nothing. */
MUST_USE bool crl_make(const struct crl_wish *wish, const struct signer *signer, struct buf *der,
    struct error *err);

#endif
