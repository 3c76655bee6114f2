/*
 * One line of the audit log: how it is made, and how it is taken apart again.
 *
 *	record without its last '}' [,"journal":J] ,"seq":N ,"chain":"<hash>"}
 *
 * J is the number the store's journal had for the record, on records that came out of it.  They
 * stand at the end, in this order and spelling, so that nothing inside a record can be taken
 * for them.
 */
#ifndef AUDIT_LINE_H
#define AUDIT_LINE_H

#include "audit/audit.h"

#define AUDIT_LINE_MAX ((size_t)64 * 1024) /* with its newline */
#define AUDIT_CHAIN_LEN 43

struct line {
	view record;      /* up to the log's own members: without its '}' */
	view body;        /* what the chain's hash covers: up to `,"chain"` */
	uint64_t journal; /* 0: did not come out of the journal */
	uint64_t seq;
	view chain;
};

/*
 * line_record_valid(record):
 * One JSON object on one line with at least one member, of at most AUDIT_RECORD_MAX bytes, that
 * can't be taken for a checkpoint or for one out of the journal.  The JSON inside is the caller's.
 */
bool line_record_valid(view record);

/*
 * line_add(out, record, journal, at, err):
 * Append the line that follows ${at}, with its newline, and move ${at} to it.
 */
MUST_USE bool line_add(struct buf *out, view record, uint64_t journal, struct audit_head *at,
    struct error *err);

/* line_parse(text, out): Take a line without its newline apart; false when it is none of ours. */
MUST_USE bool line_parse(view text, struct line *out);

/* line_follows(line, at, err): Is ${line} the one after ${at}?  Else ERR_CORRUPT says why not. */
MUST_USE bool line_follows(const struct line *line, const struct audit_head *at, struct error *err);

/* line_position(line, out): Where the log is behind ${line}. */
void line_position(const struct line *line, struct audit_head *out);

#endif
