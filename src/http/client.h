/*
 * An HTTP client: one request, one reply, over TLS with the certificate verified, no redirects.
 * Blocks: for tools, and for threads that may.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/buf.h"
#include "base/error.h"

/* A field of the reply that is asked for: the last one of that name, in any case. */
struct client_field {
	const char *name;
	struct buf value; /* the caller's to free; empty when it did not come */
};

struct client_request {
	const char *method, *url;
	const char *ca_file;      /* PEM, and nothing else is trusted; NULL: the system's */
	const char *more_ca_file; /* PEM, trusted beside those; NULL: none */
	const char *unix_path;    /* NULL, or: this Unix socket, an http:// url, no TLS */
	/*
	 * Of this host: an http:// url without TLS, which leads to a loopback or link-local address
	 * or nowhere.  Checked on the address connected to.
	 */
	bool local;
	const char *bearer;                   /* a token; NULL: none */
	const char *field_name, *field_value; /* one more header; NULL: none */
	const char *content_type;             /* NULL: no body */
	view body;
	unsigned seconds; /* at most, for the whole exchange */
	size_t max;       /* bytes of the reply's body; 0: 1 MB */
	/*
	 * The URL is another's word: connect to no link-local address (169.254.0.0/16, fe80::/10),
	 * where clouds hand credentials to whoever asks.  Checked on the address connected to.
	 */
	bool careful;
	struct client_field *fields; /* of the reply; NULL: none */
	size_t field_count;
};

#define CLIENT_FIELD_MAX 4096 /* bytes of a field's value; a longer one counts as not sent */

/*
 * client_send(request, status, body, err):
 * ${status} and ${body} are the reply's, whatever it says.  ERR_UNAVAILABLE when there was none,
 * or too much of it.
 */
MUST_USE bool client_send(const struct client_request *request, long *status, struct buf *body,
    struct error *err);

/*
 * client_wipe_memory(): Once, before any request: libcurl's memory, where replies pass through, is
 * wiped whenever it is given back.  False when libcurl can't be started.
 */
MUST_USE bool client_wipe_memory(void);

/* client_refuses(address): Is it one that a careful request doesn't connect to? */
struct sockaddr;
bool client_refuses(const struct sockaddr *address);

#endif
