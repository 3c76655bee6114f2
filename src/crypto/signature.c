#include "crypto/signature.h"
#include "crypto/hash.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

/* RFC 7518, sections 3.3 to 3.5. */
static const struct {
	const EVP_MD *(*digest)(void);
	int padding;    /* of RSA; else 0 */
	int salt;       /* bytes, of PSS */
	size_t raw_len; /* of ECDSA */
} shapes[SIGNATURE_COUNT] = {
	[SIGNATURE_RS256] = { EVP_sha256, RSA_PKCS1_PADDING, 0, 0 },
	[SIGNATURE_RS384] = { EVP_sha384, RSA_PKCS1_PADDING, 0, 0 },
	[SIGNATURE_RS512] = { EVP_sha512, RSA_PKCS1_PADDING, 0, 0 },
	[SIGNATURE_PS256] = { EVP_sha256, RSA_PKCS1_PSS_PADDING, 32, 0 },
	[SIGNATURE_PS384] = { EVP_sha384, RSA_PKCS1_PSS_PADDING, 48, 0 },
	[SIGNATURE_PS512] = { EVP_sha512, RSA_PKCS1_PSS_PADDING, 64, 0 },
	[SIGNATURE_ES256] = { EVP_sha256, 0, 0, ES256_RAW_LEN },
	[SIGNATURE_ES384] = { EVP_sha384, 0, 0, 96 },
	[SIGNATURE_ES512] = { EVP_sha512, 0, 0, ECDSA_RAW_MAX },
	[SIGNATURE_ES256K] = { EVP_sha256, 0, 0, 64 },
	[SIGNATURE_RSNULL] = { NULL, RSA_PKCS1_PADDING, 0, 0 },
};

OPENSSL_OWNER(ecdsa, ECDSA_SIG, ECDSA_SIG_free)

static bool
set_digest(EVP_PKEY_CTX *ctx, enum signature_alg alg)
{
	return shapes[alg].digest == NULL ||
	    EVP_PKEY_CTX_set_signature_md(ctx, shapes[alg].digest()) == 1;
}

static bool
set_padding(EVP_PKEY_CTX *ctx, enum signature_alg alg)
{
	int padding = shapes[alg].padding;

	if (padding == 0)
		return true;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1)
		return false;
	return padding != RSA_PKCS1_PSS_PADDING ||
	    (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, shapes[alg].digest()) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, shapes[alg].salt) == 1);
}

bool
signature_ctx(EVP_PKEY *pkey, enum signature_alg alg, enum signature_use use, EVP_PKEY_CTX **out,
    struct error *err)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	int ready;

	if (ctx == NULL || alg == SIGNATURE_NONE || (size_t)alg >= COUNT_OF(shapes))
		return openssl_unable(err);
	ready = use == SIGNATURE_SIGN ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_verify_init(ctx);
	if (ready != 1 || !set_digest(ctx, alg) || !set_padding(ctx, alg))
		return openssl_unable(err);
	*out = ctx;
	ctx = NULL;
	return true;
}

bool
signature_digest(enum signature_alg alg, view message, unsigned char out[SIGNATURE_DIGEST_MAX],
    size_t *len)
{
	unsigned written = 0;

	if ((size_t)alg >= COUNT_OF(shapes) || shapes[alg].digest == NULL ||
	    EVP_Digest(octets(message), message.len, out, &written, shapes[alg].digest(), NULL) !=
		1)
		return false;
	*len = written;
	return true;
}

bool
ecdsa_raw_len(enum signature_alg alg, size_t *len)
{
	if ((size_t)alg >= COUNT_OF(shapes) || shapes[alg].raw_len == 0)
		return false;
	*len = shapes[alg].raw_len;
	return true;
}

bool
ecdsa_to_der(view raw, unsigned char der[ECDSA_DER_MAX], size_t *len)
{
	AUTO(ecdsa_done) ECDSA_SIG *sig = NULL;
	AUTO(bn_done) BIGNUM *r = NULL;
	AUTO(bn_done) BIGNUM *s = NULL;
	size_t half = raw.len / 2;
	int written;

	if (raw.len == 0 || raw.len > ECDSA_RAW_MAX || raw.len % 2 != 0)
		return false;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(octets(raw), (int)half, NULL);
	s = BN_bin2bn(octets(raw) + half, (int)half, NULL);
	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1)
		return false;
	r = s = NULL; /* the signature's from here on */
	written = i2d_ECDSA_SIG(sig, NULL);
	if (written <= 0 || written > ECDSA_DER_MAX)
		return false;
	*len = (size_t)i2d_ECDSA_SIG(sig, &der);
	return true;
}

