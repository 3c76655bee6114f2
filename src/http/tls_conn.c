#include "http/tls_conn.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX SSL3_RT_MAX_PLAIN_LENGTH
#define RECORD_OVERHEAD 64 /* header, nonce, tag and type; more than any of our suites needs */

struct tls_conn {
	SSL *ssl;        /* NULL: no TLS, bytes pass as they are */
	view in;         /* ciphertext not yet taken; for the length of a call */
	struct buf *out; /* where ciphertext goes; for the length of a call */
};

static int
bio_read(BIO *bio, char *bytes, int len)
{
	struct tls_conn *conn = BIO_get_data(bio);
	size_t taken = (size_t)len < conn->in.len ? (size_t)len : conn->in.len;

	BIO_clear_retry_flags(bio);
	if (taken == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(bytes, conn->in.ptr, taken);
	conn->in = view_from(conn->in, taken);
	return (int)taken;
}

static int
bio_write(BIO *bio, const char *bytes, int len)
{
	struct tls_conn *conn = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (conn->out == NULL)
		return -1;
	buf_add(conn->out, (view){ bytes, (size_t)len });
	return buf_ok(conn->out) ? len : -1;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *
tls_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "turn");

	if (method == NULL || BIO_meth_set_read(method, bio_read) != 1 ||
	    BIO_meth_set_write(method, bio_write) != 1 ||
	    BIO_meth_set_ctrl(method, bio_ctrl) != 1) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

static SSL *
session_new(struct tls *tls)
{
	SSL_CTX *ctx;
	SSL *ssl;

	(void)pthread_mutex_lock(&tls->lock);
	ctx = tls->ctx;
	(void)SSL_CTX_up_ref(ctx);
	(void)pthread_mutex_unlock(&tls->lock);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	return ssl;
}

struct tls_conn *
tls_conn_new(struct tls *tls)
{
	struct tls_conn *conn = calloc(1, sizeof(*conn));
	BIO *bio;

	if (tls == NULL)
		return conn;
	bio = BIO_new(tls->bio);
	if (conn != NULL)
		conn->ssl = session_new(tls);
	if (conn == NULL || bio == NULL || conn->ssl == NULL) {
		(void)BIO_free(bio);
		tls_conn_free(conn);
		ERR_clear_error();
		return NULL;
	}
	BIO_set_data(bio, conn);
	BIO_set_init(bio, 1);
	SSL_set_bio(conn->ssl, bio, bio);
	SSL_set_accept_state(conn->ssl);
	return conn;
}

static enum tls_status
status_of(struct tls_conn *conn, int result)
{
	int error = SSL_get_error(conn->ssl, result);

	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ: return TLS_OPEN;
	case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
	default: return TLS_FAILED;
	}
}

/* What others left behind would be taken for ours; looking for it is cheaper than clearing. */
static void
forget_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/* One SSL_read per record; the last one, which only says "no more", is saved where it can be. */
static enum tls_status
read_all(struct tls_conn *conn, struct buf *plain)
{
	while (conn->in.len > 0 || SSL_has_pending(conn->ssl)) {
		char *room = buf_room(plain, RECORD_MAX);
		int len;

		if (room == NULL)
			return TLS_FAILED;
		len = SSL_read(conn->ssl, room, RECORD_MAX);
		if (len > 0) {
			plain->len += (size_t)len;
			continue;
		}
		return status_of(conn, len);
	}
	return TLS_OPEN;
}

enum tls_status
tls_conn_read(struct tls_conn *conn, view in, struct buf *plain, struct buf *out)
{
	enum tls_status status;

	if (conn->ssl == NULL) {
		buf_add(plain, in);
		return buf_ok(plain) ? TLS_OPEN : TLS_FAILED;
	}
	forget_errors();
	conn->in = in;
	conn->out = out;
	status = read_all(conn, plain);
	conn->in = (view){ 0 };
	conn->out = NULL;
	return status;
}

bool
tls_conn_write(struct tls_conn *conn, view plain, struct buf *out)
{
	size_t records = plain.len / RECORD_MAX + 1;
	size_t written;
	bool ok;

	if (conn->ssl == NULL) {
		buf_add(out, plain);
		return buf_ok(out);
	}
	if (buf_room(out, plain.len + records * RECORD_OVERHEAD) == NULL)
		return false;
	forget_errors();
	conn->out = out;
	ok = SSL_write_ex(conn->ssl, plain.ptr, plain.len, &written) == 1;
	conn->out = NULL;
	if (!ok)
		ERR_clear_error();
	return ok;
}

void
tls_conn_close(struct tls_conn *conn, struct buf *out)
{
	if (conn->ssl == NULL || !tls_conn_ready(conn))
		return;
	conn->out = out;
	(void)SSL_shutdown(conn->ssl);
	conn->out = NULL;
	ERR_clear_error();
}

bool
tls_conn_ready(const struct tls_conn *conn)
{
	return conn->ssl == NULL || SSL_is_init_finished(conn->ssl) == 1;
}

view
tls_conn_version(const struct tls_conn *conn)
{
	return conn->ssl == NULL ? V("") : view_of(SSL_get_version(conn->ssl));
}

void
tls_conn_free(struct tls_conn *conn)
{
	if (conn == NULL)
		return;
	SSL_free(conn->ssl);
	free(conn);
}
