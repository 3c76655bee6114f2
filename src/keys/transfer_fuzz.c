/*
 * Key transfer blobs as strangers send them: encoded, and as the JSON inside.  What is accepted
 * lies in the arena and is no longer than what came; no name of an exchange key leads elsewhere.
 */
#include "keys/transfer.h"

#include "base/base64.h"
#include "base/fuzzing.h"

#define ARENA_MAX ((size_t)256 * 1024)

static void
try_text(view text)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct transfer transfer = { 0 };
	struct error err = { 0 };

	arena_init(&arena, ARENA_MAX);
	if (transfer_read(text, &arena, &transfer, &err)) {
		if (transfer.kid.len + transfer.wrapped.len > text.len)
			abort();
	} else if (err.code != ERR_BAD_PARAMETER) {
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(buf_free) struct buf encoded = { 0 };
	view text = { (const char *)data, len };

	if (len > TRANSFER_TEXT_MAX)
		return 0;
	try_text(text);
	base64_encode(BASE64URL, text, &encoded);
	if (buf_ok(&encoded))
		try_text(buf_view(&encoded));
	return 0;
}
