/*
 * The tokens that a person's sign-in gives.
 */
#ifndef IDENTITY_TOKEN_PERSON_H
#define IDENTITY_TOKEN_PERSON_H

#include "identity/directory.h"
#include "identity/user_store.h"

struct person_wish {
	const struct user *user;
	const struct uuid *client;
	view resource; /* becomes the audience as it stands */
	view proof;    /* how the client proved itself: "0" not at all, "1" by secret, "2" by key */
	view address;  /* the client's */
	view issuer;   /* of the id token, as its discovery document names it */
	view version;  /* of the id token: "1.0", "2.0" */
	view nonce;    /* the client's, for the id token; may be empty */
	int64_t tenant_created, now; /* Unix seconds */
};

/* token_person_access: Append an access token (v1.0).  Errors as token_issue. */
MUST_USE bool token_person_access(struct directory *directory, const struct person_wish *wish,
    struct buf *out, struct error *err);

/* token_person_id: Append an id token for the client. */
MUST_USE bool token_person_id(struct directory *directory, const struct person_wish *wish,
    struct buf *out, struct error *err);

/* token_client_info(user, out): Append what MSAL files the person under, base64url. */
void token_client_info(const struct user *user, struct buf *out);

#endif
