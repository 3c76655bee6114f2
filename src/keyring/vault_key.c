#include "keyring/vault_key.h"

#include <stdlib.h>

bool
vault_key_new(struct plain **bytes, struct vault_key **out, struct error *err)
{
	struct vault_key *key;

	if (plain_view(*bytes).len != AEAD_KEY_LEN)
		return error_set(err, ERR_CORRUPT, "A vault's key has an impossible length.");
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return error_memory(err);
	key->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	key->bytes = *bytes;
	*bytes = NULL;
	*out = key;
	return true;
}

/* Contexts that are in use now are freed when they come back. */
void
vault_key_forget(struct vault_key *key)
{
	(void)pthread_mutex_lock(&key->lock);
	plain_free(key->bytes);
	key->bytes = NULL;
	while (key->idle_count > 0)
		aead_free(key->idle[--key->idle_count]);
	(void)pthread_mutex_unlock(&key->lock);
}

void
vault_key_free(struct vault_key *key)
{
	if (key == NULL)
		return;
	vault_key_forget(key);
	(void)pthread_mutex_destroy(&key->lock);
	free(key);
}

static bool
make_context(const struct vault_key *key, struct aead **out, struct error *err)
{
	if (key->bytes == NULL)
		return error_set(err, ERR_STORE_CONFLICT, "The vault's key was destroyed.");
	return aead_new((const uint8_t *)plain_view(key->bytes).ptr, out, err);
}

static bool
take(struct vault_key *key, struct aead **out, struct error *err)
{
	bool ok = true;

	(void)pthread_mutex_lock(&key->lock);
	if (key->idle_count > 0)
		*out = key->idle[--key->idle_count];
	else
		ok = make_context(key, out, err);
	(void)pthread_mutex_unlock(&key->lock);
	return ok;
}

static void
give_back(struct vault_key *key, struct aead *aead)
{
	(void)pthread_mutex_lock(&key->lock);
	if (key->bytes != NULL && key->idle_count < VAULT_KEY_IDLE_MAX) {
		key->idle[key->idle_count++] = aead;
		aead = NULL;
	}
	(void)pthread_mutex_unlock(&key->lock);
	aead_free(aead);
}

bool
vault_key_seal(struct vault_key *key, enum purpose purpose, view plain, view aad, char *out,
    struct error *err)
{
	struct aead *aead;
	bool ok;

	if (!take(key, &aead, err))
		return false;
	ok = sealed_make(aead, purpose, plain, aad, out, err);
	give_back(key, aead);
	return ok;
}

bool
vault_key_open(struct vault_key *key, enum purpose purpose, view sealed, view aad,
    struct plain **out, struct error *err)
{
	struct aead *aead;
	bool ok;

	if (!take(key, &aead, err))
		return false;
	ok = sealed_open(aead, purpose, sealed, aad, out, err);
	give_back(key, aead);
	return ok;
}
