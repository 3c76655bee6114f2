/*
 * Where a backup is restored to before anybody believes it: a folder of its own.
 */
#ifndef BACKUP_STAGE_H
#define BACKUP_STAGE_H

#include "backup/backup.h"
#include "backup/stream.h"

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

/*
 * stage_publish(stage, data, err): Move what is in it to the folder ${data}, on the same disk, the
 * root keys last: without them nobody serves the rest.
 */
MUST_USE bool stage_publish(struct stage *stage, const char *data, struct error *err);

void stage_done(struct stage *stage); /* the folder and all in it go; one only zeroed is fine */

/* stage_sweep(parent): Remove what a crash has left of such folders: none that is in use. */
void stage_sweep(const char *parent);

#endif
