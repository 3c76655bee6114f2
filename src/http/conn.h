/*
 * A connection: from accept to close.  Its requests come one after the other; while one is being
 * answered, what the client sends is kept (one read's worth), then no longer read.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "base/address.h"
#include "base/buf.h"
#include "http/loop.h"

struct slot;
struct tls_conn;

enum conn_state {
	CONN_HANDSHAKE,
	CONN_FORWARDED, /* before it: a forwarder is to say who the client is */
	CONN_IDLE,      /* between requests */
	CONN_RECEIVE,   /* a request is coming in; has a slot */
	CONN_ANSWER,    /* a request is with the answerer, or its reply is queued; has a slot */
	CONN_REPLY,     /* a reply is going out */
	CONN_LINGER,    /* all was sent; the client is given time to read it before it is cut off */
	CONN_CLOSED,    /* kept only until libuv and the slot have let go of it */
};

struct conn {
	union socket socket;
	struct http_loop *loop;
	struct tls_conn *tls;
	struct slot *slot;
	enum conn_state state;
	bool reading;
	bool writing; /* ${out} is on its way; nothing is read meanwhile */
	bool hang_up; /* close behind the reply */
	bool ended;   /* the client sends no more */
	bool ready;   /* in the loop's list of that name */
	bool gone;    /* libuv has let go of the handle */
	bool peer_ipv6;
	bool counted;      /* ${address} is in the crowd */
	uint64_t deadline; /* of the state; 0: none */
	uint64_t write_deadline;
	size_t write_left; /* bytes, when write_deadline was set */
	struct conn *prev, *next, *next_ready;
	struct buf early; /* plaintext that came while a request was being answered ... */
	size_t early_at;  /* ... and how much of it has been parsed; a forwarder's header so far */
	struct buf out;   /* ciphertext the socket did not take at once */
	uv_write_t write;
	uv_shutdown_t shutdown;
	struct address address; /* the client's, which a forwarder may have told */
	char peer[ADDRESS_TEXT];
};

void conn_accept(struct listener *listener);
void conn_link(struct conn *conn);              /* into the loop's list */
void conn_read(struct conn *conn, bool wanted); /* start or stop */
void conn_take_cipher(struct conn *conn, view cipher);
void conn_take_forwarded(struct conn *conn, view bytes); /* in CONN_FORWARDED */
void conn_resume(struct conn *conn);                     /* parse what came early */

/* conn_reply(slot): Write its reply, unless the client is gone, and give the slot back. */
void conn_reply(struct slot *slot);
void conn_sweep(struct conn *conn, uint64_t now);
void conn_drain(struct conn *conn); /* close it if nothing is asked on it */
void conn_close(struct conn *conn); /* at once */

#endif
