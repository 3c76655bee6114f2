/*
 * What an attestation says of the key to release for.
 */
#include "keys/release_target.h"

#include "base/fuzzing.h"
#include "crypto/publickey.h"

#define ARENA_MAX ((size_t)256 * 1024)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(public_key_done) struct public_key *key = NULL;
	struct release_target target;
	struct error err;

	arena_init(&arena, ARENA_MAX);
	if (release_target_find((view){ (const char *)data, len }, &arena, &target, &err) &&
	    !public_key_from_rsa(target.n, target.e, &key, &err))
		abort();
	return 0;
}
