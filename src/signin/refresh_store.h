/*
 * The documents of refresh tokens' families; for refresh*.c only.
 */
#ifndef SIGNIN_REFRESH_STORE_H
#define SIGNIN_REFRESH_STORE_H

#include "crypto/hash.h"
#include "signin/refresh.h"

#define REFRESH_SECRET_LEN 32
#define REFRESH_SECRET_TEXT 43
#define REFRESH_NONCE_LEN 32
#define REFRESH_BEFORE_MAX 16
#define REFRESH_REVOKED_KEPT ((int64_t)86400) /* seconds; then it is unknown */

/* A token that was followed by another at ${at}, and by which step. */
struct refresh_before {
	int64_t at;
	uint8_t digest[SHA256_LEN];
	uint8_t nonce[REFRESH_NONCE_LEN];
};

struct refresh_family {
	struct refresh_facts facts;
	int64_t used; /* last; Unix seconds */
	bool revoked;
	uint8_t current[SHA256_LEN];                      /* the newest token's digest */
	struct refresh_before before[REFRESH_BEFORE_MAX]; /* in order */
	size_t count;
};

/* refresh_prefix: Below which a user's families lie; a tenant's when ${user} is NULL. */
MUST_USE bool refresh_prefix(struct arena *arena, const struct uuid *tenant,
    const struct uuid *user, view *out, struct error *err);

/* refresh_family_take: For change; ${out} is left alone when there is none. */
MUST_USE bool refresh_family_take(struct tx *tx, const struct refresh_name *name,
    struct refresh_family *out, bool *there, struct error *err);
MUST_USE bool refresh_family_put(struct tx *tx, const struct refresh_name *name,
    const struct refresh_family *family, struct error *err);

/* refresh_family_read(document, out, err): The resource borrows from ${document}. */
MUST_USE bool refresh_family_read(view document, struct refresh_family *out, struct error *err);
bool refresh_family_expired(const struct refresh_family *family, int64_t now);

#endif
