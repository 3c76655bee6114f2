#include "audit/trail.h"

#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/segment.h"
#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Beyond a segment's size: for the append that reaches it, and the checkpoint behind that. */
#define SLACK ((uint64_t)256 * 1024)
#define BATCH_KEPT ((size_t)1024 * 1024)

/* Full segments that wait for a sync.  With as many, the current one grows on. */
#define FULL_MAX 8

struct trail {
	struct trail_settings settings;
	_Atomic bool healthy;

	pthread_mutex_t lock; /* all of this; never held while something syncs */
	struct segment *current, *spare;
	struct segment *full[FULL_MAX];
	size_t full_count;
	bool new_names; /* the directory needs a sync too */
	struct audit_head at;
	uint64_t journal; /* the highest number of the journal in the log */
	uint64_t missed;  /* and the highest that the hook could not write */
	unsigned unsigned_lines;
	int64_t unsigned_since;
	struct buf batch; /* kept, as making room costs more than a line */

	pthread_mutex_t sync_lock; /* taken before ${lock}; who has it may close segments */
	struct remembered synced;
};

static void
unlock(pthread_mutex_t **mutex)
{
	(void)pthread_mutex_unlock(*mutex);
}

/* Hold ${mutex} until the scope ends. */
#define HOLD(mutex)                                   \
	AUTO(unlock) pthread_mutex_t *held = (mutex); \
	(void)pthread_mutex_lock(held)

bool
trail_new(const struct trail_settings *settings, struct trail **out, struct error *err)
{
	struct trail *trail = calloc(1, sizeof(*trail));

	if (trail == NULL)
		return error_memory(err);
	trail->settings = *settings;
	(void)pthread_mutex_init(&trail->lock, NULL);
	(void)pthread_mutex_init(&trail->sync_lock, NULL);
	*out = trail;
	return true;
}

void
trail_free(struct trail *trail)
{
	if (trail == NULL)
		return;
	segment_close(trail->current);
	segment_close(trail->spare);
	for (size_t i = 0; i < trail->full_count; i++)
		segment_close(trail->full[i]);
	buf_free(&trail->batch);
	(void)pthread_mutex_destroy(&trail->lock);
	(void)pthread_mutex_destroy(&trail->sync_lock);
	free(trail);
}

static uint64_t
reservation(const struct trail *trail)
{
	return trail->settings.segment_bytes + SLACK;
}

static bool
make_spare(struct trail *trail, struct error *err)
{
	return trail->spare != NULL ||
	    segment_spare(trail->settings.dir, reservation(trail), &trail->spare, err);
}

static bool
begin_segment(struct trail *trail, struct error *err)
{
	if (!make_spare(trail, err) || !segment_begin(trail->spare, trail->at.seq + 1, err))
		return false;
	if (trail->current != NULL)
		trail->full[trail->full_count++] = trail->current;
	trail->current = trail->spare;
	trail->spare = NULL;
	trail->new_names = true;
	return true;
}

/* A full segment ends with a checkpoint, whatever a crash left; then the next one begins. */
static bool
turn_segment(struct trail *trail, struct error *err)
{
	if (trail->current->length < trail->settings.segment_bytes || trail->current->length == 0 ||
	    trail->unsigned_lines > 0 || trail->full_count == FULL_MAX)
		return true;
	return begin_segment(trail, err);
}

bool
trail_open(struct trail *trail, const struct recovered *at, struct error *err)
{
	HOLD(&trail->lock);
	trail->at = at->at;
	trail->journal = at->journal;
	trail->unsigned_lines = at->is_signed ? 0 : 1;
	trail->unsigned_since = clock_mono();
	if (at->segment == 0)
		return begin_segment(trail, err);
	return segment_open(trail->settings.dir, at->segment, &trail->current, err) &&
	    segment_reserve(trail->current, reservation(trail), err);
}

/* What a batch changes, put into the trail only when it is written. */
struct batch_end {
	struct audit_head at;
	unsigned unsigned_lines;
};

