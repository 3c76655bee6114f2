#include "backup_job.h"

#include "audit/record.h"
#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/uuid.h"
#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "jobs/scheduler.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_SECONDS 10
#define TRY_AGAIN ((int64_t)600 * 1000 * 1000 * 1000)
#define BEHIND 10
#define HOUR 3600
#define GRACE_SECONDS HOUR /* that one may take, before the status calls it overdue */
#define RECIPIENT_MAX ((size_t)64 * 1024)
#define FAILED_MAX ((size_t)4 * 1024)
#define ARENA_MAX ((size_t)64 * 1024)

/*
 * "strongroom-0a1b2c3d-20260131T235959Z.backup": whose it is, so that servers may share a folder,
 * and when it was made: by name they sort by time.
 */
#define SERVER_BYTES 4
#define PREFIX_LEN (sizeof("strongroom-0a1b2c3d-") - 1)
#define TIME_FORMAT "%Y%m%dT%H%M%SZ.backup"
#define NAME_LEN (PREFIX_LEN + sizeof("20260131T235959Z.backup") - 1)
struct prefix {
	char text[PREFIX_LEN + 1];
};
struct name {
	char text[NAME_LEN + 1];
};

struct backup_job {
	const struct config *config;
	struct store *store;
	struct keyring *keyring;
	struct audit *audit;
	struct scheduler *scheduler;
	struct buf recipient;
	struct prefix prefix;
	atomic_bool stopping;
	int64_t not_before; /* clock_mono, after a failure */
};

/* By the audit log's key: no other server has it, and no setting changes it. */
static bool
prefix_of(struct store *store, struct keyring *keyring, struct prefix *out, struct error *err)
{
	AUTO(arena_free) struct arena arena;
	struct audit_head head;
	uint8_t digest[SHA256_LEN];
	char server[2 * SERVER_BYTES + 1] = { 0 };
	view key;

	arena_init(&arena, ARENA_MAX);
	if (!audit_stored_head(store, keyring, &arena, &key, &head, err) ||
	    !sha256(&key, 1, digest, err))
		return false;
	hex_encode((view){ (const char *)digest, SERVER_BYTES }, server);
	(void)snprintf(out->text, sizeof(out->text), "strongroom-%s-", server);
	return true;
}

static struct name
name_of(const struct prefix *prefix, int64_t seconds)
{
	struct name name = { 0 };
	time_t time = (time_t)seconds;
	struct tm parts;

	memcpy(name.text, prefix->text, PREFIX_LEN);
	if (gmtime_r(&time, &parts) != NULL)
		(void)strftime(name.text + PREFIX_LEN, sizeof(name.text) - PREFIX_LEN, TIME_FORMAT,
		    &parts);
	return name;
}

static bool
is_name(const struct prefix *prefix, const char *text)
{
	struct tm parts = { 0 };
	const char *end;

	if (strlen(text) != NAME_LEN || memcmp(text, prefix->text, PREFIX_LEN) != 0)
		return false;
	end = strptime(text + PREFIX_LEN, TIME_FORMAT, &parts);
	return end != NULL && *end == '\0';
}

/* What a run that did not end has left: a name and mkostemp's six letters. */
static bool
is_leftover(const struct prefix *prefix, const char *text)
{
	char name[NAME_LEN + 1];

	if (strlen(text) != NAME_LEN + 7 || text[NAME_LEN] != '.')
		return false;
	memcpy(name, text, NAME_LEN);
	name[NAME_LEN] = '\0';
	return is_name(prefix, name);
}

struct listing {
	const struct prefix *prefix;
	struct name *items;
	size_t count, size;
};

static void
listing_done(struct listing *listing)
{
	free(listing->items);
}

