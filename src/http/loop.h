/*
 * One event loop: a thread, its listeners, its connections and the buffers they share.  Everything
 * in it belongs to that thread, but for what is posted.
 *
 * A turn: libuv polls, connections read and ask; then, in the prepare phase of the next turn, the
 * replies given meanwhile are shown to the turn function and written.
 */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include "base/attr.h"
#include "base/buf.h"
#include "http/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#define READ_SIZE 65536 /* bytes read from a socket at once */

struct conn;
struct crowd;
struct slot;

/* A TCP or a Unix socket, by its views in libuv. */
union socket {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct listener {
	union socket socket;
	struct http_loop *loop;
	bool unix_domain;
	bool stalled; /* a connection waits in libuv for memory to take it */
};

/* Replies in the order they were given. */
struct replies {
	struct http_exchange *first, **end;
};

struct http_loop {
	const struct http_settings *settings;
	atomic_uint *connections; /* the server's, of all loops */
	struct crowd *crowd;      /* the same; NULL: addresses are not counted */
	unsigned index;

	bool opened; /* ${uv} is initialised */
	uv_loop_t uv;
	int wake_fd; /* an eventfd; written by whoever wakes the loop */
	uv_poll_t wake;
	uv_prepare_t prepare;
	uv_idle_t busy; /* active while a connection has its next request in memory: don't sleep */
	uv_timer_t sweep;
	struct listener *listeners;
	size_t listener_count;
	unsigned accept_errors; /* since the last sweep */

	pthread_mutex_t lock;
	struct http_task *posted, **posted_end; /* under the lock */
	atomic_bool stop;

	struct replies waiting; /* the answerer's, for the turn function */
	struct replies refused; /* ours */
	struct conn *conns;     /* all that are open */
	struct conn *ready;     /* those whose next request is in memory */
	struct slot *spare;     /* for the next requests */
	unsigned spare_count;
	size_t in_use; /* slots that are not spare */

	char *in;         /* ciphertext, as read; READ_SIZE */
	struct buf plain; /* plaintext of one read or one reply; wiped after it */
	struct buf out;   /* ciphertext of one write */

	bool draining;
	uint64_t drain_until; /* milliseconds of uv_now */
};

/* socket_init(loop, unix_domain, out): A handle without a descriptor: nothing can fail. */
void socket_init(struct http_loop *loop, bool unix_domain, union socket *out);

/*
 * loop_open(loop, settings, connections, index, err):
 * Everything but the listeners.  Whatever it returns, loop_close cleans up.
 */
MUST_USE bool loop_open(struct http_loop *loop, const struct http_settings *settings,
    atomic_uint *connections, unsigned index, struct error *err);
void loop_run(struct http_loop *loop);  /* until it has drained */
void loop_stop(struct http_loop *loop); /* any thread; async-signal-safe */
void loop_close(struct http_loop *loop);

void replies_add(struct replies *replies, struct http_exchange *exchange);

/* loop_deadline(loop, seconds): The time, by the loop's clock, ${seconds} from now. */
uint64_t loop_deadline(struct http_loop *loop, unsigned seconds);

/* loop_add_ready(loop, conn): Resume ${conn} in the next turn, which starts at once. */
void loop_add_ready(struct http_loop *loop, struct conn *conn);

/*
 * listen_on(settings, loops, port, err):
 * Give every loop a listener on every address; they share one port.
 */
MUST_USE bool listen_on(const struct http_settings *settings, struct http_loop *loops,
    unsigned *port, struct error *err);

#endif
