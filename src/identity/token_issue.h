/*
 * Making access tokens.
 */
#ifndef IDENTITY_TOKEN_ISSUE_H
#define IDENTITY_TOKEN_ISSUE_H

#include "base/json.h"
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

/* token_seal(directory, tenant, now, claims, out, err): The same of claims (JSON) of any kind. */
MUST_USE bool token_seal(struct directory *directory, const struct uuid *tenant, int64_t now,
    view claims, struct buf *out, struct error *err);

/*
 * token_write_random(json, name, prefix, len):
 * A claim of ${len} random bytes: ids that only we could read anything into, and don't.
 */
#define TOKEN_OPAQUE_BYTES 24
void token_write_random(struct json *json, const char *name, view prefix, size_t len);

#endif
