#include "audit/lines.h"

#include "audit/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW (4 * AUDIT_LINE_MAX)

bool
lines_open(int dir, const char *name, uint64_t offset, struct lines *out, struct error *err)
{
	struct lines lines = { .bytes = malloc(WINDOW), .offset = offset };

	if (lines.bytes == NULL)
		return error_memory(err);
	lines.fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (lines.fd < 0 || lseek(lines.fd, (off_t)offset, SEEK_SET) < 0) {
		(void)error_errno(err, "An audit segment can't be opened");
		lines_close(&lines);
		return false;
	}
	*out = lines;
	return true;
}

void
lines_close(struct lines *lines)
{
	if (lines->bytes == NULL)
		return;
	if (lines->fd >= 0)
		(void)close(lines->fd);
	free(lines->bytes);
	*lines = (struct lines){ 0 };
}

/* 1: more was read; 0: the file's end; -1: it can't be read. */
static int
fill(struct lines *lines)
{
	ssize_t got;

	memmove(lines->bytes, lines->bytes + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	do {
		got = read(lines->fd, lines->bytes + lines->end, WINDOW - lines->end);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		lines->end += (size_t)got;
	return got > 0 ? 1 : (int)got;
}

enum lines_result
lines_next(struct lines *lines, view *line, struct error *err)
{
	for (;;) {
		view rest = { lines->bytes + lines->start, lines->end - lines->start };
		size_t at;
		int more;

		if (view_find(rest, '\n', &at) && at < AUDIT_LINE_MAX) {
			*line = (view){ rest.ptr, at };
			lines->start += at + 1;
			lines->offset += at + 1;
			return LINES_LINE;
		}
		if (rest.len >= AUDIT_LINE_MAX)
			return LINES_TORN;
		more = fill(lines);
		if (more < 0) {
			(void)error_errno(err, "An audit segment can't be read");
			return LINES_FAILED;
		}
		if (more == 0)
			return rest.len == 0 ? LINES_END : LINES_TORN;
	}
}
