#include "crypto/signature.h"
#include "crypto/hash.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#define NUMBER_LEN (ES256_RAW_LEN / 2)

OPENSSL_OWNER(ecdsa, ECDSA_SIG, ECDSA_SIG_free)

static bool
set_padding(EVP_PKEY_CTX *ctx, enum signature_alg alg)
{
	switch (alg) {
	case SIGNATURE_RS256: return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	case SIGNATURE_PS256:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, SHA256_LEN) == 1;
	case SIGNATURE_ES256: return true;
	case SIGNATURE_NONE: break;
	}
	return false;
}

bool
signature_ctx(EVP_PKEY *pkey, enum signature_alg alg, enum signature_use use, EVP_PKEY_CTX **out,
    struct error *err)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	int ready;

	if (ctx == NULL)
		return openssl_unable(err);
	ready = use == SIGNATURE_SIGN ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_verify_init(ctx);
	if (ready != 1 || EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1 ||
	    !set_padding(ctx, alg))
		return openssl_unable(err);
	*out = ctx;
	ctx = NULL;
	return true;
}

bool
es256_to_der(view raw, unsigned char der[ES256_DER_MAX], size_t *len)
{
	AUTO(ecdsa_done) ECDSA_SIG *sig = NULL;
	AUTO(bn_done) BIGNUM *r = NULL;
	AUTO(bn_done) BIGNUM *s = NULL;
	int written;

	if (raw.len != ES256_RAW_LEN)
		return false;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(octets(raw), NUMBER_LEN, NULL);
	s = BN_bin2bn(octets(raw) + NUMBER_LEN, NUMBER_LEN, NULL);
	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1)
		return false;
	r = s = NULL; /* the signature's from here on */
	written = i2d_ECDSA_SIG(sig, NULL);
	if (written <= 0 || written > ES256_DER_MAX)
		return false;
	*len = (size_t)i2d_ECDSA_SIG(sig, &der);
	return true;
}

bool
es256_to_raw(view der, unsigned char raw[ES256_RAW_LEN])
{
	const unsigned char *at = octets(der);
	AUTO(ecdsa_done) ECDSA_SIG *sig = NULL;

	if (der.len > ES256_DER_MAX)
		return false;
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	return sig != NULL && at == octets(der) + der.len &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, NUMBER_LEN) == NUMBER_LEN &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + NUMBER_LEN, NUMBER_LEN) == NUMBER_LEN;
}
