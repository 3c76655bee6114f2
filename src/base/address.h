/*
 * IP addresses and blocks of them (CIDR, RFC 4632).  An IPv4 address is kept as the IPv6 address
 * that maps it (RFC 4291, 2.5.5.2), so that both compare alike; "::ffff:192.0.2.1" is 192.0.2.1.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/view.h"

struct address {
	uint8_t bytes[16];
};

struct address_block {
	struct address base; /* bits behind the prefix are zero */
	unsigned prefix;     /* of 128: an IPv4 /24 is 120 */
};

/* Strict: four decimal numbers without leading zeros, or RFC 4291 text; no zone, no port. */
bool address_parse(view text, struct address *out);

/* address_block_parse(text, out): "203.0.113.0/24", "2001:db8::/32"; without a prefix just one. */
bool address_block_parse(view text, struct address_block *out);

bool address_block_holds(const struct address_block *block, const struct address *address);

#endif
