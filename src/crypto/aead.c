#include "crypto/aead.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* EVP counts in ints. */
#define AEAD_MAX ((size_t)1 << 30)

struct aead {
	EVP_CIPHER_CTX *ctx; /* has the key; each use sets the direction and the nonce */
};

static void
aead_done(struct aead **aead)
{
	aead_free(*aead);
}

bool
aead_new(const uint8_t key[AEAD_KEY_LEN], struct aead **out, struct error *err)
{
	const struct algorithms *known = algorithms();
	AUTO(aead_done) struct aead *aead = calloc(1, sizeof(*aead));

	if (aead == NULL)
		return error_memory(err);
	aead->ctx = EVP_CIPHER_CTX_new();
	if (known == NULL || aead->ctx == NULL ||
	    EVP_CipherInit_ex2(aead->ctx, known->aes_256_gcm, key, NULL, 1, NULL) != 1)
		return openssl_unable(err);
	*out = aead;
	aead = NULL;
	return true;
}

void
aead_free(struct aead *aead)
{
	if (aead == NULL)
		return;
	EVP_CIPHER_CTX_free(aead->ctx);
	free(aead);
}

/* All but the tag. */
static bool
transform(EVP_CIPHER_CTX *ctx, bool seal, view nonce, view aad, view in, char *out)
{
	int len;

	return EVP_CipherInit_ex2(ctx, NULL, NULL, octets(nonce), seal, NULL) == 1 &&
	    (aad.len == 0 || EVP_CipherUpdate(ctx, NULL, &len, octets(aad), (int)aad.len) == 1) &&
	    (in.len == 0 ||
		EVP_CipherUpdate(ctx, (unsigned char *)out, &len, octets(in), (int)in.len) == 1);
}

bool
aead_seal(struct aead *aead, view plain, view aad, char *out, struct error *err)
{
	uint8_t id[16];
	unsigned char none[AEAD_TAG_LEN];
	char *body = out + AEAD_NONCE_LEN, *tag = body + plain.len;
	int len;

	if (plain.len > AEAD_MAX || aad.len > AEAD_MAX)
		return error_set(err, ERR_INTERNAL, "What is to be sealed is too large.");
	random_id(id);
	memcpy(out, id, AEAD_NONCE_LEN);
	if (!transform(aead->ctx, true, (view){ out, AEAD_NONCE_LEN }, aad, plain, body) ||
	    EVP_CipherFinal_ex(aead->ctx, none, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag) != 1)
		return openssl_unable(err);
	return true;
}

bool
aead_open(struct aead *aead, view sealed, view aad, char *out, struct error *err)
{
	view nonce = { sealed.ptr, AEAD_NONCE_LEN }, body;
	unsigned char tag[AEAD_TAG_LEN], none[AEAD_TAG_LEN];
	enum error_code code;
	int len;

	if (sealed.len < AEAD_OVERHEAD || sealed.len > AEAD_MAX || aad.len > AEAD_MAX)
		return error_set(err, ERR_CORRUPT, "A sealed document has an impossible length.");
	body = (view){ sealed.ptr + AEAD_NONCE_LEN, sealed.len - AEAD_OVERHEAD };
	memcpy(tag, body.ptr + body.len, sizeof(tag));
	/* Only the last step looks at the tag; what fails before had no memory. */
	code = transform(aead->ctx, false, nonce, aad, body, out) &&
		EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) == 1
	    ? ERR_CORRUPT
	    : ERR_UNAVAILABLE;
	if (code == ERR_CORRUPT && EVP_CipherFinal_ex(aead->ctx, none, &len) == 1)
		return true;
	OPENSSL_cleanse(out, body.len);
	return openssl_failed(err, code, "A sealed document does not open.");
}
