#include "http/slot.h"

#include "http/conn.h"
#include "http/loop.h"

#include <stdlib.h>

#define SPARE_MAX 64     /* slots a loop keeps for the next requests */
#define REPLY_KEEP 16384 /* bytes of reply memory a spare slot keeps */
#define ARENA_KEEP 65536 /* bytes of arena it keeps */

struct slot *
slot_of(struct http_exchange *exchange)
{
	return (struct slot *)exchange;
}

static void
slot_free(struct slot *slot)
{
	h1_free(slot->h1);
	arena_free(&slot->exchange.arena);
	buf_free(&slot->exchange.reply.fields);
	buf_free(&slot->exchange.reply.body);
	free(slot);
}

static struct slot *
slot_new(struct http_loop *loop)
{
	const struct h1_limits limits = { loop->settings->max_head, loop->settings->max_body,
		loop->settings->max_fields };
	struct slot *slot = calloc(1, sizeof(*slot));

	if (slot == NULL)
		return NULL;
	slot->h1 = h1_new(&limits);
	if (slot->h1 == NULL) {
		free(slot);
		return NULL;
	}
	slot->exchange.loop = loop;
	arena_init(&slot->exchange.arena, loop->settings->max_arena);
	return slot;
}

struct slot *
slot_take(struct http_loop *loop, struct conn *conn)
{
	struct slot *slot = loop->spare;

	if (slot == NULL) {
		slot = slot_new(loop);
		if (slot == NULL)
			return NULL;
	} else {
		loop->spare = slot->next;
		loop->spare_count--;
	}
	slot->conn = conn;
	loop->in_use++;
	return slot;
}

static void
clean(struct buf *buf)
{
	if (buf->size > REPLY_KEEP)
		buf_free(buf);
	else
		buf_reset(buf);
}

void
slot_give(struct slot *slot)
{
	struct http_exchange *exchange = &slot->exchange;
	struct http_loop *loop = exchange->loop;

	loop->in_use--;
	slot->conn = NULL;
	if (loop->spare_count == SPARE_MAX) {
		slot_free(slot);
		return;
	}
	h1_reset(slot->h1);
	arena_wipe(&exchange->arena);
	if (exchange->arena.limit - exchange->arena.left > ARENA_KEEP)
		arena_free(&exchange->arena);
	clean(&exchange->reply.fields);
	clean(&exchange->reply.body);
	exchange->reply.status = 0;
	exchange->reply.close = false;
	exchange->user = NULL;
	exchange->request = (struct http_request){ 0 };
	slot->next = loop->spare;
	loop->spare = slot;
	loop->spare_count++;
}

void
slot_free_spare(struct http_loop *loop)
{
	while (loop->spare != NULL) {
		struct slot *slot = loop->spare;

		loop->spare = slot->next;
		slot_free(slot);
	}
	loop->spare_count = 0;
}

/* The answerer's words, our status; whatever goes wrong with the words, the status is sent. */
static void
fill_refusal(struct slot *slot, const struct error *err, int status)
{
	const struct http_settings *settings = slot->exchange.loop->settings;
	struct http_reply *reply = &slot->exchange.reply;

	buf_reset(&reply->fields);
	buf_reset(&reply->body);
	reply->status = status;
	if (settings->refuse != NULL)
		settings->refuse(settings->ctx, err, reply);
	if (err->code == ERR_METHOD_NOT_ALLOWED)
		buf_add(&reply->fields,
		    V("Allow: GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS\r\n"));
	if (!buf_ok(&reply->fields) || !buf_ok(&reply->body)) {
		buf_free(&reply->fields);
		buf_free(&reply->body);
	}
	reply->status = status;
	reply->close = true;
}

void
slot_refuse(struct slot *slot, enum error_code code, int status, const char *why)
{
	struct error err;

	(void)error_set(&err, code, "%s", why);
	h1_request(slot->h1, &slot->exchange.request);
	fill_refusal(slot, &err, status);
	replies_add(&slot->exchange.loop->refused, &slot->exchange);
}

void
http_send(struct http_exchange *exchange)
{
	struct slot *slot = slot_of(exchange);
	struct error err;

	if (!buf_ok(&exchange->reply.fields) || !buf_ok(&exchange->reply.body)) {
		(void)error_memory(&err);
		fill_refusal(slot, &err, error_table[err.code].status);
	}
	replies_add(&exchange->loop->waiting, exchange);
}

static void
on_work(uv_work_t *work)
{
	struct slot *slot = work->data;

	slot->run(&slot->exchange);
}

static void
on_worked(uv_work_t *work, int status)
{
	struct slot *slot = work->data;

	(void)status; /* nothing here cancels work */
	slot->done(&slot->exchange);
}

void
http_work(struct http_exchange *exchange, void (*work)(struct http_exchange *),
    void (*done)(struct http_exchange *))
{
	struct slot *slot = slot_of(exchange);

	slot->run = work;
	slot->done = done;
	slot->work.data = slot;
	(void)uv_queue_work(&exchange->loop->uv, &slot->work, on_work, on_worked);
}
