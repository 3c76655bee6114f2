/*
 * Root key files as somebody may have left them: what is taken wraps and unwraps.
 */
#include "keyring/provider.h"

#include "base/fuzzing.h"

static void
round_trip(const struct root_provider *provider)
{
	AUTO(buf_free) struct buf wrapped = { 0 };
	AUTO(plain_done) struct plain *plain = NULL;
	struct error err;

	check(provider->ops->wrap(provider->self, V("a key"), V("k/1"), &wrapped, &err));
	check(provider->ops->unwrap(provider->self, buf_view(&wrapped), V("k/1"), &plain, &err));
	check(view_eq(plain_view(plain), V("a key")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view text = { (const char *)data, len };
	struct root_provider provider;
	struct plain *plain;
	struct error err = { 0 };

	if (!root_provider_text(text, &provider, &err)) {
		check(err.message[0] != '\0');
		return 0;
	}
	round_trip(&provider);
	check(!provider.ops->unwrap(provider.self, text, V("k/1"), &plain, &err));
	provider.ops->close(provider.self);
	return 0;
}
