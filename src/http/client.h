/*
 * An HTTP client for tools: one request, one reply, over TLS with the certificate verified. 
 * Blocks.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/buf.h"
#include "base/error.h"

struct client_request {
	const char *method, *url;
	const char *ca_file;      /* PEM; NULL: the system's */
	const char *unix_path;    /* NULL, or: this Unix socket, an http:// url, no TLS */
	const char *bearer;       /* a token; NULL: none */
	const char *content_type; /* NULL: no body */
	view body;
	unsigned seconds; /* at most, for the whole exchange */
};

/*
 * client_send(request, status, body, err):
 * ${status} and ${body} are the reply's, whatever it says; at most 1 MB. ERR_UNAVAILABLE when
 * there was none.
 */
MUST_USE bool client_send(const struct client_request *request, long *status, struct buf *body,
    struct error *err);

#endif
