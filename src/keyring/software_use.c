#include "keyring/software_key.h"
#include "keyring/lengths.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#define PKCS1_OVERHEAD 11

bool
software_undecryptable(struct error *err)
{
	ERR_clear_error(); /* as openssl_failed */
	return undecryptable(err);
}

/* Which of crypto/signature's a row is; 0 for what is not there. */
static enum signature_alg
signature_of(const struct key_algorithm *algorithm)
{
	static const enum signature_alg pkcs1[] = { SIGNATURE_RSNULL, SIGNATURE_NONE,
		SIGNATURE_RS256, SIGNATURE_RS384, SIGNATURE_RS512 };
	static const enum signature_alg pss[] = { SIGNATURE_NONE, SIGNATURE_NONE, SIGNATURE_PS256,
		SIGNATURE_PS384, SIGNATURE_PS512 };
	static const enum signature_alg ecdsa[] = { SIGNATURE_NONE, SIGNATURE_ES256,
		SIGNATURE_ES256K, SIGNATURE_ES384, SIGNATURE_ES512 };

	switch (algorithm->family) {
	case FAMILY_RSA_PKCS1: return pkcs1[algorithm->digest];
	case FAMILY_RSA_PSS: return pss[algorithm->digest];
	case FAMILY_ECDSA: return ecdsa[algorithm->curve];
	default: return SIGNATURE_NONE;
	}
}

static bool
prepared_signature(struct software_key *key, enum signature_alg alg, enum signature_use use,
    EVP_PKEY_CTX **out, struct error *err)
{
	bool ok = true;

	(void)pthread_mutex_lock(&key->lock);
	if (key->signatures[alg][use] == NULL)
		ok = signature_ctx(key->pkey, alg, use, &key->signatures[alg][use], err);
	*out = key->signatures[alg][use];
	(void)pthread_mutex_unlock(&key->lock);
	return ok;
}

