/*
 * Granting a token to an application that proves itself (RFC 6749, section 4.4).
 */
#ifndef SIGNIN_STS_GRANT_H
#define SIGNIN_STS_GRANT_H

#include "identity/directory.h"
#include "signin/sts_form.h"

/* Where a request comes from and goes to. */
struct sts_place {
	view tenant;    /* as the path names it */
	view authority; /* host[:port] */
	view domain;    /* the authority without "login." */
	view peer;
	bool peer_ipv6;
};

struct sts_place sts_place_of(const struct request *r);

/*
 * sts_grant(directory, tx, place, form, who, token, err):
 * Prove and append an access token to ${token}.  ${who} is filled in as soon as the application is
 * recognised, also when it then fails; it is not marked as known.  ERR_STS_*.
 */
MUST_USE bool sts_grant(struct directory *directory, struct tx *tx, const struct sts_place *place,
    const struct sts_form *form, struct caller *who, struct buf *token, struct error *err);

/* sts_identify: Only prove it is the application: the same refusals, as slow for who guesses. */
MUST_USE bool sts_identify(struct directory *directory, struct tx *tx,
    const struct sts_place *place, const struct sts_form *form, struct caller *who,
    struct error *err);

/* sts_resource_allowed: Whether tokens may be had for it here. ERR_STS_UNKNOWN_RESOURCE. */
MUST_USE bool sts_resource_allowed(const struct sts_place *place, const struct uuid *tenant,
    view resource, struct error *err);

#endif
