#include "pki/issue.h"

#include "crypto/random.h"
#include "pki/der.h"

#define YEAR_1950 INT64_C(-631152000)
#define YEAR_10000 INT64_C(253402300800)

void
x509_serial(uint8_t out[SERIAL_LEN])
{
	random_bytes(out, SERIAL_LEN);
	out[0] = (uint8_t)((out[0] & 0x7f) | 0x40); /* positive, and always as long */
}

static bool
add_serial(view given, struct buf *out, struct error *err)
{
	uint8_t random[SERIAL_LEN];

	if (given.len == 0) {
		x509_serial(random);
		given = (view){ (const char *)random, sizeof(random) };
	}
	/* A sign would make the longest one too long. */
	if (given.len > SERIAL_LEN_MAX ||
	    (given.len == SERIAL_LEN_MAX && (given.ptr[0] & 0x80) != 0))
		return error_set(err, ERR_INTERNAL, "The serial number is too long.");
	der_unsigned(out, given);
	return true;
}

/* OCTET STRING, or the AuthorityKeyIdentifier's [0], inside an extension. */
static void
add_key_id(struct buf *out, view oid, bool authority, view id)
{
	size_t at = der_open(out, DER_SEQUENCE), value, inner;

	der_oid(out, oid);
	value = der_open(out, DER_OCTET_STRING);
	if (authority) {
		inner = der_open(out, DER_SEQUENCE);
		der_value(out, DER_CONTEXT(0), id);
		der_close(out, inner);
	} else {
		der_value(out, DER_OCTET_STRING, id);
	}
	der_close(out, value);
	der_close(out, at);
}

static bool
add_extensions(const struct x509_wish *wish, struct buf *out, struct error *err)
{
	size_t field = der_open(out, DER_CONSTRUCTED(3)), at = der_open(out, DER_SEQUENCE);
	uint8_t id[KEY_ID_LEN];
	view own = { (const char *)id, sizeof(id) };

	if (!profile_extensions(wish->profile, out, err) || !spki_key_id(wish->spki, id, err))
		return false;
	if (wish->issuer.len == 0)
		add_key_id(out, V("2.5.29.35"), true, own);
	else if (wish->issuer_key_id.len > 0)
		add_key_id(out, V("2.5.29.35"), true, wish->issuer_key_id);
	add_key_id(out, V("2.5.29.14"), false, own);
	der_close(out, at);
	der_close(out, field);
	return true;
}

static bool
add_validity(const struct x509_wish *wish, struct buf *out, struct error *err)
{
	size_t at;

	if (wish->not_before < YEAR_1950 || wish->not_after >= YEAR_10000 ||
	    wish->not_after < wish->not_before)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The certificate can't be valid for that time.");
	at = der_open(out, DER_SEQUENCE);
	der_time(out, wish->not_before);
	der_time(out, wish->not_after);
	der_close(out, at);
	return true;
}

static bool
to_be_signed(const struct x509_wish *wish, enum signature_alg alg, struct buf *out,
    struct error *err)
{
	view issuer = wish->issuer.len > 0 ? wish->issuer : wish->profile->subject;
	size_t at = der_open(out, DER_SEQUENCE), version = der_open(out, DER_CONSTRUCTED(0));
	struct spki kind;

	der_u64(out, 2); /* v3 */
	der_close(out, version);
	if (!spki_read(wish->spki, &kind, err) || !add_serial(wish->serial, out, err) ||
	    !signer_algorithm(alg, out, err))
		return false;
	buf_add(out, issuer);
	if (!add_validity(wish, out, err))
		return false;
	buf_add(out, wish->profile->subject);
	buf_add(out, wish->spki);
	if (!add_extensions(wish, out, err))
		return false;
	der_close(out, at);
	return buf_ok(out) || error_memory(err);
}

bool
x509_issue(const struct x509_wish *wish, const struct signer *signer, struct buf *der,
    struct error *err)
{
	AUTO(buf_free) struct buf tbs = { 0 };

	return to_be_signed(wish, signer->alg, &tbs, err) &&
	    signer_wrap(signer, buf_view(&tbs), der, err);
}

/* CertificationRequestInfo; its one attribute is an extensionRequest (RFC 2985, 5.4.2). */
static bool
request_info(const struct profile *profile, view spki, struct buf *out, struct error *err)
{
	size_t at = der_open(out, DER_SEQUENCE), attributes, attribute, values, extensions;
	struct spki kind;

	if (!spki_read(spki, &kind, err))
		return false;
	der_u64(out, 0); /* v1 */
	buf_add(out, profile->subject);
	buf_add(out, spki);
	attributes = der_open(out, DER_CONSTRUCTED(0));
	attribute = der_open(out, DER_SEQUENCE);
	der_oid(out, V("1.2.840.113549.1.9.14"));
	values = der_open(out, DER_SET);
	extensions = der_open(out, DER_SEQUENCE);
	if (!profile_extensions(profile, out, err))
		return false;
	der_close(out, extensions);
	der_close(out, values);
	der_close(out, attribute);
	der_close(out, attributes);
	der_close(out, at);
	return buf_ok(out) || error_memory(err);
}

bool
csr_make(const struct profile *profile, view spki, const struct signer *signer, struct buf *der,
    struct error *err)
{
	AUTO(buf_free) struct buf info = { 0 };

	return request_info(profile, spki, &info, err) &&
	    signer_wrap(signer, buf_view(&info), der, err);
}
