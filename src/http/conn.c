#include "http/conn.h"

#include "base/clock.h"
#include "http/crowd.h"
#include "http/reply.h"
#include "http/slot.h"
#include "http/tls_conn.h"

#include <stdlib.h>
#include <string.h>

#define LINGER_SECONDS 1
#define FIRST_WRITE 16384 /* head and body up to here are encrypted in one go */
#define OUT_KEEP 262144   /* bytes of the loop's ciphertext buffer to keep */

static void conn_flush(struct conn *conn);

/* The close callback, or the slot's return, or the ready list: whichever lets go last. */
static void
conn_release(struct conn *conn)
{
	if (!conn->gone || conn->slot != NULL || conn->ready)
		return;
	buf_free(&conn->early);
	buf_free(&conn->out);
	free(conn);
}

static void
on_close(uv_handle_t *handle)
{
	struct conn *conn = handle->data;

	conn->gone = true;
	conn_release(conn);
}

static void
conn_unlink(struct conn *conn)
{
	if (conn->prev == NULL)
		conn->loop->conns = conn->next;
	else
		conn->prev->next = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
}

void
conn_link(struct conn *conn)
{
	conn->next = conn->loop->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	conn->loop->conns = conn;
}

static void
conn_drop_slot(struct conn *conn)
{
	struct slot *slot = conn->slot;

	conn->slot = NULL;
	slot_give(slot);
}

/* Forget the connection.  A request that is with the answerer stays until it comes back. */
static void
conn_detach(struct conn *conn)
{
	if (conn->state == CONN_RECEIVE)
		conn_drop_slot(conn);
	conn->state = CONN_CLOSED;
	if (conn->slot != NULL)
		atomic_store(&conn->slot->left, true);
	conn_unlink(conn);
	tls_conn_free(conn->tls);
	conn->tls = NULL;
	buf_free(&conn->early);
	if (conn->counted)
		crowd_leave(conn->loop->crowd, &conn->address);
	atomic_fetch_sub(conn->loop->connections, 1);
}

void
conn_close(struct conn *conn)
{
	if (conn->state == CONN_CLOSED)
		return;
	conn_detach(conn);
	uv_close(&conn->socket.handle, on_close);
}

/* A client that takes nothing: don't let the kernel keep trying for it. */
static void
conn_reset(struct conn *conn)
{
	conn_detach(conn);
	if (conn->socket.handle.type != UV_TCP ||
	    uv_tcp_close_reset(&conn->socket.tcp, on_close) != 0)
		uv_close(&conn->socket.handle, on_close);
}

static void
on_shutdown(uv_shutdown_t *request, int status)
{
	(void)request;
	(void)status; /* the deadline closes in any case */
}

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct conn *conn = handle->data;

	(void)suggested;
	*out = uv_buf_init(conn->loop->in, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);

void
conn_read(struct conn *conn, bool wanted)
{
	uv_stream_t *stream = &conn->socket.stream;

	if (conn->state == CONN_CLOSED || conn->reading == wanted)
		return;
	conn->reading = wanted;
	if (!wanted)
		(void)uv_read_stop(stream);
	else if (uv_read_start(stream, on_alloc, on_read) != 0)
		conn_close(conn);
}

/* Closing at once could reset the connection before the client has read our last words. */
static void
conn_linger(struct conn *conn)
{
	if (conn->state == CONN_RECEIVE)
		conn_drop_slot(conn);
	conn->state = CONN_LINGER;
	conn->deadline = loop_deadline(conn->loop, LINGER_SECONDS);
	buf_free(&conn->early);
	if (conn->ended || uv_shutdown(&conn->shutdown, &conn->socket.stream, on_shutdown) != 0)
		conn_close(conn);
	else
		conn_read(conn, true);
}

static void
conn_hang_up(struct conn *conn)
{
	tls_conn_close(conn->tls, &conn->loop->out);
	conn->hang_up = true;
	conn->state = CONN_REPLY;
	conn_flush(conn);
}

static void
conn_make_ready(struct conn *conn)
{
	if (!conn->ready)
		loop_add_ready(conn->loop, conn);
}

static void
conn_idle(struct conn *conn)
{
	conn->state = CONN_IDLE;
	conn->deadline = loop_deadline(conn->loop, conn->loop->settings->idle_seconds);
}

