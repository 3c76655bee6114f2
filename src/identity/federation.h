/*
 * Federated credentials: an outside issuer's token, about the subject and for the audience that an
 * application has registered, proves the application.
 */
#ifndef IDENTITY_FEDERATION_H
#define IDENTITY_FEDERATION_H

#include "identity/application_store.h"
#include "identity/issuer.h"

/*
 * federation_speaks(text):
 * Whether a client assertion is an outside issuer's: its `iss` is a URL, not an application's id.
 */
bool federation_speaks(view text);

/*
 * federation_accept(issuers, text, application, now, err):
 * One of the application's credentials fits issuer, subject and audience, exactly; the signature is
 * good by a key of the issuer's; in time by the wall clock ${now}.  A token may come again: those
 * of workloads are used for as long as they live.  May fetch keys: not on an event loop.
 * ERR_STS_NO_FEDERATED, ERR_STS_BAD_ASSERTION, ERR_STS_EXPIRED_ASSERTION,
 * ERR_STS_ISSUER_UNREACHABLE, ERR_STS_BUSY.
 */
MUST_USE bool federation_accept(struct issuers *issuers, view text,
    const struct registration *application, int64_t now, struct error *err);

/* federation_in_time(claims, now): Not expired nor too early, by TOKEN_SKEW; exp is required. */
bool federation_in_time(const struct jwt_claims *claims, int64_t now);

/* federation_for(claims, audience): Is it one of the token's? */
bool federation_for(const struct jwt_claims *claims, view audience);

#endif
