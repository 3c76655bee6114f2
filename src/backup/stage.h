/*
 * Where a backup is restored to before anybody believes it: a folder of its own.
 */
#ifndef BACKUP_STAGE_H
#define BACKUP_STAGE_H

#include "backup/backup.h"
#include "backup/stream.h"

#define STAGE_STORE "store.db" /* what there is in it, as in a data folder */
#define STAGE_AUDIT "audit"

struct stage {
	char *path;
	int lock;               /* on the folder: it is in use */
	struct plain *root_key; /* the file's text; not on the disk */
	struct backup_report report;
};

/* stage_make(parent, out, err): A new folder, 0700, in ${parent}. */
MUST_USE bool stage_make(const char *parent, struct stage *out, struct error *err);

/*
 * stage_restore(stage, stream, watch, err):
 * Fill it from all of ${stream} and look whether it is whole.  ERR_CORRUPT says what is not.
 */
MUST_USE bool stage_restore(struct stage *stage, struct stream_in *stream,
    const struct watch *watch, struct error *err);

void stage_done(struct stage *stage); /* the folder and all in it go; one only zeroed is fine */

/*
 * stage_sweep(parent, seconds):
 * Remove what a crash has left of such folders: none that is in use, and none that is younger than
 * that, which may not be locked yet.  Negative: however young.
 */
#define STAGE_LEFT_SECONDS 60
void stage_sweep(const char *parent, int64_t seconds);

/* stage_remove(path): A folder, with two levels in it at most: what stage_restore makes. */
void stage_remove(const char *path);

#endif
