#include "identity/jwt.h"

#include "base/fuzzing.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };
	struct jwt_claims claims;
	struct error err;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	if (jwt_parse(text, ASSERTION_HEADER_MAX, &arena, &jwt, &err))
		(void)jwt_claims_read(jwt.payload, &arena, &claims, &err);
	/* Base64 hides the JSON from the fuzzer: give it the inner parser without. */
	(void)jwt_claims_read(text, &arena, &claims, &err);
	return 0;
}
