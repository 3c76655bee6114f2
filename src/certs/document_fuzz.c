/*
 * Certificates' documents as something may have damaged them in the store: what is read can be
 * shown, and written again.
 */
#include "certs/certificate.h"

#include "base/fuzzing.h"
#include "certs/contact.h"
#include "certs/issuer.h"

#define ARENA_MAX ((size_t)4 * 1024 * 1024)

static void
show(const struct certificate_state *state, const struct certificate *certificate,
    struct arena *arena)
{
	struct http_reply out = { 0 };
	struct vault vault = { .name = { "v", 1 } };
	struct request r = { .out = &out,
		.arena = arena,
		.vault = &vault,
		.authority = V("a"),
		.version = api_version_newest() };
	struct object object = { .name = V("n") };
	AUTO(buf_free) struct buf content = { 0 };
	struct version version = { .id = V("0123456789abcdef0123456789abcdef") };
	const struct certificate_shown shown = { state, state };

	certificate_pack(certificate, &content);
	version.content = buf_view(&content);
	certificate_reply(&r, &object, &version, &shown);
	buf_free(&out.body);
	out.body = (struct buf){ 0 };
	if (state != NULL && state->has_pending)
		pending_reply(&r, &object, &state->pending);
	buf_free(&out.body);
}

/* What is written is what was read, but for flags that are none. */
static void
try_state(view bytes, struct arena *arena)
{
	static const struct certificate nothing = { 0 };
	AUTO(buf_free) struct buf once = { 0 }, twice = { 0 };
	struct certificate_state state, same;

	if (!certificate_state_unpack(bytes, arena, &state))
		return;
	show(&state, &nothing, arena);
	certificate_state_pack(&state, &once);
	check(certificate_state_unpack(buf_view(&once), arena, &same));
	certificate_state_pack(&same, &twice);
	check(view_eq(buf_view(&once), buf_view(&twice)));
}

static void
try_version(view bytes, struct arena *arena)
{
	AUTO(buf_free) struct buf once = { 0 };
	struct certificate certificate, same;

	if (!certificate_unpack(bytes, &certificate))
		return;
	show(NULL, &certificate, arena);
	certificate_pack(&certificate, &once);
	check(certificate_unpack(buf_view(&once), &same) && view_eq(same.cer, certificate.cer) &&
	    same.key == certificate.key);
}

static void
try_others(view bytes)
{
	AUTO(buf_free) struct buf once = { 0 };
	struct contacts contacts = { 0 };
	struct issuer issuer = { 0 };

	if (contacts_unpack(bytes, &contacts)) {
		contacts_pack(&contacts, &once);
		check(contacts_unpack(buf_view(&once), &contacts));
	}
	buf_free(&once);
	once = (struct buf){ 0 };
	if (issuer_unpack(bytes, &issuer)) {
		issuer_pack(&issuer, &once);
		check(issuer_provider_name(issuer.provider) != NULL &&
		    issuer_unpack(buf_view(&once), &issuer));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view bytes = { (const char *)data, len };

	arena_init(&arena, ARENA_MAX);
	try_state(bytes, &arena);
	try_version(bytes, &arena);
	try_others(bytes);
	return 0;
}
