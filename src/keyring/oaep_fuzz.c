/*
 * What a token's bare RSA operation may come to: a message, or the one answer for all else.  The
 * first byte says by which digest.
 */
#include "base/fuzzing.h"
#include "keyring/token_padding.h"

#define BLOCK_MAX ((size_t)512)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view block = { (const char *)data + 1, len - 1 }, out = { 0 };
	struct error err = { 0 };

	if (len == 0 || block.len > BLOCK_MAX)
		return 0;
	arena_init(&arena, BLOCK_MAX * 2);
	if (padding_oaep(data[0] % 2 == 0 ? DIGEST_SHA1 : DIGEST_SHA256, block, &arena, &out, &err))
		check(out.len < block.len);
	else
		check(out.ptr == NULL && err.message[0] != '\0');
	return 0;
}
