/*
 * A vault's own authority, behind issuers of the provider `Strongroom`: a root, and below it the
 * intermediate that signs certificates.  Both keys are the vault's (in the token when the vault is
 * premium and there is one), are shown to nobody as keys, and go with the vault.
 *
 * Documents, sealed under the vault's key; serials in lower-case hex:
 *	v/<vault>/authority			keys and certificates
 *	v/<vault>/authority/issued/<serial>	to which certificate, and until when
 *	v/<vault>/authority/revoked/<serial>	since when, and why
 *	v/<vault>/authority/changes		how often something was revoked
 *
 * CRL and OCSP are answered at the vault's host, to anybody: /authority/crl, /authority/ocsp.
 */
#ifndef CERTS_CA_H
#define CERTS_CA_H

#include "certs/ca_answers.h"
#include "keys/key.h"
#include "pki/crl.h"
#include "pki/profile.h"

#define CA_REVOKED_MAX 5000 /* of a vault, at a time */
#define CA_CHAIN_MAX 2      /* certificates of what is issued: the leaf and the intermediate */
#define CA_KEPT_SECONDS ((int64_t)30 * 86400) /* what was issued, beyond its end, at least */
#define CA_LIST_SECONDS 86400                 /* a CRL, and an OCSP answer, is good for so long */

struct ca_half {
	struct material material;
	view certificate, spki, name; /* DER; the name: a Name's */
};

struct ca {
	struct plain *document; /* what the views point into */
	struct ca_half root, intermediate;
};

void ca_done(struct ca *ca); /* for AUTO */

MUST_USE bool ca_read(struct tx *tx, const struct vault *vault, enum intent intent, struct ca *out,
    bool *found, struct error *err);

/*
 * ca_require(tx, vault, hsm, now, out, err):
 * The same, to issue; made in ${tx} when there is none yet, and its intermediate renewed when half
 * of its life is over.
 */
MUST_USE bool ca_require(struct tx *tx, const struct vault *vault, bool hsm, int64_t now,
    struct ca *out, struct error *err);

/*
 * ca_issue(tx, vault, ca, wish, chain, err):
 * A certificate for the key and the names of a request, the leaf first, in tx->arena.  It ends with
 * its issuer at the latest.  Some that ended CA_KEPT_SECONDS ago are forgotten with it, which is as
 * if they had never been issued.  ERR_BAD_PARAMETER: what the request asks for can't be had, it
 * asks to be an authority itself, or the authority has ended.
 */
struct ca_wish {
	view csr;         /* DER */
	view certificate; /* the vault's name of it */
	int64_t not_before, not_after;
	view base; /* "https://<vault>.vault.<domain>[:port]", for the CRL's URL and its like */
};
MUST_USE bool ca_issue(struct tx *tx, const struct vault *vault, const struct ca *ca,
    const struct ca_wish *wish, struct views *chain, struct error *err);

/*
 * ca_revoke(tx, vault, serial, reason, now, err):
 * ${serial}: hex.  Once revoked stays revoked; again is no error.  ERR_CERTIFICATE_NOT_FOUND: none
 * was issued with it.  Beyond CA_REVOKED_MAX those that have expired are forgotten, which is as if
 * they had never been issued; ERR_CONFLICT: none has.
 */
MUST_USE bool ca_revoke(struct tx *tx, const struct vault *vault, view serial,
    enum crl_reason reason, int64_t now, struct error *err);

/*
 * What anybody may ask, without being known: so that nobody can have the server sign as often as
 * they like, what was signed is given again for half of its life (ca_answers.h), and what is
 * signed counts against the vault's service limits.
 */
struct ca_asking {
	const struct ca *ca;
	struct ca_answers *answers; /* NULL: nothing is kept */
	uint64_t ticket;            /* see keyring/material.h */
	int64_t now;
};

/*
 * ca_crl(tx, vault, asking, out, err):
 * DER.  What had expired when it was signed is no longer listed.  ERR_THROTTLED; ERR_UNAVAILABLE
 * while its token is away.
 */
MUST_USE bool ca_crl(struct tx *tx, const struct vault *vault, const struct ca_asking *asking,
    struct buf *out, struct error *err);

/*
 * ca_ocsp(tx, vault, asking, request, out, told, err):
 * The answer, whatever was asked; ${told}: it says how a certificate is, and may be kept.  As RFC
 * 5019 has it: one certificate a request, the nonce ignored, `unauthorized` for what the authority
 * did not issue.  Over the service limits, and while the token is away, it is `tryLater`.
 */
MUST_USE bool ca_ocsp(struct tx *tx, const struct vault *vault, const struct ca_asking *asking,
    view request, struct buf *out, bool *told, struct error *err);

/* crl_reason_find("keyCompromise", out): By RFC 5280's names; holds and removals are none. */
bool crl_reason_find(view name, enum crl_reason *out);

extern const struct op ca_ops[];

#endif