static bool
listing_add(struct listing *listing, const char *name)
{
	if (listing->count == listing->size) {
		size_t size = listing->size == 0 ? 16 : listing->size * 2;
		struct name *items = realloc(listing->items, size * sizeof(*items));

		if (items == NULL)
			return false;
		listing->items = items;
		listing->size = size;
	}
	memcpy(listing->items[listing->count++].text, name, NAME_LEN + 1);
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static void
remove_from(const char *folder, const char *name)
{
	AUTO(text_done) char *path = NULL;
	struct error err;

	if (file_path(folder, name, &path, &err) && unlink(path) != 0 && errno != ENOENT)
		log_line(LOG_WARN, "backup.left", "%s can't be removed", name);
}

/* The server's whole backups in order; ${clean}: what it has left of others goes. */
static bool
list(const char *folder, bool clean, struct listing *out, struct error *err)
{
	DIR *open = opendir(folder);
	const struct dirent *entry;
	bool ok = true;

	if (open == NULL)
		return error_errno(err, "The backup folder can't be opened");
	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (ok && (entry = readdir(open)) != NULL) {
		if (clean && is_leftover(out->prefix, entry->d_name))
			remove_from(folder, entry->d_name);
		if (is_name(out->prefix, entry->d_name))
			ok = listing_add(out, entry->d_name) || error_memory(err);
	}
	(void)closedir(open);
	if (out->count > 0)
		qsort(out->items, out->count, sizeof(*out->items), by_name);
	return ok;
}

/* "" when there is none.  One that says it is of tomorrow does not count: the clock was wrong. */
static const char *
newest(const struct listing *listing)
{
	const struct name now = name_of(listing->prefix, clock_wall());

	for (size_t i = listing->count; i > 0; i--) {
		if (strcmp(listing->items[i - 1].text, now.text) <= 0)
			return listing->items[i - 1].text;
	}
	return "";
}

static bool
go_on(void *ctx, const struct progress *progress)
{
	const struct backup_job *job = ctx;

	(void)progress;
	return !atomic_load(&job->stopping);
}

static bool
make(struct backup_job *job, const struct name *name, struct backup_report *report,
    struct error *err)
{
	const struct backup_source source = { .store = job->store,
		.keyring = job->keyring,
		.data = job->config->data,
		.version = V(STRONGROOM_VERSION),
		.domain = view_of(job->config->domain),
		.recipient = buf_view(&job->recipient),
		.watch = { .told = go_on, .ctx = job } };
	AUTO(text_done) char *path = NULL;

	return file_path(job->config->backup_folder, name->text, &path, err) &&
	    backup_create(&source, path, report, err);
}

/* Telling: the audit log, the operator's log, the file that the status looks at. */

static void
record(struct backup_job *job, bool ok, view text, int64_t began)
{
	AUTO(buf_free) struct buf line = { 0 };
	const struct audit_record record = {
		.category = V("Administrative"),
		.operation = V("ServerBackup"),
		.status = ok ? 200 : 503,
		.description = text,
		.duration = clock_mono() - began,
	};
	view written;
	struct error err;

	record_write(&record, &line);
	written = buf_view(&line);
	if (!buf_ok(&line) || !audit_append(job->audit, &written, 1, &err))
		log_line(LOG_ERROR, "backup.unrecorded", "the audit log can't be written");
}

static void
tell_made(struct backup_job *job, const struct name *name, const struct backup_report *report,
    int64_t began)
{
	AUTO(buf_free) struct buf text = { 0 };
	AUTO(text_done) char *failed = NULL;
	struct error err;

	buf_print(&text, "%s sha256 %s", name->text, report->digest);
	record(job, true, buf_view(&text), began);
	log_line(LOG_INFO, "backup.verified", "%s: %llu documents, %llu bytes", name->text,
	    (unsigned long long)report->documents, (unsigned long long)report->bytes);
	if (config_path(job->config, "backup.failed", &failed, &err))
		(void)unlink(failed);
}

static void
tell_failed(struct backup_job *job, const struct error *why, int64_t began)
{
	AUTO(text_done) char *failed = NULL;
	struct error err;

	record(job, false, view_of(why->message), began);
	log_line(LOG_ERROR, "backup.failed", "%s", why->message);
	if (!config_path(job->config, "backup.failed", &failed, &err) ||
	    !file_write(failed, view_of(why->message), 0600, &err))
		log_line(LOG_ERROR, "backup.failed", "that can't be written down: %s", err.message);
}

/*
 * The oldest; but first those that say they are later than the one just made: the clock was wrong
 * then, and they would outlive all others.  Of them, too, the earliest: it may be wrong now.
 */
static void
drop_old(const struct backup_job *job, const struct listing *listing, const struct name *made)
{
	size_t later = listing->count, excess;

	while (later > 0 && strcmp(listing->items[later - 1].text, made->text) > 0)
		later--;
	/* The one just made is not in the list. */
	excess = listing->count < job->config->backup_keep
	    ? 0
	    : listing->count + 1 - job->config->backup_keep;
	for (size_t i = 0; i < excess; i++) {
		size_t next = later + i;

		if (next >= listing->count)
			next -= listing->count;
		remove_from(job->config->backup_folder, listing->items[next].text);
	}
}

static bool
is_due(const struct backup_job *job, const char *last)
{
	const struct name before =
	    name_of(&job->prefix, clock_wall() - (int64_t)job->config->backup_hours * HOUR);

	return strcmp(last, before.text) <= 0;
}

static bool
run(void *ctx, struct error *err)
{
	struct backup_job *job = ctx;
	AUTO(listing_done) struct listing listing = { .prefix = &job->prefix };
	const struct name name = name_of(&job->prefix, clock_wall());
	int64_t began = clock_mono();
	struct backup_report report;
	struct error why;
	bool ok;

	(void)err;
	if (job->not_before != 0 && began < job->not_before)
		return true;
	ok = list(job->config->backup_folder, true, &listing, &why);
	if (ok && !is_due(job, newest(&listing)))
		return true;
	ok = ok && make(job, &name, &report, &why);
	if (!ok && atomic_load(&job->stopping))
		return true;
	job->not_before = ok ? 0 : clock_mono() + TRY_AGAIN;
	if (!ok) {
		tell_failed(job, &why, began);
		return true;
	}
	tell_made(job, &name, &report, began);
	drop_old(job, &listing, &name);
	return true;
}

static const struct job jobs[] = {
	{ "backup", LOOK_SECONDS, run },
};

bool
backup_recipient_read(const struct config *config, struct buf *out, struct error *err)
{
	struct error why;

	if (config->backup_recipient[0] == '\0')
		return error_set(err, ERR_BAD_REQUEST,
		    "backup-recipient is not set: a file with a certificate (PEM), to whose key "
		    "backups are sealed; docs/backup.md has the line that makes one");
	if (file_read(config->backup_recipient, RECIPIENT_MAX, out, &why))
		return true;
	return error_set(err, ERR_BAD_REQUEST, "backup-recipient: %s: %s", config->backup_recipient,
	    why.message);
}

/* At the start rather than in the first night. */
static bool
try_recipient(const struct backup_job *job, struct error *err)
{
	AUTO(buf_free) struct buf sealed = { 0 };
	struct error why;

	if (envelope_seal(buf_view(&job->recipient), V("try"), &sealed, &why))
		return true;
	return error_set(err, ERR_BAD_REQUEST, "backup-recipient: %s", why.message);
}

void
backup_job_stop(struct backup_job *job)
{
	if (job == NULL)
		return;
	atomic_store(&job->stopping, true);
	scheduler_stop(job->scheduler);
	buf_free(&job->recipient);
	free(job);
}

static void
job_done(struct backup_job **job)
{
	backup_job_stop(*job);
}

bool
backup_job_start(const struct config *config, const struct datafolder *folder, struct audit *audit,
    struct backup_job **out, struct error *err)
{
	AUTO(job_done) struct backup_job *job = NULL;

	*out = NULL;
	if (config->backup_folder[0] == '\0')
		return true;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return error_memory(err);
	job->config = config;
	job->store = folder->store;
	job->keyring = folder->keyring;
	job->audit = audit;
	if (!backup_recipient_read(config, &job->recipient, err) || !try_recipient(job, err) ||
	    !prefix_of(job->store, job->keyring, &job->prefix, err) ||
	    !scheduler_start(jobs, COUNT_OF(jobs), job, BEHIND, &job->scheduler, err))
		return false;
	*out = job;
	job = NULL;
	return true;
}

/* False, and what the server has written about a failure, if there was one. */
static bool
look_for_failure(const struct config *config, const char *last, struct error *err)
{
	AUTO(text_done) char *path = NULL;
	AUTO(buf_free) struct buf failed = { 0 };
	struct error why;

	if (!config_path(config, "backup.failed", &path, err))
		return false;
	if (file_read(path, FAILED_MAX, &failed, &why))
		return error_set(err, ERR_UNAVAILABLE, "the last backup failed: %.*s (newest: %s)",
		    VIEW_ARG(buf_view(&failed)), last[0] == '\0' ? "none" : last);
	return why.code == ERR_NOT_FOUND ||
	    error_set(err, ERR_UNAVAILABLE, "backup.failed can't be read: %s", why.message);
}

bool
backup_job_status(const struct config *config, const struct datafolder *folder, struct buf *out,
    struct error *err)
{
	struct prefix prefix;
	AUTO(listing_done) struct listing listing = { .prefix = &prefix };
	struct name due;

	if (!prefix_of(folder->store, folder->keyring, &prefix, err) ||
	    !list(config->backup_folder, false, &listing, err) ||
	    !look_for_failure(config, newest(&listing), err))
		return false;
	if (newest(&listing)[0] == '\0')
		return error_set(err, ERR_NOT_FOUND, "there is no backup yet");
	due = name_of(&prefix, clock_wall() - (int64_t)config->backup_hours * HOUR - GRACE_SECONDS);
	if (strcmp(newest(&listing), due.text) < 0)
		return error_set(err, ERR_UNAVAILABLE, "the newest backup is overdue: %s",
		    newest(&listing));
	buf_print(out, "%s is the newest of %zu verified backups", newest(&listing), listing.count);
	return buf_ok(out) || error_memory(err);
}
