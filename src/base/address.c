#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

#define BITS 128
#define MAPPED_BITS 96 /* of the prefix ::ffff:0:0/96, which maps IPv4 */

static const uint8_t mapped[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

bool
address_is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

struct address
address_from_ipv4(const uint8_t bytes[4])
{
	struct address address;

	memcpy(address.bytes, mapped, sizeof(mapped));
	memcpy(address.bytes + sizeof(mapped), bytes, 4);
	return address;
}

bool
address_parse(view text, struct address *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct address address;
	uint8_t ipv4[4];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, ipv4) == 1)
		*out = address_from_ipv4(ipv4);
	else if (inet_pton(AF_INET6, copy, address.bytes) == 1)
		*out = address;
	else
		return false;
	return true;
}

view
address_print(const struct address *address, char text[ADDRESS_TEXT])
{
	bool ipv4 = address_is_ipv4(address);

	(void)inet_ntop(ipv4 ? AF_INET : AF_INET6, address->bytes + (ipv4 ? sizeof(mapped) : 0),
	    text, ADDRESS_TEXT);
	return view_of(text);
}

/* The mask's byte at ${at}. */
static uint8_t
mask_byte(unsigned prefix, unsigned at)
{
	if (prefix >= 8 * (at + 1))
		return 0xff;
	if (prefix <= 8 * at)
		return 0;
	return (uint8_t)(0xff << (8 * (at + 1) - prefix));
}

struct address
address_masked(const struct address *address, unsigned prefix)
{
	struct address masked = *address;

	for (unsigned i = 0; i < sizeof(masked.bytes); i++)
		masked.bytes[i] &= mask_byte(prefix, i);
	return masked;
}

/* Two or three digits, as they are written: no sign, no leading zero. */
static bool
prefix_parse(view text, uint64_t max, uint64_t *out)
{
	if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
		return false;
	return view_u64(text, out) && *out <= max;
}

bool
address_block_parse(view text, struct address_block *out)
{
	struct address_block block = { .prefix = BITS };
	uint64_t prefix;
	struct address masked;
	unsigned before;
	size_t slash;

	if (!view_find(text, '/', &slash))
		slash = text.len;
	if (!address_parse((view){ text.ptr, slash }, &block.base))
		return false;
	if (slash < text.len) {
		/* What is written in IPv4's way counts IPv4's bits. */
		before = memchr(text.ptr, ':', slash) == NULL ? MAPPED_BITS : 0;
		if (!prefix_parse(view_from(text, slash + 1), BITS - before, &prefix))
			return false;
		block.prefix = before + (unsigned)prefix;
	}
	masked = address_masked(&block.base, block.prefix);
	if (memcmp(&masked, &block.base, sizeof(masked)) != 0)
		return false;
	*out = block;
	return true;
}

bool
address_block_holds(const struct address_block *block, const struct address *address)
{
	struct address masked;

	if (block->prefix < MAPPED_BITS && address_is_ipv4(address))
		return false;
	masked = address_masked(address, block->prefix);
	return memcmp(&masked, &block->base, sizeof(masked)) == 0;
}
