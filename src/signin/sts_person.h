/*
 * From a person who has signed in to the tokens their client gets: what the grants of people share.
 */
#ifndef SIGNIN_STS_PERSON_H
#define SIGNIN_STS_PERSON_H

#include "identity/user_store.h"
#include "signin/client.h"
#include "signin/refresh.h"
#include "signin/scope.h"
#include "signin/sts_ask.h"

/* The tenant and the client of a request, the client proven if it has to be. */
struct sts_party {
	struct uuid tenant;
	int64_t tenant_created;
	struct client client;
	view proof; /* as the token says it */
};

void sts_party_done(struct sts_party *party); /* for AUTO */

/*
 * sts_party_find(ask, out, err):
 * ERR_STS_UNKNOWN_TENANT, ERR_STS_UNKNOWN_APPLICATION, ERR_STS_CLIENT_KIND, and those of a
 * credential that is wrong.
 */
MUST_USE bool sts_party_find(const struct sts_ask *ask, struct sts_party *out, struct error *err);

/* sts_party_proven(party): Did the client show a credential? */
bool sts_party_proven(const struct sts_party *party);

/* sts_tenant_find: ERR_STS_UNKNOWN_TENANT. */
MUST_USE bool sts_tenant_find(const struct sts_ask *ask, struct uuid *out, int64_t *created,
    struct error *err);

/*
 * sts_scopes(ask, tenant, otherwise, out, err):
 * What the form asks for; ${otherwise} when it names no resource.  ERR_STS_BAD_SCOPE,
 * ERR_STS_UNKNOWN_RESOURCE, ERR_STS_MALFORMED when there is neither.
 */
MUST_USE bool sts_scopes(const struct sts_ask *ask, const struct uuid *tenant, view otherwise,
    struct scopes *out, struct error *err);

/*
 * sts_user_find(ask, object, sessions, document, out, err):
 * Who signed in before, when their sessions_started was ${sessions}: whether that still counts.
 * ERR_STS_BAD_GRANT.  The caller frees ${document}.
 */
MUST_USE bool sts_user_find(const struct sts_ask *ask, const struct uuid *object, int64_t sessions,
    struct plain **document, struct user *out, struct error *err);

struct sts_session {
	const struct sts_party *party;
	const struct user *user;
	const struct scopes *scopes;
	view nonce;
	view refresh;       /* what a refresh gave; empty: make a family if one was asked for */
	const char *family; /* its name; NULL: any */
};

/* sts_tokens(ask, session, out, err): Everything the client gets. */
MUST_USE bool sts_tokens(const struct sts_ask *ask, const struct sts_session *session,
    struct sts_reply *out, struct error *err);

#endif
