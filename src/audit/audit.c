#include "audit/audit.h"

#include "audit/remembered.h"
#include "audit/line.h"
#include "audit/recover.h"
#include "audit/trail.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND ((int64_t)1000000000)
#define UNSIGNED_MAX (60 * SECOND)
#define REMEMBER_EVERY (SECOND * 9 / 10) /* a tick that comes a little early is a tick */
#define CATCH_UP_LINES 16
#define CATCH_UP_MEMORY ((CATCH_UP_LINES + 1) * (STORE_VALUE_MAX + 4096))
#define CATCH_UP_TRIES 100

struct audit {
	struct store *store;
	struct keyring *keyring;
	struct audit_keys keys;
	struct trail *trail;
	enum audit_sync sync;
	int dir; /* locked: one process writes a log */
	bool hooked;

	pthread_mutex_t care; /* one at a time looks after the log; guards what follows */
	struct remembered head;
	int64_t head_at;
	bool worried; /* something went wrong that was logged already */
};

/*
 * Runs on the store's thread, between a batch's becoming durable and its commits' answers.  Nothing
 * is synced here, whatever the setting: the lines are as durable in the journal, which keeps them
 * until the log is synced, and another sync would be as long a wait as the commit's own.
 */
static void
on_journal(void *ctx, const view *lines, size_t count, uint64_t last)
{
	struct audit *audit = ctx;

	/* What fails is logged by the trail, and stays in the journal until a tick mends it. */
	(void)trail_hook(audit->trail, lines, count, last);
}

static bool
all_valid(const view *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!line_record_valid(records[i]))
			return false;
	}
	return true;
}

bool
audit_append(struct audit *audit, const view *records, size_t count, struct error *err)
{
	uint64_t seq;

	if (!all_valid(records, count))
		return error_set(err, ERR_INTERNAL, "An audit record is malformed.");
	if (count == 0)
		return true;
	if (trail_append(audit->trail, records, count, &seq, err) &&
	    (audit->sync != AUDIT_SYNC_ALWAYS || trail_sync(audit->trail, seq, NULL, err)))
		return true;
	return error_set(err, ERR_UNAVAILABLE, "The audit log can't be written.");
}

bool
audit_healthy(const struct audit *audit)
{
	return trail_healthy(audit->trail);
}

static bool
read_journal(struct store_reader *reader, uint64_t after, struct arena *arena,
    struct journal_line **lines, size_t *count, struct error *err)
{
	bool ok;

	if (!store_begin(reader, err))
		return false;
	ok = store_journal_read(reader, after, CATCH_UP_LINES, arena, lines, count, err);
	store_end(reader);
	return ok;
}

/* Append all that the journal holds and the log does not. */
static bool
catch_up(struct audit *audit, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena arena;
	struct journal_line *lines;
	size_t count;

	arena_init(&arena, CATCH_UP_MEMORY);
	if (!store_reader_new(audit->store, &reader, err))
		return false;
	do {
		arena_wipe(&arena);
		if (!read_journal(reader, trail_journal(audit->trail), &arena, &lines, &count,
			err) ||
		    !trail_catch_up(audit->trail, lines, count, err))
			return false;
	} while (count > 0);
	return true;
}

/*
 * The highest number of the journal in the log is still in the journal, as it is trimmed only
 * behind the remembered head.  If it is not, the store was put back from a backup, and will give
 * numbers again that the log has seen: go by the last one that both know.
 */
static bool
agree_with_store(struct audit *audit, uint64_t *journal, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena arena;
	uint64_t both = audit->head.journal;
	struct journal_line *lines;
	size_t count = 1;

	arena_init(&arena, CATCH_UP_MEMORY);
	if (!store_reader_new(audit->store, &reader, err))
		return false;
	while (both < *journal && count > 0) {
		arena_wipe(&arena);
		if (!read_journal(reader, both, &arena, &lines, &count, err))
			return false;
		for (size_t i = 0; i < count && lines[i].number <= *journal; i++)
			both = lines[i].number;
		if (count > 0 && lines[count - 1].number > *journal)
			break;
	}
	if (both < *journal)
		log_line(LOG_WARN, "audit.store_older",
		    "the store knows less than the audit log; "
		    "was it put back from a backup?");
	*journal = both;
	return true;
}

/* Commits go on meanwhile; what the hook has left to us since then is in the journal. */
static bool
become_healthy(struct audit *audit, struct error *err)
{
	for (int tries = 0; tries < CATCH_UP_TRIES; tries++) {
		if (!catch_up(audit, err))
			return false;
		if (trail_heal(audit->trail))
			return true;
	}
	return error_set(err, ERR_UNAVAILABLE, "The audit log can't keep up.");
}

/* Whether the log can be written is found out by writing: a checkpoint, which does no harm. */
static bool
revive(struct audit *audit, struct error *err)
{
	uint64_t seq = trail_seq(audit->trail);

	return trail_mend(audit->trail, err) && trail_sync(audit->trail, seq, NULL, err) &&
	    catch_up(audit, err) && (seq == 0 || trail_checkpoint(audit->trail, err)) &&
	    become_healthy(audit, err);
}

/* Say it once, until all is well again. */
static bool
worry(struct audit *audit, bool ok, const struct error *err)
{
	if (!ok && !audit->worried)
		log_line(LOG_ERROR, "audit.trouble", "%s", err->message);
	audit->worried = !ok;
	return ok;
}

static bool
sign_old(struct audit *audit, int64_t age, struct error *err)
{
	return trail_unsigned_for(audit->trail) <= age || trail_checkpoint(audit->trail, err);
}

