#include "crypto/publickey.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPKI_MAX 8192
#define CERTIFICATE_MAX 65536
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define EXPONENT_BITS_MAX 33

struct public_key {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctxs[SIGNATURE_COUNT]; /* those that fit the key's kind; never changed */
};

static const struct {
	const char *name;
	enum signature_alg alg;
	const char *kind; /* "RSA", or the curve */
} algs[] = {
	{ "RS256", SIGNATURE_RS256, "RSA" },
	{ "RS384", SIGNATURE_RS384, "RSA" },
	{ "RS512", SIGNATURE_RS512, "RSA" },
	{ "PS256", SIGNATURE_PS256, "RSA" },
	{ "PS384", SIGNATURE_PS384, "RSA" },
	{ "PS512", SIGNATURE_PS512, "RSA" },
	{ "ES256", SIGNATURE_ES256, "prime256v1" },
	{ "ES384", SIGNATURE_ES384, "secp384r1" },
	{ "ES512", SIGNATURE_ES512, "secp521r1" },
};

static const struct {
	const char *name;
	size_t field_len;
} curves[] = {
	[CURVE_P256] = { "prime256v1", 32 },
	[CURVE_P384] = { "secp384r1", 48 },
	[CURVE_P521] = { "secp521r1", 66 },
};

#define FIELD_MAX 66

enum signature_alg
signature_alg_parse(view name)
{
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		if (view_eq(name, view_of(algs[i].name)))
			return algs[i].alg;
	}
	return SIGNATURE_NONE;
}

void
public_key_free(struct public_key *key)
{
	if (key == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(key->ctxs); i++)
		EVP_PKEY_CTX_free(key->ctxs[i]);
	EVP_PKEY_free(key->pkey);
	free(key);
}

void
public_key_done(struct public_key **key)
{
	public_key_free(*key);
}

static bool
rsa_numbers(const EVP_PKEY *pkey, BIGNUM **n, BIGNUM **e)
{
	return EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, e) == 1;
}

static bool
rsa_check(const EVP_PKEY *pkey, struct error *err)
{
	AUTO(bn_done) BIGNUM *n = NULL;
	AUTO(bn_done) BIGNUM *e = NULL;

	if (!rsa_numbers(pkey, &n, &e))
		return openssl_failed(err, ERR_BAD_REQUEST, "The RSA key has no numbers.");
	if (BN_num_bits(n) < RSA_BITS_MIN || BN_num_bits(n) > RSA_BITS_MAX || !BN_is_odd(n))
		return error_set(err, ERR_BAD_REQUEST,
		    "The RSA key must have an odd modulus of 2048 to 8192 bits.");
	if (BN_num_bits(e) > EXPONENT_BITS_MAX || !BN_is_odd(e) || BN_is_one(e))
		return error_set(err, ERR_BAD_REQUEST,
		    "The RSA key's exponent must be odd, at least 3 and at most 33 bits.");
	return true;
}

static bool
curve_known(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		if (strcmp(curves[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The curve by its name, and a point that lies on it. */
static bool
ec_check(EVP_PKEY *pkey, struct error *err)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = NULL;
	char curve[32];
	int spelled_out = 0;

	if (EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL) != 1 || !curve_known(curve) ||
	    (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
		 &spelled_out) == 1 &&
		spelled_out != 0))
		return openssl_failed(err, ERR_BAD_REQUEST,
		    "The key's curve must be P-256, P-384 or P-521.");
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL)
		return openssl_unable(err);
	return EVP_PKEY_public_check_quick(ctx) == 1 ||
	    openssl_failed(err, ERR_BAD_REQUEST, "The key's point does not lie on its curve.");
}

static bool
prepare(struct public_key *key, struct error *err)
{
	char kind[32] = "RSA";

	if (EVP_PKEY_is_a(key->pkey, "EC") &&
	    EVP_PKEY_get_group_name(key->pkey, kind, sizeof(kind), NULL) != 1)
		return openssl_unable(err);
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		if (strcmp(kind, algs[i].kind) == 0 &&
		    !signature_ctx(key->pkey, algs[i].alg, SIGNATURE_VERIFY,
			&key->ctxs[algs[i].alg], err))
			return false;
	}
	return true;
}

