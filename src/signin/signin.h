/*
 * What sign-in keeps in memory, and a person's password being checked.
 */
#ifndef SIGNIN_SIGNIN_H
#define SIGNIN_SIGNIN_H

#include "api/op.h"
#include "api/request.h"
#include "identity/user_store.h"
#include "signin/pending.h"

#define SIGNIN_PAGE_SECONDS 900
#define SIGNIN_CODE_SECONDS 300
#define SIGNIN_DEVICE_SECONDS 900

struct gate;
struct lockout;

struct signin {
	struct pending *pages;   /* sign-in pages that were shown: struct errand */
	struct pending *codes;   /* codes that were given out: struct errand */
	struct pending *devices; /* devices that wait: struct errand, by user code */
};

MUST_USE bool signin_open(struct signin **out, struct error *err);
void signin_close(struct signin *signin); /* NULL is fine */

/* The authority's rows (discovery, keys, sign-in, tokens) on PLANE_LOGIN. */
extern const struct op sts_ops[];

struct signin_try {
	struct tx *tx;
	struct gate *gate; /* the directory's */
	struct lockout *lockout;
	const struct uuid *tenant;
	view name, password; /* as typed */
	view address;
};

/*
 * signin_password(try, who, document, out, err):
 * Check a person's password.  Burns (crypto/password.h), but never for more than a few at a time:
 * not on an event loop.  ERR_STS_LOCKED, ERR_STS_BUSY; ERR_STS_BAD_PASSWORD, which says the same in
 * the same time whatever is wrong; ERR_STS_BAD_GRANT when the password is right and the account is
 * disabled or its password must be changed.  ${who} is filled in when the name is known, right or
 * wrong.  The caller frees ${document}.
 */
MUST_USE bool signin_password(const struct signin_try *try, struct caller *who,
    struct plain **document, struct user *out, struct error *err);

/* signin_account(user, err): Whether they may sign in at all. ERR_STS_BAD_GRANT. */
MUST_USE bool signin_account(const struct user *user, struct error *err);

/* signin_who(user, who): Fill in the person; the application stays. */
void signin_who(const struct user *user, struct caller *who);

#endif