/*
 * Sync, then have the store remember how far that was, then let it forget the journal up to there:
 * in this order a crash at any point leaves each line of the journal either still in the journal,
 * or in the part of the log that can't be cut unnoticed.  As the head holds the journal's number
 * too, recovery need not look at any line before it.
 */
static bool
remember(struct audit *audit, struct error *err)
{
	struct remembered now;

	if (!trail_sync(audit->trail, trail_seq(audit->trail), &now, err))
		return false;
	if (now.at.seq <= audit->head.at.seq)
		return true;
	if (audit->head_at != 0 && clock_mono() - audit->head_at < REMEMBER_EVERY)
		return true;
	if (!remembered_keep(audit->store, audit->keyring, &now, err))
		return false;
	audit->head_at = clock_mono();
	if (now.journal > audit->head.journal)
		store_journal_trim(audit->store, now.journal);
	audit->head = now;
	return true;
}

static bool
look_after(struct audit *audit, struct error *err)
{
	if (!trail_healthy(audit->trail)) {
		if (!revive(audit, err))
			return false;
		log_line(LOG_INFO, "audit.recovered", "the audit log can be written again");
	}
	return sign_old(audit, UNSIGNED_MAX, err) && remember(audit, err) &&
	    trail_prepare(audit->trail, err);
}

void
audit_tick(struct audit *audit)
{
	struct error err;

	(void)pthread_mutex_lock(&audit->care);
	(void)worry(audit, look_after(audit, &err), &err);
	(void)pthread_mutex_unlock(&audit->care);
}

static void
unhook(struct audit *audit)
{
	struct error err;

	if (!audit->hooked)
		return;
	/* The store's thread may be in the hook right now; behind a commit that waits it is not. */
	(void)!store_commit_wait(audit->store, NULL, 0, V(""), &err);
	store_set_journal_hook(audit->store, NULL, NULL);
}

static void
audit_free(struct audit *audit)
{
	unhook(audit);
	trail_free(audit->trail);
	audit_keys_free(&audit->keys);
	if (audit->dir >= 0)
		(void)close(audit->dir);
	(void)pthread_mutex_destroy(&audit->care);
	free(audit);
}

static void
audit_done(struct audit **audit)
{
	if (*audit != NULL)
		audit_free(*audit);
}

static struct audit *
audit_new(const struct audit_settings *settings, struct store *store, struct keyring *keyring)
{
	struct audit *audit = calloc(1, sizeof(*audit));

	if (audit == NULL)
		return NULL;
	audit->store = store;
	audit->keyring = keyring;
	audit->sync = settings->sync;
	audit->dir = -1;
	(void)pthread_mutex_init(&audit->care, NULL);
	return audit;
}

/* A directory just made is there after a power cut only when the one above was synced. */
static bool
sync_above(int dir, struct error *err)
{
	int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = above >= 0 && fsync(above) == 0;

	if (!ok)
		(void)error_errno(err, "The audit log's directory can't be synced");
	if (above >= 0)
		(void)close(above);
	return ok;
}

static bool
open_directory(struct audit *audit, const char *path, struct error *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return error_errno(err, "The audit log's directory can't be made");
	audit->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (audit->dir < 0)
		return error_errno(err, "The audit log's directory can't be opened");
	if (flock(audit->dir, LOCK_EX | LOCK_NB) != 0)
		return error_set(err, ERR_UNAVAILABLE, "Another process writes this audit log.");
	return sync_above(audit->dir, err);
}

static bool
open_writer(struct audit *audit, const struct audit_settings *settings, struct error *err)
{
	const struct trail_settings wanted = {
		.dir = audit->dir,
		.segment_bytes = settings->segment_bytes,
		.checkpoint_lines = settings->checkpoint_lines,
		.key = audit->keys.signing,
	};
	struct recovered end;

	return find_end(audit->dir, &audit->head, audit->keys.verifying, &end, err) &&
	    agree_with_store(audit, &end.journal, err) && trail_new(&wanted, &audit->trail, err) &&
	    trail_open(audit->trail, &end, err);
}

/*
 * From here on commits bring their lines, and the hook leaves them to us until the log is healthy.
 * The head goes to the log's end before that, so that numbers given again (see agree_with_store)
 * are never looked for among those they were given to first.
 */
static bool
begin(struct audit *audit, struct error *err)
{
	store_set_journal_hook(audit->store, on_journal, audit);
	audit->hooked = true;
	if (audit->head.journal > 0)
		store_journal_trim(audit->store, audit->head.journal);
	return catch_up(audit, err) && sign_old(audit, 0, err) && remember(audit, err) &&
	    become_healthy(audit, err);
}

bool
audit_open(const struct audit_settings *settings, struct store *store, struct keyring *keyring,
    struct audit **out, struct error *err)
{
	AUTO(audit_done) struct audit *audit = audit_new(settings, store, keyring);

	if (audit == NULL)
		return error_memory(err);
	if (!open_directory(audit, settings->directory, err) ||
	    !remembered_open(store, keyring, &audit->keys, err))
		return false;
	audit->head = audit->keys.head;
	if (!open_writer(audit, settings, err) || !begin(audit, err))
		return false;
	*out = audit;
	audit = NULL;
	return true;
}

void
audit_close(struct audit *audit)
{
	struct error err;

	if (audit == NULL)
		return;
	audit->head_at = 0; /* however lately */
	(void)worry(audit,
	    (trail_healthy(audit->trail) || revive(audit, &err)) && sign_old(audit, 0, &err) &&
		remember(audit, &err),
	    &err);
	audit_free(audit);
}
