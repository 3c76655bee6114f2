/*
 * AES-256-GCM with a random 96-bit nonce: nonce(12) || ciphertext || tag(16).  One `struct aead` is
 * one key with its context, kept alive because setting a key up costs more than a small document;
 * it belongs to one thread at a time.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/error.h"
#include "base/view.h"

#define AEAD_KEY_LEN 32
#define AEAD_NONCE_LEN 12
#define AEAD_TAG_LEN 16
#define AEAD_OVERHEAD (AEAD_NONCE_LEN + AEAD_TAG_LEN)

struct aead;

MUST_USE bool aead_new(const uint8_t key[AEAD_KEY_LEN], struct aead **out, struct error *err);
void aead_free(struct aead *aead); /* wipes the key; NULL is fine */

/* aead_seal(aead, plain, aad, out, err): plain.len + AEAD_OVERHEAD bytes to ${out}. */
MUST_USE bool aead_seal(struct aead *aead, view plain, view aad, char *out, struct error *err);

/*
 * aead_open(aead, sealed, aad, out, err):
 * sealed.len - AEAD_OVERHEAD bytes to ${out}.  ERR_CORRUPT when it was not sealed by this key with
 * this ${aad}; ${out} is wiped then.
 */
MUST_USE bool aead_open(struct aead *aead, view sealed, view aad, char *out, struct error *err);

#endif
