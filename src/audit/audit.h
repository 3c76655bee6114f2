/*
 * The audit log: append-only segments of JSON lines, DIR/audit-<first number>.log, each line
 * numbered and chained by hash to the one before, with signed checkpoints.
 *
 * A record is a JSON object.  The log appends two members to it, `"seq":N,"chain":"<hash>"`, where
 * the hash is base64url(SHA-256(chain before || the line up to and without `,"chain"`)).  What
 * came out of the store's journal has its number there before them, `"journal":N`, so that after a
 * crash no line is missed or doubled.  Checkpoints are lines of their own with the members
 * "checkpoint" and "signature" (ES256 by the installation's audit key), at the latest a minute
 * after a line and at the end of each segment.  Every append is written to the file before it
 * returns.
 *
 * Space is reserved ahead: a full disk is noticed before there is something to say.  A log that
 * can't be written says so (audit_healthy), and work is refused until it can.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"
#include "base/watch.h"
#include "keyring/keyring.h"
#include "store/store.h"

struct audit;

/* A record: one JSON object on one line, with at least one member, not longer than this. */
#define AUDIT_RECORD_MAX ((size_t)63 * 1024)

enum audit_sync {
	AUDIT_SYNC_INTERVAL, /* fsync at most a second after a line was written */
	AUDIT_SYNC_ALWAYS,   /* fsync before every answer that is not behind a commit */
};

struct audit_settings {
	const char *directory;
	size_t segment_bytes;      /* a segment ends after the append that reaches this */
	unsigned checkpoint_lines; /* a signed checkpoint at least every so many lines */
	enum audit_sync sync;
};

/*
 * audit_open(settings, store, keyring, out, err):
 * Open the log, mend a torn last line (a crash in the middle of a write), write what the store's
 * journal holds that the log does not, and hook into the store: from now on the journal lines of
 * every commit are appended by the commit itself, and trimmed from the journal once they are
 * synced. Fails with ERR_CORRUPT when the log's end is not what the store remembers of it.
 */
MUST_USE bool audit_open(const struct audit_settings *settings, struct store *store,
    struct keyring *keyring, struct audit **out, struct error *err);

/*
 * audit_append(audit, records, count, err):
 * Append; one write for all.  ERR_UNAVAILABLE when they could not be recorded: then none was
 * (unless it was the sync that failed).  ERR_INTERNAL for what is no record.  Any thread.
 */
MUST_USE bool audit_append(struct audit *audit, const view *records, size_t count,
    struct error *err);

/* audit_healthy(audit): False while lines can't be written; tried again by audit_tick. */
bool audit_healthy(const struct audit *audit);

/*
 * audit_tick(audit):
 * About once a second: sync, checkpoint, trim, try a failed log again.  Not on a loop's hot path.
 */
void audit_tick(struct audit *audit);
void audit_close(struct audit *audit); /* a last checkpoint; NULL is fine */

/*
 * audit_verify(directory, public_key, head, watch, report, err):
 * Read all segments: numbers without gap, every chain hash right, every checkpoint's signature
 * good by ${public_key} (a SubjectPublicKeyInfo), and the line numbered head->seq there with
 * head->chain (what the store remembers; NULL: don't look).  Fails with ERR_CORRUPT and says
 * where.  ${watch} is told before each line ("verifying", lines); NULL: nobody watches.
 * audit_verify_rest: Of a log whose oldest segments may have been archived.  The chain begins with
 * the hash that the first line has, so what else stands in that one line is taken as it is.
 */
struct audit_head {
	uint64_t seq;
	char chain[44];
};
struct audit_report {
	uint64_t lines, checkpoints, segments;
};
MUST_USE bool audit_verify(const char *directory, view public_key, const struct audit_head *head,
    const struct watch *watch, struct audit_report *report, struct error *err);
MUST_USE bool audit_verify_rest(const char *directory, view public_key,
    const struct audit_head *head, const struct watch *watch, struct audit_report *report,
    struct error *err);

/* audit_stored_head: What the store remembers: the public key and the head of the last sync. */
MUST_USE bool audit_stored_head(struct store *store, struct keyring *keyring, struct arena *arena,
    view *public_key, struct audit_head *head, struct error *err);

#endif
