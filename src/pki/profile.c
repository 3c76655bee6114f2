#include "pki/profile.h"

#include "base/address.h"
#include "base/json.h"
#include "pki/der.h"
#include "pki/extensions.h"
#include "pki/subject.h"

#include <string.h>

#define DNS_MAX 253
#define LABEL_MAX 63
#define OID_UPN "1.3.6.1.4.1.311.20.2.3"

const struct usage_name usage_names[USAGES] = {
	{ "cRLSign", USAGE_CRL_SIGN },
	{ "dataEncipherment", USAGE_DATA_ENCIPHERMENT },
	{ "decipherOnly", USAGE_DECIPHER_ONLY },
	{ "digitalSignature", USAGE_DIGITAL_SIGNATURE },
	{ "encipherOnly", USAGE_ENCIPHER_ONLY },
	{ "keyAgreement", USAGE_KEY_AGREEMENT },
	{ "keyCertSign", USAGE_KEY_CERT_SIGN },
	{ "keyEncipherment", USAGE_KEY_ENCIPHERMENT },
	{ "nonRepudiation", USAGE_NON_REPUDIATION },
};

unsigned
usage_find(view name)
{
	for (size_t i = 0; i < USAGES; i++) {
		if (view_eq(name, view_of(usage_names[i].name)))
			return usage_names[i].usage;
	}
	return 0;
}

static bool
is_visible_ascii(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len > 0;
}

static bool
is_email(view text)
{
	view rest = text, local = view_cut(&rest, '@');

	return is_visible_ascii(text) && local.len > 0 && rest.len > 0 &&
	    !view_find(rest, '@', &(size_t){ 0 });
}

static bool
is_label_char(char c)
{
	return ascii_alphanumeric(c) || c == '-' || c == '_';
}

static bool
is_label(view label)
{
	for (size_t i = 0; i < label.len; i++) {
		if (!is_label_char(label.ptr[i]))
			return false;
	}
	return label.len > 0 && label.len <= LABEL_MAX && label.ptr[0] != '-' &&
	    label.ptr[label.len - 1] != '-';
}

/* A wildcard is the whole first label (RFC 6125, section 6.4.3). */
static bool
is_dns(view text)
{
	view rest = text;

	if (text.len == 0 || text.len > DNS_MAX || text.ptr[text.len - 1] == '.')
		return false;
	if (view_starts(rest, V("*.")))
		rest = view_from(rest, 2);
	while (rest.len > 0) {
		if (!is_label(view_cut(&rest, '.')))
			return false;
	}
	return true;
}

static bool
is_upn(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	}
	return text.len > 0 && utf8_valid(text);
}

/* A scheme, and something behind it (RFC 3986, section 3.1). */
static bool
is_uri(view text)
{
	view rest = text, scheme = view_cut(&rest, ':');

	for (size_t i = 0; i < scheme.len; i++) {
		char c = scheme.ptr[i];

		if (!is_label_char(c) && c != '+' && c != '.')
			return false;
	}
	return is_visible_ascii(text) && scheme.len > 0 && ascii_lower(scheme.ptr[0]) >= 'a' &&
	    ascii_lower(scheme.ptr[0]) <= 'z' && rest.len > 0;
}

static bool
is_ip(view text)
{
	struct address address;

	return address_parse(text, &address);
}

static void
add_ia5(view text, struct buf *out, unsigned number)
{
	der_value(out, DER_CONTEXT(number), text);
}

static void
add_email(view text, struct buf *out)
{
	add_ia5(text, out, 1);
}

static void
add_dns(view text, struct buf *out)
{
	add_ia5(text, out, 2);
}

static void
add_uri(view text, struct buf *out)
{
	add_ia5(text, out, 6);
}

static void
add_upn(view text, struct buf *out)
{
	size_t at = der_open(out, DER_CONSTRUCTED(0)), value;

	der_oid(out, V(OID_UPN));
	value = der_open(out, DER_CONSTRUCTED(0));
	der_value(out, DER_UTF8, text);
	der_close(out, value);
	der_close(out, at);
}

static void
add_ip(view text, struct buf *out)
{
	struct address address = { 0 };
	view bytes = { (const char *)address.bytes, sizeof(address.bytes) };

	if (!address_parse(text, &address))
		out->failed = true;
	der_value(out, DER_CONTEXT(7),
	    address_is_ipv4(&address) ? view_from(bytes, sizeof(address.bytes) - 4) : bytes);
}

/* Each kind: GeneralName of RFC 5280, section 4.2.1.6. */
static const struct {
	const char *name; /* as policies have it */
	bool (*valid)(view text);
	void (*add)(view text, struct buf *out);
} kinds[ALT_KINDS] = {
	[ALT_EMAIL] = { "emails", is_email, add_email },
	[ALT_DNS] = { "dns_names", is_dns, add_dns },
	[ALT_UPN] = { "upns", is_upn, add_upn },
	[ALT_URI] = { "uris", is_uri, add_uri },
	[ALT_IP] = { "ipAddresses", is_ip, add_ip },
};

static bool
check_alt(const struct alt_names *alt, size_t *count, struct error *err)
{
	*count = 0;
	for (size_t kind = 0; kind < ALT_KINDS; kind++) {
		*count += alt->of[kind].count;
		if (*count > ALT_NAMES_MAX)
			return error_set(err, ERR_BAD_PARAMETER,
			    "There are more than %d subject alternative names.", ALT_NAMES_MAX);
		for (size_t i = 0; i < alt->of[kind].count; i++) {
			if (alt->of[kind].items[i].len > ALT_NAME_MAX ||
			    !kinds[kind].valid(alt->of[kind].items[i]))
				return error_set(err, ERR_BAD_PARAMETER,
				    "The subject alternative names have an invalid value in %s.",
				    kinds[kind].name);
		}
	}
	return true;
}

