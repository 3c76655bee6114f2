/*
 * What an outside issuer may answer: its configuration and its keys.
 */
#include "identity/jwks.h"

#include "base/fuzzing.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(key_set_done) struct key_set *keys = NULL;
	view text = { (const char *)data, len }, url;
	const struct jwt nameless = { .signing_input = text,
		.signature = text,
		.alg = SIGNATURE_RS256,
		.kid = V("") };
	struct jwt named = nameless;
	struct error err;

	arena_init(&arena, JWT_ARENA_MAX);
	(void)issuer_url_good(text);
	if (discovery_read(text, V("https://issuer.example.org"), &arena, &url, &err) &&
	    (!view_starts(url, V("https://")) || url.len > ISSUER_URL_MAX))
		abort();
	if (!key_set_read(text, &keys, &err))
		return 0;
	named.kid = V("k");
	(void)key_set_names(keys, named.kid);
	if (key_set_verify(keys, &named) == KEY_GOOD || key_set_verify(keys, &nameless) == KEY_GOOD)
		abort();
	return 0;
}
