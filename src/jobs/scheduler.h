/*
 * What runs by itself: a list of jobs, a thread.
 */
#ifndef JOBS_SCHEDULER_H
#define JOBS_SCHEDULER_H

#include "base/error.h"

#include <stddef.h>

struct scheduler;

struct job {
	const char *name;
	unsigned every_seconds;
	bool (
	    *run)(void *ctx, struct error *err); /* a failure is logged; it runs again next time */
};

/*
 * scheduler_start(jobs, count, ctx, behind, out, err): ${jobs} is static. Each runs at once, then
 * every so often; on a thread that much less urgent than others (see setpriority).
 */
MUST_USE bool scheduler_start(const struct job *jobs, size_t count, void *ctx, int behind,
    struct scheduler **out, struct error *err);

/* scheduler_stop(scheduler): Wait for the job that runs, end. NULL is fine. */
void scheduler_stop(struct scheduler *scheduler);

#endif
