/*
 * The jobs that do what is due by the vault's clock: scheduled purges and what they leave over,
 * announcements; on a thread of its own, keys that rotate; on a few, what others are asked for:
 * certificates of outside issuers, and taking e-mail.
 */
#ifndef JOBS_DUE_JOB_H
#define JOBS_DUE_JOB_H

#include "api/request.h"
#include "jobs/lanes.h"

#include <stdatomic.h>

/*
 * due_job(services, stopping, err):
 * Do all that is due now, each in a commit of its own with its audit record; until ${stopping}.
 * due_slow_job: What takes its time.
 */
MUST_USE bool due_job(const struct services *services, const atomic_bool *stopping,
    struct error *err);
MUST_USE bool due_slow_job(const struct services *services, const atomic_bool *stopping,
    struct error *err);

/*
 * due_away_job(services, lanes, stopping, err):
 * What waits for others, on LANES_THREADS threads that call this with the same lanes.  Who keeps a
 * thread for longer gets its turn again behind all others that have something due.  What failed is
 * tried again later each time (lanes_failed): those others have been asked by then.
 */
MUST_USE bool due_away_job(const struct services *services, struct lanes *lanes,
    const atomic_bool *stopping, struct error *err);

#endif
