#include "pki/bundle.h"

#include "base/json.h"
#include "pki/bundle_parts.h"
#include "pki/pfx_work.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <string.h>

#define SAFES_MAX 16
#define BAGS_MAX 128 /* of all kinds, in one file */
#define DEPTH_MAX 2  /* bags of bags */

OPENSSL_OWNER(pkcs12, PKCS12, PKCS12_free)
OPENSSL_OWNER(info, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)

/*
 * RC2 and RC4 are in OpenSSL's legacy provider.  It is loaded here and nowhere else in the process:
 * a context of its own keeps it from everything that asks for an algorithm by name.  Where the
 * provider is not installed, files that need it are refused.
 */
static OSSL_LIB_CTX *old_algorithms;
static pthread_once_t old_once = PTHREAD_ONCE_INIT;

static void
load_old(void)
{
	old_algorithms = OSSL_LIB_CTX_new();
	if (old_algorithms == NULL)
		return;
	(void)OSSL_PROVIDER_load(old_algorithms, "default");
	(void)OSSL_PROVIDER_load(old_algorithms, "legacy");
	ERR_clear_error();
}

struct reader {
	struct parts parts;
	const char *password; /* NULL: not even the two zeros that end an empty one */
	int password_len;
	uint64_t work;
	size_t bags;
};

static void
reader_done(struct reader *reader)
{
	parts_done(&reader->parts);
}

static bool
unreadable(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER,
	    "The specified PKCS#12 X.509 certificate content can not be read. Please check if "
	    "certificate is in valid PKCS#12 format.");
}

static bool
wrong_password(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER,
	    "The specified PKCS#12 X.509 certificate content can not be read. Please check if "
	    "certificate is in valid PKCS#12 format. Please check if the password is correct.");
}

static bool
take_key(struct reader *reader, const PKCS8_PRIV_KEY_INFO *info, struct error *err)
{
	EVP_PKEY *key = EVP_PKCS82PKEY(info);

	if (key == NULL)
		return unreadable(err);
	parts_key(&reader->parts, key);
	return true;
}

static bool
take_shrouded(struct reader *reader, const PKCS12_SAFEBAG *bag, struct error *err)
{
	AUTO(info_done) PKCS8_PRIV_KEY_INFO *info = NULL;
	const X509_ALGOR *algorithm;

	X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, NULL);
	if (!pfx_work_cipher(algorithm, &reader->work, err))
		return false;
	info = PKCS12_decrypt_skey_ex(bag, reader->password, reader->password_len, old_algorithms,
	    NULL);
	return info != NULL ? take_key(reader, info, err) : unreadable(err);
}

static bool
take_certificate(struct reader *reader, const PKCS12_SAFEBAG *bag, struct error *err)
{
	AUTO(certificate_done) X509 *certificate = NULL;
	unsigned char *der = NULL;
	bool good;
	int len;

	if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
		return true; /* an SDSI one; nobody makes them */
	certificate = PKCS12_SAFEBAG_get1_cert(bag);
	len = certificate == NULL ? 0 : i2d_X509(certificate, &der);
	if (len <= 0)
		return unreadable(err);
	good = parts_certificate(&reader->parts, (view){ (const char *)der, (size_t)len }, err);
	OPENSSL_free(der);
	return good;
}

static bool take_bags(struct reader *reader, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth,
    struct error *err);

/* CRLs and other secrets may be there; they are not what is asked for. */
static bool
take_bag(struct reader *reader, const PKCS12_SAFEBAG *bag, int depth, struct error *err)
{
	if (reader->bags++ == BAGS_MAX)
		return unreadable(err);
	switch (PKCS12_SAFEBAG_get_nid(bag)) {
	case NID_keyBag: return take_key(reader, PKCS12_SAFEBAG_get0_p8inf(bag), err);
	case NID_pkcs8ShroudedKeyBag: return take_shrouded(reader, bag, err);
	case NID_certBag: return take_certificate(reader, bag, err);
	case NID_safeContentsBag:
		return take_bags(reader, PKCS12_SAFEBAG_get0_safes(bag), depth + 1, err);
	default: return true;
	}
}

static bool
take_bags(struct reader *reader, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth,
    struct error *err)
{
	if (bags == NULL || depth > DEPTH_MAX)
		return unreadable(err);
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		if (!take_bag(reader, sk_PKCS12_SAFEBAG_value(bags, i), depth, err))
			return false;
	}
	return true;
}

