/*
 * The HTTP server: bytes <-> request.  A few event loops (libuv), each a thread with a listener of
 * its own (SO_REUSEPORT); TLS by OpenSSL; HTTP/1.1 by llhttp.  It knows nothing of what is asked.
 *
 * A whole request (bounded head and body) is handed to the answer function on its loop's thread.
 * The answer is given by http_send, at once or later, from the loop's thread; a connection's next
 * request is not read before.  Replies of one turn of the loop leave together, after the turn
 * function has seen them.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

enum http_method {
	HTTP_OTHER,
	HTTP_GET,
	HTTP_HEAD,
	HTTP_PUT,
	HTTP_POST,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
};

struct http_field {
	view name, value; /* as sent, the value without surrounding space */
};

struct http_exchange;
struct http_loop;
struct http_server;
struct tls;

/* What came in; lives until the reply is sent. */
struct http_request {
	enum http_method method;
	view method_text;
	view target;      /* as sent: path and query */
	view path, query; /* the target's parts, still percent-encoded; query without '?' */
	view host;        /* the Host field as sent; there is always exactly one */
	const struct http_field *fields;
	size_t field_count;
	view body;
	view peer; /* the client's address, without port; empty over a Unix socket */
	bool peer_ipv6;
	view tls_version; /* "TLSv1.2" or "TLSv1.3"; empty without TLS */
	int64_t arrived;  /* clock_mono when the head was complete */
};

/* What goes out. */
struct http_reply {
	int status;
	struct buf fields; /* "Name: value\r\n" lines; length and connection are http's business */
	struct buf body;
	bool close; /* close the connection behind it */
};

struct http_exchange {
	struct http_request request;
	struct http_reply reply;
	struct arena arena; /* wiped when the reply has been sent */
	struct http_loop *loop;
	void *user;                 /* the answerer's */
	struct http_exchange *next; /* http's: the turn's list of replies */
};

/*
 * The answer function: called when a request is complete.  A request that is not well-formed or out
 * of bounds does not come here: http replies to it by itself (http_settings.refuse writes the
 * body).
 */
typedef void http_answer(void *ctx, struct http_exchange *exchange);

/*
 * The turn function: called on a loop before the replies of this turn are written, with the list of
 * exchanges whose replies wait (linked by ->next).  It may change the replies.  Every exchange that
 * was answered comes here once, also when its client is gone; what http refuses by itself does not.
 */
typedef void http_turn(void *ctx, struct http_loop *loop, struct http_exchange *waiting);

/*
 * Fill in the body and fields of a reply to a request that http refuses by itself.  The status is
 * set already, and stays.
 */
typedef void http_refuse(void *ctx, const struct error *err, struct http_reply *reply);

/*
 * The overdue function: called on each loop, more than once, when the time for draining is over:
 * nobody waits any longer for what is still unanswered.
 */
typedef void http_overdue(void *ctx);

struct http_settings {
	const char *const *addresses; /* numeric, NULL at the end */
	unsigned port;                /* 0: any free one; see http_server_port */
	const char *unix_path;        /* listen there, too, on the first loop; NULL: don't */
	unsigned loops;
	unsigned max_connections;  /* of all loops together; more are closed at once */
	unsigned max_from_address; /* of one address, an IPv6 one's /64; 0: as many as there are */
	size_t max_head, max_body; /* bytes */
	unsigned max_fields;
	size_t max_arena;       /* bytes a request may use for its work */
	unsigned head_seconds;  /* from the first byte to the whole head; the TLS handshake too */
	unsigned body_seconds;  /* from the head to the whole body */
	unsigned idle_seconds;  /* between requests */
	unsigned write_seconds; /* a reply that makes no progress */
	unsigned drain_seconds; /* from http_server_stop to closing what is still open */
	struct tls *tls;        /* NULL: plain HTTP, for what does not leave the host */
	/* Forwarders: from there a connection must begin with a PROXY header (http/proxy.h). */
	const struct address_block *proxies;
	size_t proxy_count;
	http_answer *answer;
	http_turn *turn;
	http_refuse *refuse;
	http_overdue *overdue; /* NULL: nothing can be given up */
	void *ctx;
};

/*
 * http_server_open(settings, out, err):
 * Listen.  The settings are copied, what they point to isn't.  A port that someone else listens on
 * is refused.  SIGPIPE is ignored from here on.
 */
MUST_USE bool http_server_open(const struct http_settings *settings, struct http_server **out,
    struct error *err);
unsigned http_server_port(const struct http_server *server);

/*
 * http_server_run(server, err):
 * Serve until http_server_stop; blocks.  The first loop is the caller's thread.  Returns when all
 * connections are closed and every exchange has been answered, whatever that takes; tasks posted
 * after that are not run.
 */
MUST_USE bool http_server_run(struct http_server *server, struct error *err);

/*
 * http_server_stop(server):
 * Drain: accept no more, finish what is asked, close.  Any thread; async-signal-safe.
 */
void http_server_stop(struct http_server *server);
void http_server_free(struct http_server *server); /* NULL is fine */

unsigned http_loop_index(const struct http_loop *loop); /* 0 to loops - 1 */
unsigned http_server_connections(const struct http_server *server);

/*
 * http_loop_post(loop, task):
 * Run ${task}->fn on the loop's thread, soon.  Any thread; ${task} is the caller's memory until it
 * ran.  http_loop_post_all: the same for a chain of them, which wakes the loop once.
 */
struct http_task {
	void (*fn)(struct http_task *task);
	struct http_task *next;
};
void http_loop_post(struct http_loop *loop, struct http_task *task);
void http_loop_post_all(struct http_loop *loop, struct http_task *first, struct http_task *last);

/*
 * http_work(exchange, work, done):
 * Run ${work} on a thread of the pool, then ${done} on the exchange's loop; for what blocks or
 * burns.
 */
void http_work(struct http_exchange *exchange, void (*work)(struct http_exchange *),
    void (*done)(struct http_exchange *));

/*
 * http_send(exchange):
 * The reply is complete.  Once, on the loop's thread, also when the client may be gone; until then
 * the exchange stays whole.
 */
void http_send(struct http_exchange *exchange);

/*
 * http_left(exchange):
 * The client has closed the connection, or its side of it, which looks the same: what has not begun
 * need not be done for it.  Not noticed of one that has sent its next request already.  Any thread,
 * until http_send.
 */
bool http_left(struct http_exchange *exchange);

/*
 * http_socket(exchange):
 * The connection's descriptor, to ask the kernel who is at its other end; -1 when the client is
 * gone.  Borrowed, for the length of the answer function.
 */
int http_socket(const struct http_exchange *exchange);

/* http_field(request, name): The first field of that name (case-insensitive); empty when absent. */
view http_field(const struct http_request *request, view name);

#endif
