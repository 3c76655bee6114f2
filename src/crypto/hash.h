/*
 * Digests, MACs and key derivation.  Algorithms are fetched once, at first use.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/error.h"
#include "base/view.h"

#define SHA1_LEN 20
#define SHA256_LEN 32

MUST_USE bool sha256(const view *parts, size_t count, uint8_t out[SHA256_LEN], struct error *err);
MUST_USE bool sha1(view bytes, uint8_t out[SHA1_LEN], struct error *err); /* thumbprints only */
MUST_USE bool hmac_sha256(view key, view bytes, uint8_t out[SHA256_LEN], struct error *err);

/* hkdf_sha256(key, salt, info, out, len, err): RFC 5869, at most 255 * 32 bytes. */
MUST_USE bool hkdf_sha256(view key, view salt, view info, uint8_t *out, size_t len,
    struct error *err);

/*
 * A SHA-256 of what comes in pieces: hash_new, hash_add as often as needed, hash_end once.  A
 * failed hash_add is told by hash_end.
 */
struct hash;
MUST_USE bool hash_new(struct hash **out, struct error *err);
void hash_add(struct hash *hash, view bytes);
MUST_USE bool hash_end(struct hash *hash, uint8_t out[SHA256_LEN], struct error *err);
void hash_free(struct hash *hash);  /* NULL is fine */
void hash_done(struct hash **hash); /* for AUTO */

#endif
