/*
 * Tokens from the authority, for the host's own machine: the host proves itself by an assertion
 * that its key signs (RFC 7523).
 */
#ifndef CLI_AGENT_TOKEN_H
#define CLI_AGENT_TOKEN_H

#include "base/plain.h"
#include "cli/agent_settings.h"
#include "crypto/privatekey.h"

/* Who this host is, and where; borrowed. */
struct agent_host {
	const struct agent_settings *settings;
	const struct private_key *key;
};

struct agent_token {
	struct plain *text;
	int64_t not_before, expires_on; /* Unix seconds */
};

/*
 * agent_token_fetch(host, client_id, resource, out, err):
 * A token for the identity ${client_id}.  Blocks; tries again, with growing pauses, when the
 * authority can't be reached or is not well.  ERR_UNAVAILABLE when it stays so, ERR_NOT_FOUND for
 * an identity that is not (or not this machine's), ERR_STS_UNKNOWN_RESOURCE, and ERR_BAD_REQUEST
 * with the authority's own words for whatever else it refuses.
 */
MUST_USE bool agent_token_fetch(const struct agent_host *host, view client_id, view resource,
    struct agent_token *out, struct error *err);
void agent_token_free(struct agent_token *token); /* wipes it */

/*
 * agent_token_read(status, body, now, out, err):
 * What the authority said: the token, or why there is none (errors as above).
 */
MUST_USE bool agent_token_read(long status, view body, int64_t now, struct agent_token *out,
    struct error *err);

/* An authority to ask, and how long; borrowed. */
struct agent_authority {
	view login, tenant;  /* "https://login.example.org" */
	const char *ca_file; /* PEM; NULL: the system's */
	unsigned seconds;
};

/*
 * agent_token_ask(authority, form, now, out, err):
 * Once, by whatever proof is in ${form}; errors as above.
 */
MUST_USE bool agent_token_ask(const struct agent_authority *authority, view form, int64_t now,
    struct agent_token *out, struct error *err);

/* agent_assertion(host, now, out, err): Append an assertion, a JWT, good for five minutes. */
MUST_USE bool agent_assertion(const struct agent_host *host, int64_t now, struct buf *out,
    struct error *err);

#endif
