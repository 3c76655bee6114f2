#include "pki/read.h"

#include "crypto/openssl.h"
#include "pki/der.h"
#include "pki/extensions.h"
#include "pki/subject.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define SERIAL_MAX 64 /* bytes; today's are at most 20 */

OPENSSL_OWNER(request, X509_REQ, X509_REQ_free)

static bool
malformed(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER, "The X.509 certificate is malformed.");
}

static bool
malformed_request(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER, "The certificate request is malformed.");
}

/* UTCTime and GeneralizedTime as RFC 5280, section 4.1.2.5, has them, and no day that never was. */
static bool
read_time(const struct der *value, int64_t *out)
{
	size_t len = value->tag == DER_UTC_TIME ? 13 : 15;
	char text[16] = "19", again[16];
	const char *end;
	struct tm tm = { 0 };

	if ((value->tag != DER_UTC_TIME && value->tag != DER_GENERALIZED_TIME) ||
	    value->content.len != len)
		return false;
	if (value->tag == DER_UTC_TIME && value->content.ptr[0] < '5')
		memcpy(text, "20", 2);
	memcpy(text + 15 - len, value->content.ptr, len);
	text[15] = '\0';
	end = strptime(text, "%4Y%2m%2d%2H%2M%2SZ", &tm);
	if (end != text + 15)
		return false;
	*out = timegm(&tm);
	return strftime(again, sizeof(again), "%Y%m%d%H%M%SZ", &tm) == 15 &&
	    memcmp(text, again, 15) == 0;
}

static bool
read_validity(view in, struct x509 *out)
{
	struct der from, to;

	return der_next(&in, &from) && der_next(&in, &to) && in.len == 0 &&
	    read_time(&from, &out->not_before) && read_time(&to, &out->not_after);
}

/* A value of that tag, with its head. */
static bool
take_whole(view *rest, unsigned tag, view *whole)
{
	struct der found;

	if (!der_next(rest, &found) || found.tag != tag)
		return false;
	*whole = found.whole;
	return true;
}

/* What is left behind the key: unique identifiers, which nobody uses, and the extensions. */
static bool
take_extensions(view rest, view *extensions)
{
	view field, ignored;

	*extensions = V("");
	(void)der_optional(&rest, DER_CONTEXT(1), &ignored);
	(void)der_optional(&rest, DER_CONTEXT(2), &ignored);
	if (rest.len == 0)
		return true;
	return der_expect(&rest, DER_CONSTRUCTED(3), &field) && rest.len == 0 &&
	    der_expect(&field, DER_SEQUENCE, extensions) && field.len == 0;
}

/* The TBSCertificate; ${algorithm} has to be the one outside. */
static bool
read_tbs(view in, view algorithm, struct x509 *out, view *extensions)
{
	view field, validity, inner;

	if (der_expect(&in, DER_CONSTRUCTED(0), &field) && !view_eq(field, V("\x02\x01\x01")) &&
	    !view_eq(field, V("\x02\x01\x02")))
		return false;
	return der_expect(&in, DER_INTEGER, &out->serial) && out->serial.len > 0 &&
	    out->serial.len <= SERIAL_MAX && take_whole(&in, DER_SEQUENCE, &inner) &&
	    view_eq(inner, algorithm) && take_whole(&in, DER_SEQUENCE, &out->issuer) &&
	    der_expect(&in, DER_SEQUENCE, &validity) && read_validity(validity, out) &&
	    take_whole(&in, DER_SEQUENCE, &out->profile.subject) &&
	    take_whole(&in, DER_SEQUENCE, &out->spki) && take_extensions(in, extensions);
}

static bool
read_certificate(view der, struct x509 *out, view *extensions)
{
	view whole, tbs, algorithm, signature;

	return der_expect(&der, DER_SEQUENCE, &whole) && der.len == 0 &&
	    der_expect(&whole, DER_SEQUENCE, &tbs) &&
	    take_whole(&whole, DER_SEQUENCE, &algorithm) &&
	    der_expect(&whole, DER_BIT_STRING, &signature) && whole.len == 0 &&
	    read_tbs(tbs, algorithm, out, extensions) && !subject_has_nul(out->issuer) &&
	    !subject_has_nul(out->profile.subject);
}

/* OpenSSL, by which it will be used, has to be able to read it, too. */
static bool
parse(view der, X509 **out)
{
	const unsigned char *at = octets(der);
	AUTO(certificate_done) X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	if (certificate == NULL || at != octets(der) + der.len)
		return false;
	*out = certificate;
	certificate = NULL;
	return true;
}

