/*
 * A client of ACME (RFC 8555): from an account to a certificate's chain, one step at a time.
 *
 * Where an issuance stands is a plain struct that can be packed and kept: whoever drives it calls
 * acme_step, keeps the state, waits as long as it was told, and calls again, after a restart too.
 * A step makes a few HTTP exchanges at most, and blocks no longer than they take (ACME_SECONDS
 * each), so it belongs on a thread of its own.  A step that was done but not kept is done again:
 * orders, proofs and requests may come twice, which ACME allows.
 */
#ifndef ACME_ACME_H
#define ACME_ACME_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define ACME_URL_MAX 512
#define ACME_NAME_MAX 254
#define ACME_TOKEN_MAX 128
#define ACME_NONCE_MAX 256
#define ACME_NAMES_MAX 100
#define ACME_CHAIN_MAX ((size_t)256 * 1024)
#define ACME_COORDINATE_LEN 32
#define ACME_SIGNATURE_LEN 64
#define ACME_SECONDS 20

enum acme_kind { ACME_HTTP_01 = 1, ACME_DNS_01 };

enum acme_stage {
	ACME_DIRECTORY,     /* read what the server's URLs are; also a zeroed state */
	ACME_ACCOUNT,       /* make the account, or find that it is there */
	ACME_ORDER,         /* order the names */
	ACME_LOOK,          /* what does the order wait for? */
	ACME_AUTHORIZATION, /* how can the next name be proved? */
	ACME_ANSWER,        /* the proof is there to be seen: say so */
	ACME_PROVED,        /* has it been seen? */
	ACME_FINALIZE,      /* send the request */
	ACME_DOWNLOAD,
	ACME_DONE,
	ACME_FAILED,
};

/* Texts end with a NUL. */
struct acme_state {
	enum acme_stage stage;
	unsigned next;  /* authorisation of the order: its place among their sorted URLs */
	unsigned waits; /* times the server said "not yet" at this stage */
	char new_nonce[ACME_URL_MAX], new_account[ACME_URL_MAX], new_order[ACME_URL_MAX];
	char nonce[ACME_NONCE_MAX];
	char account[ACME_URL_MAX], order[ACME_URL_MAX], finalize[ACME_URL_MAX];
	char authorization[ACME_URL_MAX], challenge[ACME_URL_MAX], certificate[ACME_URL_MAX];
	/* The proof that is there to be seen; an empty token: none. */
	enum acme_kind kind;
	char name[ACME_NAME_MAX], token[ACME_TOKEN_MAX];
};

struct acme_name {
	bool address; /* an IP address (RFC 8738), not a host name */
	view value;
};

struct acme_proof {
	enum acme_kind kind;
	view name;  /* the host's; of DNS-01 the record's, "_acme-challenge.<host>" */
	view token; /* HTTP-01: the last part of the path */
	view value; /* what is served there, or the TXT record's value */
};

/*
 * What an issuance needs, given again at every step.  Everything is borrowed.
 *
 * sign: ES256 over ${message}, r || s, by the account's key.
 * show, hide: Make a proof seen, and take it back; either may come twice.  NULL-terminated views
 * are not promised.
 */
typedef bool acme_sign(void *ctx, view message, uint8_t out[ACME_SIGNATURE_LEN], struct error *err);
typedef bool acme_show(void *ctx, const struct acme_proof *proof, struct error *err);
struct acme {
	const char *directory;    /* URL */
	const char *more_ca_file; /* PEM, trusted beside the system's; NULL: none */
	uint8_t x[ACME_COORDINATE_LEN],
	    y[ACME_COORDINATE_LEN];   /* the account's public key, P-256 */
	view binding_id, binding_key; /* external account binding, the key raw; empty: none */
	const view *emails;           /* of the account's contacts */
	size_t email_count;
	const struct acme_name *names; /* 1 to ACME_NAMES_MAX */
	size_t name_count;
	view csr;       /* DER */
	bool http, dns; /* which challenges can be met */
	acme_sign *sign;
	acme_show *show, *hide;
	void *ctx;
};

/*
 * acme_step(acme, state, arena, wait, chain, err):
 * Go one step on from ${state} and change it.  ${wait}: seconds until the next step makes sense.
 * Once state->stage is ACME_DONE, ${chain} holds the certificates in PEM, leaf first.
 *
 * ERR_UNAVAILABLE: the server could not be reached or is busy; ${state} is still good, the same
 * step may be tried again after ${wait} seconds.  Any other error is final: the state is
 * ACME_FAILED, and the message says what the server said.
 */
MUST_USE bool acme_step(const struct acme *acme, struct acme_state *state, struct arena *arena,
    unsigned *wait, struct buf *chain, struct error *err);

void acme_pack(const struct acme_state *state, struct buf *out);
MUST_USE bool acme_unpack(view packed, struct acme_state *out);

/* acme_stage_name(stage): For people: "waiting for the proof to be seen" ... */
const char *acme_stage_name(enum acme_stage stage);

/* acme_token_valid(token): Letters, digits, '-' and '_', fewer than ACME_TOKEN_MAX. */
bool acme_token_valid(view token);

#endif
