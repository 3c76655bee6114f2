/*
 * Anything in, cut anywhere: no crash, no overread, and the cuts make no difference.  The first
 * byte of the input says how long the pieces are.
 */
#include "http/h1.h"

#include "base/fuzzing.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

static const struct h1_limits limits = { .head = 1024, .body = 256, .fields = 16 };

/* A copy of its own for every piece, so that ASan sees what is read beyond it. */
static enum h1_state
feed_piece(struct h1 *h1, view piece, size_t *used)
{
	char *copy = piece.len == 0 ? NULL : malloc(piece.len);
	enum h1_state state;

	check(copy != NULL);
	memcpy(copy, piece.ptr, piece.len);
	state = h1_feed(h1, (view){ copy, piece.len }, used);
	free(copy);
	check(*used <= piece.len);
	check(*used == piece.len || state == H1_DONE || state == H1_REFUSED);
	return state;
}

static enum h1_state
feed(struct h1 *h1, view text, size_t step, size_t *used)
{
	enum h1_state state = H1_HEAD;

	*used = 0;
	while (*used < text.len && (state == H1_HEAD || state == H1_BODY)) {
		view piece = view_from(text, *used);
		size_t taken;

		piece.len = piece.len < step ? piece.len : step;
		state = feed_piece(h1, piece, &taken);
		*used += taken;
	}
	return state;
}

static void
check_bounds(const struct http_request *request)
{
	check(request->host.len > 0 && request->path.len > 0 && request->path.ptr[0] == '/');
	check(request->field_count > 0 && request->field_count <= limits.fields);
	check(request->body.len <= limits.body);
	for (size_t i = 0; i < request->field_count; i++) {
		check(request->fields[i].name.len > 0);
		check(memchr(request->fields[i].value.ptr, '\n', request->fields[i].value.len) ==
		    NULL);
	}
}

static void
check_same(const struct h1 *a, const struct h1 *b)
{
	struct http_request one = { 0 }, other = { 0 };

	h1_request(a, &one);
	h1_request(b, &other);
	check_bounds(&one);
	check(one.method == other.method && view_eq(one.target, other.target) &&
	    view_eq(one.host, other.host) && view_eq(one.body, other.body));
	check(one.field_count == other.field_count);
	for (size_t i = 0; i < one.field_count; i++)
		check(view_eq(one.fields[i].name, other.fields[i].name) &&
		    view_eq(one.fields[i].value, other.fields[i].value));
	check(h1_keep_alive(a) == h1_keep_alive(b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct h1 *whole, *cut;
	view text = view_from((view){ (const char *)data, len }, 1);
	size_t step = len == 0 ? 1 : data[0] % 64 + 1U, whole_used, cut_used;
	enum h1_state state;

	if (whole == NULL) {
		whole = h1_new(&limits);
		cut = h1_new(&limits);
		check(whole != NULL && cut != NULL);
	}
	state = feed(whole, text, text.len + 1, &whole_used);
	check(!h1_wants_continue(whole) || state == H1_BODY);
	check(state == feed(cut, text, step, &cut_used));
	if (state == H1_DONE) {
		check(whole_used == cut_used);
		check_same(whole, cut);
	} else if (state == H1_REFUSED) {
		check(h1_refusal(whole)->status >= 400 && h1_refusal(cut)->status >= 400);
	}
	h1_reset(whole);
	h1_reset(cut);
	return 0;
}
