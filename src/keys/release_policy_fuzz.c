/*
 * Release policies as strangers send them, with claims behind a line feed: what is accepted comes
 * back from its document, and lets go of nothing to whom nothing is attested.
 */
#include "keys/release_policy.h"

#include "base/base64.h"
#include "base/fuzzing.h"

#define ARENA_MAX ((size_t)256 * 1024)
#define AUTHORITY V("https://attest.example")

static bool
accept(view text, struct arena *arena, struct release_policy *out)
{
	static const struct release_policy none = { .type = V_INIT(""), .data = V_INIT("") };
	AUTO(buf_free) struct buf encoded = { 0 };
	struct release_policy_body body = { .data = { .given = true } };
	struct error err;

	base64_encode(BASE64URL, text, &encoded);
	body.data.text = buf_view(&encoded);
	return release_policy_fill(&body, &none, arena, out, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf packed = { 0 };
	view claims = { (const char *)data, len };
	view text = view_cut(&claims, '\n');
	struct release_policy policy, got;

	arena_init(&arena, ARENA_MAX);
	(void)release_policy_unpack((view){ (const char *)data, len }, &got);
	(void)release_policy_allows(text, AUTHORITY, claims);
	if (!accept(text, &arena, &policy))
		return 0;
	check(!release_policy_allows(policy.data, AUTHORITY, V("{}")));
	check(!release_policy_allows(policy.data, V(""), claims));
	release_policy_pack(&policy, &packed);
	check(release_policy_unpack(buf_view(&packed), &got) && view_eq(got.data, text));
	return 0;
}
