/*
 * What a local client may ask: a path, a query behind '?', a header behind the first line's end.
 * Whatever is taken is whole and within its bounds; whatever is not says why.
 */
#include "cli/agent_ask.h"

#include "base/fuzzing.h"

#include <string.h>

static void
check_ask(const struct agent_ask *ask)
{
	if (ask->shape == SHAPE_ENVIRONMENT)
		return;
	check(ask->resource.len > 0 && ask->resource.len <= 512);
	for (size_t i = 0; i < ask->resource.len; i++)
		check(ask->resource.ptr[i] > ' ' && ask->resource.ptr[i] < 0x7f);
	check(ask->key != IDENTITY_DEFAULT || ask->identity.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view text = { len == 0 ? "" : (const char *)data, len };
	view line = view_cut(&text, '\n');
	struct http_field fields[] = {
		{ V("Metadata"), V("true") },
		{ V("X-IDENTITY-HEADER"), text },
	};
	struct http_request request = { .method = HTTP_GET,
		.host = V("127.0.0.1:40380"),
		.fields = fields,
		.field_count = 2 };
	AUTO(arena_free) struct arena arena = { 0 };
	struct agent_refusal refusal = { 0 };
	struct agent_ask ask;

	arena_init(&arena, 65536);
	request.path = view_cut(&line, '?');
	request.query = line;
	if (agent_ask_read(&request, &arena, &ask, &refusal))
		check_ask(&ask);
	else
		check(
		    refusal.status >= 400 && refusal.error != NULL && refusal.description.len > 0);
	return 0;
}
