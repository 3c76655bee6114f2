#include "crypto/x509.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define KEY_ID_LEN 20
#define SERIAL_LEN 16

OPENSSL_OWNER(names, GENERAL_NAMES, GENERAL_NAMES_free)
OPENSSL_OWNER(name, GENERAL_NAME, GENERAL_NAME_free)
OPENSSL_OWNER(authority_key, AUTHORITY_KEYID, AUTHORITY_KEYID_free)
OPENSSL_OWNER(constraints, BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
OPENSSL_OWNER(bit_string, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
OPENSSL_OWNER(octet_string, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
OPENSSL_OWNER(string, ASN1_STRING, ASN1_STRING_free)
OPENSSL_OWNER(usages, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
OPENSSL_OWNER(x509_pubkey, X509_PUBKEY, X509_PUBKEY_free)

/* Whatever a type: encode it as one of the certificate's extensions. */
static bool
extend(X509 *certificate, int nid, bool critical, void *value)
{
	return value != NULL && X509_add1_ext_i2d(certificate, nid, value, critical, 0) == 1;
}

/* RFC 7093, section 2, method 1: the leftmost 160 bits of the SHA-256 of the key's bit string. */
static bool
key_id(view spki, ASN1_OCTET_STRING **out)
{
	const unsigned char *at = octets(spki), *bits;
	AUTO(x509_pubkey_done) X509_PUBKEY *key = d2i_X509_PUBKEY(NULL, &at, (long)spki.len);
	AUTO(octet_string_done) ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	uint8_t digest[SHA256_LEN];
	struct error ignored;
	int len;

	if (key == NULL || id == NULL || X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, key) != 1)
		return false;
	if (!sha256(&(view){ (const char *)bits, (size_t)len }, 1, digest, &ignored) ||
	    ASN1_OCTET_STRING_set(id, digest, KEY_ID_LEN) != 1)
		return false;
	*out = id;
	id = NULL;
	return true;
}

static bool
add_key_ids(X509 *certificate, const struct x509_wish *wish)
{
	AUTO(octet_string_done) ASN1_OCTET_STRING *own = NULL;
	AUTO(authority_key_done) AUTHORITY_KEYID *issuer = AUTHORITY_KEYID_new();

	return issuer != NULL && key_id(wish->public_key, &own) &&
	    key_id(wish->issuer_key, &issuer->keyid) &&
	    extend(certificate, NID_subject_key_identifier, false, own) &&
	    extend(certificate, NID_authority_key_identifier, false, issuer);
}

static bool
add_constraints(X509 *certificate, bool authority)
{
	AUTO(constraints_done) BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

	if (constraints == NULL)
		return false;
	if (authority) {
		constraints->ca = 0xFF; /* written as it is; in DER nothing else is true */
		constraints->pathlen = ASN1_INTEGER_new();
		if (constraints->pathlen == NULL || ASN1_INTEGER_set(constraints->pathlen, 0) != 1)
			return false;
	}
	return extend(certificate, NID_basic_constraints, true, constraints);
}

/* RFC 5280, section 4.2.1.3: the bits' numbers in a KeyUsage. */
enum { USE_SIGNATURE = 0, USE_CERT_SIGN = 5, USE_CRL_SIGN = 6 };

static bool
add_usage(X509 *certificate, bool authority)
{
	AUTO(bit_string_done) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	if (bits == NULL || ASN1_BIT_STRING_set_bit(bits, USE_SIGNATURE, !authority) != 1 ||
	    ASN1_BIT_STRING_set_bit(bits, USE_CERT_SIGN, authority) != 1 ||
	    ASN1_BIT_STRING_set_bit(bits, USE_CRL_SIGN, authority) != 1)
		return false;
	return extend(certificate, NID_key_usage, true, bits);
}

static bool
add_server_usage(X509 *certificate)
{
	AUTO(usages_done) EXTENDED_KEY_USAGE *usages = EXTENDED_KEY_USAGE_new();

	return usages != NULL && sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_server_auth)) > 0 &&
	    extend(certificate, NID_ext_key_usage, false, usages);
}

/* The bytes of an IP address; empty when ${text} is none. */
static view
address_bytes(const char *text, char room[sizeof(struct in6_addr)])
{
	if (inet_pton(AF_INET, text, room) == 1)
		return (view){ room, sizeof(struct in_addr) };
	if (inet_pton(AF_INET6, text, room) == 1)
		return (view){ room, sizeof(struct in6_addr) };
	return V("");
}

static bool
add_name(GENERAL_NAMES *names, const char *text)
{
	char room[sizeof(struct in6_addr)];
	view address = address_bytes(text, room);
	bool is_dns = address.len == 0;
	view bytes = is_dns ? view_of(text) : address;
	AUTO(name_done) GENERAL_NAME *name = GENERAL_NAME_new();
	AUTO(string_done)
	ASN1_STRING *value = ASN1_STRING_type_new(is_dns ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

	if (name == NULL || value == NULL || ASN1_STRING_set(value, bytes.ptr, (int)bytes.len) != 1)
		return false;
	GENERAL_NAME_set0_value(name, is_dns ? GEN_DNS : GEN_IPADD, value);
	value = NULL; /* the name's */
	if (sk_GENERAL_NAME_push(names, name) <= 0)
		return false;
	name = NULL;
	return true;
}

static bool
add_names(X509 *certificate, const char *const *dns)
{
	AUTO(names_done) GENERAL_NAMES *names = GENERAL_NAMES_new();

	if (names == NULL)
		return false;
	for (; *dns != NULL; dns++) {
		if (!add_name(names, *dns))
			return false;
	}
	return sk_GENERAL_NAME_num(names) == 0 ||
	    extend(certificate, NID_subject_alt_name, false, names);
}

static bool
set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_LEN];
	AUTO(bn_done) BIGNUM *number = NULL;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] |= 0x80; /* always as long, never zero */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	return number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
}

