#include "http/loop.h"

#include "base/file.h"
#include "base/log.h"
#include "http/conn.h"
#include "http/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SWEEP_MS 500

void
replies_add(struct replies *replies, struct http_exchange *exchange)
{
	exchange->next = NULL;
	if (replies->first == NULL)
		replies->end = &replies->first;
	*replies->end = exchange;
	replies->end = &exchange->next;
}

uint64_t
loop_deadline(struct http_loop *loop, unsigned seconds)
{
	return uv_now(&loop->uv) + (uint64_t)seconds * 1000;
}

/* Active only so that libuv polls without waiting. */
static void
on_busy(uv_idle_t *idle)
{
	struct http_loop *loop = idle->data;

	if (loop->ready == NULL)
		(void)uv_idle_stop(idle);
}

void
loop_add_ready(struct http_loop *loop, struct conn *conn)
{
	conn->ready = true;
	conn->next_ready = loop->ready;
	loop->ready = conn;
	(void)uv_idle_start(&loop->busy, on_busy);
}

unsigned
http_loop_index(const struct http_loop *loop)
{
	return loop->index;
}

/*
 * Not by uv_async_send: there the loop spins until the sender has come to the end of its call, and
 * who is behind the loops (answer_queue.c) is put off by the very loop that it wakes.  The write
 * can only fail when there are 2^64 of them already.  Async-signal-safe.
 */
static void
wake(const struct http_loop *loop)
{
	static const uint64_t once = 1;
	int before = errno;

	if (write(loop->wake_fd, &once, sizeof(once)) < 0)
		errno = before;
}

void
http_loop_post_all(struct http_loop *loop, struct http_task *first, struct http_task *last)
{
	bool alone;

	last->next = NULL;
	(void)pthread_mutex_lock(&loop->lock);
	alone = loop->posted == NULL;
	if (alone)
		loop->posted_end = &loop->posted;
	*loop->posted_end = first;
	loop->posted_end = &last->next;
	(void)pthread_mutex_unlock(&loop->lock);
	/* Otherwise whoever was first wakes it, and all of them are taken together. */
	if (alone)
		wake(loop);
}

void
http_loop_post(struct http_loop *loop, struct http_task *task)
{
	http_loop_post_all(loop, task, task);
}

static void
run_posted(struct http_loop *loop)
{
	struct http_task *task;

	(void)pthread_mutex_lock(&loop->lock);
	task = loop->posted;
	loop->posted = NULL;
	(void)pthread_mutex_unlock(&loop->lock);
	while (task != NULL) {
		struct http_task *next = task->next;

		task->fn(task);
		task = next;
	}
}

static void
drain(struct http_loop *loop)
{
	struct conn *conn = loop->conns;

	loop->draining = true;
	loop->drain_until = loop_deadline(loop, loop->settings->drain_seconds);
	for (size_t i = 0; i < loop->listener_count; i++)
		uv_close(&loop->listeners[i].socket.handle, NULL);
	while (conn != NULL) {
		struct conn *next = conn->next;

		conn_drain(conn);
		conn = next;
	}
}

static void
on_wake(uv_poll_t *poll, int status, int events)
{
	struct http_loop *loop = poll->data;
	uint64_t times;

	(void)status;
	(void)events;
	/* Before what it is about is looked at: what comes later wakes it again. */
	(void)!read(loop->wake_fd, &times, sizeof(times));
	run_posted(loop);
	if (atomic_load(&loop->stop) && !loop->draining)
		drain(loop);
}

static void
close_all(struct http_loop *loop)
{
	while (loop->conns != NULL)
		conn_close(loop->conns);
}

static void
give_up(struct http_loop *loop)
{
	close_all(loop);
	if (loop->settings->overdue != NULL)
		loop->settings->overdue(loop->settings->ctx);
}

/* Memory was short when these connections came; it may not be now. */
static void
accept_stalled(struct http_loop *loop)
{
	for (size_t i = 0; i < loop->listener_count; i++) {
		if (loop->listeners[i].stalled && !loop->draining)
			conn_accept(&loop->listeners[i]);
	}
	if (loop->accept_errors > 0)
		log_line(LOG_WARN, "http.accept", "%u connections could not be accepted",
		    loop->accept_errors);
	loop->accept_errors = 0;
}

