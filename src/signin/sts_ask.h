/*
 * The token endpoint's grants: what each is asked and what it answers.
 */
#ifndef SIGNIN_STS_ASK_H
#define SIGNIN_STS_ASK_H

#include "api/form.h"
#include "signin/sts_grant.h"

struct sts_ask {
	struct directory *directory;
	struct signin *signin;
	struct tx *tx;
	const struct sts_place *place;
	const struct form *form;
	view authorization; /* the header field; may be empty */
	int64_t now;        /* Unix seconds */
	struct caller *who; /* to be filled in as soon as somebody is recognised */
};

/* sts_ask_of(r, place, form): By a request; borrows all three. */
struct sts_ask sts_ask_of(struct request *r, const struct sts_place *place,
    const struct form *form);

/* Views lie in the arena of the transaction. */
struct sts_reply {
	struct buf access; /* the access token */
	view resource;
	bool v1; /* the old shape */
	/* These are empty when they were not asked for. */
	view identity, refresh, scope, client_info;
	bool family; /* the client shares its refresh token with its sisters */
	bool ends;   /* the grant is refused with ${err}, but what it changed is to be kept */
};

typedef bool sts_grant_fn(const struct sts_ask *ask, struct sts_reply *out, struct error *err);

sts_grant_fn sts_grant_application; /* client_credentials */
sts_grant_fn sts_grant_password;
sts_grant_fn sts_grant_refresh;
sts_grant_fn sts_grant_code;
sts_grant_fn sts_grant_device;

#endif
