/*
 * Tokens that were verified, so that a client's next request costs a digest instead of a signature.
 * One cache a loop, without locks; found by the token's SHA-256, so that no token is kept.
 */
#ifndef IDENTITY_TOKEN_CACHE_H
#define IDENTITY_TOKEN_CACHE_H

#include "api/request.h"
#include "crypto/hash.h"

#define AUDIENCE_MAX 255

/* What a good token says. */
struct token_facts {
	struct caller caller;
	bool outside; /* an outside issuer's; ->audience is not kept: it was looked at */
	int64_t not_before, expires;
	size_t audience_len;
	char audience[AUDIENCE_MAX];
};

struct token_cache;

MUST_USE struct token_cache *token_cache_new(void); /* NULL without memory */
void token_cache_free(struct token_cache *cache);   /* NULL is fine */

/* token_cache_find(...): NULL unless it was put under the same ${generation}. */
const struct token_facts *token_cache_find(struct token_cache *cache,
    const uint8_t digest[SHA256_LEN], uint64_t generation);

/* token_cache_put(...): Keep a copy of ${facts}, in the place of the one unused for longest. */
void token_cache_put(struct token_cache *cache, const uint8_t digest[SHA256_LEN],
    uint64_t generation, const struct token_facts *facts);

#endif