static void
take_profile(struct profile *profile, const struct extensions *extensions)
{
	profile->alt = extensions->alt;
	profile->usages = extensions->usages;
	profile->ekus = extensions->ekus;
	profile->ca = extensions->ca;
	profile->path_length = extensions->path_length;
}

bool
x509_read(view der, struct arena *arena, struct x509 *out, struct error *err)
{
	AUTO(certificate_done) X509 *certificate = NULL;
	struct x509 found = { .der = der };
	struct extensions extensions;
	view content;

	if (der.len > CERTIFICATE_MAX)
		return error_set(err, ERR_BAD_PARAMETER, "The X.509 certificate is too large.");
	if (!read_certificate(der, &found, &content) || !parse(der, &certificate))
		return malformed(err);
	if (!extensions_read(content, arena, &extensions, err) ||
	    !spki_read(found.spki, &found.key, err) || !sha1(der, found.thumbprint, err))
		return false;
	take_profile(&found.profile, &extensions);
	found.key_id = extensions.key_id;
	found.issuer_key_id = extensions.issuer_key_id;
	*out = found;
	return true;
}

bool
x509_signed_by(const struct x509 *certificate, const struct x509 *issuer)
{
	AUTO(certificate_done) X509 *parsed = NULL;
	AUTO(certificate_done) X509 *by = NULL;
	AUTO(pkey_done) EVP_PKEY *key = NULL;
	bool good;

	if (!parse(certificate->der, &parsed) || !parse(issuer->der, &by))
		return false;
	good = X509_NAME_cmp(X509_get_issuer_name(parsed), X509_get_subject_name(by)) == 0 &&
	    X509_check_ca(by) != 0;
	key = good ? X509_get_pubkey(by) : NULL;
	good = key != NULL && X509_verify(parsed, key) == 1;
	ERR_clear_error();
	return good;
}

/* An Attribute that asks for extensions: RFC 2985's, and Microsoft's older one. */
static bool
is_extension_request(view oid)
{
	return view_eq(oid, V("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e")) ||
	    view_eq(oid, V("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"));
}

static bool
read_attributes(view rest, view *extensions)
{
	view attribute, oid, values;
	bool found = false;

	*extensions = V("");
	while (rest.len > 0) {
		if (!der_expect(&rest, DER_SEQUENCE, &attribute) ||
		    !der_expect(&attribute, DER_OID, &oid) ||
		    !der_expect(&attribute, DER_SET, &values) || attribute.len != 0)
			return false;
		if (!is_extension_request(oid))
			continue;
		if (found || !der_expect(&values, DER_SEQUENCE, extensions) || values.len != 0)
			return false;
		found = true;
	}
	return true;
}

static bool
read_request(view der, struct csr *out, view *extensions)
{
	view whole, info, version, attributes, algorithm, signature;

	if (!der_expect(&der, DER_SEQUENCE, &whole) || der.len != 0 ||
	    !der_expect(&whole, DER_SEQUENCE, &info) ||
	    !take_whole(&whole, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&whole, DER_BIT_STRING, &signature) || whole.len != 0)
		return false;
	if (!der_expect(&info, DER_INTEGER, &version) || !view_eq(version, V("\x00")) ||
	    !take_whole(&info, DER_SEQUENCE, &out->profile.subject) ||
	    !take_whole(&info, DER_SEQUENCE, &out->spki))
		return false;
	attributes = V(""); /* some leave out even the empty set of them */
	return (info.len == 0 || der_expect(&info, DER_CONSTRUCTED(0), &attributes)) &&
	    info.len == 0 && read_attributes(attributes, extensions) &&
	    !subject_has_nul(out->profile.subject);
}

/* By the key it is about: whoever sent it has that key. */
static bool
request_signed(view der)
{
	const unsigned char *at = octets(der);
	AUTO(request_done) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
	EVP_PKEY *key = request == NULL ? NULL : X509_REQ_get0_pubkey(request);

	return key != NULL && X509_REQ_verify(request, key) == 1;
}

bool
csr_read(view der, struct arena *arena, struct csr *out, struct error *err)
{
	struct csr found = { 0 };
	struct extensions extensions;
	view content;

	if (der.len > CERTIFICATE_MAX || !read_request(der, &found, &content))
		return malformed_request(err);
	if (!extensions_read(content, arena, &extensions, err) ||
	    !spki_read(found.spki, &found.key, err))
		return false;
	if (!request_signed(der))
		return openssl_failed(err, ERR_BAD_PARAMETER,
		    "The certificate request is not signed by its own key.");
	ERR_clear_error();
	take_profile(&found.profile, &extensions);
	*out = found;
	return true;
}
