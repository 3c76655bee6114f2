/*
 * One file of the log, audit-<number of its first line>.log: lines are appended whole or not at
 * all, and its space is reserved before it is needed.
 *
 * ${length} and ${torn} belong to who appends, ${synced} and ${suspect} to who syncs; those may be
 * two threads.
 */
#ifndef AUDIT_SEGMENT_H
#define AUDIT_SEGMENT_H

#include "base/error.h"
#include "base/view.h"

struct segment {
	int dir, fd;     /* ${dir} is borrowed */
	uint64_t first;  /* the number of its first line; 0 of a spare */
	uint64_t length; /* what is known to be whole lines */
	bool torn;       /* there may be more than that in the file */
	uint64_t synced;
	bool suspect; /* a sync failed: what came after ${synced} may have been dropped */
};

#define SEGMENT_NAME_LEN 30
struct segment_name {
	char text[SEGMENT_NAME_LEN + 1];
};
struct segment_name segment_name(uint64_t first);

/* segment_list(dir, firsts, count, err): The segments in ${dir} in order; the caller frees. */
MUST_USE bool segment_list(int dir, uint64_t **firsts, size_t *count, struct error *err);
void segment_list_done(uint64_t **list); /* for AUTO */

/* segment_open(dir, first, out, err): An existing one, to append to. */
MUST_USE bool segment_open(int dir, uint64_t first, struct segment **out, struct error *err);

/*
 * segment_spare(dir, bytes, out, err):
 * A file with ${bytes} reserved, to become a segment later; there is one at a time.
 * segment_begin: The spare becomes the segment whose first line is number ${first}.
 */
MUST_USE bool segment_spare(int dir, uint64_t bytes, struct segment **out, struct error *err);
MUST_USE bool segment_begin(struct segment *spare, uint64_t first, struct error *err);

/* segment_reserve(segment, bytes, err): Make sure that it can grow to ${bytes}. */
MUST_USE bool segment_reserve(struct segment *segment, uint64_t bytes, struct error *err);

/* segment_append(segment, bytes, err): With one write, which is undone when it was not whole. */
MUST_USE bool segment_append(struct segment *segment, view bytes, struct error *err);

/* segment_mend(segment, err): Undo what segment_append could not. */
MUST_USE bool segment_mend(struct segment *segment, struct error *err);

/*
 * segment_sync(segment, length, err):
 * Make its first ${length} bytes durable.  After a sync that failed, the system may take what it
 * could not write for written: the next one writes all of it again first.
 */
MUST_USE bool segment_sync(struct segment *segment, uint64_t length, struct error *err);

/* segment_set_aside(dir, first, err): Take a segment out of the log, keeping the file. */
MUST_USE bool segment_set_aside(int dir, uint64_t first, struct error *err);

void segment_close(struct segment *segment); /* gives back what is reserved; NULL is fine */
void segment_done(struct segment **segment); /* for AUTO */

#endif