static bool
set_cipher_padding(EVP_PKEY_CTX *ctx, enum rsa_cipher cipher, bool encrypt)
{
	const EVP_MD *md = cipher == CIPHER_OAEP_SHA1 ? EVP_sha1() : EVP_sha256();

	/* RSA1_5 is unpadded by ourselves: see unpad. */
	if (cipher == CIPHER_RSA1_5)
		return EVP_PKEY_CTX_set_rsa_padding(ctx,
			   encrypt ? RSA_PKCS1_PADDING : RSA_NO_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

static bool
cipher_ctx(EVP_PKEY *pkey, enum rsa_cipher cipher, bool encrypt, EVP_PKEY_CTX **out,
    struct error *err)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (ctx == NULL ||
	    (encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) != 1 ||
	    !set_cipher_padding(ctx, cipher, encrypt))
		return openssl_unable(err);
	*out = ctx;
	ctx = NULL;
	return true;
}

static bool
prepared_cipher(struct software_key *key, enum rsa_cipher cipher, bool encrypt, EVP_PKEY_CTX **out,
    struct error *err)
{
	EVP_PKEY_CTX **slot = &key->ciphers[cipher][encrypt ? 0 : 1];
	bool ok = true;

	(void)pthread_mutex_lock(&key->lock);
	if (*slot == NULL)
		ok = cipher_ctx(key->pkey, cipher, encrypt, slot, err);
	*out = *slot;
	(void)pthread_mutex_unlock(&key->lock);
	return ok;
}

static enum rsa_cipher
cipher_of(const struct key_algorithm *algorithm)
{
	if (algorithm->family == FAMILY_RSA_PKCS1)
		return CIPHER_RSA1_5;
	return algorithm->digest == DIGEST_SHA1 ? CIPHER_OAEP_SHA1 : CIPHER_OAEP_SHA256;
}

static bool
rsa_encrypt(EVP_PKEY_CTX *prepared, view value, struct arena *arena, struct key_result *out,
    struct error *err)
{
	size_t len = (size_t)EVP_PKEY_get_size(EVP_PKEY_CTX_get0_pkey(prepared));
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(prepared);
	unsigned char *bytes = arena_alloc(arena, len);

	if (bytes == NULL)
		return error_memory(err);
	if (ctx == NULL || EVP_PKEY_encrypt(ctx, bytes, &len, octets(value), value.len) != 1)
		return openssl_unable(err);
	*out = (struct key_result){ .value = { (const char *)bytes, len } };
	return true;
}

/* All ones when ${a} is zero, else zero; without a branch. */
static unsigned
zero_mask(unsigned a)
{
	return 0U - ((~a & (a - 1U)) >> (sizeof(a) * 8 - 1));
}

static unsigned
less_mask(unsigned a, unsigned b)
{
	return 0U - ((a ^ ((a ^ b) | ((a - b) ^ b))) >> (sizeof(a) * 8 - 1));
}

/*
 * PKCS#1 v1.5, type 2: 0, 2, at least eight bytes that are not 0, then a 0 and the message.  This
 * OpenSSL may lack implicit rejection, and its own unpadding would tell where a padding failed by
 * what it leaves in the error queue: so the block comes here whole, all of it is looked at whatever
 * it holds, and there is one answer, chosen at the end, for all that can be wrong.
 */
static bool
unpad(view block, size_t *at)
{
	const unsigned char *bytes = octets(block);
	unsigned good = zero_mask(bytes[0]) & zero_mask(bytes[1] ^ 2U);
	unsigned found = 0, zero = 0;

	for (unsigned i = 2; i < block.len; i++) {
		unsigned here = zero_mask(bytes[i]) & ~found;

		zero |= i & here;
		found |= here;
	}
	good &= found & ~less_mask(zero, PKCS1_OVERHEAD - 1);
	*at = (zero + 1) & good;
	return good != 0;
}

/*
 * When memory fails in OpenSSL's blinding, what that and the key's next uses give is nonsense, and
 * the client would be blamed for it (see signature_make).  A copy has a blinding of its own.
 */
static EVP_PKEY_CTX *
decrypting(struct software_key *key, enum rsa_cipher cipher, const EVP_PKEY_CTX *prepared,
    struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *copy = NULL;
	EVP_PKEY_CTX *ctx = NULL;

	if (!atomic_load(&key->starved)) {
		ctx = EVP_PKEY_CTX_dup(prepared);
	} else {
		copy = EVP_PKEY_dup(key->pkey);
		if (copy != NULL && !cipher_ctx(copy, cipher, false, &ctx, err))
			return NULL;
	}
	if (ctx == NULL)
		(void)openssl_unable(err);
	return ctx;
}

static bool
rsa_decrypt(struct software_key *key, const EVP_PKEY_CTX *prepared, enum rsa_cipher cipher,
    view value, struct arena *arena, struct key_result *out, struct error *err)
{
	size_t len = (size_t)EVP_PKEY_get_size(key->pkey), at = 0;
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = decrypting(key, cipher, prepared, err);
	unsigned char *bytes = arena_alloc(arena, len);
	bool fine;

	if (bytes == NULL)
		return error_memory(err);
	if (ctx == NULL)
		return false;
	fine = EVP_PKEY_decrypt(ctx, bytes, &len, octets(value), value.len) == 1;
	if (openssl_starved()) {
		atomic_store(&key->starved, true);
		return error_memory(err);
	}
	if (fine && cipher == CIPHER_RSA1_5)
		fine = unpad((view){ (const char *)bytes, len }, &at);
	if (!fine)
		return software_undecryptable(err);
	*out = (struct key_result){ .value = { (const char *)bytes + at, len - at } };
	return true;
}

static bool
use_rsa(struct software_key *key, const struct key_algorithm *algorithm, bool encrypt, view value,
    struct arena *arena, struct key_result *out, struct error *err)
{
	enum rsa_cipher cipher = cipher_of(algorithm);
	EVP_PKEY_CTX *prepared;

	if (!prepared_cipher(key, cipher, encrypt, &prepared, err))
		return false;
	return encrypt ? rsa_encrypt(prepared, value, arena, out, err)
		       : rsa_decrypt(key, prepared, cipher, value, arena, out, err);
}

static bool
make_signature(struct software_key *key, enum signature_alg alg, view digest, unsigned char *out,
    size_t *len, struct error *err)
{
	EVP_PKEY_CTX *signer, *checker = NULL;
	bool ok = prepared_signature(key, alg, SIGNATURE_SIGN, &signer, err) &&
	    (key->spec.kind != KEY_RSA ||
		prepared_signature(key, alg, SIGNATURE_VERIFY, &checker, err)) &&
	    signature_make(signer, checker, alg, digest, out, len, err);

	/* Asked whatever the key is: it empties OpenSSL's queue. */
	if ((openssl_starved() || !ok) && key->spec.kind == KEY_RSA)
		atomic_store(&key->starved, true);
	return ok;
}

static bool
sign_pkey(struct software_key *key, enum signature_alg alg, view digest, struct arena *arena,
    view *out, struct error *err)
{
	size_t len = (size_t)EVP_PKEY_get_size(key->pkey), raw_len;
	unsigned char *bytes = arena_alloc(arena, len), *raw;

	if (bytes == NULL)
		return error_memory(err);
	if (!make_signature(key, alg, digest, bytes, &len, err))
		return false;
	*out = (view){ (const char *)bytes, len };
	if (!ecdsa_raw_len(alg, &raw_len))
		return true;
	raw = arena_alloc(arena, raw_len);
	if (raw == NULL)
		return error_memory(err);
	if (!ecdsa_to_raw(*out, raw, raw_len))
		return openssl_unable(err);
	*out = (view){ (const char *)raw, raw_len };
	return true;
}

static bool
sign(struct software_key *key, const struct key_algorithm *algorithm, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err)
{
	view value;

	if (!(algorithm->family == FAMILY_HMAC
		    ? software_hmac(key, algorithm, in->value, arena, &value, err)
		    : sign_pkey(key, signature_of(algorithm), in->value, arena, &value, err)))
		return false;
	*out = (struct key_result){ .value = value };
	return true;
}

static bool
verify(struct software_key *key, const struct key_algorithm *algorithm,
    const struct key_message *in, struct arena *arena, struct key_result *out, struct error *err)
{
	enum signature_alg alg = signature_of(algorithm);
	EVP_PKEY_CTX *prepared;
	bool good;
	view value;

	if (algorithm->family == FAMILY_HMAC) {
		if (!software_hmac(key, algorithm, in->value, arena, &value, err))
			return false;
		good = constant_time_equal(value, in->signature);
	} else {
		if (!prepared_signature(key, alg, SIGNATURE_VERIFY, &prepared, err))
			return false;
		good = signature_verify(prepared, alg, in->value, in->signature);
		if (!good && openssl_starved())
			return error_memory(err);
	}
	*out = (struct key_result){ .verified = good };
	return true;
}

bool
software_use(struct software_key *key, const struct key_algorithm *algorithm, enum key_use use,
    const struct key_message *in, struct arena *arena, struct key_result *out, struct error *err)
{
	bool signs = use == KEY_SIGN || use == KEY_VERIFY;

	if (!key_algorithm_fits(algorithm, &key->spec) || signs != algorithm->signs)
		return error_set(err, ERR_INTERNAL, "The algorithm does not fit the key.");
	if (!lengths_fit(&key->spec, algorithm, use, in, err))
		return false;
	(void)openssl_starved(); /* an earlier call on this thread */
	if (use == KEY_SIGN)
		return sign(key, algorithm, in, arena, out, err);
	if (use == KEY_VERIFY)
		return verify(key, algorithm, in, arena, out, err);
	if (key->spec.kind == KEY_RSA)
		return use_rsa(key, algorithm, use == KEY_ENCRYPT, in->value, arena, out, err);
	return software_use_aes(key, algorithm, use == KEY_ENCRYPT, in, arena, out, err);
}