/* Check what was decoded, and take it. */
static bool
adopt(EVP_PKEY **pkey, struct public_key **out, struct error *err)
{
	AUTO(public_key_done) struct public_key *key = NULL;
	bool good;

	ERR_clear_error(); /* a decoder leaves its failed guesses */
	if (EVP_PKEY_is_a(*pkey, "RSA"))
		good = rsa_check(*pkey, err);
	else if (EVP_PKEY_is_a(*pkey, "EC"))
		good = ec_check(*pkey, err);
	else
		good = error_set(err, ERR_BAD_REQUEST, "The key must be an RSA or an EC key.");
	if (!good)
		return false;
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return error_memory(err);
	key->pkey = *pkey;
	*pkey = NULL;
	if (!prepare(key, err))
		return false;
	*out = key;
	key = NULL;
	return true;
}

bool
public_key_from_spki(view der, struct public_key **out, struct error *err)
{
	static const char message[] = "The key is not a SubjectPublicKeyInfo.";
	const unsigned char *at = octets(der);
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;

	if (der.len > SPKI_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The key is too large.");
	pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
	if (pkey == NULL || at != octets(der) + der.len)
		return openssl_failed(err, ERR_BAD_REQUEST, message);
	return adopt(&pkey, out, err);
}

static bool
rsa_build(view n_bytes, view e_bytes, EVP_PKEY **out)
{
	AUTO(bn_done) BIGNUM *n = BN_bin2bn(octets(n_bytes), (int)n_bytes.len, NULL);
	AUTO(bn_done) BIGNUM *e = BN_bin2bn(octets(e_bytes), (int)e_bytes.len, NULL);
	AUTO(param_bld_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	return n != NULL && e != NULL && builder != NULL &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
	    pkey_build("RSA", EVP_PKEY_PUBLIC_KEY, builder, out);
}

bool
public_key_from_rsa(view n, view e, struct public_key **out, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;

	/* A zero in front is how some write positive numbers. */
	if (n.len > RSA_BITS_MAX / 8 + 1 || e.len > 8)
		return error_set(err, ERR_BAD_REQUEST, "The RSA key is too large.");
	if (!rsa_build(n, e, &pkey))
		return openssl_failed(err, ERR_BAD_REQUEST, "The numbers make no RSA key.");
	return adopt(&pkey, out, err);
}

static bool
ec_build(const char *curve, view point, EVP_PKEY **out)
{
	AUTO(param_bld_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	return builder != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr,
		point.len) == 1 &&
	    pkey_build("EC", EVP_PKEY_PUBLIC_KEY, builder, out);
}

bool
public_key_from_ec(enum curve curve, view x, view y, struct public_key **out, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	char point[1 + 2 * FIELD_MAX] = { 4 }; /* uncompressed */
	size_t len = curves[curve].field_len;

	if (x.len != len || y.len != len)
		return error_set(err, ERR_BAD_REQUEST, "The EC key's numbers have a wrong length.");
	memcpy(point + 1, x.ptr, len);
	memcpy(point + 1 + len, y.ptr, len);
	if (!ec_build(curves[curve].name, (view){ point, 1 + 2 * len }, &pkey))
		return openssl_failed(err, ERR_BAD_REQUEST, "The numbers make no EC key.");
	return adopt(&pkey, out, err);
}

static bool
certificate_parse(view der, X509 **out, struct error *err)
{
	const unsigned char *at = octets(der);
	AUTO(certificate_done) X509 *certificate = NULL;

	if (der.len > CERTIFICATE_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The certificate is too large.");
	certificate = d2i_X509(NULL, &at, (long)der.len);
	if (certificate == NULL || at != octets(der) + der.len)
		return openssl_failed(err, ERR_BAD_REQUEST, "That is not one X.509 certificate.");
	*out = certificate;
	certificate = NULL;
	return true;
}

bool
public_key_from_certificate(view der, struct public_key **out, struct error *err)
{
	AUTO(certificate_done) X509 *certificate = NULL;
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;

	if (!certificate_parse(der, &certificate, err))
		return false;
	pkey = X509_get_pubkey(certificate);
	if (pkey == NULL)
		return openssl_failed(err, ERR_BAD_REQUEST, "The certificate's key is unknown.");
	return adopt(&pkey, out, err);
}

bool
public_key_verify(const struct public_key *key, enum signature_alg alg, view message,
    view signature)
{
	unsigned char digest[SIGNATURE_DIGEST_MAX];
	size_t len;

	return (size_t)alg < COUNT_OF(key->ctxs) && key->ctxs[alg] != NULL &&
	    signature_digest(alg, message, digest, &len) &&
	    signature_verify(key->ctxs[alg], alg, (view){ (const char *)digest, len }, signature);
}

static bool
oaep_ctx(EVP_PKEY *pkey, enum oaep oaep, EVP_PKEY_CTX **out)
{
	const EVP_MD *md = oaep == OAEP_SHA1 ? EVP_sha1()
	    : oaep == OAEP_SHA256            ? EVP_sha256()
					     : EVP_sha384();
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (ctx == NULL || EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1)
		return false;
	*out = ctx;
	ctx = NULL;
	return true;
}

bool
public_key_wrap(const struct public_key *key, enum oaep oaep, view secret, struct buf *out,
    struct error *err)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = NULL;
	size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
	char *room;

	if (!EVP_PKEY_is_a(key->pkey, "RSA"))
		return error_set(err, ERR_BAD_REQUEST, "The key is not an RSA key.");
	room = buf_room(out, len);
	if (room == NULL)
		return error_memory(err);
	if (!oaep_ctx(key->pkey, oaep, &ctx) ||
	    EVP_PKEY_encrypt(ctx, (unsigned char *)room, &len, octets(secret), secret.len) != 1)
		return openssl_unable(err);
	out->len += len;
	return true;
}

static bool
number_copy(const BIGNUM *number, struct arena *arena, view *out)
{
	size_t len = (size_t)BN_num_bytes(number);
	unsigned char *bytes = arena_alloc(arena, len);

	if (bytes == NULL)
		return false;
	(void)BN_bn2bin(number, bytes);
	*out = (view){ (const char *)bytes, len };
	return true;
}

bool
public_key_rsa(const struct public_key *key, struct arena *arena, view *n, view *e,
    struct error *err)
{
	AUTO(bn_done) BIGNUM *modulus = NULL;
	AUTO(bn_done) BIGNUM *exponent = NULL;
	view n_bytes, e_bytes;

	if (!EVP_PKEY_is_a(key->pkey, "RSA"))
		return error_set(err, ERR_BAD_REQUEST, "The key is not an RSA key.");
	if (!rsa_numbers(key->pkey, &modulus, &exponent))
		return openssl_unable(err);
	if (!number_copy(modulus, arena, &n_bytes) || !number_copy(exponent, arena, &e_bytes))
		return error_memory(err);
	*n = n_bytes;
	*e = e_bytes;
	return true;
}

bool
public_key_spki(const struct public_key *key, struct buf *out, struct error *err)
{
	return spki_encode(key->pkey, out, err);
}

static bool
asn1_seconds(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

bool
certificate_validity(view der, int64_t *not_before, int64_t *not_after, struct error *err)
{
	AUTO(certificate_done) X509 *certificate = NULL;
	int64_t from, to;

	if (!certificate_parse(der, &certificate, err))
		return false;
	if (!asn1_seconds(X509_get0_notBefore(certificate), &from) ||
	    !asn1_seconds(X509_get0_notAfter(certificate), &to))
		return openssl_failed(err, ERR_BAD_REQUEST,
		    "The certificate's dates are malformed.");
	*not_before = from;
	*not_after = to;
	return true;
}
