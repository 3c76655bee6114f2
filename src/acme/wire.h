/*
 * Asking an ACME server: signed requests with fresh nonces (RFC 8555, 6).  Private to acme/.
 */
#ifndef ACME_WIRE_H
#define ACME_WIRE_H

#include "acme/acme.h"

/* One step on its way. */
struct turn {
	const struct acme *acme;
	struct acme_state *state;
	struct arena *arena;
	unsigned wait;   /* seconds, from Retry-After */
	bool wait_given; /* it was there */
	struct buf *chain;
};

/* wire_get(turn, url, body, err): An unsigned GET: the directory. */
MUST_USE bool wire_get(struct turn *turn, const char *url, struct buf *body, struct error *err);

/*
 * wire_post(turn, url, payload, as_key, location, body, err):
 * A signed POST; an empty ${payload} reads.  ${as_key}: signed in the key's name, not in the
 * account's.  ${location} may be NULL.  Refused nonces are replaced here.  ERR_UNAVAILABLE when
 * there was no answer, or one that says to come again; ERR_BAD_REQUEST with the server's words when
 * it refused.
 */
MUST_USE bool wire_post(struct turn *turn, const char *url, view payload, bool as_key,
    char location[ACME_URL_MAX], struct buf *body, struct error *err);

#endif
