#include "keyring/software_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

/*
 * Numbers from outside.  How long each may be is looked at before anything is computed with it;
 * those that are secret are computed with in constant time.
 */

#define MODULUS_LEN_MAX 512 /* bytes: 4096 bits */
#define EXPONENT_LEN_MAX 5
#define FIELD_MAX 66

static bool
invalid(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER,
	    "The property \"key\" must be a valid JsonWebKey object.");
}

struct rsa {
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
	BN_CTX *ctx;
};

static void
rsa_done(struct rsa *rsa)
{
	BIGNUM *all[] = { rsa->n, rsa->e, rsa->d, rsa->p, rsa->q, rsa->dp, rsa->dq, rsa->qi };

	for (size_t i = 0; i < COUNT_OF(all); i++)
		BN_clear_free(all[i]);
	BN_CTX_free(rsa->ctx);
}

/* False: absent, zero or too long. */
static bool
read_number(view bytes, size_t max, bool secret, BIGNUM **out)
{
	bytes = key_without_zeros(bytes);
	if (bytes.len == 0 || bytes.len > max)
		return false;
	*out = BN_bin2bn(octets(bytes), (int)bytes.len, NULL);
	if (*out != NULL && secret)
		BN_set_flags(*out, BN_FLG_CONSTTIME);
	return *out != NULL;
}

static bool
read_rsa(const struct key_numbers *in, bool private, struct rsa *out)
{
	size_t half = MODULUS_LEN_MAX / 2;

	return read_number(in->n, MODULUS_LEN_MAX, false, &out->n) &&
	    read_number(in->e, EXPONENT_LEN_MAX, false, &out->e) &&
	    (!private ||
		(read_number(in->d, MODULUS_LEN_MAX, true, &out->d) &&
		    read_number(in->p, half, true, &out->p) &&
		    read_number(in->q, half, true, &out->q) &&
		    read_number(in->dp, half, true, &out->dp) &&
		    read_number(in->dq, half, true, &out->dq) &&
		    read_number(in->qi, half, true, &out->qi)));
}

/* Sizes: of an exponent of 2^32 at most only the odd ones are below 2^32. */
static bool
rsa_fits(const struct rsa *rsa, unsigned bits)
{
	unsigned found = (unsigned)BN_num_bits(rsa->n);

	return (found == 2048 || found == 3072 || found == 4096) && (bits == 0 || found == bits) &&
	    BN_is_odd(rsa->n) && BN_is_odd(rsa->e) && !BN_is_one(rsa->e) &&
	    BN_num_bits(rsa->e) <= 32;
}

/* dp == d mod (p - 1), and e is its inverse there. */
static bool
exponent_fits(const struct rsa *rsa, const BIGNUM *p, const BIGNUM *dp)
{
	AUTO(bn_done) BIGNUM *less = BN_dup(p);
	AUTO(bn_done) BIGNUM *found = BN_new();
	bool good;

	if (less == NULL || found == NULL || BN_sub_word(less, 1) != 1)
		return false;
	BN_set_flags(less, BN_FLG_CONSTTIME);
	BN_set_flags(found, BN_FLG_CONSTTIME);
	good = BN_mod(found, rsa->d, less, rsa->ctx) == 1 && BN_cmp(found, dp) == 0 &&
	    BN_mod_mul(found, dp, rsa->e, less, rsa->ctx) == 1 && BN_is_one(found);
	BN_clear(less);
	BN_clear(found);
	return good;
}

static bool
factors_fit(const struct rsa *rsa)
{
	AUTO(bn_done) BIGNUM *product = BN_new();
	int half = BN_num_bits(rsa->n) / 2;
	bool good;

	if (product == NULL)
		return false;
	BN_set_flags(product, BN_FLG_CONSTTIME);
	good = BN_num_bits(rsa->p) == half && BN_num_bits(rsa->q) == half &&
	    BN_cmp(rsa->p, rsa->q) != 0 && BN_mul(product, rsa->p, rsa->q, rsa->ctx) == 1 &&
	    BN_cmp(product, rsa->n) == 0 && BN_cmp(rsa->qi, rsa->p) < 0 &&
	    BN_mod_mul(product, rsa->qi, rsa->q, rsa->p, rsa->ctx) == 1 && BN_is_one(product);
	BN_clear(product);
	return good;
}

/* The cheap questions first: those about primes take most of a second. */
static bool
rsa_belongs_together(const struct rsa *rsa)
{
	return factors_fit(rsa) && BN_cmp(rsa->d, rsa->n) < 0 &&
	    exponent_fits(rsa, rsa->p, rsa->dp) && exponent_fits(rsa, rsa->q, rsa->dq) &&
	    BN_check_prime(rsa->p, rsa->ctx, NULL) == 1 &&
	    BN_check_prime(rsa->q, rsa->ctx, NULL) == 1;
}

