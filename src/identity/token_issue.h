/*
 * Making access tokens.
 */
#ifndef IDENTITY_TOKEN_ISSUE_H
#define IDENTITY_TOKEN_ISSUE_H

#include "identity/application_store.h"
#include "identity/directory.h"

#define TOKEN_SECONDS 3600

struct token_wish {
	const struct registration *application;
	view resource; /* becomes the audience as it stands */
	view proof;    /* how the application proved itself: "1" by secret, "2" by certificate */
	int64_t tenant_created, now; /* Unix seconds */
	view host; /* resource id of the host that asked for an identity's; else empty */
};

/*
 * token_issue(directory, wish, out, err):
 * Append an access token (v1.0) signed with the tenant's current key.  ERR_UNAVAILABLE when the
 * tenant has none.
 */
MUST_USE bool token_issue(struct directory *directory, const struct token_wish *wish,
    struct buf *out, struct error *err);

#endif
