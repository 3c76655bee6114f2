#include "store/queue.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define NANOS ((int64_t)1000000000)
#define TRIM_WAIT NANOS

/*
 * Those who were served together come back together, but not at once: a batch that is begun with
 * the first of them makes the others wait for two.  So the queue waits for as many as came last
 * time, though never longer than this part of the time that the last batch took.
 */
#define GATHER_PART 4

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct commit *first, **end;
	size_t count;
	size_t wanted;     /* the writer sleeps until so many wait; 0: it does not sleep */
	size_t last_count; /* of the batch before */
	int64_t taken_at;  /* when it was taken */
	uint64_t trim;     /* 0: none */
	int64_t trim_at;   /* when it should be done at the latest */
	bool closed;
};

struct queue *
queue_new(void)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	pthread_condattr_t attr;

	if (queue == NULL)
		return NULL;
	/* None of these can fail on Linux. */
	(void)pthread_mutex_init(&queue->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* as clock_mono() */
	(void)pthread_cond_init(&queue->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	queue->end = &queue->first;
	return queue;
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	(void)pthread_cond_destroy(&queue->wake);
	(void)pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void
queue_add(struct queue *queue, struct commit *commit)
{
	commit->next = NULL;
	(void)pthread_mutex_lock(&queue->lock);
	*queue->end = commit;
	queue->end = &commit->next;
	queue->count++;
	if (queue->count == queue->wanted)
		(void)pthread_cond_signal(&queue->wake);
	(void)pthread_mutex_unlock(&queue->lock);
}

void
queue_trim(struct queue *queue, uint64_t last)
{
	(void)pthread_mutex_lock(&queue->lock);
	if (queue->trim == 0) {
		queue->trim_at = clock_mono() + TRIM_WAIT;
		(void)pthread_cond_signal(&queue->wake);
	}
	if (queue->trim < last)
		queue->trim = last;
	(void)pthread_mutex_unlock(&queue->lock);
}

void
queue_close(struct queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	(void)pthread_cond_signal(&queue->wake);
	(void)pthread_mutex_unlock(&queue->lock);
}

/* Sleep until ${wanted} commits wait, or something else happens; ${until} 0 is for ever. */
static void
sleep_until(struct queue *queue, size_t wanted, int64_t until)
{
	struct timespec ts = { .tv_sec = until / NANOS, .tv_nsec = until % NANOS };

	queue->wanted = wanted;
	if (until == 0)
		(void)pthread_cond_wait(&queue->wake, &queue->lock);
	else
		(void)pthread_cond_timedwait(&queue->wake, &queue->lock, &ts);
	queue->wanted = 0;
}

static void
wait_for_work(struct queue *queue)
{
	while (queue->first == NULL && !queue->closed) {
		if (queue->trim == 0)
			sleep_until(queue, 1, 0);
		else if (clock_mono() < queue->trim_at)
			sleep_until(queue, 1, queue->trim_at);
		else
			return;
	}
}

static void
gather(struct queue *queue, int64_t last_took)
{
	int64_t until = clock_mono() + last_took / GATHER_PART;

	while (queue->first != NULL && queue->count < queue->last_count && !queue->closed &&
	    clock_mono() < until)
		sleep_until(queue, queue->last_count, until);
}

static size_t
commit_bytes(const struct commit *commit)
{
	size_t bytes = commit->journal.len;

	for (size_t i = 0; i < commit->count; i++)
		bytes += commit->changes[i].key.len + commit->changes[i].value.bytes.len;
	return bytes;
}

static void
take(struct queue *queue, struct batch *out)
{
	size_t bytes = 0;

	out->count = 0;
	while (queue->first != NULL && out->count < BATCH_COMMITS && bytes < BATCH_BYTES) {
		struct commit *commit = queue->first;

		queue->first = commit->next;
		queue->count--;
		bytes += commit_bytes(commit);
		out->commits[out->count++] = commit;
	}
	if (queue->first == NULL)
		queue->end = &queue->first;
	out->trim = queue->trim;
	queue->trim = 0;
}

bool
queue_take(struct queue *queue, struct batch *out)
{
	int64_t last_took = clock_mono();
	bool some;

	(void)pthread_mutex_lock(&queue->lock);
	last_took -= queue->taken_at;
	wait_for_work(queue);
	gather(queue, last_took);
	take(queue, out);
	queue->last_count = out->count;
	queue->taken_at = clock_mono();
	some = out->count > 0 || out->trim > 0 || !queue->closed;
	(void)pthread_mutex_unlock(&queue->lock);
	return some;
}
