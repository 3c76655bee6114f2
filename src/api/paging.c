#include "api/paging.h"

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
	if (request_query(r, "$skiptoken", &text) &&
	    !page_token_read(r, list, text, &page.after, err))
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
	json_text(&r->json, "nextLink", buf_view(&link));
	return buf_ok(&link) || error_memory(err);
}
