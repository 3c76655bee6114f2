/*
 * The jobs that do what is due by the vault's clock: scheduled purges and what they leave over,
 * announcements; on a thread of its own, keys that rotate; on another, what others are asked for:
 * certificates of outside issuers, and taking e-mail.
 */
#ifndef JOBS_DUE_JOB_H
#define JOBS_DUE_JOB_H

#include "api/request.h"

#include <stdatomic.h>

/*
 * due_job(services, stopping, err):
 * Do all that is due now, each in a commit of its own with its audit record; until ${stopping}.
 * due_slow_job: What takes its time.  due_away_job: What waits for others.
 */
MUST_USE bool due_job(const struct services *services, const atomic_bool *stopping,
    struct error *err);
MUST_USE bool due_slow_job(const struct services *services, const atomic_bool *stopping,
    struct error *err);
MUST_USE bool due_away_job(const struct services *services, const atomic_bool *stopping,
    struct error *err);

#endif