static bool
compose_checkpoint(struct trail *trail, struct batch_end *to, struct error *err)
{
	AUTO(buf_free) struct buf record = { 0 };

	to->unsigned_lines = 0;
	return checkpoint_record(trail->settings.key, &to->at, &record, err) &&
	    line_add(&trail->batch, buf_view(&record), 0, &to->at, err);
}

/*
 * A journal's line is committed and can't be refused any more.  One that is no record, a fault of
 * whoever made it, is recorded as that rather than stopping the log for good.
 */
static view
fit(view line)
{
	if (line_record_valid(line))
		return line;
	log_line(LOG_ERROR, "audit.malformed", "a change's record of %zu bytes is no record",
	    line.len);
	return V("{\"category\":\"AuditMalformed\",\"resultType\":\"Unknown\"}");
}

static bool
compose(struct trail *trail, const view *records, size_t count, uint64_t journal,
    struct batch_end *to, struct error *err)
{
	uint64_t full = trail->settings.segment_bytes;

	for (size_t i = 0; i < count; i++) {
		view record = journal == 0 ? records[i] : fit(records[i]);
		uint64_t number = journal == 0 ? 0 : journal + i;

		if (!line_add(&trail->batch, record, number, &to->at, err))
			return false;
		to->unsigned_lines++;
		if (to->unsigned_lines >= trail->settings.checkpoint_lines &&
		    !compose_checkpoint(trail, to, err))
			return false;
	}
	if (to->unsigned_lines > 0 && trail->current->length + trail->batch.len >= full)
		return compose_checkpoint(trail, to, err);
	return true;
}

static void
advance(struct trail *trail, const struct batch_end *to)
{
	if (to->unsigned_lines > 0 && trail->unsigned_lines == 0)
		trail->unsigned_since = clock_mono();
	trail->at = to->at;
	trail->unsigned_lines = to->unsigned_lines;
	if (trail->batch.size > BATCH_KEPT)
		buf_free(&trail->batch);
}

static void
fail(struct trail *trail, const struct error *err)
{
	if (atomic_exchange(&trail->healthy, false))
		log_line(LOG_ERROR, "audit.failed", "%s", err->message);
}

/* All or nothing.  ${journal} is the number of the first; 0: not out of the journal. */
static bool
append(struct trail *trail, const view *records, size_t count, uint64_t journal, struct error *err)
{
	struct batch_end to = { trail->at, trail->unsigned_lines };
	bool composed = false;

	buf_reset(&trail->batch);
	if (turn_segment(trail, err)) {
		composed = compose(trail, records, count, journal, &to, err);
		if (composed && segment_append(trail->current, buf_view(&trail->batch), err)) {
			advance(trail, &to);
			return true;
		}
		/* No memory for a line: the log is as it was, and only who asked is refused. */
		if (!composed && journal == 0)
			return false;
	}
	fail(trail, err);
	return false;
}

bool
trail_append(struct trail *trail, const view *records, size_t count, uint64_t *seq,
    struct error *err)
{
	HOLD(&trail->lock);
	if (!atomic_load(&trail->healthy))
		return error_set(err, ERR_UNAVAILABLE, "The audit log can't be written.");
	if (!append(trail, records, count, 0, err))
		return false;
	*seq = trail->at.seq;
	return true;
}

bool
trail_hook(struct trail *trail, const view *lines, size_t count, uint64_t last)
{
	uint64_t first = last - count + 1;
	struct error err;
	size_t skip = 0;

	HOLD(&trail->lock);
	if (trail->journal >= first)
		skip = (size_t)(trail->journal - first + 1);
	if (skip >= count)
		return true;
	if (!atomic_load(&trail->healthy) ||
	    !append(trail, lines + skip, count - skip, first + skip, &err)) {
		trail->missed = last;
		return false;
	}
	trail->journal = last;
	return true;
}

bool
trail_catch_up(struct trail *trail, const struct journal_line *lines, size_t count,
    struct error *err)
{
	HOLD(&trail->lock);
	for (size_t i = 0; i < count; i++) {
		if (lines[i].number <= trail->journal)
			continue;
		if (!append(trail, &lines[i].line, 1, lines[i].number, err))
			return false;
		trail->journal = lines[i].number;
	}
	return true;
}

