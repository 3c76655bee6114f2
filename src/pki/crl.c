#include "pki/crl.h"

#include "pki/der.h"

#define SERIAL_LEN_MAX 20

/* A CRL's or an entry's extension whose value is one ENUMERATED or INTEGER. */
static void
add_number(struct buf *out, view oid, unsigned tag, uint64_t number)
{
	AUTO(buf_free) struct buf value = { 0 };
	size_t at = der_open(out, DER_SEQUENCE);

	der_u64(&value, number);
	if (value.len > 0)
		value.ptr[0] = (char)tag;
	if (!buf_ok(&value))
		out->failed = true;
	der_oid(out, oid);
	der_value(out, DER_OCTET_STRING, buf_view(&value));
	der_close(out, at);
}

static void
add_key_id(struct buf *out, view id)
{
	size_t at = der_open(out, DER_SEQUENCE), value, inner;

	der_oid(out, V("2.5.29.35"));
	value = der_open(out, DER_OCTET_STRING);
	inner = der_open(out, DER_SEQUENCE);
	der_value(out, DER_CONTEXT(0), id);
	der_close(out, inner);
	der_close(out, value);
	der_close(out, at);
}

static void
add_entry(const struct crl_entry *entry, struct buf *out)
{
	size_t at = der_open(out, DER_SEQUENCE), extensions;

	der_unsigned(out, entry->serial);
	der_time(out, entry->revoked);
	if (entry->reason != CRL_UNSPECIFIED) {
		extensions = der_open(out, DER_SEQUENCE);
		add_number(out, V("2.5.29.21"), DER_ENUMERATED, entry->reason);
		der_close(out, extensions);
	}
	der_close(out, at);
}

/* An empty list is left out (RFC 5280, section 5.1.2.6). */
static bool
add_entries(const struct crl_wish *wish, struct buf *out, struct error *err)
{
	size_t at;

	if (wish->count == 0)
		return true;
	at = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < wish->count; i++) {
		if (wish->entries[i].serial.len == 0 ||
		    wish->entries[i].serial.len > SERIAL_LEN_MAX)
			return error_set(err, ERR_INTERNAL, "A serial number is too long.");
		add_entry(&wish->entries[i], out);
	}
	der_close(out, at);
	return true;
}

static bool
to_be_signed(const struct crl_wish *wish, enum signature_alg alg, struct buf *out,
    struct error *err)
{
	size_t at = der_open(out, DER_SEQUENCE), field, extensions;

	der_u64(out, 1); /* v2 */
	if (!signer_algorithm(alg, out, err))
		return false;
	buf_add(out, wish->issuer);
	der_time(out, wish->this_update);
	der_time(out, wish->next_update);
	if (!add_entries(wish, out, err))
		return false;
	field = der_open(out, DER_CONSTRUCTED(0));
	extensions = der_open(out, DER_SEQUENCE);
	add_key_id(out, wish->issuer_key_id);
	add_number(out, V("2.5.29.20"), DER_INTEGER, wish->number);
	der_close(out, extensions);
	der_close(out, field);
	der_close(out, at);
	return buf_ok(out) || error_memory(err);
}

bool
crl_make(const struct crl_wish *wish, const struct signer *signer, struct buf *der,
    struct error *err)
{
	AUTO(buf_free) struct buf tbs = { 0 };

	return to_be_signed(wish, signer->alg, &tbs, err) &&
	    signer_wrap(signer, buf_view(&tbs), der, err);
}
