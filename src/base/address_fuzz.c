/*
 * Addresses and blocks as rules, settings and headers have them: what is taken prints to a text
 * that is taken for the same, and a block holds its own first address.
 */
#include "base/address.h"

#include "base/fuzzing.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view text = { (const char *)data, len };
	struct address address, again;
	struct address_block block;
	char printed[ADDRESS_TEXT];

	if (address_parse(text, &address)) {
		check(address_parse(address_print(&address, printed), &again));
		check(memcmp(&address, &again, sizeof(address)) == 0);
		check(address_block_parse(text, &block) && block.prefix == 128);
	}
	if (!address_block_parse(text, &block))
		return 0;
	check(block.prefix <= 128);
	again = address_masked(&block.base, block.prefix);
	check(memcmp(&block.base, &again, sizeof(again)) == 0);
	check(address_block_holds(&block, &block.base));
	return 0;
}
