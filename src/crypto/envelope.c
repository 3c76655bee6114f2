#include "crypto/envelope.h"

#include "crypto/openssl.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define RSA_BITS_MIN 2048
#define FLAGS (CMS_BINARY | CMS_PARTIAL)

OPENSSL_OWNER(cms, CMS_ContentInfo, CMS_ContentInfo_free)

static bool
read_certificate(view pem, X509 **out, struct error *err)
{
	AUTO(bio_done) BIO *bio = NULL;
	EVP_PKEY *key;

	if (pem.len > ENVELOPE_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The recipient's certificate is too long.");
	bio = BIO_new_mem_buf(octets(pem), (int)pem.len);
	if (bio == NULL)
		return openssl_unable(err);
	*out = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	key = *out == NULL ? NULL : X509_get0_pubkey(*out);
	if (key == NULL)
		return openssl_failed(err, ERR_BAD_REQUEST,
		    "The recipient is not a certificate in PEM.");
	ERR_clear_error();
	if ((EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN) ||
	    EVP_PKEY_is_a(key, "EC"))
		return true;
	return error_set(err, ERR_BAD_REQUEST,
	    "The recipient's certificate is not of an RSA key of 2048 bits or more, nor of an EC "
	    "key.");
}

/* What OpenSSL does unasked is PKCS#1 v1.5, and SHA-1. */
static bool
add_recipient(CMS_ContentInfo *cms, X509 *certificate)
{
	CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx = info == NULL ? NULL : CMS_RecipientInfo_get0_pkey_ctx(info);

	if (ctx == NULL)
		return false;
	if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
	return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) == 1;
}

static bool
encode(CMS_ContentInfo *cms, struct buf *out, struct error *err)
{
	int len = i2d_CMS_ContentInfo(cms, NULL);
	unsigned char *room;

	if (len <= 0 || (size_t)len > ENVELOPE_MAX)
		return openssl_unable(err);
	room = (unsigned char *)buf_room(out, (size_t)len);
	if (room == NULL)
		return error_memory(err);
	if (i2d_CMS_ContentInfo(cms, &room) != len)
		return openssl_unable(err);
	out->len += (size_t)len;
	return true;
}

bool
envelope_seal(view recipient, view plain, struct buf *out, struct error *err)
{
	AUTO(certificate_done) X509 *certificate = NULL;
	AUTO(cms_done) CMS_ContentInfo *cms = NULL;
	AUTO(bio_done) BIO *content = NULL;

	if (!read_certificate(recipient, &certificate, err))
		return false;
	content = BIO_new_mem_buf(octets(plain), (int)plain.len);
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), FLAGS);
	if (content == NULL || cms == NULL || !add_recipient(cms, certificate) ||
	    CMS_final(cms, content, NULL, CMS_BINARY) != 1)
		return openssl_unable(err);
	return encode(cms, out, err);
}

static bool
read_key(view pem, EVP_PKEY **out, struct error *err)
{
	AUTO(bio_done) BIO *bio = NULL;

	if (pem.len > ENVELOPE_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The private key is too long.");
	bio = BIO_new_mem_buf(octets(pem), (int)pem.len);
	if (bio == NULL)
		return openssl_unable(err);
	*out = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (*out == NULL)
		return openssl_failed(err, ERR_BAD_REQUEST,
		    "The key is not a private key in PEM, or that was not its password.");
	ERR_clear_error();
	return true;
}

static bool
take(BIO *from, struct plain **out, struct error *err)
{
	char *bytes;
	long len = BIO_get_mem_data(from, &bytes);

	*out = plain_copy((view){ bytes, (size_t)len });
	OPENSSL_cleanse(bytes, (size_t)len);
	return *out != NULL || error_memory(err);
}

bool
envelope_open(view key, view envelope, struct plain **out, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	AUTO(cms_done) CMS_ContentInfo *cms = NULL;
	AUTO(bio_done) BIO *plain = BIO_new(BIO_s_mem());
	const unsigned char *at = octets(envelope);

	if (!read_key(key, &pkey, err))
		return false;
	if (plain == NULL)
		return openssl_unable(err);
	if (envelope.len <= ENVELOPE_MAX)
		cms = d2i_CMS_ContentInfo(NULL, &at, (long)envelope.len);
	if (cms == NULL || at != octets(envelope) + envelope.len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData)
		return openssl_failed(err, ERR_CORRUPT, "This is not a sealed message.");
	if (CMS_decrypt(cms, pkey, NULL, NULL, plain, CMS_BINARY) != 1)
		return openssl_failed(err, ERR_CORRUPT,
		    "It is sealed to another key, or was changed.");
	return take(plain, out, err);
}
