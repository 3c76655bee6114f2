#include "crypto/openssl.h"

#include <openssl/err.h>
#include <pthread.h>

static struct algorithms fetched;
static bool complete;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

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
	complete = fetched.sha1 != NULL && fetched.sha256 != NULL && fetched.aes_256_gcm != NULL &&
	    fetched.hmac != NULL && fetched.hkdf != NULL;
}

const struct algorithms *
algorithms(void)
{
	(void)pthread_once(&fetch_once, fetch);
	return complete ? &fetched : NULL;
}

bool
openssl_failed(struct error *err, enum error_code code, const char *message)
{
	ERR_clear_error();
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
