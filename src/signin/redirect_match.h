/*
 * Redirect URIs: where codes may be sent to.  What is registered and what is asked for have to be
 * the same, byte by byte; only the port of a loopback address is free (RFC 8252, section 7.3).
 */
#ifndef SIGNIN_REDIRECT_MATCH_H
#define SIGNIN_REDIRECT_MATCH_H

#include "base/buf.h"

#define REDIRECT_URI_MAX 1024 /* bytes */

/*
 * redirect_sound(url):
 * Whether a browser may be sent there at all: "https://HOST[:PORT]…", or "http://" when the host is
 * "localhost", "127.0.0.1" or "[::1]"; visible ASCII, no user info, no backslash, no fragment, no
 * "." or ".." segment.
 */
bool redirect_sound(view url);

/* redirect_fits(registered, asked): Whether ${asked} is sound and what was registered. */
bool redirect_fits(view registered, view asked);

/* redirect_fits_native(asked): Sound, "http", and "localhost" with any port and path, no query. */
bool redirect_fits_native(view asked);

/*
 * redirect_origin(url, out):
 * Append what a Content-Security-Policy has to allow for that (sound) URL: its origin, or its
 * scheme where the policy's grammar has no word for the host.
 */
void redirect_origin(view url, struct buf *out);

#endif
