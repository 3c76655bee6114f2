/*
 * The ACME side of enrol.h.  Private to certs/.
 *
 * Document, sealed under the vault's key: v/<vault>/ca-account/<NAME>, the key of the account that
 * the issuer of that name has with its server.
 */
#ifndef CERTS_ENROL_ACME_H
#define CERTS_ENROL_ACME_H

#include "certs/enrol.h"
#include "certs/issuer.h"

/* What one step did; in the arena. */
struct acme_turn {
	view account; /* a new account's key, to be written; empty: none */
	view state;   /* acme_pack's, after the step */
	bool done;    /* ${chain} is there */
	struct views chain;
	bool busy;     /* it could not be asked; ${message} says why */
	bool failed;   /* it refused; likewise */
	unsigned wait; /* seconds */
	view message;
	view shown, shown_value, hidden; /* tokens of HTTP-01; empty: none */
};

/*
 * acme_turn_take(ask, issuer, account, arena, state, out, err):
 * One step, without a snapshot.  ${account} as acme_account_read gave it: when it is empty, one is
 * made.  ${state} as acme_pack made it, or empty.  What the server refuses is in ${out}, and no
 * error.  Blocks.
 */
MUST_USE bool acme_turn_take(const struct enrol_ask *ask, const struct issuer *issuer,
    const view *account, struct arena *arena, view state, struct acme_turn *out, struct error *err);

/* acme_account_read(tx, vault, issuer, arena, out, err): Copied into ${arena}; empty: none yet. */
MUST_USE bool acme_account_read(struct tx *tx, const struct vault *vault, view issuer,
    struct arena *arena, view *out, struct error *err);
MUST_USE bool acme_account_write(struct tx *tx, const struct vault *vault, view issuer,
    view account, struct error *err);
MUST_USE bool acme_account_delete(struct tx *tx, const struct vault *vault, view issuer,
    struct error *err);

#endif