static bool
rsa_build(const struct rsa *rsa, EVP_PKEY **out)
{
	AUTO(param_bld_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	const struct {
		const char *name;
		const BIGNUM *value;
	} numbers[] = {
		{ OSSL_PKEY_PARAM_RSA_N, rsa->n },
		{ OSSL_PKEY_PARAM_RSA_E, rsa->e },
		{ OSSL_PKEY_PARAM_RSA_D, rsa->d },
		{ OSSL_PKEY_PARAM_RSA_FACTOR1, rsa->p },
		{ OSSL_PKEY_PARAM_RSA_FACTOR2, rsa->q },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT1, rsa->dp },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT2, rsa->dq },
		{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, rsa->qi },
	};
	int selection = rsa->d == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;

	if (builder == NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (numbers[i].value != NULL &&
		    OSSL_PARAM_BLD_push_BN(builder, numbers[i].name, numbers[i].value) != 1)
			return false;
	}
	return pkey_build("RSA", selection, builder, out);
}

static bool
take_rsa(struct software_key *key, const struct key_numbers *numbers, bool private)
{
	AUTO(rsa_done) struct rsa rsa = { .ctx = BN_CTX_new() };

	if (rsa.ctx == NULL || !read_rsa(numbers, private, &rsa) ||
	    !rsa_fits(&rsa, key->spec.bits) || (private && !rsa_belongs_together(&rsa)) ||
	    !rsa_build(&rsa, &key->pkey))
		return false;
	key->spec.bits = (unsigned)BN_num_bits(rsa.n);
	return true;
}

static bool
pad(view bytes, size_t len, char *out)
{
	bytes = key_without_zeros(bytes);
	if (bytes.len > len)
		return false;
	memset(out, 0, len - bytes.len);
	if (bytes.len > 0)
		memcpy(out + len - bytes.len, bytes.ptr, bytes.len);
	return true;
}

static bool
ec_build(enum key_curve curve, view point, const BIGNUM *d, EVP_PKEY **out)
{
	AUTO(param_bld_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	return builder != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
		software_group(curve), 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr,
		point.len) == 1 &&
	    (d == NULL ||
		OSSL_PARAM_BLD_push_BN_pad(builder, OSSL_PKEY_PARAM_PRIV_KEY, d,
		    key_field_len(curve)) == 1) &&
	    pkey_build("EC", d == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, builder, out);
}

/* The point on its curve; d in its range, and the point's. */
static bool
ec_belongs_together(EVP_PKEY *pkey, bool private)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	return ctx != NULL && EVP_PKEY_public_check(ctx) == 1 &&
	    (!private || (EVP_PKEY_private_check(ctx) == 1 && EVP_PKEY_pairwise_check(ctx) == 1));
}

static bool
take_ec(struct software_key *key, const struct key_numbers *numbers, bool private)
{
	char point[1 + 2 * FIELD_MAX] = { 4 }; /* uncompressed */
	size_t len = key_field_len(key->spec.curve);
	BIGNUM *d = NULL;
	bool good;

	if (len == 0 || numbers->x.len == 0 || numbers->y.len == 0 ||
	    !pad(numbers->x, len, point + 1) || !pad(numbers->y, len, point + 1 + len) ||
	    (private && !read_number(numbers->d, len, true, &d)))
		return false;
	good = ec_build(key->spec.curve, (view){ point, 1 + 2 * len }, d, &key->pkey) &&
	    ec_belongs_together(key->pkey, private);
	BN_clear_free(d);
	key->spec.bits = good ? (unsigned)EVP_PKEY_get_bits(key->pkey) : 0;
	return good;
}

static bool
take_oct(struct software_key *key, const struct key_numbers *numbers)
{
	size_t len = numbers->k.len;

	if ((len != 16 && len != 24 && len != 32) ||
	    (key->spec.bits != 0 && key->spec.bits != len * 8))
		return false;
	key->spec.bits = (unsigned)len * 8;
	key->oct = plain_copy(numbers->k);
	return key->oct != NULL;
}

static bool
take(struct software_key *key, const struct key_numbers *numbers, bool private)
{
	switch (key->spec.kind) {
	case KEY_RSA: return take_rsa(key, numbers, private);
	case KEY_EC: return take_ec(key, numbers, private);
	case KEY_OCT: return private && take_oct(key, numbers);
	}
	return false;
}

bool
software_take(const struct key_spec *spec, const struct key_numbers *numbers,
    struct software_key **out, struct error *err)
{
	AUTO(software_done) struct software_key *key = NULL;

	if (!software_new(spec, &key, err))
		return false;
	if (!take(key, numbers, true))
		return invalid(err);
	ERR_clear_error();
	*out = key;
	key = NULL;
	return true;
}

bool
software_public(const struct key_spec *spec, const struct key_numbers *numbers,
    struct software_key **out, struct error *err)
{
	AUTO(software_done) struct software_key *key = NULL;

	if (!software_new(spec, &key, err))
		return false;
	if (!take(key, numbers, false))
		return openssl_failed(err, ERR_CORRUPT, "A key's public numbers are malformed.");
	*out = key;
	key = NULL;
	return true;
}
