#include "pki/der.h"
#include "pki/extensions.h"

struct extension
extension_open(struct buf *out, view oid, bool critical)
{
	struct extension extension;

	extension.at = der_open(out, DER_SEQUENCE);
	der_oid(out, oid);
	if (critical)
		der_boolean(out, true);
	extension.value = der_open(out, DER_OCTET_STRING);
	return extension;
}

void
extension_close(struct buf *out, struct extension extension)
{
	der_close(out, extension.value);
	der_close(out, extension.at);
}

void
extension_key_id(struct buf *out, view id)
{
	struct extension extension = extension_open(out, V("2.5.29.14"), false);

	der_value(out, DER_OCTET_STRING, id);
	extension_close(out, extension);
}

void
extension_issuer_key_id(struct buf *out, view id)
{
	struct extension extension = extension_open(out, V("2.5.29.35"), false);
	size_t at = der_open(out, DER_SEQUENCE);

	der_value(out, DER_CONTEXT(0), id);
	der_close(out, at);
	extension_close(out, extension);
}
