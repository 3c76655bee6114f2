/*
 * Client assertions (RFC 7523): an application proves itself by signing a token of its own with the
 * key of a certificate that is registered for it.
 */
#ifndef IDENTITY_ASSERTION_H
#define IDENTITY_ASSERTION_H

#include "identity/application_store.h"
#include "identity/directory.h"

struct assertion_check {
	view text;
	view authority; /* host[:port] that was asked, lower case */
	view peer;      /* the client's address */
	bool peer_ipv6;
	int64_t now; /* Unix seconds */
};

/*
 * assertion_accept(directory, check, application, err):
 * Signed with RS256 or PS256 by one of the application's certificates that is named by its
 * thumbprint and valid now, made out by and for the application to this authority and tenant, in
 * time, living for at most a day, and not used by another before (replay.h).
 * A host (host.h) signs with its key, by any algorithm that fits it, for at most ten minutes.
 * ERR_STS_BAD_ASSERTION, ERR_STS_EXPIRED_ASSERTION.
 */
MUST_USE bool assertion_accept(struct directory *directory, const struct assertion_check *check,
    const struct registration *application, struct error *err);

/*
 * assertion_malformed(why, err):
 * A token that can't be read is the client's mistake, ERR_STS_BAD_ASSERTION; a lack of memory is
 * not.  Always false.
 */
bool assertion_malformed(const struct error *why, struct error *err);

#endif