/* A reply is out: on with the next request. */
static void
reply_sent(struct conn *conn)
{
	if (conn->hang_up) {
		conn_linger(conn);
		return;
	}
	conn_idle(conn);
	if (conn->early.len > 0)
		conn_make_ready(conn);
	else if (conn->ended)
		conn_close(conn);
	else
		conn_read(conn, true);
}

static void
all_written(struct conn *conn)
{
	if (conn->state == CONN_REPLY)
		reply_sent(conn);
	else if (conn->early.len > 0)
		conn_make_ready(conn);
	else if (!conn->ended)
		conn_read(conn, true);
	else if (conn->state != CONN_ANSWER)
		conn_close(conn);
}

static void
on_write(uv_write_t *request, int status)
{
	struct conn *conn = request->data;

	buf_free(&conn->out);
	conn->writing = false;
	if (conn->state == CONN_CLOSED)
		return;
	if (status != 0)
		conn_close(conn);
	else
		all_written(conn);
}

/* What the socket does not take now goes out as it can; nothing is read until it has. */
static void
conn_write_rest(struct conn *conn, size_t done)
{
	struct http_loop *loop = conn->loop;
	uv_buf_t rest;

	conn->out = loop->out;
	loop->out = (struct buf){ 0 };
	rest = uv_buf_init(conn->out.ptr + done, (unsigned)(conn->out.len - done));
	conn->write.data = conn;
	if (uv_write(&conn->write, &conn->socket.stream, &rest, 1, on_write) != 0) {
		conn_close(conn);
		return;
	}
	conn->writing = true;
	conn->write_left = uv_stream_get_write_queue_size(&conn->socket.stream);
	conn->write_deadline = loop_deadline(loop, loop->settings->write_seconds);
	conn_read(conn, false);
}

static void
out_clear(struct http_loop *loop)
{
	if (loop->out.size > OUT_KEEP)
		buf_free(&loop->out);
	else
		buf_reset(&loop->out);
}

/* Send what is in the loop's out buffer. */
static void
conn_flush(struct conn *conn)
{
	struct buf *out = &conn->loop->out;
	uv_buf_t bytes = uv_buf_init(out->ptr, (unsigned)out->len);
	int len = 0;

	if (out->len > 0)
		len = uv_try_write(&conn->socket.stream, &bytes, 1);
	if (len == UV_EAGAIN)
		len = 0;
	if (len < 0 || conn->writing || !buf_ok(out)) {
		out_clear(conn->loop);
		conn_close(conn);
	} else if ((size_t)len < out->len) {
		conn_write_rest(conn, (size_t)len);
	} else {
		out_clear(conn->loop);
		all_written(conn);
	}
}

/* Leave without waiting for the client. */
static void
conn_leave(struct conn *conn)
{
	tls_conn_close(conn->tls, &conn->loop->out);
	conn_flush(conn);
	conn_close(conn);
}

static void
conn_refuse(struct conn *conn, enum error_code code, int status, const char *why)
{
	conn->state = CONN_ANSWER;
	conn->deadline = 0;
	conn->hang_up = true;
	slot_refuse(conn->slot, code, status, why);
}

static void
conn_ask(struct conn *conn)
{
	const struct http_settings *settings = conn->loop->settings;
	struct http_request *request = &conn->slot->exchange.request;

	conn->state = CONN_ANSWER;
	conn->deadline = 0;
	atomic_store(&conn->slot->left, conn->ended);
	h1_request(conn->slot->h1, request);
	request->peer = view_of(conn->peer);
	request->peer_ipv6 = conn->peer_ipv6;
	request->tls_version = tls_conn_version(conn->tls);
	settings->answer(settings->ctx, &conn->slot->exchange);
}

static bool
conn_begin(struct conn *conn)
{
	conn->slot = slot_take(conn->loop, conn);
	if (conn->slot == NULL) {
		conn_close(conn);
		return false;
	}
	conn->state = CONN_RECEIVE;
	conn->deadline = loop_deadline(conn->loop, conn->loop->settings->head_seconds);
	return true;
}

