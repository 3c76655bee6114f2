/*
 * A forwarder's header, cut anywhere: no overread, nothing beyond its own length counts, and what
 * is whole was a part at every shorter length.
 */
#include "http/proxy.h"

#include "base/fuzzing.h"

#include <stdlib.h>
#include <string.h>

/* A copy of its own, so that ASan sees what is read beyond it. */
static enum proxy_state
parse(view bytes, struct proxy_header *out)
{
	char *copy = malloc(bytes.len + 1);
	enum proxy_state state;

	check(copy != NULL);
	memcpy(copy + 1, bytes.ptr, bytes.len);
	state = proxy_parse((view){ copy + 1, bytes.len }, out);
	free(copy);
	return state;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view bytes = { len == 0 ? "" : (const char *)data, len };
	struct proxy_header header = { 0 }, cut = { 0 };
	enum proxy_state state = parse(bytes, &header);

	if (state == PROXY_PART)
		check(len < PROXY_FIXED + PROXY_REST_MAX);
	if (state != PROXY_WHOLE)
		return 0;
	check(header.len >= PROXY_FIXED && header.len <= len);
	check(header.len <= PROXY_FIXED + PROXY_REST_MAX);
	check(parse((view){ bytes.ptr, header.len }, &cut) == PROXY_WHOLE);
	check(cut.len == header.len && cut.local == header.local);
	check(memcmp(&cut.client, &header.client, sizeof(cut.client)) == 0);
	for (size_t i = 0; i < header.len; i++)
		check(parse((view){ bytes.ptr, i }, &cut) == PROXY_PART);
	return 0;
}
