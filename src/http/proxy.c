#include "http/proxy.h"

#include "base/attr.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_LEN (sizeof(SIGNATURE) - 1)
#define VERSION_AT 12
#define FAMILY_AT 13
#define LENGTH_AT 14

#define LOCAL 0x20 /* version and command */
#define PROXY 0x21
#define TCP4 0x11 /* family and protocol */
#define TCP6 0x21
#define TCP4_LEN 12U /* two addresses, two ports */
#define TCP6_LEN 36U

static unsigned
byte_at(view bytes, size_t at)
{
	return (unsigned char)bytes.ptr[at];
}

static unsigned
number_at(view bytes, size_t at)
{
	return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

/* What is there already of the fixed part must fit: a stranger is not waited for. */
static bool
begins(view bytes)
{
	size_t len = bytes.len < SIGNATURE_LEN ? bytes.len : SIGNATURE_LEN;

	if (memcmp(bytes.ptr, SIGNATURE, len) != 0)
		return false;
	if (bytes.len > VERSION_AT && byte_at(bytes, VERSION_AT) != LOCAL &&
	    byte_at(bytes, VERSION_AT) != PROXY)
		return false;
	return bytes.len < PROXY_FIXED || number_at(bytes, LENGTH_AT) <= PROXY_REST_MAX;
}

/* Type, length, value, one behind the other. */
static bool
values_fill(view rest)
{
	while (rest.len > 0) {
		if (rest.len < 3 || number_at(rest, 1) > rest.len - 3)
			return false;
		rest = view_from(rest, 3 + number_at(rest, 1));
	}
	return true;
}

/* The source's address comes first in either family. */
static bool
take_client(view rest, unsigned family, struct address *out)
{
	const uint8_t *bytes = (const uint8_t *)rest.ptr;
	size_t len = family == TCP4 ? TCP4_LEN : TCP6_LEN;

	if ((family != TCP4 && family != TCP6) || rest.len < len ||
	    !values_fill(view_from(rest, len)))
		return false;
	if (family == TCP4)
		*out = address_from_ipv4(bytes);
	else
		memcpy(out->bytes, bytes, sizeof(out->bytes));
	return true;
}

enum proxy_state
proxy_parse(view bytes, struct proxy_header *out)
{
	struct proxy_header header = { 0 };
	view rest;

	if (bytes.len == 0)
		return PROXY_PART;
	if (!begins(bytes))
		return PROXY_REFUSED;
	if (bytes.len < PROXY_FIXED || bytes.len < PROXY_FIXED + number_at(bytes, LENGTH_AT))
		return PROXY_PART;
	rest = (view){ bytes.ptr + PROXY_FIXED, number_at(bytes, LENGTH_AT) };
	header.len = PROXY_FIXED + rest.len;
	/* With LOCAL the family says nothing, and what follows is to be skipped unread. */
	header.local = byte_at(bytes, VERSION_AT) == LOCAL;
	if (!header.local && !take_client(rest, byte_at(bytes, FAMILY_AT), &header.client))
		return PROXY_REFUSED;
	*out = header;
	return PROXY_WHOLE;
}
