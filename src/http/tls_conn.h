/*
 * One connection's TLS, between two buffers: ciphertext in, plaintext out, and the other way.  It
 * holds no buffers of its own between calls, so that an idle connection stays small.
 */
#ifndef HTTP_TLS_CONN_H
#define HTTP_TLS_CONN_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/view.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct tls {
	pthread_mutex_t lock;
	SSL_CTX *ctx;    /* the current one; under the lock */
	BIO_METHOD *bio; /* between a session and the buffers of a call */
};

struct tls_conn;

enum tls_status {
	TLS_OPEN,   /* all was taken; more may come */
	TLS_CLOSED, /* the client said that nothing more comes */
	TLS_FAILED, /* not TLS, or not ours; an alert may be in ${out} */
};

BIO_METHOD *tls_bio_method(void); /* NULL without memory; the caller frees it */

/*
 * tls_conn_new(tls):
 * A server session of the current context; NULL without memory.  Without ${tls} there is no TLS:
 * the bytes pass as they are.
 */
MUST_USE struct tls_conn *tls_conn_new(struct tls *tls);

/*
 * tls_conn_read(conn, in, plain, out):
 * Take all of the ciphertext ${in}: append what it says to ${plain}, and what has to be sent for it
 * (handshake, alerts) to ${out}.
 */
enum tls_status tls_conn_read(struct tls_conn *conn, view in, struct buf *plain, struct buf *out);

/* tls_conn_write(conn, plain, out): Append ${plain}, encrypted, to ${out}. */
MUST_USE bool tls_conn_write(struct tls_conn *conn, view plain, struct buf *out);

/* tls_conn_close(conn, out): Say that nothing more comes, as far as the handshake allows. */
void tls_conn_close(struct tls_conn *conn, struct buf *out);

bool tls_conn_ready(const struct tls_conn *conn);   /* the handshake is done */
view tls_conn_version(const struct tls_conn *conn); /* "TLSv1.3"; static */
void tls_conn_free(struct tls_conn *conn);          /* NULL is fine */

#endif
