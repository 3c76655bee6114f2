/*
 * The documents of users: "t/<tenant>/user/<object id>", found by sign-in name through
 * "t/<tenant>/upn/<sign-in name in lower case>" and by object id through "oid/<object id>".
 */
#ifndef IDENTITY_USER_STORE_H
#define IDENTITY_USER_STORE_H

#include "api/request.h"
#include "identity/object_store.h"

#define PASSWORD_HASH_MAX 256 /* Argon2's own text: "$argon2id$v=19$m=…,t=…,p=…$salt$hash" */

/* Views borrow from the document. */
struct user {
	struct uuid tenant, object;
	view upn;           /* "ada@example.org", as it was written */
	view name, mail;    /* display name; "" */
	view given, family; /* "" */
	view password_hash; /* "": can't sign in by password */
	bool enabled, administrator;
	bool must_change;         /* the password, at the next sign-in */
	int64_t created;          /* Unix seconds */
	int64_t sessions_started; /* refresh tokens from before are void */
};

/* user_get: By object id; ERR_GRAPH_NOT_FOUND.  The caller frees ${document}. */
MUST_USE bool user_get(struct tx *tx, const struct uuid *object, enum store_use use,
    struct plain **document, struct user *out, struct error *err);

/* user_by_upn: By sign-in name, in any case; ERR_GRAPH_NOT_FOUND. */
MUST_USE bool user_by_upn(struct tx *tx, const struct uuid *tenant, view upn, enum store_use use,
    struct plain **document, struct user *out, struct error *err);

/* user_add: ERR_GRAPH_BAD_REQUEST when the sign-in name is taken. */
MUST_USE bool user_add(struct tx *tx, const struct user *user, struct error *err);

/* user_put: Instead of ${before}, whose sign-in name may be another. */
MUST_USE bool user_put(struct tx *tx, const struct user *before, const struct user *user,
    struct error *err);
MUST_USE bool user_delete(struct tx *tx, const struct user *user, struct error *err);

/* user_end_sessions: Whoever is signed in as them now is not any more, even within a second. */
void user_end_sessions(struct user *user);

/* user_walk: As registration_walk, by object id. */
typedef bool user_visit(void *ctx, const struct user *user);
MUST_USE bool user_walk(struct tx *tx, const struct uuid *tenant, view after, size_t limit,
    user_visit *visit, void *ctx, bool *end, struct error *err);

#endif