static bool
open_safe(struct reader *reader, PKCS7 *safe, STACK_OF(PKCS12_SAFEBAG) * *bags, struct error *err)
{
	PKCS7_ENC_CONTENT *content;

	if (PKCS7_type_is_data(safe)) {
		*bags = PKCS12_unpack_p7data(safe);
		return *bags != NULL || unreadable(err);
	}
	if (!PKCS7_type_is_encrypted(safe) || safe->d.encrypted == NULL ||
	    safe->d.encrypted->enc_data == NULL)
		return unreadable(err);
	content = safe->d.encrypted->enc_data;
	if (content->enc_data == NULL || !pfx_work_cipher(content->algorithm, &reader->work, err))
		return content->enc_data == NULL ? unreadable(err) : false;
	*bags = PKCS12_item_decrypt_d2i_ex(content->algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS),
	    reader->password, reader->password_len, content->enc_data, 1, old_algorithms, NULL);
	return *bags != NULL || unreadable(err);
}

static bool
take_safe(struct reader *reader, PKCS7 *safe, struct error *err)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	bool good = open_safe(reader, safe, &bags, err) && take_bags(reader, bags, 0, err);

	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	return good;
}

static bool
take_safes(struct reader *reader, const PKCS12 *pfx, struct error *err)
{
	STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(pfx);
	bool good = safes != NULL && sk_PKCS7_num(safes) <= SAFES_MAX;

	if (!good)
		(void)unreadable(err);
	for (int i = 0; good && i < sk_PKCS7_num(safes); i++)
		good = take_safe(reader, sk_PKCS7_value(safes, i), err);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return good;
}

/*
 * Those who write a file with an empty password mean "" or no password at all, which differ
 * (RFC 7292, appendix B.1): the MAC tells.
 */
static bool
check_mac(struct reader *reader, PKCS12 *pfx, struct error *err)
{
	if (PKCS12_mac_present(pfx) != 1)
		return unreadable(err);
	if (!pfx_work_mac(pfx, &reader->work, err))
		return false;
	if (PKCS12_verify_mac(pfx, reader->password, reader->password_len) == 1)
		return true;
	if (reader->password_len > 0)
		return wrong_password(err);
	if (!pfx_work_mac(pfx, &reader->work, err))
		return false;
	reader->password = NULL;
	return PKCS12_verify_mac(pfx, NULL, 0) == 1 || wrong_password(err);
}

static bool
decode(view pfx, PKCS12 **out, struct error *err)
{
	AUTO(pkcs12_done) PKCS12 *decoded = NULL;
	const unsigned char *at = octets(pfx);

	(void)pthread_once(&old_once, load_old);
	if (old_algorithms == NULL)
		return openssl_unable(err);
	decoded = PKCS12_init_ex(NID_pkcs7_data, old_algorithms, NULL);
	if (decoded == NULL)
		return openssl_unable(err);
	/* On failure it frees what it was given. */
	if (d2i_PKCS12(&decoded, &at, (long)pfx.len) == NULL || at != octets(pfx) + pfx.len)
		return unreadable(err);
	*out = decoded;
	decoded = NULL;
	return true;
}

bool
bundle_from_pfx(view pfx, view password, struct arena *arena, struct bundle *out, struct error *err)
{
	AUTO(reader_done) struct reader reader = { .parts = { .arena = arena } };
	AUTO(plain_done) struct plain *text = NULL;
	AUTO(pkcs12_done) PKCS12 *decoded = NULL;

	if (pfx.len > BUNDLE_MAX)
		return error_set(err, ERR_BAD_PARAMETER, "The certificate is too large.");
	if (password.len > 4 * BUNDLE_PASSWORD_MAX || utf8_length(password) > BUNDLE_PASSWORD_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The certificate's password must not be longer than %d characters.",
		    BUNDLE_PASSWORD_MAX);
	text = plain_new(password.len + 1); /* with a NUL behind it */
	if (text == NULL)
		return error_memory(err);
	if (password.len > 0)
		memcpy(plain_bytes(text), password.ptr, password.len);
	reader.password = plain_bytes(text);
	reader.password_len = (int)password.len;
	if (!decode(pfx, &decoded, err) || !check_mac(&reader, decoded, err) ||
	    !take_safes(&reader, decoded, err))
		return false;
	if (reader.parts.keys == 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Private key is not specified in the specified PKCS#12 X.509 certificate "
		    "content.");
	return parts_finish(&reader.parts, out, err);
}
