#include "pki/ocsp.h"

#include "crypto/openssl.h"
#include "pki/der.h"
#include "pki/spki.h"

#include <string.h>

#define OID_BASIC "1.3.6.1.5.5.7.48.1.1"
#define OID_NONCE "1.3.6.1.5.5.7.48.1.2"

/* Their OIDs as content octets (RFC 8017, appendix B.1; RFC 5754). */
static const struct {
	view oid;
	unsigned bits;
	const EVP_MD *(*digest)(void);
} hashes[] = {
	{ V_INIT("\x2b\x0e\x03\x02\x1a"), 1, EVP_sha1 },
	{ V_INIT("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), 256, EVP_sha256 },
	{ V_INIT("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), 384, EVP_sha384 },
	{ V_INIT("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), 512, EVP_sha512 },
};

static bool
malformed(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "The OCSP request is malformed.");
}

static bool
read_id(const struct der *value, struct ocsp_id *out)
{
	view in = value->content, algorithm, oid;

	*out = (struct ocsp_id){ .der = value->whole };
	if (value->tag != DER_SEQUENCE || !der_expect(&in, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&algorithm, DER_OID, &oid) ||
	    !der_expect(&in, DER_OCTET_STRING, &out->name_hash) ||
	    !der_expect(&in, DER_OCTET_STRING, &out->key_hash) ||
	    !der_expect(&in, DER_INTEGER, &out->serial) || in.len != 0 || out->serial.len == 0)
		return false;
	/*
	 * What is asked comes back in the answer: let there be one way to ask, or two (RFC 4055,
	 * 2.1, has hashes without parameters and with NULL).
	 */
	if (algorithm.len > 0 && !view_eq(algorithm, V("\x05\x00")))
		return false;
	if (out->serial.len > 1 && out->serial.ptr[0] == 0) {
		out->serial = view_from(out->serial, 1);
		if (((unsigned char)out->serial.ptr[0] & 0x80) == 0)
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		if (view_eq(oid, hashes[i].oid))
			out->hash_bits = hashes[i].bits;
	}
	return true;
}

static bool
read_list(view list, struct ocsp_request *out)
{
	while (list.len > 0) {
		view request;
		struct der id;

		/* Behind the CertID only extensions may stand, which nobody uses. */
		if (out->count == OCSP_IDS_MAX || !der_expect(&list, DER_SEQUENCE, &request) ||
		    !der_next(&request, &id) || !read_id(&id, &out->ids[out->count]))
			return false;
		out->count++;
	}
	return out->count > 0;
}

static bool
read_nonce(view extensions, struct ocsp_request *out)
{
	char dotted[DER_OID_ROOM];
	view list, extension, oid, critical, value, text;

	if (!der_expect(&extensions, DER_SEQUENCE, &list) || extensions.len != 0)
		return false;
	while (list.len > 0) {
		if (!der_expect(&list, DER_SEQUENCE, &extension) ||
		    !der_expect(&extension, DER_OID, &oid))
			return false;
		(void)der_optional(&extension, DER_BOOLEAN, &critical);
		if (!der_expect(&extension, DER_OCTET_STRING, &value) || extension.len != 0 ||
		    !der_oid_text(oid, dotted, &text))
			return false;
		if (!view_eq(text, V(OID_NONCE)))
			continue;
		/* The value is an OCTET STRING itself, with a head of up to three bytes. */
		if (out->nonce.len > 0 || value.len == 0 || value.len > OCSP_NONCE_MAX + 3)
			return false;
		out->nonce = value;
	}
	return true;
}

static bool
read_request(view der, struct ocsp_request *out)
{
	view whole, tbs, ignored, list, extensions;

	if (!der_expect(&der, DER_SEQUENCE, &whole) || der.len != 0 ||
	    !der_expect(&whole, DER_SEQUENCE, &tbs))
		return false;
	(void)der_optional(&whole, DER_CONSTRUCTED(0), &ignored); /* a signature */
	(void)der_optional(&tbs, DER_CONSTRUCTED(0), &ignored);   /* the version */
	(void)der_optional(&tbs, DER_CONSTRUCTED(1), &ignored);   /* who asks */
	if (whole.len != 0 || !der_expect(&tbs, DER_SEQUENCE, &list) || !read_list(list, out))
		return false;
	if (der_optional(&tbs, DER_CONSTRUCTED(2), &extensions) && !read_nonce(extensions, out))
		return false;
	return tbs.len == 0;
}

bool
ocsp_read(view der, struct arena *arena, struct ocsp_request *out, struct error *err)
{
	struct ocsp_request found = {
		.ids = arena_alloc(arena, OCSP_IDS_MAX * sizeof(struct ocsp_id)),
	};

	if (found.ids == NULL)
		return error_memory(err);
	if (der.len > OCSP_REQUEST_MAX || !read_request(der, &found))
		return malformed(err);
	*out = found;
	return true;
}

static bool
is_hash(const EVP_MD *digest, view of, view hash)
{
	unsigned char made[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	return EVP_Digest(octets(of), of.len, made, &len, digest, NULL) == 1 &&
	    view_eq(hash, (view){ (const char *)made, len });
}

bool
ocsp_id_is(const struct ocsp_id *id, view issuer, view spki)
{
	view bits;

	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		if (hashes[i].bits == id->hash_bits)
			return spki_key_bits(spki, &bits) &&
			    is_hash(hashes[i].digest(), issuer, id->name_hash) &&
			    is_hash(hashes[i].digest(), bits, id->key_hash);
	}
	return false;
}

static void
add_state(const struct ocsp_single *single, struct buf *out)
{
	size_t at, field, reason;

	if (single->state != OCSP_REVOKED) {
		der_value(out, DER_CONTEXT(single->state == OCSP_GOOD ? 0U : 2U), V(""));
		return;
	}
	at = der_open(out, DER_CONSTRUCTED(1));
	der_generalized(out, single->revoked);
	if (single->reason != CRL_UNSPECIFIED) {
		field = der_open(out, DER_CONSTRUCTED(0));
		reason = der_open(out, DER_ENUMERATED);
		buf_add_char(out, (char)single->reason);
		der_close(out, reason);
		der_close(out, field);
	}
	der_close(out, at);
}

static void
add_singles(const struct ocsp_wish *wish, struct buf *out)
{
	size_t list = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < wish->count; i++) {
		size_t at = der_open(out, DER_SEQUENCE), next;

		buf_add(out, wish->singles[i].id->der);
		add_state(&wish->singles[i], out);
		der_generalized(out, wish->this_update);
		next = der_open(out, DER_CONSTRUCTED(0));
		der_generalized(out, wish->next_update);
		der_close(out, next);
		der_close(out, at);
	}
	der_close(out, list);
}

static void
add_nonce(view nonce, struct buf *out)
{
	size_t field, list, at;

	if (nonce.len == 0)
		return;
	field = der_open(out, DER_CONSTRUCTED(1));
	list = der_open(out, DER_SEQUENCE);
	at = der_open(out, DER_SEQUENCE);
	der_oid(out, V(OID_NONCE));
	der_value(out, DER_OCTET_STRING, nonce);
	der_close(out, at);
	der_close(out, list);
	der_close(out, field);
}

static bool
response_data(const struct ocsp_wish *wish, struct buf *out, struct error *err)
{
	size_t at = der_open(out, DER_SEQUENCE), responder;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	view bits;

	if (!spki_key_bits(wish->issuer_spki, &bits) ||
	    EVP_Digest(octets(bits), bits.len, hash, &len, EVP_sha1(), NULL) != 1)
		return openssl_failed(err, ERR_INTERNAL, "The issuer's key is malformed.");
	responder = der_open(out, DER_CONSTRUCTED(2));
	der_value(out, DER_OCTET_STRING, (view){ (const char *)hash, len });
	der_close(out, responder);
	der_generalized(out, wish->produced);
	add_singles(wish, out);
	add_nonce(wish->nonce, out);
	der_close(out, at);
	return buf_ok(out) || error_memory(err);
}

/* OCSPResponse { successful, { id-pkix-ocsp-basic, the BasicOCSPResponse } } */
static void
envelop(view basic, struct buf *out)
{
	size_t at = der_open(out, DER_SEQUENCE), field, bytes, value;

	der_value(out, DER_ENUMERATED, V("\x00"));
	field = der_open(out, DER_CONSTRUCTED(0));
	bytes = der_open(out, DER_SEQUENCE);
	der_oid(out, V(OID_BASIC));
	value = der_open(out, DER_OCTET_STRING);
	der_value(out, DER_SEQUENCE, basic);
	der_close(out, value);
	der_close(out, bytes);
	der_close(out, field);
	der_close(out, at);
}

static void
add_certificate(view certificate, struct buf *out)
{
	size_t field, list;

	if (certificate.len == 0)
		return;
	field = der_open(out, DER_CONSTRUCTED(0));
	list = der_open(out, DER_SEQUENCE);
	buf_add(out, certificate);
	der_close(out, list);
	der_close(out, field);
}

bool
ocsp_answer(const struct ocsp_wish *wish, const struct signer *signer, struct buf *der,
    struct error *err)
{
	AUTO(buf_free) struct buf data = { 0 }, basic = { 0 };

	if (!response_data(wish, &data, err) || !signer_body(signer, buf_view(&data), &basic, err))
		return false;
	add_certificate(wish->certificate, &basic);
	if (!buf_ok(&basic))
		return error_memory(err);
	envelop(buf_view(&basic), der);
	return buf_ok(der) || error_memory(err);
}

void
ocsp_refuse(enum ocsp_refusal why, struct buf *der)
{
	size_t at = der_open(der, DER_SEQUENCE), value = der_open(der, DER_ENUMERATED);

	buf_add_char(der, (char)why);
	der_close(der, value);
	der_close(der, at);
}
