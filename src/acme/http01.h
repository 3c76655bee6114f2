/*
 * Where HTTP-01 proofs are seen (RFC 8555, 8.3): a listener for plain HTTP that answers
 * GET /.well-known/acme-challenge/<token> while the token's proof is shown, and 404 to all else;
 * 503 when it could not look.
 * It knows nothing of the vaults, has a thread of its own, and a bounded number of connections that
 * each get a few seconds.
 */
#ifndef ACME_HTTP01_H
#define ACME_HTTP01_H

#include "base/buf.h"
#include "base/error.h"

struct http01;

/*
 * From the listener's thread: append the proof of ${token}, which is valid; nothing when there is
 * none.  False: it could not be looked up, which must not be taken for one that is missing.
 */
typedef bool http01_find(void *ctx, view token, struct buf *out);

/*
 * http01_open(address, find, ctx, out, err):
 * Listen at "<IPv4 address>:<port>" or "[<IPv6 address>]:<port>"; ERR_BAD_REQUEST when it is none.
 */
MUST_USE bool http01_open(const char *address, http01_find *find, void *ctx, struct http01 **out,
    struct error *err);
void http01_close(struct http01 *http01); /* waits for its thread; NULL is fine */

/* http01_address_valid(address): Could http01_open listen there, by its form? */
bool http01_address_valid(const char *address);

/*
 * http01_token_asked(head):
 * The token that a request's first line asks for, which is a valid one; empty: something else.
 */
view http01_token_asked(view head);

#endif
