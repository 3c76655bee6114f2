/*
 * The job that does what is due by the vault's clock: scheduled purges and what they leave over.
 */
#ifndef JOBS_DUE_JOB_H
#define JOBS_DUE_JOB_H

#include "api/request.h"

/*
 * due_job(services, err): Do all that is due now, each in a commit of its own with its audit
 * record.
 */
MUST_USE bool due_job(const struct services *services, struct error *err);

#endif
