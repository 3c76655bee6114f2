#include "answer_queue.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS_MAX 16
#define KEPT_MAX 16

struct entry {
	union { /* first: either gives this back */
		struct waiting waiting;
		struct http_task task;
	};
	struct http_exchange *exchange;
	const struct slow_job *job;
};

struct slow_queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct turns *turns;
	bool stopping;
	atomic_bool given_up;
	int behind;
	int64_t patience;
	pthread_t threads[THREADS_MAX];
	size_t thread_count;
};

/*
 * What a thread has done, and not told yet.  To wake a loop takes the core away from what burns,
 * for two changes of threads: a twentieth of a signature by RSA-2048.  So loops are woken for some
 * of them together, when there is more to do.
 */
struct kept {
	struct entry *entries[KEPT_MAX];
	size_t count;
	int64_t since; /* when the first one of them was begun */
};

static void
entry_done(struct http_task *task)
{
	struct entry *entry = (struct entry *)(void *)task;
	struct http_exchange *exchange = entry->exchange;
	const struct slow_job *job = entry->job;

	free(entry);
	job->done(exchange);
}

/* Those of the first one's loop; the rest stays. */
static void
tell_one_loop(struct kept *kept)
{
	struct http_loop *loop = kept->entries[0]->exchange->loop;
	struct http_task *first = &kept->entries[0]->task, *last = first;
	size_t left = 0;

	for (size_t i = 1; i < kept->count; i++) {
		struct entry *entry = kept->entries[i];

		if (entry->exchange->loop != loop) {
			kept->entries[left++] = entry;
			continue;
		}
		last->next = &entry->task;
		last = last->next;
	}
	kept->count = left;
	http_loop_post_all(loop, first, last);
}

static void
tell(struct kept *kept)
{
	while (kept->count > 0)
		tell_one_loop(kept);
}

static void
keep(struct kept *kept, struct entry *entry, int64_t begun, int64_t patience)
{
	entry->task.fn = entry_done;
	if (kept->count == 0)
		kept->since = begun;
	kept->entries[kept->count++] = entry;
	if (kept->count == KEPT_MAX || clock_mono() - kept->since >= patience)
		tell(kept);
}

/* NULL: none waits, and none will when ${patient}. */
static struct entry *
take(struct slow_queue *queue, bool patient)
{
	struct waiting *next;

	(void)pthread_mutex_lock(&queue->lock);
	while ((next = turns_take(queue->turns)) == NULL && patient && !queue->stopping)
		(void)pthread_cond_wait(&queue->wake, &queue->lock);
	(void)pthread_mutex_unlock(&queue->lock);
	return (struct entry *)(void *)next;
}

static bool
in_vain(const struct slow_queue *queue, const struct entry *entry)
{
	return atomic_load(&queue->given_up) || http_left(entry->exchange);
}

static void *
thread_main(void *ctx)
{
	struct slow_queue *queue = ctx;
	struct kept kept = { .count = 0 };

	/* On Linux a priority is a thread's own. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), queue->behind);
	while (true) {
		struct entry *entry = take(queue, false);
		int64_t begun;

		if (entry == NULL || !entry->job->brief)
			tell(&kept);
		if (entry == NULL)
			entry = take(queue, true);
		if (entry == NULL)
			return NULL;
		begun = clock_mono();
		(in_vain(queue, entry) ? entry->job->drop : entry->job->work)(entry->exchange);
		keep(&kept, entry, begun, queue->patience);
	}
}

size_t
slow_queue_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
}

static void
slow_queue_done(struct slow_queue **queue)
{
	slow_queue_free(*queue);
}

bool
slow_queue_new(size_t threads, const struct slow_rules *rules, struct slow_queue **out,
    struct error *err)
{
	AUTO(slow_queue_done) struct slow_queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return error_memory(err);
	(void)pthread_mutex_init(&queue->lock, NULL);
	(void)pthread_cond_init(&queue->wake, NULL);
	queue->behind = rules->behind;
	queue->patience = rules->patience;
	queue->turns = turns_new(&rules->bounds);
	if (queue->turns == NULL)
		return error_memory(err);
	for (size_t i = 0; i < threads && i < THREADS_MAX; i++) {
		if (pthread_create(&queue->threads[i], NULL, thread_main, queue) != 0)
			break;
		queue->thread_count++;
	}
	if (queue->thread_count == 0)
		return error_set(err, ERR_UNAVAILABLE, "the queue's threads can't be started");
	*out = queue;
	queue = NULL;
	return true;
}

void
slow_queue_free(struct slow_queue *queue)
{
	if (queue == NULL)
		return;
	(void)pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	(void)pthread_cond_broadcast(&queue->wake);
	(void)pthread_mutex_unlock(&queue->lock);
	for (size_t i = 0; i < queue->thread_count; i++)
		(void)pthread_join(queue->threads[i], NULL);
	(void)pthread_cond_destroy(&queue->wake);
	(void)pthread_mutex_destroy(&queue->lock);
	turns_free(queue->turns);
	free(queue);
}

void
slow_queue_give_up(struct slow_queue *queue)
{
	atomic_store(&queue->given_up, true);
}

bool
slow_queue_add(struct slow_queue *queue, const struct uuid *vault, struct http_exchange *exchange,
    const struct slow_job *job, struct error *err)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	bool added;

	if (entry == NULL)
		return error_memory(err);
	*entry = (struct entry){ .exchange = exchange, .job = job };
	(void)pthread_mutex_lock(&queue->lock);
	added = turns_add(queue->turns, vault, &entry->waiting, err);
	if (added)
		(void)pthread_cond_signal(&queue->wake);
	(void)pthread_mutex_unlock(&queue->lock);
	if (!added)
		free(entry);
	return added;
}
