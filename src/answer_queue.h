/*
 * Queues for what burns, with threads of their own: no more of them than there are cores, so that a
 * loop that wakes up competes with few, and behind the loops in priority.
 */
#ifndef ANSWER_QUEUE_H
#define ANSWER_QUEUE_H

#include "http/http.h"

struct slow_queue;

/*
 * slow_queue_new(threads, behind, most, out, err):
 * ${behind}: steps of niceness; ${most}: how many may wait, more are ERR_UNAVAILABLE: a client with
 * patience comes again; 0: as many as there are requests.
 */
MUST_USE bool slow_queue_new(size_t threads, int behind, size_t most, struct slow_queue **out,
    struct error *err);
void slow_queue_free(struct slow_queue *queue); /* when nothing is in it any more; NULL is fine */

/*
 * slow_queue_add(queue, exchange, job, err):
 * As http_work, in the order they came.  ${job} stays the caller's.
 */
struct slow_job {
	void (*work)(struct http_exchange *); /* on a thread of the queue */
	void (*drop)(struct http_exchange *); /* instead, there too, once the queue is given up */
	void (*done)(struct http_exchange *); /* behind either, on the exchange's loop */
};
MUST_USE bool slow_queue_add(struct slow_queue *queue, struct http_exchange *exchange,
    const struct slow_job *job, struct error *err);

/* slow_queue_give_up(queue): What has not begun is dropped, from now on.  Any thread. */
void slow_queue_give_up(struct slow_queue *queue);

/* slow_queue_cores(): How many threads can run at once. */
size_t slow_queue_cores(void);

#endif
