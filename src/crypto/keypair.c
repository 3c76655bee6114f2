#include "crypto/keypair.h"
#include "crypto/openssl.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

bool
keypair_new(struct buf *pem, struct buf *spki, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	AUTO(bio_done) BIO *bio = BIO_new(BIO_s_mem()); /* wipes what it held */
	char *text;
	long len;

	if (pkey == NULL || bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return openssl_unable(err);
	len = BIO_get_mem_data(bio, &text);
	if (len <= 0)
		return openssl_unable(err);
	buf_add(pem, (view){ text, (size_t)len });
	if (!buf_ok(pem))
		return error_memory(err);
	return spki_encode(pkey, spki, err);
}
