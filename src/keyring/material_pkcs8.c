#include "crypto/pkcs8.h"
#include "keyring/material.h"
#include "keyring/software_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

/*
 * A private key out of a file goes the way of those that come as a JWK: as numbers, which
 * material_take looks at one by one.
 */

#define NUMBERS_MAX 4096 /* bytes of all numbers together: of RSA-4096, 2823 */

struct reader {
	const EVP_PKEY *pkey;
	struct plain *room; /* what the numbers lie in */
	size_t used;
};

static bool
malformed(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER,
	    "The private key is malformed, or not of a kind that is supported.");
}

static void
number_done(BIGNUM **number)
{
	BN_clear_free(*number);
}

static bool
take_number(struct reader *reader, const char *name, view *out)
{
	AUTO(number_done) BIGNUM *number = NULL;
	char *at = plain_bytes(reader->room) + reader->used;
	size_t len;

	if (EVP_PKEY_get_bn_param(reader->pkey, name, &number) != 1)
		return false;
	len = (size_t)BN_num_bytes(number);
	if (len > NUMBERS_MAX - reader->used ||
	    BN_bn2binpad(number, (unsigned char *)at, (int)len) != (int)len)
		return false;
	reader->used += len;
	*out = (view){ at, len };
	return true;
}

static bool
take_rsa(struct reader *reader, struct key_numbers *out)
{
	const struct {
		const char *name;
		view *out;
	} numbers[] = {
		{ OSSL_PKEY_PARAM_RSA_N, &out->n },
		{ OSSL_PKEY_PARAM_RSA_E, &out->e },
		{ OSSL_PKEY_PARAM_RSA_D, &out->d },
		{ OSSL_PKEY_PARAM_RSA_FACTOR1, &out->p },
		{ OSSL_PKEY_PARAM_RSA_FACTOR2, &out->q },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT1, &out->dp },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT2, &out->dq },
		{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &out->qi },
	};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (!take_number(reader, numbers[i].name, numbers[i].out))
			return false;
	}
	return true;
}

static bool
take_ec(struct reader *reader, struct key_numbers *out)
{
	return take_number(reader, OSSL_PKEY_PARAM_EC_PUB_X, &out->x) &&
	    take_number(reader, OSSL_PKEY_PARAM_EC_PUB_Y, &out->y) &&
	    take_number(reader, OSSL_PKEY_PARAM_PRIV_KEY, &out->d);
}

static bool
find_curve(const EVP_PKEY *pkey, enum key_curve *out)
{
	static const enum key_curve curves[] = { KEY_P256, KEY_P256K, KEY_P384, KEY_P521 };
	char group[64];

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return false;
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		if (strcmp(group, software_group(curves[i])) == 0) {
			*out = curves[i];
			return true;
		}
	}
	return false;
}

static bool
describe(struct reader *reader, struct key_spec *spec, struct key_numbers *numbers)
{
	if (EVP_PKEY_is_a(reader->pkey, "RSA")) {
		spec->kind = KEY_RSA;
		return take_rsa(reader, numbers);
	}
	spec->kind = KEY_EC;
	return EVP_PKEY_is_a(reader->pkey, "EC") && find_curve(reader->pkey, &spec->curve) &&
	    take_ec(reader, numbers);
}

bool
material_take_pkcs8(struct keyring *keyring, struct vault_key *key, view pkcs8, bool hsm,
    struct arena *arena, struct material *out, struct error *err)
{
	AUTO(plain_done) struct plain *room = plain_new(NUMBERS_MAX);
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	struct reader reader = { .room = room };
	struct key_spec spec = { .hsm = hsm };
	struct key_numbers numbers = { 0 };

	if (room == NULL)
		return error_memory(err);
	if (!pkcs8_decode(pkcs8, &pkey, err))
		return err->code == ERR_CORRUPT ? malformed(err) : false;
	reader.pkey = pkey;
	if (!describe(&reader, &spec, &numbers))
		return malformed(err);
	if (material_take(keyring, key, &spec, &numbers, arena, out, err))
		return true;
	return err->code == ERR_BAD_PARAMETER ? malformed(err) : false;
}
