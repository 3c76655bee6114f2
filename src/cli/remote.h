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
	const char *client_id, *client_secret, *ca_file;
};

/* remote_advance_clock(remote, seconds, reply, err): Move a development server's clock. */
MUST_USE bool remote_advance_clock(const struct remote *remote, int64_t seconds, struct buf *reply,
    struct error *err);

/* duration_parse(text, seconds): "90d", "12h", "30m", "45s". */
MUST_USE bool duration_parse(view text, int64_t *seconds);

#endif
