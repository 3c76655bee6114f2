#include "crypto/pkcs8.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#define PRIVATE_DER_MAX 4096 /* an RSA-4096 key takes 2375 bytes */

OPENSSL_OWNER(encoder, OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free)

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

/*
 * OpenSSL 3.0 sets a decoder up anew, out of all it has, for each key: ten times the work of
 * decoding one.  So they are kept, as many as were ever busy at a time.  A decoder leaves the key
 * where it was told to when it was made.
 */
struct keyed_decoder {
	OSSL_DECODER_CTX *ctx;
	EVP_PKEY *pkey;
	struct keyed_decoder *next;
};

static struct {
	pthread_mutex_t lock;
	struct keyed_decoder *idle;
} decoders = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
keyed_decoder_done(struct keyed_decoder **owned)
{
	struct keyed_decoder *decoder = *owned;

	if (decoder == NULL)
		return;
	EVP_PKEY_free(decoder->pkey);
	OSSL_DECODER_CTX_free(decoder->ctx);
	free(decoder);
}

static struct keyed_decoder *
decoder_new(void)
{
	AUTO(keyed_decoder_done) struct keyed_decoder *decoder = calloc(1, sizeof(*decoder));
	struct keyed_decoder *made;

	if (decoder == NULL)
		return NULL;
	decoder->ctx = OSSL_DECODER_CTX_new_for_pkey(&decoder->pkey, "DER", "PrivateKeyInfo", NULL,
	    EVP_PKEY_KEYPAIR, NULL, NULL);
	if (decoder->ctx == NULL)
		return NULL;
	made = decoder;
	decoder = NULL;
	return made;
}

static struct keyed_decoder *
decoder_take(void)
{
	struct keyed_decoder *decoder;

	(void)pthread_mutex_lock(&decoders.lock);
	decoder = decoders.idle;
	if (decoder != NULL)
		decoders.idle = decoder->next;
	(void)pthread_mutex_unlock(&decoders.lock);
	return decoder != NULL ? decoder : decoder_new();
}

static void
decoder_give(struct keyed_decoder *decoder)
{
	(void)pthread_mutex_lock(&decoders.lock);
	decoder->next = decoders.idle;
	decoders.idle = decoder;
	(void)pthread_mutex_unlock(&decoders.lock);
}

/* One that has failed is not used again. */
bool
pkcs8_decode(view der, EVP_PKEY **out, struct error *err)
{
	AUTO(keyed_decoder_done) struct keyed_decoder *decoder = decoder_take();
	const unsigned char *at = octets(der);
	size_t left = der.len;

	if (decoder == NULL)
		return openssl_unable(err);
	if (OSSL_DECODER_from_data(decoder->ctx, &at, &left) != 1 || left != 0 ||
	    decoder->pkey == NULL)
		return openssl_failed(err, ERR_CORRUPT, "A private key is malformed.");
	ERR_clear_error(); /* a decoder leaves its failed guesses */
	*out = decoder->pkey;
	decoder->pkey = NULL;
	decoder_give(decoder);
	decoder = NULL;
	return true;
}
