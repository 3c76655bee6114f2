#include "backup/stage.h"

#include "audit/audit.h"
#include "backup/record.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/pack.h"
#include "base/uuid.h"
#include "store/fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "restoring-"
#define ROOT_KEY_MAX 1024

/* The folder */

bool
stage_make(const char *parent, struct stage *out, struct error *err)
{
	AUTO(text_done) char *audit = NULL, *path = NULL;

	*out = (struct stage){ .lock = -1 };
	if (!file_path(parent, PREFIX "XXXXXX", &path, err))
		return false;
	if (mkdtemp(path) == NULL)
		return error_errno(err, "A folder to restore to can't be made");
	out->path = path;
	path = NULL;
	out->lock = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->lock < 0 || flock(out->lock, LOCK_EX | LOCK_NB) != 0)
		return error_errno(err, "A folder to restore to can't be locked");
	if (!file_path(out->path, STAGE_AUDIT, &audit, err))
		return false;
	return mkdir(audit, 0700) == 0 || error_errno(err, "A folder to restore to can't be made");
}

static void
remove_all(const char *path, bool deeper)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		AUTO(text_done) char *inside = NULL;
		struct error err;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    !file_path(path, entry->d_name, &inside, &err))
			continue;
		if (unlink(inside) != 0 && errno == EISDIR && deeper)
			remove_all(inside, false);
	}
	if (folder != NULL)
		(void)closedir(folder);
	(void)rmdir(path);
}

void
stage_remove(const char *path)
{
	remove_all(path, true);
}

void
stage_done(struct stage *stage)
{
	if (stage->path != NULL)
		stage_remove(stage->path);
	if (stage->path != NULL)
		fd_done(&stage->lock);
	free(stage->path);
	plain_free(stage->root_key);
	*stage = (struct stage){ .lock = -1 };
}

