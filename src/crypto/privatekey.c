#include "crypto/privatekey.h"

#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX 8192
#define SCALAR_LEN 32

struct private_key {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx; /* to be duplicated by each use */
};

static void
key_done(struct private_key **key)
{
	private_key_free(*key);
}

void
private_key_free(struct private_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_CTX_free(key->ctx);
	EVP_PKEY_free(key->pkey);
	free(key);
}

/* An encrypted file is refused, rather than its password asked for on the terminal. */
static int
no_password(char *password, int size, int writing, void *ctx)
{
	(void)password;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static bool
is_p256(const EVP_PKEY *pkey)
{
	char group[32];
	size_t len;

	return EVP_PKEY_is_a(pkey, "EC") &&
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) == 1 &&
	    strcmp(group, "prime256v1") == 0;
}

bool
private_key_from_pem(view pem, struct private_key **out, struct error *err)
{
	AUTO(key_done) struct private_key *key = calloc(1, sizeof(*key));
	AUTO(bio_done) BIO *bio = NULL;

	if (pem.len > PEM_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The private key is too long.");
	bio = BIO_new_mem_buf(octets(pem), (int)pem.len);
	if (key == NULL || bio == NULL)
		return openssl_unable(err);
	key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key->pkey == NULL || !is_p256(key->pkey))
		return openssl_failed(err, ERR_BAD_REQUEST,
		    "The private key is not an unencrypted P-256 key in PEM.");
	ERR_clear_error(); /* a decoder leaves its failed guesses */
	if (!signature_ctx(key->pkey, SIGNATURE_ES256, SIGNATURE_SIGN, &key->ctx, err))
		return false;
	*out = key;
	key = NULL;
	return true;
}

bool
private_key_sign(const struct private_key *key, view message, struct buf *out, struct error *err)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = NULL;
	unsigned char der[ECDSA_DER_MAX], raw[ES256_RAW_LEN];
	uint8_t digest[SHA256_LEN];
	size_t len = sizeof(der);

	if (!sha256(&message, 1, digest, err))
		return false;
	ctx = EVP_PKEY_CTX_dup(key->ctx);
	if (ctx == NULL || EVP_PKEY_sign(ctx, der, &len, digest, sizeof(digest)) != 1 ||
	    !ecdsa_to_raw((view){ (const char *)der, len }, raw, sizeof(raw)))
		return openssl_unable(err);
	buf_add(out, (view){ (const char *)raw, sizeof(raw) });
	return buf_ok(out) || error_memory(err);
}

bool
private_key_public(const struct private_key *key, struct buf *out, struct error *err)
{
	return spki_encode(key->pkey, out, err);
}

bool
private_key_derive(const struct private_key *key, view use, uint8_t out[32], struct error *err)
{
	AUTO(bn_done) BIGNUM *number = NULL;
	unsigned char scalar[SCALAR_LEN];
	bool fine;

	if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1 ||
	    BN_bn2binpad(number, scalar, sizeof(scalar)) != sizeof(scalar))
		return openssl_unable(err);
	fine =
	    hkdf_sha256((view){ (const char *)scalar, sizeof(scalar) }, V(""), use, out, 32, err);
	OPENSSL_cleanse(scalar, sizeof(scalar));
	BN_clear(number);
	return fine;
}
