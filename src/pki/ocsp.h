/*
 * OCSP (RFC 6960): what is asked, and the answer signed by the issuer itself.
 */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include "base/arena.h"
#include "pki/crl.h"

#define OCSP_REQUEST_MAX 4096 /* bytes */
#define OCSP_IDS_MAX 16
#define OCSP_NONCE_MAX 128 /* bytes; RFC 9654 */

/* A CertID: of which certificate the state is asked. */
struct ocsp_id {
	view der;           /* as it was asked: the answer repeats it */
	unsigned hash_bits; /* 1: SHA-1; 256, 384, 512: SHA-2; 0: another */
	view name_hash, key_hash;
	view serial; /* the content of its INTEGER, without leading zeros */
};

struct ocsp_request {
	struct ocsp_id *ids;
	size_t count; /* 1 to OCSP_IDS_MAX */
	view nonce;   /* the extension's value; empty: none */
};

/* ocsp_read(der, arena, out, err): ERR_BAD_PARAMETER.  A signature on it is not looked at. */
MUST_USE bool ocsp_read(view der, struct arena *arena, struct ocsp_request *out, struct error *err);

/* ocsp_id_is(id, issuer, spki): Is the certificate one by the issuer of that Name and key? */
bool ocsp_id_is(const struct ocsp_id *id, view issuer, view spki);

enum ocsp_state { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_single {
	const struct ocsp_id *id;
	enum ocsp_state state;
	int64_t revoked; /* OCSP_REVOKED: Unix seconds, and why */
	enum crl_reason reason;
};

struct ocsp_wish {
	view issuer_spki; /* who answers: by the SHA-1 of its key */
	view certificate; /* DER: goes with the answer when it is a responder's own; empty: none */
	view nonce;       /* the request's */
	int64_t produced, this_update, next_update; /* Unix seconds */
	const struct ocsp_single *singles;
	size_t count;
};

/* ocsp_answer(wish, signer, der, err): Append an OCSPResponse.  A failure appends nothing. */
MUST_USE bool ocsp_answer(const struct ocsp_wish *wish, const struct signer *signer,
    struct buf *der, struct error *err);

/* An OCSPResponse that answers nothing, and needs no signature. */
enum ocsp_refusal {
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL = 2,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6
};
void ocsp_refuse(enum ocsp_refusal why, struct buf *der);

#endif
