/*
 * Certificate policies as strangers send them, and as documents that something has damaged: what is
 * accepted comes back the same from its document, and makes a certificate's profile.
 */
#include "certs/policy.h"

#include "base/fuzzing.h"

#define ARENA_MAX ((size_t)1024 * 1024)

static void
write(const struct cert_policy *policy, struct buf *out)
{
	struct json json = json_to(out);

	json_open(&json, '{');
	cert_policy_write(&json, api_version_newest()->rank, policy);
	json_close(&json, '}');
}

static void
try_json(view text)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf packed = { 0 }, written = { 0 }, rewritten = { 0 };
	struct cert_policy_body body = { 0 };
	struct cert_policy policy, again;
	struct profile profile;
	struct error err;

	arena_init(&arena, ARENA_MAX);
	cert_policy_default(&policy);
	if (!body_read(text, cert_policy_fields, &body, &arena, &err) ||
	    !cert_policy_fill(&body, &arena, &policy, &err) ||
	    !cert_policy_check(&policy, &arena, &err))
		return;
	cert_policy_pack(&policy, &packed);
	write(&policy, &written);
	check(cert_policy_unpack(buf_view(&packed), &arena, &again));
	write(&again, &rewritten);
	check(view_eq(buf_view(&written), buf_view(&rewritten)));
	check(cert_policy_profile(&again, &arena, &profile, &err) && profile_check(&profile, &err));
}

static void
try_document(view bytes)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf written = { 0 };
	struct cert_policy policy;

	arena_init(&arena, ARENA_MAX);
	if (cert_policy_unpack(bytes, &arena, &policy))
		write(&policy, &written);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view bytes = { (const char *)data, len };

	try_json(bytes);
	try_document(bytes);
	return 0;
}
