/*
 * The header of the PROXY protocol, version 2 (the specification that comes with HAProxy): what a
 * forwarder in front of us says about the client, before anything of the client's own.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include "base/address.h"

#define PROXY_FIXED 16       /* bytes: signature, version and command, family, length */
#define PROXY_REST_MAX 4096U /* of what follows: addresses and type-length-values */

enum proxy_state {
	PROXY_PART,    /* so far a header's beginning */
	PROXY_WHOLE,   /* ${out} is filled in */
	PROXY_REFUSED, /* no such header, or none that we take */
};

struct proxy_header {
	bool local; /* the forwarder speaks for itself (a health check): no ${client} */
	struct address client;
	size_t len; /* of the header; the client's bytes follow */
};

/*
 * proxy_parse(bytes, out):
 * ${bytes} from the connection's first on.  Taken are LOCAL, and PROXY with TCP over IPv4 or IPv6;
 * the type-length-values must fill what is left, and are ignored.
 */
enum proxy_state proxy_parse(view bytes, struct proxy_header *out);

#endif
