/*
 * Queries of lists as strangers send them: no token is accepted but the ones that we made.  The
 * input is read as a query, as a token, and as the marker of a token of ours.
 */
#include "api/paging.h"

#include "keyring/fuzzing.h"

#include <string.h>

static void
read_query(struct request *r, struct http_request *in, view query)
{
	struct page page = { 0 };
	struct error err = { 0 };

	in->query = query;
	if (!page_read(r, V("list"), &page, &err)) {
		check(err.code == ERR_BAD_PARAMETER || err.code == ERR_UNAVAILABLE);
		return;
	}
	check(page.limit >= 1 && page.limit <= PAGE_MAX);
	/* A MAC that is right by chance is one in 2^128. */
	check(page.after.len == 0);
}

/* A marker comes back as it went, and not in another list. */
static void
round_trip(struct request *r, struct http_request *in, view marker)
{
	struct page page = { .limit = PAGE_MAX };
	struct error err;
	view reply;
	char *token;

	(void)reply_json(r);
	check(page_next(r, V("list"), &page, marker, &err));
	check(arena_copy(r->arena, buf_view(&r->out->body), &reply));
	token = strstr(reply.ptr, "$skiptoken=");
	check(token != NULL);
	in->query = view_of(token);
	in->query.len--; /* the quote at the end */
	check(page_read(r, V("list"), &page, &err) && view_eq(page.after, marker));
	check(!page_read(r, V("lisu"), &page, &err));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct services services;
	AUTO(arena_free) struct arena arena;
	struct http_request in = { 0 };
	struct http_reply out = { 0 };
	struct request r = { .services = &services,
		.in = &in,
		.out = &out,
		.arena = &arena,
		.authority = V("a:1"),
		.path = V("/b"),
		.version = api_version_newest() };
	view input = { (const char *)data, len }, query;

	if (services.keyring == NULL)
		services.keyring = fuzzing_keyring(&services.store);
	arena_init(&arena, 65536);
	read_query(&r, &in, input);
	if (memchr(data, '\0', len) == NULL && len < 1024) {
		check(arena_print(&arena, &query, "$skiptoken=%.*s", VIEW_ARG(input)));
		read_query(&r, &in, query);
		if (len > 0)
			round_trip(&r, &in, input);
	}
	buf_free(&out.body);
	return 0;
}