static void
on_sweep(uv_timer_t *timer)
{
	struct http_loop *loop = timer->data;
	struct conn *conn = loop->conns;
	uint64_t now = uv_now(&loop->uv);

	while (conn != NULL) {
		struct conn *next = conn->next;

		conn_sweep(conn, now);
		conn = next;
	}
	accept_stalled(loop);
	if (loop->draining && now >= loop->drain_until)
		give_up(loop);
}

static void
resume_ready(struct http_loop *loop)
{
	struct conn *conn = loop->ready;

	loop->ready = NULL;
	while (conn != NULL) {
		struct conn *next = conn->next_ready;

		conn_resume(conn);
		conn = next;
	}
}

static void
write_replies(struct http_exchange *exchange)
{
	while (exchange != NULL) {
		struct http_exchange *next = exchange->next;

		conn_reply(slot_of(exchange));
		exchange = next;
	}
}

static struct http_exchange *
take_replies(struct replies *replies)
{
	struct http_exchange *first = replies->first;

	replies->first = NULL;
	return first;
}

/* The end of a turn: what was answered leaves together. */
static void
on_prepare(uv_prepare_t *prepare)
{
	struct http_loop *loop = prepare->data;
	const struct http_settings *settings = loop->settings;

	resume_ready(loop);
	while (loop->waiting.first != NULL) { /* again when the turn function itself answered */
		struct http_exchange *waiting = take_replies(&loop->waiting);

		if (settings->turn != NULL)
			settings->turn(settings->ctx, loop, waiting);
		write_replies(waiting);
	}
	write_replies(take_replies(&loop->refused));
	if (loop->draining && loop->conns == NULL && loop->in_use == 0 && loop->ready == NULL)
		uv_stop(&loop->uv);
}

static bool
uv_failed(int result, const char *what, struct error *err)
{
	return result != 0 && !error_set(err, ERR_INTERNAL, "%s: %s", what, uv_strerror(result));
}

static void
start_handles(struct http_loop *loop)
{
	(void)uv_prepare_init(&loop->uv, &loop->prepare);
	(void)uv_prepare_start(&loop->prepare, on_prepare);
	(void)uv_idle_init(&loop->uv, &loop->busy);
	(void)uv_timer_init(&loop->uv, &loop->sweep);
	(void)uv_timer_start(&loop->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	(void)uv_poll_start(&loop->wake, UV_READABLE, on_wake);
	loop->wake.data = loop->prepare.data = loop->busy.data = loop->sweep.data = loop;
}

bool
loop_open(struct http_loop *loop, const struct http_settings *settings, atomic_uint *connections,
    unsigned index, struct error *err)
{
	*loop = (struct http_loop){
		.settings = settings,
		.connections = connections,
		.index = index,
		.in = malloc(READ_SIZE),
		.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};
	(void)pthread_mutex_init(&loop->lock, NULL);
	if (loop->in == NULL)
		return error_memory(err);
	if (loop->wake_fd < 0)
		return error_errno(err, "event loop");
	if (uv_failed(uv_loop_init(&loop->uv), "event loop", err))
		return false;
	loop->opened = true;
	if (uv_failed(uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd), "event loop", err))
		return false;
	start_handles(loop);
	return true;
}

void
loop_run(struct http_loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void
loop_stop(struct http_loop *loop)
{
	atomic_store(&loop->stop, true);
	wake(loop);
}

static void
close_handle(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void
loop_close(struct http_loop *loop)
{
	if (loop->opened) {
		uv_walk(&loop->uv, close_handle, NULL);
		(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
		(void)uv_loop_close(&loop->uv);
	}
	fd_done(&loop->wake_fd);
	slot_free_spare(loop);
	buf_free(&loop->plain);
	buf_free(&loop->out);
	free(loop->listeners);
	free(loop->in);
	(void)pthread_mutex_destroy(&loop->lock);
}
