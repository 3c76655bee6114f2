/*
 * Lists come in pages.  A skip token is the key of the last item given, sealed with a MAC over it
 * and the list it belongs to, so that a forged one is refused and one list's can't be used on
 * another.
 */
#ifndef API_PAGING_H
#define API_PAGING_H

#include "api/request.h"

#define PAGE_MAX 25 /* items; also what a client gets that does not ask */

struct page {
	size_t limit;
	bool limit_given;
	view after; /* the marker of the page before; empty: the first page */
};

/*
 * page_read(r, list, out, err):
 * Read `maxresults` and `$skiptoken` for the list named ${list} (unique in the installation).
 * ERR_BAD_PARAMETER when they are out of range or forged.
 */
MUST_USE bool page_read(struct request *r, view list, struct page *out, struct error *err);

/*
 * page_next(r, list, page, marker, err):
 * Write the member `nextLink` for what comes behind ${marker}; null when ${marker} is empty.  It
 * asks for as many, and for pending ones, as the request does.
 * page_wants_pending(r): `includePending` is true.
 */
bool page_wants_pending(const struct request *r);
MUST_USE bool page_next(struct request *r, view list, const struct page *page, view marker,
    struct error *err);

/*
 * page_write(r, prefix, item, ctx, err):
 * The reply is a page of the documents under ${prefix}, in the order of their keys: ${item} writes
 * each.
 */
typedef bool page_item(struct request *r, const struct document *document, void *ctx,
    struct error *err);
MUST_USE bool page_write(struct request *r, view prefix, page_item *item, void *ctx,
    struct error *err);

/*
 * page_top(r, usual, most, out, err), page_marker(r, list, out, err):
 * As resource management has it: `$top`, of which no more than ${most} is believed, and what the
 * `$skiptoken` says, empty on the first page.  ERR_BAD_REQUEST, ERR_BAD_PARAMETER.
 */
MUST_USE bool page_top(struct request *r, size_t usual, size_t most, size_t *out,
    struct error *err);
MUST_USE bool page_marker(struct request *r, view list, view *out, struct error *err);

/*
 * page_next_arm(r, list, marker, err):
 * page_next for them: the request's own URL with a `$skiptoken` of its own; no member when there is
 * no next page.
 */
MUST_USE bool page_next_arm(struct request *r, view list, view marker, struct error *err);

/*
 * page_token_read(r, list, token, marker, err), page_token_add(r, list, marker, out, err):
 * The token by itself, for what is no list.
 */
MUST_USE bool page_token_read(struct request *r, view list, view token, view *marker,
    struct error *err);
MUST_USE bool page_token_add(struct request *r, view list, view marker, struct buf *out,
    struct error *err);

#endif
