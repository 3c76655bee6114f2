/*
 * The pages that people see: plain HTML that needs no script, readable on a small screen and to a
 * screen reader, and strict about what may load, frame or receive it.
 */
#ifndef SIGNIN_PAGE_H
#define SIGNIN_PAGE_H

#include "api/request.h"
#include "signin/errand.h"

/*
 * Each writes the whole reply.  ${error}, if not NULL, is shown, and decides the status.  ${name}
 * is the hidden name of what is kept of the sign-in.
 */
bool page_password(struct request *r, const struct errand *errand, view name,
    const struct error *error, struct error *err);
bool page_entry(struct request *r, const struct errand *errand, view name,
    const struct error *error, struct error *err);
bool page_confirm(struct request *r, const struct errand *errand, view name, struct error *err);

/* page_message: A title and a paragraph; the end of the road. */
bool page_message(struct request *r, view title, view text, struct error *err);

/* page_refusal: Why it does not go on; for the audit log, too. */
bool page_refusal(struct request *r, const struct error *error, struct error *err);

struct page_pair {
	const char *name;
	view value;
};

/* page_post: Send the browser to ${url} (sound: redirect_match.h) with these, by a form. */
bool page_post(struct request *r, view url, const struct page_pair *pairs, size_t count,
    struct error *err);

#endif
