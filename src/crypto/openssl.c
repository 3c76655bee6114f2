#include "crypto/openssl.h"

#include "crypto/memory.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>

/* What the analyzer is told about callers (openssl.h) is in the way of the definitions. */
#undef openssl_failed
#undef openssl_unable

static struct algorithms fetched;
static bool complete;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

/* AES with keys of 128, 192 and 256 bits in one mode. */
static bool
fetch_aes(const char *mode, EVP_CIPHER *out[3])
{
	static const char *const sizes[] = { "128", "192", "256" };
	bool found = true;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "AES-%s-%s", sizes[i], mode);
		out[i] = EVP_CIPHER_fetch(NULL, name, NULL);
		found = found && out[i] != NULL;
	}
	return found;
}

static void
fetch(void)
{
	fetched = (struct algorithms){
		.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL),
		.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL),
		.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL),
		.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL),
		.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL),
	};
	complete = fetch_aes("GCM", fetched.aes_gcm) && fetch_aes("CBC", fetched.aes_cbc) &&
	    fetch_aes("WRAP", fetched.aes_wrap) && fetch_aes("WRAP-PAD", fetched.aes_wrap_pad) &&
	    fetched.sha1 != NULL && fetched.sha256 != NULL && fetched.aes_256_gcm != NULL &&
	    fetched.hmac != NULL && fetched.hkdf != NULL;
}

const struct algorithms *
algorithms(void)
{
	(void)pthread_once(&fetch_once, fetch);
	return complete ? &fetched : NULL;
}

bool
openssl_starved(void)
{
	unsigned long code;
	bool starved = crypto_memory_failed();

	while ((code = ERR_get_error()) != 0)
		starved = starved || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return starved;
}

bool
openssl_failed(struct error *err, enum error_code code, const char *message)
{
	if (openssl_starved())
		return error_memory(err);
	return error_set(err, code, "%s", message);
}

bool
openssl_unable(struct error *err)
{
	return openssl_failed(err, ERR_UNAVAILABLE, "A cryptographic operation failed.");
}

const unsigned char *
octets(view bytes)
{
	return (const unsigned char *)(bytes.len > 0 ? bytes.ptr : "");
}

bool
spki_encode(EVP_PKEY *pkey, struct buf *out, struct error *err)
{
	int len = i2d_PUBKEY(pkey, NULL);
	unsigned char *room;

	if (len <= 0)
		return openssl_unable(err);
	room = (unsigned char *)buf_room(out, (size_t)len);
	if (room == NULL)
		return error_memory(err);
	if (i2d_PUBKEY(pkey, &room) != len)
		return openssl_unable(err);
	out->len += (size_t)len;
	return true;
}

bool
pkey_build(const char *kind, int selection, OSSL_PARAM_BLD *builder, EVP_PKEY **out)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	AUTO(params_done) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);

	return ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, out, selection, params) == 1;
}
