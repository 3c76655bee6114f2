/*
 * HTTP/1.1, bytes in, request out: no I/O, no clock.  Stricter than the RFC allows to be: whatever
 * two parsers could read differently is refused, because a request must mean the same to everyone
 * in front of us.
 */
#ifndef HTTP_H1_H
#define HTTP_H1_H

#include "base/attr.h"
#include "base/error.h"
#include "base/view.h"

struct h1;
struct http_request;

struct h1_limits {
	size_t head; /* bytes of request line and fields; of a chunked body's trailers too */
	size_t body; /* bytes */
	unsigned fields;
};

enum h1_state {
	H1_HEAD,    /* more of the head is needed */
	H1_BODY,    /* the head is complete and acceptable; more of the body is needed */
	H1_DONE,    /* the request is complete */
	H1_REFUSED, /* see h1_refusal; nothing behind this can be understood */
};

struct h1_refusal {
	enum error_code code;
	int status;
	const char *why;
};

/* h1_new(limits): NULL without memory; the caller frees it. Holds one request at a time. */
MUST_USE struct h1 *h1_new(const struct h1_limits *limits);

/*
 * h1_feed(h1, bytes, used):
 * Parse ${bytes}, as many as belong to this request; ${used} says how many those are.  How the
 * bytes are cut into calls makes no difference to the result.
 */
enum h1_state h1_feed(struct h1 *h1, view bytes, size_t *used);

bool h1_keep_alive(const struct h1 *h1); /* the client wants to send more requests */

/* The client waits for "100 Continue" before it sends the body; false once some body came. */
bool h1_wants_continue(const struct h1 *h1);

const struct h1_refusal *h1_refusal(const struct h1 *h1); /* after H1_REFUSED */

/*
 * h1_request(h1, request):
 * Fill in what the bytes say, borrowed from ${h1} until h1_reset.  Before H1_DONE only what is
 * known: the method of a refused request may be empty.
 */
void h1_request(const struct h1 *h1, struct http_request *request);

void h1_reset(struct h1 *h1); /* wipe the request; ready for the next */
void h1_free(struct h1 *h1);  /* wipe, free; NULL is fine */

#endif
