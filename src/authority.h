/*
 * The installation's own certificate authority: a root kept by the keyring; leaf certificates for
 * the listener that live a few days and are renewed while running; and a key for what the
 * installation states, such as the release of a key.
 *
 * Documents, sealed under the system key: "ca/root", "ca/statement".
 */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "keyring/tx.h"

struct authority;

/* authority_create(tx, name, err): Add a new root (P-256, ten years) of that name to ${tx}. */
MUST_USE bool authority_create(struct tx *tx, view name, struct error *err);

/*
 * authority_open(tx, out, err): ERR_CORRUPT when there is no root.  Adds the key for statements to
 * ${tx} when there is none yet.
 */
MUST_USE bool authority_open(struct tx *tx, struct authority **out, struct error *err);
void authority_free(struct authority *authority); /* NULL is fine */

/* authority_pem(authority, out, err): Append the root's certificate. */
MUST_USE bool authority_pem(const struct authority *authority, struct buf *out, struct error *err);

/*
 * authority_issue(authority, domain, chain, key, expires, err):
 * A new leaf and key, as PEM, for all names an installation of that domain has.  The key exists
 * nowhere else.  ${expires} is by the wall clock.
 */
MUST_USE bool authority_issue(struct authority *authority, const char *domain, struct buf *chain,
    struct buf *key, int64_t *expires, struct error *err);

/*
 * authority_sign(authority, payload, out, err):
 * Append a compact JWS (RFC 7515), RS256.  Its header's x5c holds a certificate of the key, good
 * for a day, and the root's.  Any thread.
 */
MUST_USE bool authority_sign(struct authority *authority, view payload, struct buf *out,
    struct error *err);

#endif
