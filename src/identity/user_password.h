/*
 * What people may choose as their password, and how it is kept.
 */
#ifndef IDENTITY_USER_PASSWORD_H
#define IDENTITY_USER_PASSWORD_H

#include "identity/user_store.h"

#define PASSWORD_MIN 8   /* characters */
#define PASSWORD_MAX 256 /* characters; no more than four bytes each */

/*
 * user_password_allowed(user, password, err):
 * 8 to 256 characters of at least three of four classes (lower case, upper case, digits, others),
 * without the name the user signs in with.  ERR_GRAPH_BAD_REQUEST.
 */
MUST_USE bool user_password_allowed(const struct user *user, view password, struct error *err);

/*
 * user_set_password(user, password, must_change, arena, err):
 * Check and hash it into ${user}; sessions from before are over.  The caller puts the user back.
 * Burns: not on an event loop.
 */
MUST_USE bool user_set_password(struct user *user, view password, bool must_change,
    struct arena *arena, struct error *err);

#endif
