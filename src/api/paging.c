#include "api/paging.h"

#include "base/percent.h"
#include "base/base64.h"
#include "keyring/keyring.h"

#include <string.h>

#define MAC_LEN 16
#define TOKEN_MAX 2048

static bool
page_mac(struct request *r, view list, view marker, uint8_t out[32], struct error *err)
{
	view message;

	/* No list's name holds a line break; the marker is the client's, with any byte in it. */
	if (!arena_join(r->arena, (const view[]){ list, V("\n"), marker }, 3, &message))
		return error_memory(err);
	return keyring_mac(r->services->keyring, V("skiptoken"), message, out, err);
}

static bool
bad_token(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "The $skiptoken is not valid.");
}

bool
page_token_read(struct request *r, view list, view token, view *marker, struct error *err)
{
	uint8_t mac[32];
	char *bytes;
	size_t len;
	view found;

	if (token.len > TOKEN_MAX)
		return bad_token(err);
	bytes = arena_alloc(r->arena, token.len + 1);
	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64URL, token, bytes, &len) || len <= MAC_LEN)
		return bad_token(err);
	found = (view){ bytes + MAC_LEN, len - MAC_LEN };
	if (!page_mac(r, list, found, mac, err))
		return false;
	if (!constant_time_equal((view){ (const char *)mac, MAC_LEN }, (view){ bytes, MAC_LEN }))
		return bad_token(err);
	*marker = found;
	return true;
}

bool
page_marker(struct request *r, view list, view *out, struct error *err)
{
	view token;

	*out = V("");
	return !request_query(r, "$skiptoken", &token) || page_token_read(r, list, token, out, err);
}

bool
page_top(struct request *r, size_t usual, size_t most, size_t *out, struct error *err)
{
	uint64_t top = usual;
	view text;

	if (request_query(r, "$top", &text) && (!view_u64(text, &top) || top < 1))
		return error_set(err, ERR_BAD_REQUEST,
		    "The value of the query parameter '$top' must be a positive integer.");
	*out = top < most ? (size_t)top : most;
	return true;
}

bool
page_read(struct request *r, view list, struct page *out, struct error *err)
{
	struct page page = { .limit = PAGE_MAX };
	uint64_t limit;
	view text;

	if (request_query(r, "maxresults", &text)) {
		if (!view_u64(text, &limit) || limit < 1 || limit > PAGE_MAX)
			return error_set(err, ERR_BAD_PARAMETER,
			    "The value of maxresults must be an integer from 1 to %d.", PAGE_MAX);
		page.limit = (size_t)limit;
		page.limit_given = true;
	}
	if (!page_marker(r, list, &page.after, err))
		return false;
	*out = page;
	return true;
}

bool
page_token_add(struct request *r, view list, view marker, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf token = { 0 };
	uint8_t mac[32];

	if (!page_mac(r, list, marker, mac, err))
		return false;
	buf_add(&token, (view){ (const char *)mac, MAC_LEN });
	buf_add(&token, marker);
	base64_encode(BASE64URL, buf_view(&token), out);
	return buf_ok(&token) || error_memory(err);
}

bool
page_wants_pending(const struct request *r)
{
	view pending;

	return request_query(r, "includePending", &pending) && view_ieq(pending, V("true"));
}

bool
page_next(struct request *r, view list, const struct page *page, view marker, struct error *err)
{
	AUTO(buf_free) struct buf link = { 0 };
	size_t port;

	if (marker.len == 0) {
		json_null_value(&r->json, "nextLink");
		return true;
	}
	/* The original always names the port here, and never in an id. */
	buf_print(&link, "https://%.*s%s%.*s?api-version=%s&$skiptoken=", VIEW_ARG(r->authority),
	    view_find(r->authority, ':', &port) ? "" : ":443", VIEW_ARG(r->path), r->version->name);
	if (!page_token_add(r, list, marker, &link, err))
		return false;
	if (page->limit_given)
		buf_print(&link, "&maxresults=%zu", page->limit);
	if (page_wants_pending(r))
		buf_add(&link, V("&includePending=true"));
	json_text(&r->json, "nextLink", buf_view(&link));
	return buf_ok(&link) || error_memory(err);
}

/* Everything the client asked for is asked for again, but the page. */
static void
add_query(struct request *r, struct buf *link)
{
	view rest = r->in->query;

	while (rest.len > 0) {
		view pair = view_cut(&rest, '&'), left = pair, name = view_cut(&left, '=');

		if (!percent_decode(name, false, r->arena, &name) ||
		    view_ieq(name, V("$skiptoken")))
			continue;
		buf_add(link, pair);
		buf_add_char(link, '&');
	}
}

bool
page_next_arm(struct request *r, view list, view marker, struct error *err)
{
	AUTO(buf_free) struct buf link = { 0 };

	if (marker.len == 0)
		return true;
	buf_print(&link, "https://%.*s%.*s?", VIEW_ARG(r->authority), VIEW_ARG(r->in->path));
	add_query(r, &link);
	buf_add(&link, V("$skiptoken="));
	if (!page_token_add(r, list, marker, &link, err))
		return false;
	json_text(&r->json, "nextLink", buf_view(&link));
	return buf_ok(&link) || error_memory(err);
}

bool
page_write(struct request *r, view prefix, page_item *item, void *ctx, struct error *err)
{
	struct document *documents;
	struct page page;
	size_t count, shown;
	view after = V(""), marker = V("");

	if (!page_read(r, prefix, &page, err))
		return false;
	if (page.after.len > 0 &&
	    !arena_join(r->arena, (const view[]){ prefix, page.after }, 2, &after))
		return error_memory(err);
	/* One more than is shown tells whether there is a next page. */
	if (!store_scan(r->tx.reader, prefix, after, page.limit + 1, r->arena, &documents, &count,
		err))
		return false;
	shown = count > page.limit ? page.limit : count;
	if (count > shown)
		marker = view_from(documents[shown - 1].key, prefix.len);
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < shown; i++) {
		if (!item(r, &documents[i], ctx, err))
			return false;
	}
	json_close(&r->json, ']');
	if (!page_next(r, prefix, &page, marker, err))
		return false;
	json_close(&r->json, '}');
	return true;
}
