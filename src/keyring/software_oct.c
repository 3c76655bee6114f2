#include "crypto/random.h"
#include "keyring/software_key.h"

#include <openssl/core_names.h>
#include <string.h>

#define BLOCK_LEN ((size_t)16)
#define GCM_IV_LEN 12
#define GCM_TAG_LEN 16
#define HMAC_MAX 64

struct job {
	const EVP_CIPHER *cipher;
	const struct software_key *key;
	bool encrypt;
	view value, iv;
	unsigned char *out;
	size_t len; /* written to ${out} */
};

static const EVP_CIPHER *
cipher_for(const struct key_algorithm *algorithm, unsigned bits)
{
	const struct algorithms *known = algorithms();
	size_t at = bits / 64 - 2; /* 128, 192, 256 */

	if (known == NULL)
		return NULL;
	switch (algorithm->family) {
	case FAMILY_AES_GCM: return known->aes_gcm[at];
	case FAMILY_AES_CBC:
	case FAMILY_AES_CBC_PAD: return known->aes_cbc[at];
	case FAMILY_AES_KW: return known->aes_wrap[at];
	case FAMILY_AES_KWP: return known->aes_wrap_pad[at];
	default: return NULL;
	}
}

static bool
start(EVP_CIPHER_CTX *ctx, const struct job *job)
{
	if (ctx == NULL || job->cipher == NULL)
		return false;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	return EVP_CipherInit_ex2(ctx, job->cipher, octets(plain_view(job->key->oct)),
		   job->iv.len == 0 ? NULL : octets(job->iv), job->encrypt, NULL) == 1;
}

static bool
update(EVP_CIPHER_CTX *ctx, struct job *job)
{
	int len = 0;

	if (job->value.len > 0 &&
	    EVP_CipherUpdate(ctx, job->out, &len, octets(job->value), (int)job->value.len) != 1)
		return false;
	job->len = (size_t)len;
	return true;
}

static bool
finish(EVP_CIPHER_CTX *ctx, struct job *job)
{
	int len = 0;

	if (EVP_CipherFinal_ex(ctx, job->out + job->len, &len) != 1)
		return false;
	job->len += (size_t)len;
	return true;
}

static bool
add_aad(EVP_CIPHER_CTX *ctx, view aad)
{
	int len;

	return aad.len == 0 || EVP_CipherUpdate(ctx, NULL, &len, octets(aad), (int)aad.len) == 1;
}

/* The nonce is ours: one that comes twice would give the key's authentication away. */
static bool
gcm_encrypt(struct job *job, view aad, struct arena *arena, struct key_result *out,
    struct error *err)
{
	AUTO(cipher_ctx_done) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	char *iv = arena_alloc(arena, GCM_IV_LEN), *tag = arena_alloc(arena, GCM_TAG_LEN);

	if (iv == NULL || tag == NULL)
		return error_memory(err);
	random_bytes(iv, GCM_IV_LEN);
	job->iv = (view){ iv, GCM_IV_LEN };
	if (!start(ctx, job) || !add_aad(ctx, aad) || !update(ctx, job) || !finish(ctx, job) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, tag) != 1)
		return openssl_unable(err);
	*out = (struct key_result){ { (const char *)job->out, job->len }, job->iv,
		{ tag, GCM_TAG_LEN }, false };
	return true;
}

static bool
gcm_decrypt(struct job *job, const struct key_message *in, struct key_result *out,
    struct error *err)
{
	AUTO(cipher_ctx_done) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char tag[GCM_TAG_LEN];

	memcpy(tag, in->tag.ptr, sizeof(tag));
	job->iv = in->iv;
	if (!start(ctx, job) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN, tag) != 1 ||
	    !add_aad(ctx, in->aad))
		return openssl_unable(err);
	if (!update(ctx, job) || !finish(ctx, job)) {
		OPENSSL_cleanse(job->out, job->value.len);
		return software_undecryptable(err);
	}
	*out = (struct key_result){ .value = { (const char *)job->out, job->len } };
	return true;
}

/* CBC and key wrapping: nothing but bytes in and out. */
static bool
plain_run(struct job *job, bool padded, struct key_result *out, struct error *err)
{
	AUTO(cipher_ctx_done) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!start(ctx, job) || EVP_CIPHER_CTX_set_padding(ctx, padded) != 1)
		return openssl_unable(err);
	if (!update(ctx, job) || !finish(ctx, job))
		return job->encrypt ? openssl_unable(err) : software_undecryptable(err);
	*out = (struct key_result){ .value = { (const char *)job->out, job->len } };
	return true;
}

static bool
use_cbc(struct job *job, bool padded, const struct key_message *in, struct key_result *out,
    struct error *err)
{
	job->iv = in->iv;
	if (!plain_run(job, padded, out, err))
		return false;
	if (job->encrypt)
		out->iv = job->iv;
	return true;
}

bool
software_use_aes(const struct software_key *key, const struct key_algorithm *algorithm,
    bool encrypt, const struct key_message *in, struct arena *arena, struct key_result *out,
    struct error *err)
{
	struct job job = { cipher_for(algorithm, key->spec.bits), key, encrypt, in->value, V(""),
		NULL, 0 };

	job.out = arena_alloc(arena, in->value.len + 2 * BLOCK_LEN);
	if (job.out == NULL)
		return error_memory(err);
	switch (algorithm->family) {
	case FAMILY_AES_GCM:
		return encrypt ? gcm_encrypt(&job, in->aad, arena, out, err)
			       : gcm_decrypt(&job, in, out, err);
	case FAMILY_AES_CBC: return use_cbc(&job, false, in, out, err);
	case FAMILY_AES_CBC_PAD: return use_cbc(&job, true, in, out, err);
	case FAMILY_AES_KW:
	case FAMILY_AES_KWP: return plain_run(&job, false, out, err);
	default: return error_set(err, ERR_INTERNAL, "The algorithm does not fit the key.");
	}
}

bool
software_hmac(const struct software_key *key, const struct key_algorithm *algorithm, view value,
    struct arena *arena, view *out, struct error *err)
{
	static const char *const digests[] = { "", "", "SHA256", "SHA384", "SHA512" };
	const struct algorithms *known = algorithms();
	AUTO(mac_ctx_done)
	EVP_MAC_CTX *ctx = known == NULL ? NULL : EVP_MAC_CTX_new(known->hmac);
	char *digest = (char *)(uintptr_t)digests[algorithm->digest];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	view secret = plain_view(key->oct);
	unsigned char *bytes = arena_alloc(arena, HMAC_MAX);
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (ctx == NULL || EVP_MAC_init(ctx, octets(secret), secret.len, params) != 1 ||
	    EVP_MAC_update(ctx, octets(value), value.len) != 1 ||
	    EVP_MAC_final(ctx, bytes, &len, HMAC_MAX) != 1)
		return openssl_unable(err);
	*out = (view){ (const char *)bytes, len };
	return true;
}
