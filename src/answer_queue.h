/*
 * A queue for what takes seconds (making RSA keys), with threads of its own, so that the pool stays
 * free for what takes milliseconds.
 */
#ifndef ANSWER_QUEUE_H
#define ANSWER_QUEUE_H

#include "http/http.h"

/* How many may wait; behind them ERR_UNAVAILABLE: a client with patience comes again. */
#define SLOW_QUEUE_MAX 256

struct slow_queue;

MUST_USE bool slow_queue_new(struct slow_queue **out, struct error *err);
void slow_queue_free(struct slow_queue *queue); /* when nothing is in it any more; NULL is fine */

/* slow_queue_add(queue, exchange, work, done, err): As http_work, in the order they came. */
MUST_USE bool slow_queue_add(struct slow_queue *queue, struct http_exchange *exchange,
    void (*work)(struct http_exchange *), void (*done)(struct http_exchange *), struct error *err);

/*
 * thread_lower():
 * Let the calling thread (of the pool or the queue) run behind the loops, which others wait for.
 */
void thread_lower(void);

#endif
