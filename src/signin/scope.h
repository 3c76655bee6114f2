/*
 * What a person's client asks for: one resource, and what belongs to the sign-in itself.
 */
#ifndef SIGNIN_SCOPE_H
#define SIGNIN_SCOPE_H

#include "base/buf.h"
#include "base/error.h"

#define SCOPE_MAX 1024 /* bytes */

struct scopes {
	view resource;        /* as it shall stand in the token; empty: none was named */
	bool openid, offline; /* an id token; a refresh token */
	bool v1;              /* asked for with `resource`: the reply has the old shape */
};

/*
 * scopes_read(scope, resource, out, err):
 * Of the parameters of these names, either of which may be empty: "<resource>/.default" or
 * "<resource>/user_impersonation", openid, profile, email, offline_access.  ERR_STS_BAD_SCOPE.
 */
MUST_USE bool scopes_read(view scope, view resource, struct scopes *out, struct error *err);

/* scope_is_of_sign_in(scope): openid, profile, email, offline_access: what names no resource. */
bool scope_is_of_sign_in(view scope);

/* scopes_write(scopes, out): What was granted, as the token reply says it. */
void scopes_write(const struct scopes *scopes, struct buf *out);

#endif
