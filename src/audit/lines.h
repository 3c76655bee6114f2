/*
 * Lines out of a segment, one after the other, in memory that does not grow with the file.
 */
#ifndef AUDIT_LINES_H
#define AUDIT_LINES_H

#include "base/error.h"
#include "base/view.h"

struct lines {
	char *bytes;
	size_t start, end; /* of what was read and not yet handed out */
	int fd;            /* owned */
	uint64_t offset;   /* in the file, of the next line */
};

enum lines_result {
	LINES_LINE,
	LINES_END,
	LINES_TORN, /* the end without a newline, or a line too long to be one of ours */
	LINES_FAILED,
};

/* lines_open(dir, name, offset, out, err): Read file ${name} of ${dir} from ${offset}. */
MUST_USE bool lines_open(int dir, const char *name, uint64_t offset, struct lines *out,
    struct error *err);

/* lines_next(lines, line, err): ${line} has no newline, and is good until the next call. */
MUST_USE enum lines_result lines_next(struct lines *lines, view *line, struct error *err);
void lines_close(struct lines *lines); /* one that was only zeroed is fine */

#endif
