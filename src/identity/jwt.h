/*
 * A compact JWS with claims (RFC 7515, RFC 7519), taken apart and believed in nothing.  Strict:
 * three parts of unpadded base64url, JSON objects without duplicate names, everything bounded.
 */
#ifndef IDENTITY_JWT_H
#define IDENTITY_JWT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"
#include "crypto/publickey.h"

#define JWT_MAX ((size_t)16 * 1024)
#define JWT_HEADER_MAX ((size_t)1024)            /* of ours, encoded */
#define ASSERTION_HEADER_MAX ((size_t)12 * 1024) /* clients put certificate chains in (x5c) */
#define JWT_ARENA_MAX ((size_t)96 * 1024)        /* enough for everything below */

struct jwt {
	view signing_input; /* "header.payload", as it was signed */
	view header;        /* the first part as sent */
	view payload;       /* JSON text; see jwt_claims_read */
	view signature;
	view alg_name;
	enum signature_alg alg; /* SIGNATURE_NONE for all that we don't know */
	view kid;               /* these are empty when absent */
	view x5t, x5t_s256;     /* still base64url */
};

struct jwt_time {
	bool given;
	int64_t at; /* Unix seconds */
};

#define JWT_AUDIENCES_MAX 8

struct jwt_claims {
	view iss, sub, tid, oid, appid, jti, idtyp, upn; /* empty when absent */
	view aud;                          /* the only one; empty when there are more or none */
	view audiences[JWT_AUDIENCES_MAX]; /* all of them */
	size_t audience_count;
	struct jwt_time iat, nbf, exp;
};

/*
 * jwt_parse(text, header_max, arena, out, err):
 * Take ${text} apart; views point into it or into ${arena}.  ERR_BAD_REQUEST says what is wrong: an
 * empty signature, or critical extensions (`crit`), is wrong too.  Keys and addresses
 * of keys in the header (jwk, jku, x5u, x5c) are not looked at: who verifies knows its keys.
 */
MUST_USE bool jwt_parse(view text, size_t header_max, struct arena *arena, struct jwt *out,
    struct error *err);

/*
 * jwt_claims_read(payload, arena, out, err):
 * The claims of a token; worth something once its signature is good.  ERR_BAD_REQUEST when one is
 * of the wrong type.
 */
MUST_USE bool jwt_claims_read(view payload, struct arena *arena, struct jwt_claims *out,
    struct error *err);

/* jwt_claim_text(payload, name, arena, out, err): One claim, which must be text; or empty. */
MUST_USE bool jwt_claim_text(view payload, const char *name, struct arena *arena, view *out,
    struct error *err);

/* printable(text, out): At most 200 characters of a stranger's text, fit for a message. */
#define PRINTABLE_MAX 200
const char *printable(view text, char out[PRINTABLE_MAX + 1]);

#endif
