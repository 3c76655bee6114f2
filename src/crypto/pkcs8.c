#include "crypto/pkcs8.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>

#define PRIVATE_DER_MAX 4096 /* an RSA-4096 key takes 2375 bytes */

OPENSSL_OWNER(encoder, OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free)
OPENSSL_OWNER(decoder, OSSL_DECODER_CTX, OSSL_DECODER_CTX_free)

/* The encoder's own copy lies in a memory BIO, which wipes it. */
bool
pkcs8_encode(EVP_PKEY *pkey, struct plain **out, struct error *err)
{
	AUTO(encoder_done)
	OSSL_ENCODER_CTX *ctx =
	    OSSL_ENCODER_CTX_new_for_pkey(pkey, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", NULL);
	AUTO(plain_done) struct plain *der = plain_new(PRIVATE_DER_MAX);
	unsigned char *at;
	size_t left = PRIVATE_DER_MAX;

	if (der == NULL)
		return error_memory(err);
	at = (unsigned char *)plain_bytes(der);
	if (ctx == NULL || OSSL_ENCODER_to_data(ctx, &at, &left) != 1)
		return openssl_unable(err);
	plain_resize(der, PRIVATE_DER_MAX - left);
	*out = der;
	der = NULL;
	return true;
}

bool
pkcs8_decode(view der, EVP_PKEY **out, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	AUTO(decoder_done)
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", "PrivateKeyInfo", NULL,
	    EVP_PKEY_KEYPAIR, NULL, NULL);
	const unsigned char *at = octets(der);
	size_t left = der.len;

	if (ctx == NULL || OSSL_DECODER_from_data(ctx, &at, &left) != 1 || left != 0)
		return openssl_failed(err, ERR_CORRUPT, "A private key is malformed.");
	ERR_clear_error(); /* a decoder leaves its failed guesses */
	*out = pkey;
	pkey = NULL;
	return true;
}
