#include "audit/verify.h"

#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/lines.h"
#include "audit/segment.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

bool
verifier_segment(struct verifier *verifier, uint64_t first, struct error *err)
{
	if (verifier->rest && verifier->report.segments == 0 && first > 1) {
		verifier->at.seq = first - 1;
		verifier->joins = true;
	}
	if (first != verifier->at.seq + 1)
		return error_set(err, ERR_CORRUPT,
		    "a segment that begins with %" PRIu64 " where %" PRIu64 " is due", first,
		    verifier->at.seq + 1);
	if (verifier->report.segments > 0 && !verifier->is_signed)
		return error_set(err, ERR_CORRUPT,
		    "the segment before has no checkpoint at its end");
	verifier->report.segments++;
	return true;
}

static bool
look_at_head(struct verifier *verifier, struct error *err)
{
	if (verifier->head == NULL || verifier->at.seq != verifier->head->seq)
		return true;
	if (strcmp(verifier->at.chain, verifier->head->chain) != 0)
		return error_set(err, ERR_CORRUPT, "not the line that the store remembers");
	verifier->head_seen = true;
	return true;
}

/* The line after ${at}, and a good one if it is a checkpoint.  Where a log joins, any. */
static bool
check_line(const struct verifier *verifier, const struct line *line, struct error *err)
{
	if (verifier->joins && line->seq == verifier->at.seq + 1)
		return true;
	return line_follows(line, &verifier->at, err) &&
	    (!checkpoint_shaped(line->record) ||
		checkpoint_check(line->record, &verifier->at, verifier->key, err));
}

bool
verifier_line(struct verifier *verifier, view text, struct error *err)
{
	struct line line;

	if (!line_parse(text, &line))
		return error_set(err, ERR_CORRUPT, "not a line of the log");
	if (!check_line(verifier, &line, err))
		return false;
	verifier->joins = false;
	verifier->is_signed = checkpoint_shaped(line.record);
	line_position(&line, &verifier->at);
	verifier->report.lines++;
	verifier->report.checkpoints += verifier->is_signed ? 1 : 0;
	return look_at_head(verifier, err);
}

bool
verifier_end(const struct verifier *verifier, struct error *err)
{
	if (verifier->head == NULL || verifier->head->seq == 0 || verifier->head_seen)
		return true;
	return error_set(err, ERR_CORRUPT,
	    "the log ends with line %" PRIu64 ", but the store remembers %" PRIu64,
	    verifier->at.seq, verifier->head->seq);
}

/* Put where in front of what: the segment, and its ${line} unless that is 0. */
static bool
at_place(uint64_t segment, uint64_t line, struct error *err)
{
	char what[256];
	size_t len = strnlen(err->message, sizeof(what) - 1);

	memcpy(what, err->message, len);
	what[len] = '\0';
	if (line == 0)
		return error_set(err, err->code, "%s: %s", segment_name(segment).text, what);
	return error_set(err, err->code, "%s line %" PRIu64 ": %s", segment_name(segment).text,
	    line, what);
}

static bool
goes_on(const struct verifier *verifier, struct error *err)
{
	return watch_tell(verifier->watch,
	    (struct progress){ .doing = "verifying",
		.unit = "lines",
		.done = verifier->at.seq,
		.total = verifier->head == NULL ? 0 : verifier->head->seq },
	    err);
}

static bool
verify_lines(struct verifier *verifier, struct lines *lines, uint64_t *number, struct error *err)
{
	for (;;) {
		view text;

		++*number;
		switch (lines_next(lines, &text, err)) {
		case LINES_LINE:
			if (!goes_on(verifier, err) || !verifier_line(verifier, text, err))
				return false;
			break;
		case LINES_TORN: return error_set(err, ERR_CORRUPT, "a line without an end");
		case LINES_END: return true;
		case LINES_FAILED: return false;
		}
	}
}

static bool
verify_segment(struct verifier *verifier, int dir, uint64_t first, struct error *err)
{
	AUTO(lines_close) struct lines lines = { 0 };
	uint64_t number = 0;

	if (!verifier_segment(verifier, first, err) ||
	    !lines_open(dir, segment_name(first).text, 0, &lines, err) ||
	    !verify_lines(verifier, &lines, &number, err))
		return at_place(first, number, err);
	return true;
}

static bool
verify_all(struct verifier *verifier, int dir, struct error *err)
{
	AUTO(segment_list_done) uint64_t *firsts = NULL;
	size_t count;

	if (!segment_list(dir, &firsts, &count, err))
		return false;
	if (count == 0)
		return error_set(err, ERR_CORRUPT, "there is no segment");
	for (size_t i = 0; i < count; i++) {
		if (!verify_segment(verifier, dir, firsts[i], err))
			return false;
	}
	return verifier_end(verifier, err);
}

static bool
verify_directory(struct verifier *verifier, const char *directory, view public_key,
    struct audit_report *report, struct error *err)
{
	struct public_key *key = NULL;
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = false;

	if (dir < 0)
		return error_errno(err, "The audit log's directory can't be opened");
	if (public_key_from_spki(public_key, &key, err)) {
		verifier->key = key;
		ok = verify_all(verifier, dir, err);
	}
	if (ok)
		*report = verifier->report;
	public_key_free(key);
	(void)close(dir);
	return ok;
}

bool
audit_verify(const char *directory, view public_key, const struct audit_head *head,
    const struct watch *watch, struct audit_report *report, struct error *err)
{
	struct verifier verifier = { .head = head, .watch = watch };

	return verify_directory(&verifier, directory, public_key, report, err);
}

bool
audit_verify_rest(const char *directory, view public_key, const struct audit_head *head,
    const struct watch *watch, struct audit_report *report, struct error *err)
{
	struct verifier verifier = { .head = head, .watch = watch, .rest = true };

	return verify_directory(&verifier, directory, public_key, report, err);
}
