/*
 * For tests: an outside issuer with an RSA and a P-384 key, served from memory.
 */
#ifndef IDENTITY_ISSUER_TESTING_H
#define IDENTITY_ISSUER_TESTING_H

#include "identity/issuer.h"

#include <openssl/evp.h>
#include <stdatomic.h>

#define OUTSIDE "https://issuer.example.org/realm"

struct outside {
	EVP_PKEY *rsa, *ec; /* kids "r1" and "e1" */
	struct buf configuration, keys;
	struct arena arena; /* of the tokens */
	atomic_uint asked;  /* fetches of the configuration */
	atomic_bool down;
	int64_t now;    /* outside_clock */
	int64_t takes;  /* seconds that the clock goes on with a fetch */
	unsigned pause; /* milliseconds that it takes */
};

extern struct outside outside; /* one a test program */

void outside_make(void);
void outside_end(void);
void outside_set_keys(const char *keys); /* NULL: its own two */
issuer_fetch outside_fetch;
int64_t outside_clock(void);

/* outside_issuers(background): That know of ${outside} only. */
struct issuers *outside_issuers(bool background);

/* A token: the header's members as they are, signed as ${alg} says ("RS256", "PS256", "ES384"…). */
view outside_sign(const char *alg, const char *header, const char *payload);

/* The same with header {"alg","kid"} of the fitting key. */
view outside_token(const char *alg, const char *payload);

/* The same, signed with HMAC over ${secret}. */
view outside_hmac(view secret, const char *header, const char *payload);

#endif
