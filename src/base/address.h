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

#define ADDRESS_TEXT 46 /* bytes for the longest text and a NUL */

/* Strict: four decimal numbers without leading zeros, or RFC 4291 text; no zone, no port. */
bool address_parse(view text, struct address *out);

/* address_print(address, text): As RFC 5952 has it; an IPv4 address as one.  Return ${text}. */
view address_print(const struct address *address, char text[ADDRESS_TEXT]);

bool address_is_ipv4(const struct address *address);
struct address address_from_ipv4(const uint8_t bytes[4]); /* in the network's order */
struct address address_masked(const struct address *address, unsigned prefix);

/*
 * address_block_parse(text, out):
 * "203.0.113.0/24", "2001:db8::/32"; without a prefix just one.  False for what is no such text,
 * and for a block with bits behind its prefix.
 */
bool address_block_parse(view text, struct address_block *out);

/* An IPv6 block that is wider than the mapped addresses ("::/0") holds no IPv4 address. */
bool address_block_holds(const struct address_block *block, const struct address *address);

#endif
