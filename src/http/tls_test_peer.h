/* For tests: throw-away certificates, and a blocking TLS client that verifies them. */
#ifndef HTTP_TLS_TEST_PEER_H
#define HTTP_TLS_TEST_PEER_H

#include "base/buf.h"
#include "base/view.h"

#include <openssl/ssl.h>

struct test_cert {
	struct buf chain, key; /* PEM */
};

struct test_cert test_cert_new(void); /* self-signed, for "localhost" */
void test_cert_done(struct test_cert *cert);

struct peer_wish {
	const struct test_cert *trust;
	int version;          /* the only TLS version to speak; 0: any */
	view alpn;            /* in wire form; empty: none */
	SSL_SESSION *session; /* to resume; NULL: none */
	view before;          /* sent before the handshake, byte by byte */
};

struct peer {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: the handshake failed */
};

int peer_connect(unsigned port); /* a plain socket; reads on it give up after some seconds */
struct peer peer_open(unsigned port, const struct peer_wish *wish);
void peer_done(struct peer *peer);

bool peer_send(struct peer *peer, view text);

/*
 * peer_reply(peer, out):
 * One reply, head and body, as its Content-Length says.  False: it did not come whole.
 */
bool peer_reply(struct peer *peer, struct buf *out);

/* peer_rest(peer, out): Everything up to the end. True: it ended with a close_notify. */
bool peer_rest(struct peer *peer, struct buf *out);

#endif