bool
trail_heal(struct trail *trail)
{
	HOLD(&trail->lock);
	if (trail->missed > trail->journal)
		return false;
	atomic_store(&trail->healthy, true);
	return true;
}

bool
trail_healthy(const struct trail *trail)
{
	return atomic_load(&trail->healthy);
}

uint64_t
trail_seq(struct trail *trail)
{
	HOLD(&trail->lock);
	return trail->at.seq;
}

uint64_t
trail_journal(struct trail *trail)
{
	HOLD(&trail->lock);
	return trail->journal;
}

bool
trail_mend(struct trail *trail, struct error *err)
{
	HOLD(&trail->lock);
	return segment_mend(trail->current, err) &&
	    segment_reserve(trail->current, reservation(trail), err);
}

bool
trail_checkpoint(struct trail *trail, struct error *err)
{
	struct batch_end to;

	HOLD(&trail->lock);
	to = (struct batch_end){ .at = trail->at };
	buf_reset(&trail->batch);
	if (compose_checkpoint(trail, &to, err) &&
	    segment_append(trail->current, buf_view(&trail->batch), err)) {
		advance(trail, &to);
		return true;
	}
	fail(trail, err);
	return false;
}

int64_t
trail_unsigned_for(struct trail *trail)
{
	HOLD(&trail->lock);
	return trail->unsigned_lines == 0 ? 0 : clock_mono() - trail->unsigned_since + 1;
}

bool
trail_prepare(struct trail *trail, struct error *err)
{
	HOLD(&trail->lock);
	return trail->current->length < trail->settings.segment_bytes / 2 || make_spare(trail, err);
}

/* What a sync is about: the log as it was when the sync began. */
struct mark {
	struct remembered here;
	struct segment *current;
	size_t full;
	bool new_names;
};

static struct mark
mark_here(struct trail *trail)
{
	HOLD(&trail->lock);
	struct mark mark = {
		.here = { trail->at, trail->journal, trail->current->first,
		    trail->current->length },
		.current = trail->current,
		.full = trail->full_count,
		.new_names = trail->new_names,
	};

	trail->new_names = false;
	return mark;
}

/* Full segments first: a line must not outlive, in a power cut, those before it. */
static bool
sync_files(struct trail *trail, const struct mark *mark, struct error *err)
{
	for (size_t i = 0; i < mark->full; i++) {
		if (!segment_sync(trail->full[i], trail->full[i]->length, err))
			return false;
	}
	if (!segment_sync(mark->current, mark->here.offset, err))
		return false;
	if (mark->new_names && fsync(trail->settings.dir) != 0)
		return error_errno(err, "The audit log's directory can't be synced");
	return true;
}

static void
sync_failed(struct trail *trail, const struct mark *mark, const struct error *err)
{
	HOLD(&trail->lock);
	trail->new_names = trail->new_names || mark->new_names;
	fail(trail, err);
}

static void
close_full(struct trail *trail, size_t count)
{
	struct segment *full[FULL_MAX];

	{
		HOLD(&trail->lock);
		for (size_t i = 0; i < count; i++)
			full[i] = trail->full[i];
		trail->full_count -= count;
		for (size_t i = 0; i < trail->full_count; i++)
			trail->full[i] = trail->full[i + count];
	}
	for (size_t i = 0; i < count; i++)
		segment_close(full[i]);
}

bool
trail_sync(struct trail *trail, uint64_t seq, struct remembered *out, struct error *err)
{
	HOLD(&trail->sync_lock);
	if (trail->synced.at.seq < seq) {
		struct mark mark = mark_here(trail);

		if (!sync_files(trail, &mark, err)) {
			sync_failed(trail, &mark, err);
			return false;
		}
		close_full(trail, mark.full);
		trail->synced = mark.here;
	}
	if (out != NULL)
		*out = trail->synced;
	return true;
}
