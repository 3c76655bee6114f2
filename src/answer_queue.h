/*
 * Queues for what burns, with threads of their own: no more of them than there are cores, so that a
 * loop that wakes up competes with few, and behind the loops in priority.  Vaults take turns in
 * them (answer_turns.h).
 */
#ifndef ANSWER_QUEUE_H
#define ANSWER_QUEUE_H

#include "answer_turns.h"
#include "http/http.h"

struct slow_queue;

/*
 * ${behind}: the loops, in steps of niceness.  ${patience}: for how many nanoseconds what is done
 * may wait for brief jobs behind it, so that a loop is woken once for all of them; 0: it does not.
 */
struct slow_rules {
	int behind;
	int64_t patience;
	struct turns_bounds bounds; /* how many may wait */
};

MUST_USE bool slow_queue_new(size_t threads, const struct slow_rules *rules,
    struct slow_queue **out, struct error *err);
void slow_queue_free(struct slow_queue *queue); /* when nothing is in it any more; NULL is fine */

/*
 * slow_queue_add(queue, vault, exchange, job, err):
 * As http_work, when it is its turn; refused as turns_add does.  ${job} stays the caller's.
 */
struct slow_job {
	void (*work)(struct http_exchange *); /* on a thread of the queue */
	void (*drop)(struct http_exchange *); /* instead, there too: the queue is given up, or the
						* client has left (http_left) */
	void (*done)(struct http_exchange *); /* behind either, on the exchange's loop */
	bool brief;                           /* others may wait for it: slow_rules.patience */
};
MUST_USE bool slow_queue_add(struct slow_queue *queue, const struct uuid *vault,
    struct http_exchange *exchange, const struct slow_job *job, struct error *err);

/* slow_queue_give_up(queue): What has not begun is dropped, from now on.  Any thread. */
void slow_queue_give_up(struct slow_queue *queue);

/* slow_queue_cores(): How many threads can run at once. */
size_t slow_queue_cores(void);

#endif
