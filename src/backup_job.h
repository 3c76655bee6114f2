/*
 * The server's own backups: one every so many hours in a folder, which other servers may use as
 * well, each restored and compared before it has its name, so many of them kept.  What came of it
 * is in the audit log; a failure is in the operator's log too, and in DATA/backup.failed until one
 * has succeeded.
 */
#ifndef BACKUP_JOB_H
#define BACKUP_JOB_H

#include "audit/audit.h"
#include "config.h"
#include "datafolder.h"

struct backup_job;

/* backup_recipient_read(config, out, err): The certificate that the settings name. */
MUST_USE bool backup_recipient_read(const struct config *config, struct buf *out,
    struct error *err);

/*
 * backup_job_start(config, folder, audit, out, err):
 * NULL in ${out} when the settings name no folder.  ERR_BAD_REQUEST: backups can't be sealed to
 * what they name.  What is given outlives the job.
 */
MUST_USE bool backup_job_start(const struct config *config, const struct datafolder *folder,
    struct audit *audit, struct backup_job **out, struct error *err);
void backup_job_stop(struct backup_job *job); /* one under way is given up; NULL is fine */

/*
 * backup_job_status(config, folder, out, err):
 * The newest one of the server's whose ${folder} this is; false and why when that is not enough.
 * The settings name a folder for them.
 */
MUST_USE bool backup_job_status(const struct config *config, const struct datafolder *folder,
    struct buf *out, struct error *err);

#endif
