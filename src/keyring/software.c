#include "crypto/random.h"
#include "crypto/pkcs8.h"
#include "keyring/software_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

static const char *const groups[] = {
	[KEY_P256] = "prime256v1",
	[KEY_P256K] = "secp256k1",
	[KEY_P384] = "secp384r1",
	[KEY_P521] = "secp521r1",
};

const char *
software_group(enum key_curve curve)
{
	return (size_t)curve < COUNT_OF(groups) ? groups[curve] : NULL;
}

bool
software_new(const struct key_spec *spec, struct software_key **out, struct error *err)
{
	struct software_key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		return error_memory(err);
	atomic_init(&key->holders, 1U);
	key->spec = *spec;
	key->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	*out = key;
	return true;
}

struct software_key *
software_hold(struct software_key *key)
{
	(void)atomic_fetch_add(&key->holders, 1U);
	return key;
}

static void
free_contexts(EVP_PKEY_CTX **ctxs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		EVP_PKEY_CTX_free(ctxs[i]);
}

void
software_release(struct software_key *key)
{
	if (key == NULL || atomic_fetch_sub(&key->holders, 1U) > 1)
		return;
	free_contexts(&key->signatures[0][0], sizeof(key->signatures) / sizeof(EVP_PKEY_CTX *));
	free_contexts(&key->ciphers[0][0], sizeof(key->ciphers) / sizeof(EVP_PKEY_CTX *));
	EVP_PKEY_free(key->pkey);
	plain_free(key->oct);
	(void)pthread_mutex_destroy(&key->lock);
	free(key);
}

void
software_done(struct software_key **key)
{
	software_release(*key);
}

const struct key_spec *
software_spec(const struct software_key *key)
{
	return &key->spec;
}

static bool
generate_oct(struct software_key *key, struct error *err)
{
	key->oct = plain_new(key->spec.bits / 8);
	if (key->oct == NULL)
		return error_memory(err);
	random_bytes(plain_bytes(key->oct), key->spec.bits / 8);
	return true;
}

bool
software_generate(const struct key_spec *spec, struct software_key **out, struct error *err)
{
	AUTO(software_done) struct software_key *key = NULL;

	if (!software_new(spec, &key, err))
		return false;
	if (spec->kind == KEY_OCT) {
		if (!generate_oct(key, err))
			return false;
	} else {
		key->pkey = spec->kind == KEY_RSA ? EVP_RSA_gen(spec->bits)
						  : EVP_EC_gen(software_group(spec->curve));
		if (key->pkey == NULL)
			return openssl_unable(err);
	}
	*out = key;
	key = NULL;
	return true;
}

/* Is it the kind of key that its document says? */
static bool
is_as_said(const struct key_spec *spec, const EVP_PKEY *pkey)
{
	char group[32];

	if (spec->kind == KEY_RSA)
		return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) == (int)spec->bits;
	return EVP_PKEY_is_a(pkey, "EC") && software_group(spec->curve) != NULL &&
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	    strcmp(group, software_group(spec->curve)) == 0;
}

bool
software_open(const struct key_spec *spec, view kept, struct software_key **out, struct error *err)
{
	AUTO(software_done) struct software_key *key = NULL;
	bool good;

	if (!software_new(spec, &key, err))
		return false;
	if (spec->kind == KEY_OCT) {
		good = kept.len == spec->bits / 8 && kept.len > 0 && kept.len <= OCT_MAX;
		key->oct = good ? plain_copy(kept) : NULL;
		if (good && key->oct == NULL)
			return error_memory(err);
	} else {
		if (!pkcs8_decode(kept, &key->pkey, err))
			return false;
		good = is_as_said(spec, key->pkey);
	}
	if (!good)
		return openssl_failed(err, ERR_CORRUPT, "A key is not what its document says.");
	*out = key;
	key = NULL;
	return true;
}

bool
software_save(const struct software_key *key, struct plain **out, struct error *err)
{
	struct plain *copy;

	if (key->spec.kind != KEY_OCT)
		return pkcs8_encode(key->pkey, out, err);
	copy = plain_copy(plain_view(key->oct));
	if (copy == NULL)
		return error_memory(err);
	*out = copy;
	return true;
}

static bool
number(const EVP_PKEY *pkey, const char *name, size_t len, struct arena *arena, view *out,
    struct error *err)
{
	AUTO(bn_done) BIGNUM *value = NULL;
	unsigned char *bytes;

	if (EVP_PKEY_get_bn_param(pkey, name, &value) != 1)
		return openssl_unable(err);
	if (len == 0)
		len = (size_t)BN_num_bytes(value);
	bytes = arena_alloc(arena, len);
	if (bytes == NULL)
		return error_memory(err);
	if (BN_bn2binpad(value, bytes, (int)len) != (int)len)
		return openssl_unable(err);
	*out = (view){ (const char *)bytes, len };
	return true;
}

bool
software_numbers(const struct software_key *key, struct arena *arena, struct key_numbers *out,
    struct error *err)
{
	struct key_numbers numbers = { 0 };
	size_t len = key_field_len(key->spec.curve);
	bool ok = true;

	if (key->spec.kind == KEY_RSA)
		ok = number(key->pkey, OSSL_PKEY_PARAM_RSA_N, key->spec.bits / 8, arena, &numbers.n,
			 err) &&
		    number(key->pkey, OSSL_PKEY_PARAM_RSA_E, 0, arena, &numbers.e, err);
	else if (key->spec.kind == KEY_EC)
		ok = number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, len, arena, &numbers.x, err) &&
		    number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, len, arena, &numbers.y, err);
	if (ok)
		*out = numbers;
	return ok;
}
