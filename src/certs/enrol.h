/*
 * Asking an issuer for a certificate.  A pending operation keeps what enrol_finish gave it as its
 * state, and calls both again when it is time: enrol_prepare outside of any transaction, for what
 * takes its time and needs others, then enrol_finish in the transaction that writes the operation.
 *
 *	DigiCert, GlobalSign, Test	there is nobody here who could ask them: they fail
 *	Strongroom			the vault's own authority (ca.h): done at once, or once
 *					its token is there, however long that takes
 *	ACME				acme/acme.h, a step a call
 *
 * What can't be reached is tried again, later each time; an ACME server for ENROL_PATIENCE.  When
 * the issuer is changed meanwhile, an operation begins anew with what it is by then.
 */
#ifndef CERTS_ENROL_H
#define CERTS_ENROL_H

#include "pki/profile.h"
#include "vault/vault.h"

#define ENROL_PATIENCE ((int64_t)3 * 86400) /* seconds, by the vault's clock */
#define ENROL_WAIT_MAX ((int64_t)6 * 3600)  /* between two tries */

struct enrol_ask {
	const struct services *services;
	const struct vault *vault;
	view issuer;                   /* its name, as the policy has it; not Self, not Unknown */
	view certificate;              /* the certificate's name */
	view csr;                      /* DER */
	int64_t not_before, not_after; /* what the policy asks for */
};

enum enrol_outcome { ENROL_WAIT, ENROL_DONE, ENROL_FAILED };

struct enrol_result {
	enum enrol_outcome outcome;
	int64_t again;      /* ENROL_WAIT: when to go on, Unix seconds */
	view state;         /* ENROL_WAIT: to be kept */
	struct views chain; /* ENROL_DONE: DER, leaf first; the leaf's key is the request's */
	/* ENROL_FAILED: the operation's error.  ENROL_WAIT: the message is what it waits for. */
	const char *code;
	int status; /* HTTP, of that kind of error: for the audit log */
	view message;
};

/*
 * enrol_prepare(ask, state, now, arena, out, err):
 * ${state} is empty at first.  It outlives enrol_finish, as ${arena} does, in which ${out} and what
 * it points to live.  An error is the server's own (memory, the store), never the issuer's.
 */
MUST_USE bool enrol_prepare(const struct enrol_ask *ask, view state, int64_t now,
    struct arena *arena, void **out, struct error *err);

/* enrol_finish(ask, tx, prepared, now, out, err): ${out} lives in tx->arena and ${prepared}'s. */
MUST_USE bool enrol_finish(const struct enrol_ask *ask, struct tx *tx, void *prepared, int64_t now,
    struct enrol_result *out, struct error *err);

/*
 * enrol_abandon(tx, state, err):
 * Nobody goes on from ${state} (empty: there is nothing to do): what it shows by HTTP-01 is deleted
 * in ${tx}.  A record of DNS-01 stays: to take it away takes a program, and no transaction waits
 * for one.
 */
MUST_USE bool enrol_abandon(struct tx *tx, view state, struct error *err);

#endif