/* The length in front of a value, as DER writes those below 256. */
static bool
take_length(view *rest, size_t *len)
{
	size_t long_form = rest->len > 1 && (unsigned char)rest->ptr[0] == 0x81 ? 1 : 0;

	if (rest->len <= long_form)
		return false;
	*len = (unsigned char)rest->ptr[long_form];
	*rest = view_from(*rest, long_form + 1);
	return (*len < 0x80) == (long_form == 0) && *len <= rest->len;
}

/* An INTEGER that is positive, as DER writes it, into so many bytes. */
static bool
take_number(view *rest, unsigned char *out, size_t size)
{
	view number;
	size_t len;

	if (rest->len == 0 || rest->ptr[0] != 0x02)
		return false;
	*rest = view_from(*rest, 1);
	if (!take_length(rest, &len) || len == 0 || (rest->ptr[0] & 0x80) != 0)
		return false;
	number = (view){ rest->ptr, len };
	*rest = view_from(*rest, len);
	if (len > 1 && number.ptr[0] == 0) {
		number = view_from(number, 1);
		if ((number.ptr[0] & 0x80) == 0)
			return false;
	}
	if (number.len > size)
		return false;
	memset(out, 0, size - number.len);
	memcpy(out + size - number.len, number.ptr, number.len);
	return true;
}

/* By hand: OpenSSL's way makes a tree and two numbers, which every ECDSA signature would pay. */
bool
ecdsa_to_raw(view der, unsigned char *raw, size_t len)
{
	unsigned char both[ECDSA_RAW_MAX];
	size_t half = len / 2, inside;

	if (len > sizeof(both) || der.len == 0 || der.ptr[0] != 0x30)
		return false;
	der = view_from(der, 1);
	if (!take_length(&der, &inside) || inside != der.len || !take_number(&der, both, half) ||
	    !take_number(&der, both + half, half) || der.len != 0)
		return false;
	memcpy(raw, both, 2 * half);
	return true;
}

static bool
verify_digest(const EVP_PKEY_CTX *prepared, view digest, view signature)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(prepared);

	return ctx != NULL &&
	    EVP_PKEY_verify(ctx, octets(signature), signature.len, octets(digest), digest.len) == 1;
}

static bool
sign_digest(const EVP_PKEY_CTX *signer, view digest, unsigned char *out, size_t *len)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(signer);

	return ctx != NULL && EVP_PKEY_sign(ctx, out, len, octets(digest), digest.len) == 1;
}

static bool
sign_checked(const EVP_PKEY_CTX *signer, const EVP_PKEY_CTX *checker, view digest,
    unsigned char *out, size_t *len)
{
	return sign_digest(signer, digest, out, len) &&
	    (checker == NULL || verify_digest(checker, digest, (view){ (const char *)out, *len }));
}

bool
signature_make(EVP_PKEY_CTX *signer, EVP_PKEY_CTX *checker, enum signature_alg alg, view digest,
    unsigned char *out, size_t *len, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *copy = NULL;
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *another = NULL;
	size_t room = *len;

	if (sign_checked(signer, checker, digest, out, len))
		return true;
	if (checker == NULL)
		return openssl_unable(err);
	*len = room;
	copy = EVP_PKEY_dup(EVP_PKEY_CTX_get0_pkey(signer));
	if (copy == NULL)
		return openssl_unable(err);
	if (!signature_ctx(copy, alg, SIGNATURE_SIGN, &another, err))
		return false;
	if (sign_checked(another, checker, digest, out, len))
		return true;
	OPENSSL_cleanse(out, room);
	return openssl_unable(err);
}

bool
signature_verify(EVP_PKEY_CTX *prepared, enum signature_alg alg, view digest, view signature)
{
	unsigned char der[ECDSA_DER_MAX];
	size_t raw_len, len;
	bool good;

	if (ecdsa_raw_len(alg, &raw_len)) {
		if (signature.len != raw_len || !ecdsa_to_der(signature, der, &len))
			return false;
		signature = (view){ (const char *)der, len };
	} else if (signature.len != (size_t)EVP_PKEY_get_size(EVP_PKEY_CTX_get0_pkey(prepared))) {
		return false;
	}
	good = verify_digest(prepared, digest, signature);
	if (!good)
		ERR_clear_error();
	return good;
}