static bool
set_common_name(X509_NAME *name, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		   (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool
set_public_key(X509 *certificate, view spki)
{
	const unsigned char *at = octets(spki);
	AUTO(pkey_done) EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);

	return pkey != NULL && X509_set_pubkey(certificate, pkey) == 1;
}

static bool
fill(X509 *certificate, const struct x509_wish *wish)
{
	return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	    set_common_name(X509_get_subject_name(certificate), wish->subject) &&
	    set_common_name(X509_get_issuer_name(certificate), wish->issuer) &&
	    ASN1_TIME_set(X509_getm_notBefore(certificate), wish->not_before) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(certificate), wish->not_after) != NULL &&
	    set_public_key(certificate, wish->public_key) &&
	    add_constraints(certificate, wish->authority) &&
	    add_usage(certificate, wish->authority) &&
	    (wish->authority || wish->signer || add_server_usage(certificate)) &&
	    add_key_ids(certificate, wish) &&
	    (wish->dns == NULL || add_names(certificate, wish->dns));
}

/*
 * OpenSSL fills in the algorithm of a signature only by signing: a key of the moment does that, and
 * its signature is thrown away.
 */
static bool
to_be_signed(const struct x509_wish *wish, struct buf *out, struct error *err)
{
	AUTO(certificate_done) X509 *certificate = X509_new();
	AUTO(pkey_done) EVP_PKEY *moment = EVP_EC_gen("P-256");
	unsigned char *room;
	int len;

	if (certificate == NULL || moment == NULL)
		return openssl_unable(err);
	if (!fill(certificate, wish))
		return openssl_failed(err, ERR_INTERNAL, "The certificate can't be made so.");
	if (X509_sign(certificate, moment, EVP_sha256()) <= 0)
		return openssl_unable(err);
	len = i2d_re_X509_tbs(certificate, NULL);
	if (len <= 0)
		return openssl_unable(err);
	room = (unsigned char *)buf_room(out, (size_t)len);
	if (room == NULL)
		return error_memory(err);
	out->len += (size_t)i2d_re_X509_tbs(certificate, &room);
	return true;
}

enum der_tag { DER_BIT_STRING = 0x03, DER_SEQUENCE = 0x30 };

/* A DER tag with the length of what follows it (X.690, section 8.1.3). */
static void
der_head(struct buf *out, enum der_tag tag, size_t len)
{
	unsigned bytes = 0;

	buf_add_char(out, (char)tag);
	if (len < 0x80) {
		buf_add_char(out, (char)len);
		return;
	}
	for (size_t rest = len; rest > 0; rest >>= 8)
		bytes++;
	buf_add_char(out, (char)(0x80 | bytes));
	while (bytes-- > 0)
		buf_add_char(out, (char)(len >> 8 * bytes & 0xff));
}

/* Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue } (RFC 5280). */
static void
assemble(view tbs, view signature, struct buf *der)
{
	/* AlgorithmIdentifier { ecdsa-with-SHA256 } (RFC 5758, section 3.2) */
	static const view alg = V_INIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
	AUTO(buf_free) struct buf bits = { 0 };

	der_head(&bits, DER_BIT_STRING, signature.len + 1);
	buf_add_char(&bits, 0); /* no unused bits */
	buf_add(&bits, signature);
	if (!buf_ok(&bits))
		der->failed = true;
	der_head(der, DER_SEQUENCE, tbs.len + alg.len + bits.len);
	buf_add(der, tbs);
	buf_add(der, alg);
	buf_add(der, buf_view(&bits));
}

bool
x509_make(const struct x509_wish *wish, x509_sign *sign, void *ctx, struct buf *der,
    struct error *err)
{
	AUTO(buf_free) struct buf tbs = { 0 };
	AUTO(buf_free) struct buf signature = { 0 };

	if (!to_be_signed(wish, &tbs, err) || !sign(ctx, buf_view(&tbs), &signature, err))
		return false;
	if (!buf_ok(&tbs) || !buf_ok(&signature))
		return error_memory(err);
	assemble(buf_view(&tbs), buf_view(&signature), der);
	return buf_ok(der) || error_memory(err);
}

/* What was written to ${bio}, a memory BIO. */
static bool
take_text(BIO *bio, struct buf *out, struct error *err)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);

	if (len <= 0)
		return openssl_unable(err);
	buf_add(out, (view){ text, (size_t)len });
	return buf_ok(out) || error_memory(err);
}

bool
x509_pem(view der, struct buf *out, struct error *err)
{
	AUTO(bio_done) BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509, "", octets(der), (long)der.len) <= 0)
		return openssl_unable(err);
	return take_text(bio, out, err);
}

bool
x509_leaf_key(struct buf *pem, struct buf *spki, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	AUTO(bio_done) BIO *bio = BIO_new(BIO_s_mem()); /* wipes what it held */

	if (pkey == NULL || bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return openssl_unable(err);
	return take_text(bio, pem, err) && spki_encode(pkey, spki, err);
}
