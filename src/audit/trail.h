/*
 * The writing end of the log: appends lines to the last segment, signs, begins new segments,
 * syncs. It knows the numbers of the store's journal, but not the store.
 *
 * A trail is healthy or not.  Any failed write or sync makes it refuse lines until its owner has
 * mended it and written what it missed.  Any thread may append; one at a time looks after it.
 */
#ifndef AUDIT_TRAIL_H
#define AUDIT_TRAIL_H

#include "audit/recover.h"

struct trail;

struct trail_settings {
	int dir; /* borrowed, as is the key */
	uint64_t segment_bytes;
	unsigned checkpoint_lines;
	struct signing_key *key;
};

/* trail_new: Not healthy, and with no file open: for lines to be missed meanwhile (trail_hook). */
MUST_USE bool trail_new(const struct trail_settings *settings, struct trail **out,
    struct error *err);
void trail_free(struct trail *trail); /* NULL is fine */

/* trail_open(trail, at, err): Go on where ${at} says the log ends. Still not healthy. */
MUST_USE bool trail_open(struct trail *trail, const struct recovered *at, struct error *err);

/* trail_append(trail, records, count, seq, err): ${seq} is the number of the last line then. */
MUST_USE bool trail_append(struct trail *trail, const view *records, size_t count, uint64_t *seq,
    struct error *err);

/*
 * trail_hook(trail, lines, count, last):
 * Append lines of the store's journal, the last of which has the number ${last} there, the others
 * those before it; what is in the log already is left out.  False when they were missed.
 */
bool trail_hook(struct trail *trail, const view *lines, size_t count, uint64_t last);

bool trail_healthy(const struct trail *trail);
uint64_t trail_seq(struct trail *trail); /* the number of the last line */

/* trail_mend(trail, err): Cut off half a line, get the space back. */
MUST_USE bool trail_mend(struct trail *trail, struct error *err);

/* trail_journal(trail): The journal's highest number in the log. */
uint64_t trail_journal(struct trail *trail);

/* trail_catch_up(trail, lines, count, err): What the journal holds behind that; healthy or not. */
MUST_USE bool trail_catch_up(struct trail *trail, const struct journal_line *lines, size_t count,
    struct error *err);

/* trail_heal(trail): Healthy again, unless the hook has missed more meanwhile. */
MUST_USE bool trail_heal(struct trail *trail);

/* trail_checkpoint(trail, err): Sign the last line, healthy or not. */
MUST_USE bool trail_checkpoint(struct trail *trail, struct error *err);

/* trail_unsigned_for(trail): Nanoseconds since the first line that is not signed; 0: none. */
int64_t trail_unsigned_for(struct trail *trail);

/* trail_prepare(trail, err): Reserve the next segment's space once this one is half full. */
MUST_USE bool trail_prepare(struct trail *trail, struct error *err);

/*
 * trail_sync(trail, seq, out, err):
 * Make all lines up to number ${seq} durable; ${out} (may be NULL) is how far that is now. 
 * Appends go on meanwhile.
 */
MUST_USE bool trail_sync(struct trail *trail, uint64_t seq, struct remembered *out,
    struct error *err);

#endif
