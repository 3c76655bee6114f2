#include "audit/recover.h"

#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/lines.h"
#include "audit/segment.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct walk {
	int dir;
	const struct remembered *head;
	const struct public_key *key;
	bool found; /* the head; from here on lines must follow each other */
	bool cut;   /* the end was damaged: nothing behind counts */
	struct recovered end;
};

static bool
lost(struct error *err)
{
	return error_set(err, ERR_CORRUPT,
	    "The audit log is not what the store remembers of it: lines are missing or changed.");
}

/*
 * What a power cut leaves of lines that were not synced: the end of one missing, or a page of
 * zeros in the middle.  Whoever edits a log leaves whole lines; those must follow the chain.
 */
static bool
damaged(view text, struct line *line)
{
	size_t at;

	return view_find(text, '\0', &at) || !line_parse(text, line);
}

static bool
cut(struct walk *walk, uint64_t segment, uint64_t offset, struct error *err)
{
	int fd = openat(walk->dir, segment_name(segment).text, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 && ftruncate(fd, (off_t)offset) == 0;

	if (fd >= 0)
		(void)close(fd);
	if (!ok)
		return error_errno(err, "A torn line can't be cut off");
	log_line(LOG_WARN, "audit.mended", "a torn end was cut off behind line %" PRIu64,
	    walk->end.at.seq);
	walk->cut = true;
	return true;
}

static bool
step(struct walk *walk, const struct line *line, struct error *err)
{
	struct recovered *end = &walk->end;

	end->is_signed = checkpoint_shaped(line->record);
	if (!line_follows(line, &end->at, err) ||
	    (end->is_signed && !checkpoint_check(line->record, &end->at, walk->key, err)))
		return err->code == ERR_CORRUPT ? lost(err) : false;
	line_position(line, &end->at);
	if (line->journal > end->journal)
		end->journal = line->journal;
	return true;
}

static bool
look_for_head(struct walk *walk, const struct line *line, struct error *err)
{
	if (line->seq < walk->head->at.seq)
		return true;
	if (line->seq > walk->head->at.seq || !view_eq(line->chain, view_of(walk->head->at.chain)))
		return lost(err);
	walk->found = true;
	walk->end.at = walk->head->at;
	walk->end.is_signed = checkpoint_shaped(line->record);
	return true;
}

static bool
walk_line(struct walk *walk, uint64_t segment, uint64_t offset, view text, struct error *err)
{
	struct line line;

	if (!damaged(text, &line))
		return walk->found ? step(walk, &line, err) : look_for_head(walk, &line, err);
	return walk->found ? cut(walk, segment, offset, err) : lost(err);
}

static bool
walk_lines(struct walk *walk, uint64_t segment, struct lines *lines, struct error *err)
{
	while (!walk->cut) {
		uint64_t offset = lines->offset;
		view text;

		switch (lines_next(lines, &text, err)) {
		case LINES_LINE:
			if (!walk_line(walk, segment, offset, text, err))
				return false;
			break;
		case LINES_TORN: return walk->found ? cut(walk, segment, offset, err) : lost(err);
		case LINES_END: return walk->found || lost(err);
		case LINES_FAILED: return false;
		}
	}
	return true;
}

/* In the head's segment, start a little before it rather than at the front. */
static bool
open_at(const struct walk *walk, uint64_t segment, struct lines *out, struct error *err)
{
	const uint64_t before = 2 * AUDIT_LINE_MAX;
	uint64_t offset =
	    walk->found || walk->head->offset <= before ? 0 : walk->head->offset - before;
	enum lines_result result;
	view part;

	if (!lines_open(walk->dir, segment_name(segment).text, offset, out, err))
		return false;
	if (offset == 0)
		return true;
	result = lines_next(out, &part, err);
	if (result == LINES_LINE)
		return true;
	lines_close(out);
	return result == LINES_FAILED ? false : lost(err);
}

static bool
walk_segment(struct walk *walk, uint64_t segment, struct error *err)
{
	AUTO(lines_close) struct lines lines = { 0 };

	if (!open_at(walk, segment, &lines, err))
		return false;
	walk->end.segment = segment;
	return walk_lines(walk, segment, &lines, err);
}

/* A segment begun after lines that a power cut took: its lines follow nothing any more. */
static bool
set_aside(const struct walk *walk, uint64_t segment, struct error *err)
{
	log_line(LOG_WARN, "audit.mended", "%s follows lost lines and was set aside",
	    segment_name(segment).text);
	return segment_set_aside(walk->dir, segment, err);
}

static bool
walk_all(struct walk *walk, const uint64_t *firsts, size_t count, struct error *err)
{
	const uint64_t begin = walk->found ? 1 : walk->head->segment;

	for (size_t i = 0; i < count; i++) {
		if (!walk->found && firsts[i] < walk->head->segment)
			continue;
		if (walk->end.segment == 0 && firsts[i] != begin)
			return lost(err);
		if (walk->cut || (walk->found && firsts[i] != walk->end.at.seq + 1)) {
			walk->cut = true;
			if (!set_aside(walk, firsts[i], err))
				return false;
		} else if (!walk_segment(walk, firsts[i], err)) {
			return false;
		}
	}
	return walk->found || lost(err);
}

bool
find_end(int dir, const struct remembered *head, const struct public_key *key,
    struct recovered *out, struct error *err)
{
	AUTO(segment_list_done) uint64_t *firsts = NULL;
	struct walk walk = { .dir = dir, .head = head, .key = key };
	size_t count;

	walk.found = head->at.seq == 0;
	walk.end.journal = head->journal;
	walk.end.is_signed = true; /* nothing to sign */
	if (!segment_list(dir, &firsts, &count, err) || !walk_all(&walk, firsts, count, err))
		return false;
	*out = walk.end;
	return true;
}