static void
head_is_complete(struct conn *conn)
{
	struct http_request *request = &conn->slot->exchange.request;

	if (request->arrived != 0)
		return;
	request->arrived = clock_mono();
	conn->deadline = loop_deadline(conn->loop, conn->loop->settings->body_seconds);
}

/* The body is still to come. */
static void
conn_continue(struct conn *conn)
{
	bool first = conn->slot->exchange.request.arrived == 0;

	head_is_complete(conn);
	if (!first || !h1_wants_continue(conn->slot->h1))
		return;
	if (tls_conn_write(conn->tls, V("HTTP/1.1 100 Continue\r\n\r\n"), &conn->loop->out))
		conn_flush(conn);
	else
		conn_close(conn);
}

/* Parse up to the end of one request; return how many bytes were taken. */
static size_t
conn_feed(struct conn *conn, view bytes)
{
	const struct h1_refusal *refusal;
	size_t used = 0;

	if (bytes.len == 0 || (conn->state == CONN_IDLE && !conn_begin(conn)))
		return 0;
	switch (h1_feed(conn->slot->h1, bytes, &used)) {
	case H1_HEAD: break;
	case H1_BODY: conn_continue(conn); break;
	case H1_DONE:
		head_is_complete(conn);
		conn_ask(conn);
		break;
	case H1_REFUSED:
		refusal = h1_refusal(conn->slot->h1);
		conn_refuse(conn, refusal->code, refusal->status, refusal->why);
		break;
	}
	return used;
}

static bool
conn_can_feed(const struct conn *conn)
{
	return !conn->writing && (conn->state == CONN_IDLE || conn->state == CONN_RECEIVE);
}

void
conn_resume(struct conn *conn)
{
	conn->ready = false;
	if (conn->state == CONN_CLOSED) {
		conn_release(conn);
		return;
	}
	if (!conn_can_feed(conn))
		return;
	conn->early_at += conn_feed(conn, view_from(buf_view(&conn->early), conn->early_at));
	if (conn->state == CONN_CLOSED || conn->early_at < conn->early.len)
		return;
	buf_free(&conn->early);
	conn->early_at = 0;
	if (conn->state == CONN_RECEIVE && conn->ended)
		conn_close(conn);
	else if (!conn->writing && !conn->ended)
		conn_read(conn, true);
}

/* Keep what came too early, and read no more until it has been parsed. */
static void
conn_keep(struct conn *conn, view bytes)
{
	if (bytes.len == 0 || conn->state == CONN_CLOSED || conn->hang_up)
		return;
	buf_add(&conn->early, bytes);
	if (!buf_ok(&conn->early))
		conn_close(conn);
	else
		conn_read(conn, false);
}

static void
conn_take_plain(struct conn *conn, view plain)
{
	size_t used = 0;

	if (conn->state == CONN_HANDSHAKE && tls_conn_ready(conn->tls))
		conn_idle(conn);
	if (conn->early.len == 0 && conn_can_feed(conn))
		used = conn_feed(conn, plain);
	conn_keep(conn, view_from(plain, used));
}

/* The client sends no more: finish what it has asked for. */
static void
conn_end(struct conn *conn)
{
	conn->ended = true;
	if (conn->state == CONN_CLOSED)
		return;
	if (conn->slot != NULL)
		atomic_store(&conn->slot->left, true);
	if (conn->writing || conn->early.len > 0 || conn->state == CONN_ANSWER ||
	    conn->state == CONN_REPLY)
		conn_read(conn, false);
	else
		conn_leave(conn);
}

void
conn_take_cipher(struct conn *conn, view cipher)
{
	struct http_loop *loop = conn->loop;
	enum tls_status status = tls_conn_read(conn->tls, cipher, &loop->plain, &loop->out);

	/* Without memory for it, this one is closed: the buffer is the next one's, too. */
	if (loop->out.len > 0 || !buf_ok(&loop->out))
		conn_flush(conn);
	if (conn->state != CONN_CLOSED)
		conn_take_plain(conn, buf_view(&loop->plain));
	buf_reset(&loop->plain);
	if (conn->state == CONN_CLOSED)
		return;
	if (status == TLS_CLOSED)
		conn_end(conn);
	else if (status == TLS_FAILED && (conn->writing || conn->state == CONN_ANSWER))
		conn_close(conn);
	else if (status == TLS_FAILED)
		conn_linger(conn);
}

