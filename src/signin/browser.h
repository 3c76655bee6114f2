/*
 * The browser in front of a sign-in page: the cookie it is known by, what is kept for it between
 * two pages, and how it is sent back to the client.
 */
#ifndef SIGNIN_BROWSER_H
#define SIGNIN_BROWSER_H

#include "signin/errand.h"
#include "signin/page.h"

/*
 * browser_keep(r, errand, name, err):
 * Keep a page's errand for the browser, bound to its cookie, which is set when it has none;
 * ${name} (in the request's arena) is the single-use name for the form.
 */
MUST_USE bool browser_keep(struct request *r, struct errand *errand, view *name, struct error *err);

/*
 * browser_back(r, name, out, err):
 * What was kept under that name, once, and only for the browser it was kept for.  Lies in the
 * request's arena.  ERR_STS_MALFORMED.
 */
MUST_USE bool browser_back(struct request *r, view name, struct errand *out, struct error *err);

/*
 * browser_send(r, errand, pairs, count, err):
 * The end of a browser's sign-in: to the client's redirect URI with these, and its state.
 */
MUST_USE bool browser_send(struct request *r, const struct errand *errand,
    const struct page_pair *pairs, size_t count, struct error *err);

/* browser_send_error: The same with an OAuth error, as the client expects it. */
MUST_USE bool browser_send_error(struct request *r, const struct errand *errand, const char *name,
    const char *message, struct error *err);

#endif