/* A new one is not locked at once. */
static bool
is_left_over(const char *path, int64_t seconds)
{
	AUTO(fd_done) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat stat;

	return fd >= 0 && fstat(fd, &stat) == 0 &&
	    (seconds < 0 || clock_wall() - stat.st_mtime > seconds) &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void
stage_sweep(const char *parent, int64_t seconds)
{
	DIR *folder = opendir(parent);
	const struct dirent *entry;

	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		AUTO(text_done) char *inside = NULL;
		struct error err;

		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
		    file_path(parent, entry->d_name, &inside, &err) &&
		    is_left_over(inside, seconds))
			stage_remove(inside);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

/* Taking records, in the only order there is. */

/* What a store has to hold. */
struct contents {
	uint8_t documents[SHA256_LEN], lines[SHA256_LEN]; /* digests of their frames */
	struct counters counters;
	uint64_t records; /* documents and journal lines */
};

enum part { PART_START, PART_STORE, PART_FILES, PART_END };

struct taking {
	struct stage *stage;
	view id;
	enum part part;
	struct fill *fill;
	struct hash *documents, *lines;
	struct record_end seen;
	struct contents contents;
	int fd; /* of the segment that is being written; -1 */
	uint64_t left, segment;
	struct buf root_key;
};

static void
taking_done(struct taking *taking)
{
	fill_close(taking->fill);
	hash_free(taking->documents);
	hash_free(taking->lines);
	buf_free(&taking->root_key);
	fd_done(&taking->fd);
}

static bool
out_of_place(struct error *err)
{
	return error_set(err, ERR_CORRUPT, "The backup's parts are not in their places.");
}

static void
take_text(view text, char *out, size_t size)
{
	(void)snprintf(out, size, "%.*s", VIEW_ARG(text));
}

static bool
take_begin(struct taking *taking, const struct record *record, struct error *err)
{
	struct backup_report *report = &taking->stage->report;
	const struct record_begin *begin = &record->begin;
	AUTO(text_done) char *url = NULL, *path = NULL;

	if (taking->part != PART_START || !view_eq(begin->id, taking->id))
		return out_of_place(err);
	taking->part = PART_STORE;
	taking->contents.counters = begin->counters;
	hex_encode(begin->id, report->id);
	report->made = begin->made;
	take_text(begin->version, report->version, sizeof(report->version));
	take_text(begin->domain, report->domain, sizeof(report->domain));
	if (!file_path(taking->stage->path, STAGE_STORE, &path, err))
		return false;
	return store_url(path, &url, err) && fill_begin(view_of(url), &taking->fill, err);
}

static bool
take_document(struct taking *taking, const struct record *record, struct error *err)
{
	if (taking->part != PART_STORE || taking->seen.lines > 0)
		return out_of_place(err);
	taking->seen.documents++;
	if (view_starts(record->document.key, V("hsm/")))
		taking->stage->report.token_keys++;
	return record_digest(taking->documents, record, err) &&
	    fill_document(taking->fill, &record->document, err);
}

static bool
take_line(struct taking *taking, const struct record *record, struct error *err)
{
	if (taking->part != PART_STORE)
		return out_of_place(err);
	taking->seen.lines++;
	return record_digest(taking->lines, record, err) &&
	    fill_line(taking->fill, &record->line, err);
}

static bool
end_store(struct taking *taking, struct error *err)
{
	struct contents *contents = &taking->contents;
	bool ok = fill_end(taking->fill, &contents->counters, err) &&
	    hash_end(taking->documents, contents->documents, err) &&
	    hash_end(taking->lines, contents->lines, err);

	fill_close(taking->fill);
	taking->fill = NULL;
	taking->part = PART_FILES;
	return ok;
}

static bool
end_file(struct taking *taking, struct error *err)
{
	bool ok = taking->left == 0 || out_of_place(err);

	if (ok && taking->fd >= 0 && fsync(taking->fd) != 0)
		ok = error_errno(err, "A part of the audit log can't be written");
	fd_done(&taking->fd);
	taking->fd = -1;
	return ok;
}

static bool
make_segment(struct taking *taking, view name, struct error *err)
{
	AUTO(text_done) char *path = NULL;

	if (asprintf(&path, "%s/" STAGE_AUDIT "/%.*s", taking->stage->path, VIEW_ARG(name)) < 0) {
		path = NULL;
		return error_memory(err);
	}
	taking->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return (taking->fd >= 0 && fchmod(taking->fd, 0600) == 0) ||
	    error_errno(err, "A part of the audit log can't be made");
}

/* The root keys first, then the segments in order. */
static bool
take_file(struct taking *taking, const struct record *record, struct error *err)
{
	uint64_t segment = record->file.segment;

	if (taking->part == PART_STORE && !end_store(taking, err))
		return false;
	if (taking->part != PART_FILES || (segment == 0) != (taking->seen.files == 0) ||
	    (segment > 0 && segment <= taking->segment))
		return out_of_place(err);
	if (!end_file(taking, err))
		return false;
	if (segment == 0 && record->file.length > ROOT_KEY_MAX)
		return error_set(err, ERR_CORRUPT, "The backup's root keys are malformed.");
	taking->seen.files++;
	taking->left = record->file.length;
	taking->segment = segment;
	return segment == 0 || make_segment(taking, record->file.name, err);
}

static bool
take_bytes(struct taking *taking, const struct record *record, struct error *err)
{
	view bytes = record->bytes;

	if (taking->part != PART_FILES || bytes.len > taking->left)
		return out_of_place(err);
	taking->left -= bytes.len;
	if (taking->fd < 0) {
		buf_add(&taking->root_key, bytes);
		return buf_ok(&taking->root_key) || error_memory(err);
	}
	return fd_write(taking->fd, bytes) ||
	    error_errno(err, "A part of the audit log can't be written");
}

static bool
take_end(struct taking *taking, const struct record *record, struct error *err)
{
	const struct record_end *end = &record->end, *seen = &taking->seen;

	if (taking->part != PART_FILES)
		return out_of_place(err);
	if (!end_file(taking, err))
		return false;
	taking->part = PART_END;
	if (seen->documents != end->documents || seen->lines != end->lines ||
	    seen->files != end->files ||
	    !view_eq(end->digest, (view){ (const char *)taking->contents.documents, SHA256_LEN }))
		return error_set(err, ERR_CORRUPT, "The backup does not hold what its end says.");
	taking->stage->report.documents = seen->documents;
	taking->stage->report.journal_lines = seen->lines;
	taking->stage->root_key = plain_copy(buf_view(&taking->root_key));
	return taking->stage->root_key != NULL || error_memory(err);
}

static bool (*const takers[])(struct taking *, const struct record *, struct error *) = {
	[RECORD_BEGIN] = take_begin,
	[RECORD_DOCUMENT] = take_document,
	[RECORD_LINE] = take_line,
	[RECORD_FILE] = take_file,
	[RECORD_BYTES] = take_bytes,
	[RECORD_END] = take_end,
};

static bool
next_record(struct stream_in *stream, struct buf *bytes, struct record *out, struct error *err)
{
	struct unpack in;
	uint32_t len;

	buf_reset(bytes);
	if (!stream_read(stream, 4, bytes, err))
		return false;
	in = unpack_of(buf_view(bytes));
	len = unpack_u32(&in);
	if (len == 0 || len > RECORD_MAX)
		return out_of_place(err);
	buf_reset(bytes);
	return stream_read(stream, len, bytes, err) && record_parse(buf_view(bytes), out, err);
}

static bool
take_all(struct taking *taking, struct stream_in *stream, const struct watch *watch,
    struct error *err)
{
	AUTO(buf_free) struct buf bytes = { 0 };
	struct progress progress = { .doing = "restoring", .total = stream_size(stream) };
	struct record record;

	while (taking->part != PART_END) {
		progress.done = stream_taken(stream);
		if (!watch_tell(watch, progress, err) ||
		    !next_record(stream, &bytes, &record, err) ||
		    !takers[record.kind](taking, &record, err))
			return false;
	}
	return stream_end(stream, err);
}

static bool
fill_stage(struct stage *stage, struct stream_in *stream, const struct watch *watch,
    struct contents *contents, struct error *err)
{
	AUTO(taking_done) struct taking taking = { .stage = stage, .fd = -1 };

	taking.id = stream_id(stream);
	if (!hash_new(&taking.documents, err) || !hash_new(&taking.lines, err) ||
	    !take_all(&taking, stream, watch, err))
		return false;
	*contents = taking.contents;
	contents->records = stage->report.documents + stage->report.journal_lines;
	stage->report.bytes = stream_taken(stream);
	return true;
}

/* Looking at what was restored, as a server would. */

struct opened {
	struct store *store;
	struct keyring *keyring;
	struct store_reader *reader;
	bool begun;
};

static void
opened_done(struct opened *opened)
{
	if (opened->begun)
		store_end(opened->reader);
	store_reader_free(opened->reader);
	keyring_close(opened->keyring);
	store_close(opened->store);
}

static bool
open_stage(const struct stage *stage, struct opened *out, struct error *err)
{
	AUTO(text_done) char *path = NULL, *url = NULL;
	struct root_provider provider;

	if (!file_path(stage->path, STAGE_STORE, &path, err) || !store_url(path, &url, err) ||
	    !store_open(view_of(url), &out->store, err) ||
	    !root_provider_text(plain_view(stage->root_key), &provider, err) ||
	    !keyring_open(out->store, &provider, &out->keyring, err) ||
	    !store_reader_new(out->store, &out->reader, err))
		return false;
	out->begun = store_begin(out->reader, err);
	return out->begun;
}

struct comparing {
	struct keyring *keyring;
	const struct watch *watch;
	struct hash *documents, *lines;
	struct progress progress;
};

static void
comparing_done(struct comparing *comparing)
{
	hash_free(comparing->documents);
	hash_free(comparing->lines);
}

static bool
compare_record(struct comparing *comparing, struct hash *hash, const struct record *record,
    struct error *err)
{
	comparing->progress.done++;
	return watch_tell(comparing->watch, comparing->progress, err) &&
	    record_digest(hash, record, err);
}

/* Every vault's key is one that the root keys open. */
static bool
compare_document(void *ctx, const struct document *document, struct error *err)
{
	struct comparing *comparing = ctx;
	const struct record record = { .kind = RECORD_DOCUMENT, .document = *document };
	struct vault_key *key;

	if (view_starts(document->key, V("k/")) &&
	    !keyring_key(comparing->keyring, view_from(document->key, 2), &key, err))
		return false;
	return compare_record(comparing, comparing->documents, &record, err);
}

static bool
compare_line(void *ctx, const struct journal_line *line, struct error *err)
{
	struct comparing *comparing = ctx;
	const struct record record = { .kind = RECORD_LINE, .line = *line };

	return compare_record(comparing, comparing->lines, &record, err);
}

static bool
read_contents(const struct opened *opened, const struct watch *watch, uint64_t records,
    struct contents *out, struct error *err)
{
	AUTO(comparing_done)
	struct comparing comparing = { .keyring = opened->keyring,
		.watch = watch,
		.progress = { .doing = "comparing", .unit = "records", .total = records } };

	return hash_new(&comparing.documents, err) && hash_new(&comparing.lines, err) &&
	    store_each(opened->reader, compare_document, &comparing, err) &&
	    store_each_line(opened->reader, compare_line, &comparing, err) &&
	    store_counters(opened->reader, &out->counters, err) &&
	    hash_end(comparing.documents, out->documents, err) &&
	    hash_end(comparing.lines, out->lines, err);
}

static bool
compare(const struct opened *opened, const struct watch *watch, const struct contents *wanted,
    struct error *err)
{
	const struct counters *due = &wanted->counters;
	struct contents got = { 0 };

	if (!read_contents(opened, watch, wanted->records, &got, err))
		return false;
	return (memcmp(got.documents, wanted->documents, SHA256_LEN) == 0 &&
		   memcmp(got.lines, wanted->lines, SHA256_LEN) == 0 &&
		   got.counters.sequence == due->sequence &&
		   got.counters.revision == due->revision &&
		   got.counters.journal == due->journal) ||
	    error_set(err, ERR_CORRUPT, "The restored store is not the one that was backed up.");
}

static bool
verify_audit(struct stage *stage, const struct opened *opened, const struct watch *watch,
    struct error *err)
{
	AUTO(text_done) char *directory = NULL;
	AUTO(arena_free) struct arena arena;
	struct audit_report report = { 0 };
	struct audit_head head;
	view public_key;

	arena_init(&arena, (size_t)1024 * 1024);
	if (!file_path(stage->path, STAGE_AUDIT, &directory, err) ||
	    !audit_stored_head(opened->store, opened->keyring, &arena, &public_key, &head, err))
		return false;
	/* A log without a line has no segment. */
	if (head.seq > 0 && !audit_verify_rest(directory, public_key, &head, watch, &report, err))
		return false;
	stage->report.audit_lines = report.lines;
	return true;
}

bool
stage_restore(struct stage *stage, struct stream_in *stream, const struct watch *watch,
    struct error *err)
{
	AUTO(opened_done) struct opened opened = { 0 };
	struct contents contents = { 0 };
	uint8_t file[SHA256_LEN];

	if (!fill_stage(stage, stream, watch, &contents, err) || !stream_digest(stream, file, err))
		return false;
	hex_encode((view){ (const char *)file, sizeof(file) }, stage->report.digest);
	return open_stage(stage, &opened, err) && compare(&opened, watch, &contents, err) &&
	    verify_audit(stage, &opened, watch, err);
}
