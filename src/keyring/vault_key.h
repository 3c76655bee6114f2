/*
 * One vault's key: 32 bytes, and a few idle contexts that have it set up.  For keyring/ only.
 */
#ifndef KEYRING_VAULT_KEY_H
#define KEYRING_VAULT_KEY_H

#include "base/plain.h"
#include "keyring/sealed.h"

#include <pthread.h>

#define ROOT_ID_LEN 16
#define VAULT_KEY_IDLE_MAX 8

struct vault_key {
	pthread_mutex_t lock;
	struct plain *bytes; /* NULL once forgotten */
	struct aead *idle[VAULT_KEY_IDLE_MAX];
	size_t idle_count;

	/* The keyring's, under its lock: */
	int64_t made; /* by clock_mono, when its row is not known to be in the store; or 0 */
	char root[ROOT_ID_LEN]; /* what it was wrapped under then */
	struct vault_key *next; /* of the forgotten ones */
};

/* vault_key_new(bytes, out, err): Takes ${bytes}, and sets them to NULL, when it succeeds. */
MUST_USE bool vault_key_new(struct plain **bytes, struct vault_key **out, struct error *err);
void vault_key_forget(struct vault_key *key);
void vault_key_free(struct vault_key *key); /* NULL is fine */

/* As sealed_make and sealed_open; any thread. */
MUST_USE bool vault_key_seal(struct vault_key *key, enum purpose purpose, view plain, view aad,
    char *out, struct error *err);
MUST_USE bool vault_key_open(struct vault_key *key, enum purpose purpose, view sealed, view aad,
    struct plain **out, struct error *err);

#endif
