/*
 * Proofs that are there to be seen by HTTP-01 (RFC 8555, 8.3): written with the state of the
 * issuance they belong to, so that they outlive a restart.
 *
 * Document, sealed under the system key: acme/<token>
 */
#ifndef CERTS_PROOF_H
#define CERTS_PROOF_H

#include "keyring/tx.h"

MUST_USE bool proof_put(struct tx *tx, view token, view value, struct error *err);
MUST_USE bool proof_delete(struct tx *tx, view token, struct error *err);

/* Looks proofs up for a listener, on its one thread. */
struct proofs;
MUST_USE bool proofs_open(struct store *store, struct keyring *keyring, struct proofs **out,
    struct error *err);
void proofs_close(struct proofs *proofs); /* NULL is fine */

/* proofs_find(proofs, token, out): As acme/http01.h wants it. */
bool proofs_find(void *proofs, view token, struct buf *out);

#endif
