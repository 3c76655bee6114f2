/*
 * The network rules of a vault: from where its data plane may be reached.  Looked at after
 * authentication: a stranger does not learn them.
 */
#ifndef NETWORK_RULES_H
#define NETWORK_RULES_H

#include "base/address.h"
#include "base/arena.h"
#include "base/error.h"

#define NETWORK_BLOCKS_MAX 1000 /* the original's limit of ipRules */

enum public_access {
	PUBLIC_ENABLED,
	PUBLIC_DISABLED,     /* private endpoints only */
	PUBLIC_BY_PERIMETER, /* a network security perimeter's rules only; there are none */
};

struct network_rules {
	enum public_access public_access;
	bool deny;   /* defaultAction: whoever no rule names is refused */
	bool bypass; /* AzureServices: trusted services pass the rules */
	const struct address_block *blocks;
	size_t block_count;
};

enum network_verdict { NETWORK_ADMITTED, NETWORK_FIREWALL, NETWORK_CONNECTION };

/*
 * network_judge(rules, peer, trusted):
 * ${peer} as the connection (or a trusted proxy) has it; what is no address is in no block.
 * ${trusted} is for a caller that counts as one of the original's trusted services: it passes where
 * the rules say so, but not a perimeter.  NETWORK_CONNECTION is answered with
 * ERR_FORBIDDEN_BY_CONNECTION, NETWORK_FIREWALL with ERR_FORBIDDEN_BY_FIREWALL.
 */
enum network_verdict network_judge(const struct network_rules *rules, view peer, bool trusted);

/*
 * network_block_parse(value, private_use, out, err):
 * One entry of ipRules.  ERR_BAD_REQUEST for what is no address or block, a block with bits behind
 * its prefix, and IPv4 addresses of private use (RFC 1918), which the original refuses, unless
 * ${private_use}.
 */
MUST_USE bool network_block_parse(view value, bool private_use, struct address_block *out,
    struct error *err);

#endif
