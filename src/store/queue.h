/*
 * The commits that wait for the writer.  Any thread adds; the writer takes what waits as a batch.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "store/store.h"

/* So that one batch does not keep others waiting for long; a single commit may be larger. */
#define BATCH_COMMITS 256
#define BATCH_BYTES ((size_t)8 * 1024 * 1024)

struct queue;

struct batch {
	struct commit *commits[BATCH_COMMITS];
	size_t count;
	uint64_t trim; /* forget the journal up to here; 0: nothing to forget */
};

MUST_USE struct queue *queue_new(void); /* NULL without memory */
void queue_free(struct queue *queue);   /* NULL is fine */

void queue_add(struct queue *queue, struct commit *commit);

/* queue_trim(queue, last): With the next batch; without one in a second, as a batch of its own. */
void queue_trim(struct queue *queue, uint64_t last);

/* queue_close(queue): Nothing will be added any more. */
void queue_close(struct queue *queue);

/* queue_take(queue, out): Wait for a batch; false when the queue is closed and empty. */
bool queue_take(struct queue *queue, struct batch *out);

#endif