static bool
check_ekus(const struct views *ekus, struct error *err)
{
	if (ekus->count > EKUS_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "There are more than %d extended key usages.", EKUS_MAX);
	for (size_t i = 0; i < ekus->count; i++) {
		if (!der_oid_valid(ekus->items[i]))
			return error_set(err, ERR_BAD_PARAMETER,
			    "An extended key usage is not an object identifier.");
	}
	return true;
}

static bool
check_urls(const struct profile *profile, struct error *err)
{
	const view urls[] = { profile->crl_url, profile->ocsp_url, profile->issuer_url };

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		if (urls[i].len > 0 && (urls[i].len > PROFILE_URL_MAX || !is_uri(urls[i])))
			return error_set(err, ERR_BAD_PARAMETER,
			    "A URL of the certificate is malformed.");
	}
	return true;
}

bool
profile_check(const struct profile *profile, struct error *err)
{
	view rest = profile->subject, name;
	size_t names;

	if (!der_expect(&rest, DER_SEQUENCE, &name) || rest.len != 0)
		return error_set(err, ERR_INTERNAL, "The subject is not a Name.");
	if (!check_alt(&profile->alt, &names, err) || !check_ekus(&profile->ekus, err) ||
	    !check_urls(profile, err))
		return false;
	if (name.len == 0 && names == 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "A subject or subject alternative names must be specified.");
	if (profile->usages >= 1 << USAGES)
		return error_set(err, ERR_INTERNAL, "There are no key usages like that.");
	return true;
}

static void
add_usages(unsigned usages, struct buf *out)
{
	struct extension extension = extension_open(out, V("2.5.29.15"), true);

	der_named_bits(out, usages);
	extension_close(out, extension);
}

static void
add_constraints(const struct profile *profile, struct buf *out)
{
	struct extension extension = extension_open(out, V("2.5.29.19"), profile->ca);
	size_t at = der_open(out, DER_SEQUENCE);

	if (profile->ca) {
		der_boolean(out, true);
		if (profile->path_length >= 0)
			der_u64(out, (uint64_t)profile->path_length);
	}
	der_close(out, at);
	extension_close(out, extension);
}

static void
add_ekus(const struct views *ekus, struct buf *out)
{
	struct extension extension = extension_open(out, V("2.5.29.37"), false);
	size_t at = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < ekus->count; i++)
		der_oid(out, ekus->items[i]);
	der_close(out, at);
	extension_close(out, extension);
}

static void
add_alt(const struct profile *profile, struct buf *out)
{
	bool critical = view_eq(profile->subject, SUBJECT_EMPTY);
	struct extension extension = extension_open(out, V("2.5.29.17"), critical);
	size_t at = der_open(out, DER_SEQUENCE);

	for (size_t kind = 0; kind < ALT_KINDS; kind++) {
		for (size_t i = 0; i < profile->alt.of[kind].count; i++)
			kinds[kind].add(profile->alt.of[kind].items[i], out);
	}
	der_close(out, at);
	extension_close(out, extension);
}

/* CRLDistributionPoints with one point, whose full name is one URL. */
static void
add_crl(view url, struct buf *out)
{
	struct extension extension = extension_open(out, V("2.5.29.31"), false);
	size_t points = der_open(out, DER_SEQUENCE), point = der_open(out, DER_SEQUENCE),
	       name = der_open(out, DER_CONSTRUCTED(0)), full = der_open(out, DER_CONSTRUCTED(0));

	add_uri(url, out);
	der_close(out, full);
	der_close(out, name);
	der_close(out, point);
	der_close(out, points);
	extension_close(out, extension);
}

static void
add_access(view method, view url, struct buf *out)
{
	size_t at;

	if (url.len == 0)
		return;
	at = der_open(out, DER_SEQUENCE);
	der_oid(out, method);
	add_uri(url, out);
	der_close(out, at);
}

/* AuthorityInfoAccess (RFC 5280, section 4.2.2.1). */
static void
add_issuer_info(const struct profile *profile, struct buf *out)
{
	struct extension extension = extension_open(out, V("1.3.6.1.5.5.7.1.1"), false);
	size_t at = der_open(out, DER_SEQUENCE);

	add_access(V("1.3.6.1.5.5.7.48.1"), profile->ocsp_url, out);
	add_access(V("1.3.6.1.5.5.7.48.2"), profile->issuer_url, out);
	der_close(out, at);
	extension_close(out, extension);
}

static bool
has_alt(const struct alt_names *alt)
{
	for (size_t kind = 0; kind < ALT_KINDS; kind++) {
		if (alt->of[kind].count > 0)
			return true;
	}
	return false;
}

bool
profile_extensions(const struct profile *profile, struct buf *out, struct error *err)
{
	if (!profile_check(profile, err))
		return false;
	if (profile->usages != 0)
		add_usages(profile->usages, out);
	add_constraints(profile, out);
	if (profile->ekus.count > 0)
		add_ekus(&profile->ekus, out);
	if (has_alt(&profile->alt))
		add_alt(profile, out);
	if (profile->crl_url.len > 0)
		add_crl(profile->crl_url, out);
	if (profile->ocsp_url.len > 0 || profile->issuer_url.len > 0)
		add_issuer_info(profile, out);
	return buf_ok(out) || error_memory(err);
}
