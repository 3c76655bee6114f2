/*
 * Base64, hexadecimal digits, UUIDs, percent signs: what is taken is written again as it was, or as
 * its one right spelling.
 */
#include "base/arena.h"
#include "base/base64.h"
#include "base/fuzzing.h"
#include "base/html.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/uuid.h"

#include <string.h>

static void
try_base64(enum base64_kind kind, view text)
{
	AUTO(buf_free) struct buf again = { 0 };
	size_t room = text.len / 4 * 3 + 2;
	char *bytes = malloc(room), *same = malloc(room);
	size_t len, same_len;

	check(bytes != NULL && same != NULL);
	if (base64_decode(kind, text, bytes, &len)) {
		check(len <= text.len);
		base64_encode(kind, (view){ bytes, len }, &again);
		check(base64_decode(kind, buf_view(&again), same, &same_len));
		check(len == same_len && memcmp(bytes, same, len) == 0);
	}
	free(bytes);
	free(same);
}

static void
try_percent(view text, struct arena *arena)
{
	AUTO(buf_free) struct buf again = { 0 };
	view decoded, same;

	if (!percent_decode(text, false, arena, &decoded))
		return;
	check(decoded.len <= text.len);
	percent_encode(decoded, &again);
	check(percent_decode(buf_view(&again), false, arena, &same) && view_eq(decoded, same));
}

/* Nothing that could end a text or a value. */
static void
try_html(view text)
{
	AUTO(buf_free) struct buf out = { 0 };

	html_text(&out, text);
	check(utf8_valid(buf_view(&out)));
	for (size_t i = 0; i < out.len; i++)
		check(strchr("<>\"'", out.ptr[i]) == NULL);
}

static void
try_digits(view text)
{
	uint8_t *bytes = malloc(text.len / 2 + 1);
	char *digits = malloc(text.len + 1);
	struct uuid id;

	check(bytes != NULL && digits != NULL);
	if (hex_decode(text, bytes)) {
		hex_encode((view){ (const char *)bytes, text.len / 2 }, digits);
		check(view_ieq((view){ digits, text.len }, text));
	}
	if (uuid_parse(text, &id))
		check(view_ieq(uuid_view(&id), text));
	free(bytes);
	free(digits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };

	arena_init(&arena, (size_t)64 * 1024);
	try_base64(BASE64, text);
	try_base64(BASE64URL, text);
	try_percent(text, &arena);
	try_html(text);
	try_digits(text);
	return 0;
}
