#include "keyring/key.h"
#include "base/attr.h"

/* One row each; what an algorithm is for by its last three members: encrypts, wraps, signs. */
#define RSA_CIPHER(name, family, digest)                               \
	{                                                              \
		name, KEY_RSA, family, digest, 0, 0, true, true, false \
	}
#define RSA_SIGN(name, family, digest)                                  \
	{                                                               \
		name, KEY_RSA, family, digest, 0, 0, false, false, true \
	}
#define EC_SIGN(name, digest, curve)                                             \
	{                                                                        \
		name, KEY_EC, FAMILY_ECDSA, digest, curve, 0, false, false, true \
	}
#define OCT_CIPHER(name, family, bits)                                          \
	{                                                                       \
		name, KEY_OCT, family, DIGEST_NONE, 0, bits, true, false, false \
	}
#define OCT_WRAP(name, family, bits)                                            \
	{                                                                       \
		name, KEY_OCT, family, DIGEST_NONE, 0, bits, false, true, false \
	}
#define OCT_SIGN(name, digest)                                               \
	{                                                                    \
		name, KEY_OCT, FAMILY_HMAC, digest, 0, 0, false, false, true \
	}

static const struct key_algorithm algorithms[] = {
	RSA_CIPHER("RSA1_5", FAMILY_RSA_PKCS1, DIGEST_NONE),
	RSA_CIPHER("RSA-OAEP", FAMILY_RSA_OAEP, DIGEST_SHA1),
	RSA_CIPHER("RSA-OAEP-256", FAMILY_RSA_OAEP, DIGEST_SHA256),
	RSA_SIGN("RS256", FAMILY_RSA_PKCS1, DIGEST_SHA256),
	RSA_SIGN("RS384", FAMILY_RSA_PKCS1, DIGEST_SHA384),
	RSA_SIGN("RS512", FAMILY_RSA_PKCS1, DIGEST_SHA512),
	RSA_SIGN("PS256", FAMILY_RSA_PSS, DIGEST_SHA256),
	RSA_SIGN("PS384", FAMILY_RSA_PSS, DIGEST_SHA384),
	RSA_SIGN("PS512", FAMILY_RSA_PSS, DIGEST_SHA512),
	RSA_SIGN("RSNULL", FAMILY_RSA_PKCS1, DIGEST_NONE),
	EC_SIGN("ES256", DIGEST_SHA256, KEY_P256),
	EC_SIGN("ES256K", DIGEST_SHA256, KEY_P256K),
	EC_SIGN("ES384", DIGEST_SHA384, KEY_P384),
	EC_SIGN("ES512", DIGEST_SHA512, KEY_P521),
	OCT_CIPHER("A128GCM", FAMILY_AES_GCM, 128),
	OCT_CIPHER("A192GCM", FAMILY_AES_GCM, 192),
	OCT_CIPHER("A256GCM", FAMILY_AES_GCM, 256),
	OCT_CIPHER("A128CBC", FAMILY_AES_CBC, 128),
	OCT_CIPHER("A192CBC", FAMILY_AES_CBC, 192),
	OCT_CIPHER("A256CBC", FAMILY_AES_CBC, 256),
	OCT_CIPHER("A128CBCPAD", FAMILY_AES_CBC_PAD, 128),
	OCT_CIPHER("A192CBCPAD", FAMILY_AES_CBC_PAD, 192),
	OCT_CIPHER("A256CBCPAD", FAMILY_AES_CBC_PAD, 256),
	OCT_WRAP("A128KW", FAMILY_AES_KW, 128),
	OCT_WRAP("A192KW", FAMILY_AES_KW, 192),
	OCT_WRAP("A256KW", FAMILY_AES_KW, 256),
	OCT_WRAP("CKM_AES_KEY_WRAP", FAMILY_AES_KW, 0),
	OCT_WRAP("CKM_AES_KEY_WRAP_PAD", FAMILY_AES_KWP, 0),
	OCT_SIGN("HS256", DIGEST_SHA256),
	OCT_SIGN("HS384", DIGEST_SHA384),
	OCT_SIGN("HS512", DIGEST_SHA512),
};

static const struct {
	const char *name;
	size_t field_len;
	unsigned bits;
} curves[] = {
	[KEY_P256] = { "P-256", 32, 256 },
	[KEY_P256K] = { "P-256K", 32, 256 },
	[KEY_P384] = { "P-384", 48, 384 },
	[KEY_P521] = { "P-521", 66, 521 },
};

const struct key_algorithm *
key_algorithm_find(view name)
{
	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		if (view_eq(name, view_of(algorithms[i].name)))
			return &algorithms[i];
	}
	return NULL;
}

bool
key_algorithm_fits(const struct key_algorithm *algorithm, const struct key_spec *spec)
{
	return algorithm->kind == spec->kind &&
	    (algorithm->family != FAMILY_ECDSA || algorithm->curve == spec->curve) &&
	    (algorithm->bits == 0 || algorithm->bits == spec->bits);
}

size_t
key_digest_len(enum key_digest digest)
{
	static const size_t lengths[] = {
		[DIGEST_NONE] = 0,
		[DIGEST_SHA1] = 20,
		[DIGEST_SHA256] = 32,
		[DIGEST_SHA384] = 48,
		[DIGEST_SHA512] = 64,
	};

	return lengths[digest];
}

size_t
key_field_len(enum key_curve curve)
{
	return (size_t)curve < COUNT_OF(curves) ? curves[curve].field_len : 0;
}

unsigned
key_field_bits(enum key_curve curve)
{
	return (size_t)curve < COUNT_OF(curves) ? curves[curve].bits : 0;
}

view
key_without_zeros(view number)
{
	while (number.len > 0 && number.ptr[0] == 0)
		number = view_from(number, 1);
	return number;
}

enum key_curve
key_curve_find(view name)
{
	for (size_t i = KEY_P256; i < COUNT_OF(curves); i++) {
		if (view_eq(name, view_of(curves[i].name)))
			return (enum key_curve)i;
	}
	return 0;
}

const char *
key_curve_name(enum key_curve curve)
{
	return (size_t)curve < COUNT_OF(curves) ? curves[curve].name : NULL;
}
