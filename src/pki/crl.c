#include "pki/crl.h"

#include "pki/der.h"
#include "pki/extensions.h"
#include "pki/issue.h"

static void
add_reason(enum crl_reason reason, struct buf *out)
{
	struct extension extension = extension_open(out, V("2.5.29.21"), false);
	char octet = (char)reason;

	der_value(out, DER_ENUMERATED, (view){ &octet, 1 });
	extension_close(out, extension);
}

static void
add_number(uint64_t number, struct buf *out)
{
	struct extension extension = extension_open(out, V("2.5.29.20"), false);

	der_u64(out, number);
	extension_close(out, extension);
}

static void
add_entry(const struct crl_entry *entry, struct buf *out)
{
	size_t at = der_open(out, DER_SEQUENCE), extensions;

	der_unsigned(out, entry->serial);
	der_time(out, entry->revoked);
	if (entry->reason != CRL_UNSPECIFIED) {
		extensions = der_open(out, DER_SEQUENCE);
		add_reason(entry->reason, out);
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
	extension_issuer_key_id(out, wish->issuer_key_id);
	add_number(wish->number, out);
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
