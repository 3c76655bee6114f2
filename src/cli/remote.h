/*
 * Commands that speak to a running server, as any client does: sign in, send, show.
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "base/buf.h"
#include "base/error.h"

/* Where the server is and who asks; NUL-terminated texts, borrowed. */
struct remote {
	const char *login, *management; /* "https://host:port" */
	const char *tenant, *client_id, *client_secret, *ca_file;
};

struct remote_request {
	const char *what; /* for the message when it is refused: "moving the clock" */
	const char *method;
	view target; /* path and query on the management host */
	view body;   /* JSON, or empty */
};

/* remote_call(remote, request, reply, err): Sign in and send; anything but 200 is an error. */
MUST_USE bool remote_call(const struct remote *remote, const struct remote_request *request,
    struct buf *reply, struct error *err);

/* remote_advance_clock(remote, seconds, reply, err): Move a development server's clock. */
MUST_USE bool remote_advance_clock(const struct remote *remote, int64_t seconds, struct buf *reply,
    struct error *err);

/* timespan_parse(text, seconds): "90d", "12h", "30m", "45s". */
MUST_USE bool timespan_parse(view text, int64_t *seconds);

#endif
