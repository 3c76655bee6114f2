#include "crypto/hash.h"
#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <pthread.h>

#include <stdlib.h>

#define HKDF_MAX ((size_t)255 * SHA256_LEN)

/* One digest context a thread: making one costs more than hashing a token. */
static pthread_key_t ctx_key;
static bool ctx_key_made;
static pthread_once_t ctx_once = PTHREAD_ONCE_INIT;

static void
ctx_free(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

static void
ctx_init(void)
{
	ctx_key_made = pthread_key_create(&ctx_key, ctx_free) == 0;
}

static EVP_MD_CTX *
digest_ctx(void)
{
	EVP_MD_CTX *ctx;

	(void)pthread_once(&ctx_once, ctx_init);
	if (!ctx_key_made)
		return NULL;
	ctx = pthread_getspecific(ctx_key);
	if (ctx != NULL)
		return ctx;
	ctx = EVP_MD_CTX_new();
	if (ctx != NULL && pthread_setspecific(ctx_key, ctx) != 0) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static bool
digest(const EVP_MD *md, const view *parts, size_t count, uint8_t *out, struct error *err)
{
	EVP_MD_CTX *ctx = digest_ctx();

	if (ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
		return openssl_unable(err);
	for (size_t i = 0; i < count; i++) {
		if (EVP_DigestUpdate(ctx, octets(parts[i]), parts[i].len) != 1)
			return openssl_unable(err);
	}
	return EVP_DigestFinal_ex(ctx, out, NULL) == 1 || openssl_unable(err);
}

bool
sha256(const view *parts, size_t count, uint8_t out[SHA256_LEN], struct error *err)
{
	const struct algorithms *known = algorithms();

	return known != NULL ? digest(known->sha256, parts, count, out, err) : openssl_unable(err);
}

bool
sha1(view bytes, uint8_t out[SHA1_LEN], struct error *err)
{
	const struct algorithms *known = algorithms();

	return known != NULL ? digest(known->sha1, &bytes, 1, out, err) : openssl_unable(err);
}

/* OpenSSL's parameters take names and inputs as char *, which they leave as they are. */
static OSSL_PARAM
sha256_param(void)
{
	static char name[] = "SHA256";

	return OSSL_PARAM_construct_utf8_string(OSSL_ALG_PARAM_DIGEST, name, 0);
}

static OSSL_PARAM
octets_param(const char *name, view bytes)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)octets(bytes), bytes.len);
}

bool
hmac_sha256(view key, view bytes, uint8_t out[SHA256_LEN], struct error *err)
{
	const struct algorithms *known = algorithms();
	const OSSL_PARAM params[] = { sha256_param(), OSSL_PARAM_construct_end() };
	AUTO(mac_ctx_done) EVP_MAC_CTX *ctx = known != NULL ? EVP_MAC_CTX_new(known->hmac) : NULL;
	size_t len;

	if (ctx == NULL || EVP_MAC_init(ctx, octets(key), key.len, params) != 1 ||
	    EVP_MAC_update(ctx, octets(bytes), bytes.len) != 1 ||
	    EVP_MAC_final(ctx, out, &len, SHA256_LEN) != 1)
		return openssl_unable(err);
	return true;
}

bool
hkdf_sha256(view key, view salt, view info, uint8_t *out, size_t len, struct error *err)
{
	const struct algorithms *known = algorithms();
	const OSSL_PARAM params[] = {
		sha256_param(),
		octets_param(OSSL_KDF_PARAM_KEY, key),
		octets_param(OSSL_KDF_PARAM_SALT, salt),
		octets_param(OSSL_KDF_PARAM_INFO, info),
		OSSL_PARAM_construct_end(),
	};
	AUTO(kdf_ctx_done) EVP_KDF_CTX *ctx = NULL;

	if (len == 0 || len > HKDF_MAX)
		return error_set(err, ERR_INTERNAL, "HKDF makes 1 to 8160 bytes.");
	ctx = known != NULL ? EVP_KDF_CTX_new(known->hkdf) : NULL;
	if (ctx == NULL || EVP_KDF_derive(ctx, out, len, params) != 1)
		return openssl_unable(err);
	return true;
}

struct hash {
	EVP_MD_CTX *ctx;
	bool failed;
};

bool
hash_new(struct hash **out, struct error *err)
{
	AUTO(hash_done) struct hash *hash = calloc(1, sizeof(*hash));
	const struct algorithms *known = algorithms();

	if (hash == NULL)
		return error_memory(err);
	hash->ctx = EVP_MD_CTX_new();
	if (known == NULL || hash->ctx == NULL ||
	    EVP_DigestInit_ex2(hash->ctx, known->sha256, NULL) != 1)
		return openssl_unable(err);
	*out = hash;
	hash = NULL;
	return true;
}

void
hash_add(struct hash *hash, view bytes)
{
	if (EVP_DigestUpdate(hash->ctx, octets(bytes), bytes.len) != 1)
		hash->failed = true;
}

bool
hash_end(struct hash *hash, uint8_t out[SHA256_LEN], struct error *err)
{
	return (!hash->failed && EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1) ||
	    openssl_unable(err);
}

void
hash_free(struct hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

void
hash_done(struct hash **hash)
{
	hash_free(*hash);
}
