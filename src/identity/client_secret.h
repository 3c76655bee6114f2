/*
 * Client secrets: 40 random characters with 6 bits each, of which only a salted hash is kept.
 */
#ifndef IDENTITY_CLIENT_SECRET_H
#define IDENTITY_CLIENT_SECRET_H

#include "base/plain.h"
#include "base/uuid.h"
#include "crypto/hash.h"

#define CLIENT_SECRET_LEN 40
#define CLIENT_SECRET_HINT_LEN 3
#define CLIENT_SECRET_SALT_LEN 16

struct client_secret {
	struct uuid id;
	view name;
	int64_t start, end;                /* Unix seconds */
	char hint[CLIENT_SECRET_HINT_LEN]; /* its first characters */
	uint8_t salt[CLIENT_SECRET_SALT_LEN];
	uint8_t hash[SHA256_LEN];
};

enum secret_verdict { SECRET_WRONG, SECRET_EXPIRED, SECRET_GOOD };

/* client_secret_make(out, text, err): Fill in hint, salt and hash of ${out} for a new ${text}. */
MUST_USE bool client_secret_make(struct client_secret *out, struct plain **text, struct error *err);

/*
 * client_secret_check(secrets, count, text, now, out, err):
 * Compare with all of them, in a time that does not depend on the outcome; with one that fits
 * nothing when there are none.
 */
MUST_USE bool client_secret_check(const struct client_secret *secrets, size_t count, view text,
    int64_t now, enum secret_verdict *out, struct error *err);

#endif
