#include "network/rules.h"

#include "base/attr.h"

#define VALUE_MAX 64 /* of a wrong one, as an error repeats it */

/* RFC 1918. */
static const char *const private_blocks[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16" };

static bool
named(const struct network_rules *rules, view peer)
{
	struct address address;

	if (!address_parse(peer, &address))
		return false;
	for (size_t i = 0; i < rules->block_count; i++) {
		if (address_block_holds(&rules->blocks[i], &address))
			return true;
	}
	return false;
}

enum network_verdict
network_judge(const struct network_rules *rules, view peer, bool trusted)
{
	bool passes = trusted && rules->bypass;

	if (rules->public_access == PUBLIC_BY_PERIMETER)
		return NETWORK_CONNECTION;
	if (rules->public_access == PUBLIC_DISABLED)
		return passes ? NETWORK_ADMITTED : NETWORK_CONNECTION;
	if (!rules->deny || passes || named(rules, peer))
		return NETWORK_ADMITTED;
	return NETWORK_FIREWALL;
}

static bool
is_private(const struct address_block *block)
{
	for (size_t i = 0; i < COUNT_OF(private_blocks); i++) {
		struct address_block range;

		if (address_block_parse(view_of(private_blocks[i]), &range) &&
		    block->prefix >= range.prefix && address_block_holds(&range, &block->base))
			return true;
	}
	return false;
}

bool
network_block_parse(view value, bool private_use, struct address_block *out, struct error *err)
{
	view said = { value.ptr, value.len < VALUE_MAX ? value.len : VALUE_MAX };
	struct address_block block;

	if (!address_block_parse(value, &block))
		return error_set(err, ERR_BAD_REQUEST,
		    "The network ACL IP rule value '%.*s' is invalid. It must be an IP address or "
		    "an address range in CIDR notation, with no bit set behind the prefix.",
		    VIEW_ARG(said));
	if (!private_use && is_private(&block))
		return error_set(err, ERR_BAD_REQUEST,
		    "The network ACL IP rule value '%.*s' is invalid. Addresses of private use "
		    "(RFC 1918) are not allowed.",
		    VIEW_ARG(said));
	*out = block;
	return true;
}