static void
on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct conn *conn = stream->data;

	if (len == UV_EOF && conn->state != CONN_LINGER && conn->state != CONN_FORWARDED)
		conn_end(conn);
	else if (len < 0)
		conn_close(conn);
	else if (len > 0 && conn->state == CONN_FORWARDED)
		conn_take_forwarded(conn, (view){ buf->base, (size_t)len });
	else if (len > 0 && conn->state != CONN_LINGER)
		conn_take_cipher(conn, (view){ buf->base, (size_t)len });
}

/* Encrypt the reply: a small one in one record, of a large one the body without copying it. */
static bool
encrypt_reply(struct conn *conn, const struct http_exchange *exchange)
{
	struct http_loop *loop = conn->loop;
	view body = buf_view(&exchange->reply.body);
	size_t room, first;
	bool ok;

	if (!reply_has_body(&exchange->reply, exchange->request.method))
		body.len = 0;
	reply_head(&exchange->reply, conn->hang_up, &loop->plain);
	room = loop->plain.len < FIRST_WRITE ? FIRST_WRITE - loop->plain.len : 0;
	first = body.len < room ? body.len : room;
	buf_add(&loop->plain, (view){ body.ptr, first });
	body = view_from(body, first);
	/* What was withheld may have got no memory for what is said in its place. */
	ok = buf_ok(&exchange->reply.fields) && buf_ok(&exchange->reply.body) &&
	    buf_ok(&loop->plain) && tls_conn_write(conn->tls, buf_view(&loop->plain), &loop->out) &&
	    (body.len == 0 || tls_conn_write(conn->tls, body, &loop->out));
	buf_reset(&loop->plain);
	if (ok && conn->hang_up)
		tls_conn_close(conn->tls, &loop->out);
	return ok;
}

void
conn_reply(struct slot *slot)
{
	struct conn *conn = slot->conn;
	bool ok = false;

	if (conn->state == CONN_ANSWER) {
		if (slot->exchange.reply.close || conn->loop->draining || !h1_keep_alive(slot->h1))
			conn->hang_up = true;
		ok = encrypt_reply(conn, &slot->exchange);
	}
	conn_drop_slot(conn);
	if (conn->state != CONN_ANSWER) {
		conn_release(conn);
		return;
	}
	if (!ok) {
		out_clear(conn->loop);
		conn_close(conn);
		return;
	}
	conn->state = CONN_REPLY;
	conn_flush(conn);
}

static void
sweep_write(struct conn *conn, uint64_t now)
{
	size_t left = uv_stream_get_write_queue_size(&conn->socket.stream);

	if (left != conn->write_left) {
		conn->write_left = left;
		conn->write_deadline =
		    loop_deadline(conn->loop, conn->loop->settings->write_seconds);
	} else if (now >= conn->write_deadline) {
		conn_reset(conn);
	}
}

void
conn_sweep(struct conn *conn, uint64_t now)
{
	if (conn->writing) {
		sweep_write(conn, now);
		return;
	}
	if (conn->deadline == 0 || now < conn->deadline)
		return;
	if (conn->state == CONN_RECEIVE)
		conn_refuse(conn, ERR_TIMEOUT, error_table[ERR_TIMEOUT].status,
		    "The request did not arrive in time.");
	else if (conn->state == CONN_IDLE)
		conn_hang_up(conn);
	else
		conn_close(conn);
}

void
conn_drain(struct conn *conn)
{
	bool idle = conn->state == CONN_IDLE && conn->early.len == 0;

	if (conn->state == CONN_FORWARDED)
		conn_close(conn);
	else if (!conn->writing && (idle || conn->state == CONN_HANDSHAKE))
		conn_leave(conn);
}

bool
http_left(struct http_exchange *exchange)
{
	return atomic_load(&slot_of(exchange)->left);
}

int
http_socket(const struct http_exchange *exchange)
{
	const struct slot *slot = (const struct slot *)exchange;
	uv_os_fd_t fd;

	if (slot->conn == NULL || slot->conn->state == CONN_CLOSED ||
	    uv_fileno(&slot->conn->socket.handle, &fd) != 0)
		return -1;
	return fd;
}
