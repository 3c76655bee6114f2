/*
 * What the files software*.c share of a key.
 */
#ifndef KEYRING_SOFTWARE_KEY_H
#define KEYRING_SOFTWARE_KEY_H

#include "crypto/signature.h"
#include "keyring/software.h"

#include <pthread.h>
#include <stdatomic.h>

#define OCT_MAX 32

enum rsa_cipher { CIPHER_RSA1_5, CIPHER_OAEP_SHA1, CIPHER_OAEP_SHA256, CIPHER_COUNT };

struct software_key {
	atomic_uint holders;
	struct key_spec spec;
	EVP_PKEY *pkey;      /* RSA, EC */
	atomic_bool starved; /* of RSA: its blinding may be damaged; decrypt with copies */
	struct plain *oct;   /* oct */

	/*
	 * Contexts that are set up, to be duplicated by each use; made by the first one, under the
	 * lock, and never changed then.
	 */
	pthread_mutex_t lock;
	EVP_PKEY_CTX *signatures[SIGNATURE_COUNT][SIGNATURE_VERIFY + 1];
	EVP_PKEY_CTX *ciphers[CIPHER_COUNT][2]; /* encrypt, decrypt */
};

/* software_new(spec, out, err): Without its numbers yet. */
MUST_USE bool software_new(const struct key_spec *spec, struct software_key **out,
    struct error *err);

/* What does not decrypt, for whatever reason: always false. */
bool software_undecryptable(struct error *err);

/* A curve as OpenSSL names it. */
const char *software_group(enum key_curve curve);

MUST_USE bool software_use_aes(const struct software_key *key,
    const struct key_algorithm *algorithm, bool encrypt, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err);
MUST_USE bool software_hmac(const struct software_key *key, const struct key_algorithm *algorithm,
    view value, struct arena *arena, view *out, struct error *err);

#endif
