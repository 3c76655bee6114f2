#include "jobs/scheduler.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NANOS ((int64_t)1000000000)
#define JOBS_MAX 32

struct scheduler {
	const struct job *jobs;
	size_t count;
	void *ctx;
	int behind;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	int64_t next[JOBS_MAX]; /* clock_mono */
};

static bool
is_stopping(struct scheduler *scheduler)
{
	bool stopping;

	(void)pthread_mutex_lock(&scheduler->lock);
	stopping = scheduler->stopping;
	(void)pthread_mutex_unlock(&scheduler->lock);
	return stopping;
}

static void
run_due(struct scheduler *scheduler)
{
	for (size_t i = 0; i < scheduler->count && !is_stopping(scheduler); i++) {
		const struct job *job = &scheduler->jobs[i];
		struct error err;

		if (clock_mono() < scheduler->next[i])
			continue;
		if (!job->run(scheduler->ctx, &err))
			log_line(LOG_ERROR, "job.failed", "%s: %s", job->name, err.message);
		scheduler->next[i] = clock_mono() + job->every_seconds * NANOS;
	}
}

static int64_t
earliest(const struct scheduler *scheduler)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < scheduler->count; i++) {
		if (scheduler->next[i] < first)
			first = scheduler->next[i];
	}
	return first;
}

static void *
thread_main(void *ctx)
{
	struct scheduler *scheduler = ctx;

	/* On Linux a priority is a thread's own. */
	if (scheduler->behind != 0)
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), scheduler->behind);
	(void)pthread_mutex_lock(&scheduler->lock);
	while (!scheduler->stopping) {
		int64_t until;
		struct timespec ts;

		(void)pthread_mutex_unlock(&scheduler->lock);
		run_due(scheduler);
		until = earliest(scheduler);
		ts = (struct timespec){ .tv_sec = until / NANOS, .tv_nsec = until % NANOS };
		(void)pthread_mutex_lock(&scheduler->lock);
		if (!scheduler->stopping)
			(void)pthread_cond_timedwait(&scheduler->wake, &scheduler->lock, &ts);
	}
	(void)pthread_mutex_unlock(&scheduler->lock);
	return NULL;
}

static bool
wake_init(pthread_cond_t *wake)
{
	pthread_condattr_t attr;
	bool fine;

	/* The same clock as clock_mono(). */
	if (pthread_condattr_init(&attr) != 0)
		return false;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	fine = pthread_cond_init(wake, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	return fine;
}

static void
scheduler_free(struct scheduler *scheduler)
{
	(void)pthread_cond_destroy(&scheduler->wake);
	(void)pthread_mutex_destroy(&scheduler->lock);
	free(scheduler);
}

bool
scheduler_start(const struct job *jobs, size_t count, void *ctx, int behind, struct scheduler **out,
    struct error *err)
{
	struct scheduler *scheduler = calloc(1, sizeof(*scheduler));

	if (scheduler == NULL || count > JOBS_MAX) {
		free(scheduler);
		return error_memory(err);
	}
	scheduler->jobs = jobs;
	scheduler->count = count;
	scheduler->ctx = ctx;
	scheduler->behind = behind;
	(void)pthread_mutex_init(&scheduler->lock, NULL);
	if (!wake_init(&scheduler->wake)) {
		free(scheduler);
		return error_memory(err);
	}
	if (pthread_create(&scheduler->thread, NULL, thread_main, scheduler) != 0) {
		scheduler_free(scheduler);
		return error_set(err, ERR_UNAVAILABLE, "the scheduler's thread can't be started");
	}
	*out = scheduler;
	return true;
}

void
scheduler_stop(struct scheduler *scheduler)
{
	if (scheduler == NULL)
		return;
	(void)pthread_mutex_lock(&scheduler->lock);
	scheduler->stopping = true;
	(void)pthread_cond_signal(&scheduler->wake);
	(void)pthread_mutex_unlock(&scheduler->lock);
	(void)pthread_join(scheduler->thread, NULL);
	scheduler_free(scheduler);
}
