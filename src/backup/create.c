/*
 * Making a backup: a snapshot of the store, and what of the audit log belongs to it.
 *
 * Consistent: the snapshot's document "audit/head" says how far the log was synced when it was
 * taken; the lines of changes behind that are in the snapshot's journal, and will be appended when
 * the restored server starts.  So the log is copied up to the head, and no line of a change is
 * missing or double.  The root keys are read before and after the snapshot is taken: when they are
 * the same then, they are those of the snapshot (a rekey makes new ones, never old ones again).
 */
#include "backup/backup.h"

#include "audit/remembered.h"
#include "audit/segment.h"
#include "backup/record.h"
#include "backup/stage.h"
#include "backup/stream.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOT_KEY_MAX 1024
#define SNAPSHOT_TRIES 3
#define SPARE_BYTES ((uint64_t)64 * 1024 * 1024)

struct making {
	const struct backup_source *source;
	struct store_reader *reader;
	bool begun;
	struct buf root_key;
	struct stream_out *stream;
	struct hash *hash;
	struct buf frame; /* of the record that is being written */
	struct progress progress;
	uint64_t bytes;
	struct record_end count;
};

static void
making_done(struct making *making)
{
	if (making->begun)
		store_end(making->reader);
	store_reader_free(making->reader);
	stream_out_done(&making->stream);
	hash_free(making->hash);
	buf_free(&making->root_key);
	buf_free(&making->frame);
}

/* The snapshot */

static bool
read_root_key(const char *data, struct buf *out, struct error *err)
{
	AUTO(text_done) char *path = NULL;

	buf_reset(out);
	return file_path(data, RECORD_ROOT_KEY, &path, err) &&
	    file_read(path, ROOT_KEY_MAX, out, err);
}

static bool
take_snapshot(struct making *making, struct error *err)
{
	AUTO(buf_free) struct buf after = { 0 };
	const char *data = making->source->data;

	for (int tries = 0; tries < SNAPSHOT_TRIES; tries++) {
		if (!read_root_key(data, &making->root_key, err))
			return false;
		making->begun = store_begin(making->reader, err);
		if (!making->begun || !read_root_key(data, &after, err))
			return false;
		if (constant_time_equal(buf_view(&making->root_key), buf_view(&after)))
			return true;
		store_end(making->reader);
		making->begun = false;
	}
	return error_set(err, ERR_CONFLICT, "The root key is being rotated.");
}

/* Records */

static bool
put(struct making *making, const struct record *record, struct error *err)
{
	buf_reset(&making->frame);
	record_add(&making->frame, record);
	if (!buf_ok(&making->frame))
		return error_memory(err);
	return watch_tell(&making->source->watch, making->progress, err) &&
	    stream_write(making->stream, buf_view(&making->frame), err);
}

static bool
put_begin(struct making *making, view id, struct error *err)
{
	struct record record = { .kind = RECORD_BEGIN,
		.begin = { .id = id,
		    .made = clock_wall(),
		    .version = making->source->version,
		    .domain = making->source->domain } };

	return store_counters(making->reader, &record.begin.counters, err) &&
	    put(making, &record, err);
}

static bool
put_document(void *ctx, const struct document *document, struct error *err)
{
	struct making *making = ctx;
	const struct record record = { .kind = RECORD_DOCUMENT, .document = *document };

	making->count.documents++;
	making->progress.done++;
	if (!put(making, &record, err))
		return false;
	hash_add(making->hash, buf_view(&making->frame));
	return true;
}

static bool
put_line(void *ctx, const struct journal_line *line, struct error *err)
{
	struct making *making = ctx;
	const struct record record = { .kind = RECORD_LINE, .line = *line };

	making->count.lines++;
	return put(making, &record, err);
}

static bool
put_bytes(struct making *making, view bytes, struct error *err)
{
	while (bytes.len > 0) {
		const size_t len = bytes.len < RECORD_BYTES_MAX ? bytes.len : RECORD_BYTES_MAX;
		const struct record record = { .kind = RECORD_BYTES, .bytes = { bytes.ptr, len } };

		if (!put(making, &record, err))
			return false;
		bytes = view_from(bytes, len);
	}
	return true;
}

static bool
put_file(struct making *making, view name, uint64_t length, struct error *err)
{
	const struct record record = { .kind = RECORD_FILE,
		.file = { .name = name, .length = length } };

	making->count.files++;
	return put(making, &record, err);
}

static bool
put_root_key(struct making *making, struct error *err)
{
	return put_file(making, V(RECORD_ROOT_KEY), making->root_key.len, err) &&
	    put_bytes(making, buf_view(&making->root_key), err);
}

static bool
put_from(struct making *making, int fd, uint64_t length, struct error *err)
{
	AUTO(buf_free) struct buf piece = { 0 };

	for (uint64_t at = 0; at < length;) {
		uint64_t left = length - at;
		size_t some = left < RECORD_BYTES_MAX ? (size_t)left : RECORD_BYTES_MAX;
		char *room;
		ssize_t got;

		buf_reset(&piece);
		room = buf_room(&piece, some);
		if (room == NULL)
			return error_memory(err);
		got = pread(fd, room, some, (off_t)at);
		if (got < 0)
			return error_errno(err, "The audit log can't be read");
		if (got == 0)
			return error_set(err, ERR_CORRUPT, "The audit log is shorter than it was.");
		if (!put_bytes(making, (view){ room, (size_t)got }, err))
			return false;
		at += (uint64_t)got;
		making->progress.done += (uint64_t)got;
	}
	return true;
}

static bool
put_segment(struct making *making, int dir, uint64_t first, const struct remembered *head,
    struct error *err)
{
	const struct segment_name name = segment_name(first);
	AUTO(fd_done) int fd = openat(dir, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat stat;
	uint64_t length;

	if (fd < 0 || fstat(fd, &stat) != 0)
		return error_errno(err, "The audit log can't be read");
	length = first == head->segment ? head->offset : (uint64_t)stat.st_size;
	return put_file(making, view_of(name.text), length, err) &&
	    put_from(making, fd, length, err);
}

/* How far the log goes that belongs to it. */
static bool
end_snapshot(struct making *making, struct remembered *head, struct error *err)
{
	if (!remembered_read(making->reader, making->source->keyring, head, err))
		return false;
	store_end(making->reader);
	making->begun = false;
	return true;
}

/* Roughly: who watches is told. */
static uint64_t
log_bytes(int dir, const uint64_t *firsts, size_t count, const struct remembered *head)
{
	uint64_t bytes = 0;
	struct stat stat;

	for (size_t i = 0; i < count && firsts[i] < head->segment; i++) {
		if (fstatat(dir, segment_name(firsts[i]).text, &stat, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)stat.st_size;
	}
	return bytes + head->offset;
}

static bool
put_audit(struct making *making, const struct remembered *head, struct error *err)
{
	AUTO(text_done) char *path = NULL;
	AUTO(segment_list_done) uint64_t *firsts = NULL;
	AUTO(fd_done) int dir = -1;
	size_t count = 0;

	if (head->at.seq == 0)
		return true;
	if (!file_path(making->source->data, "audit", &path, err))
		return false;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "The audit log can't be read");
	if (!segment_list(dir, &firsts, &count, err))
		return false;
	making->progress = (struct progress){ .doing = "writing the audit log",
		.total = log_bytes(dir, firsts, count, head) };
	for (size_t i = 0; i < count && firsts[i] <= head->segment; i++) {
		if (!put_segment(making, dir, firsts[i], head, err))
			return false;
	}
	return true;
}

static bool
put_end(struct making *making, struct error *err)
{
	uint8_t digest[SHA256_LEN];
	struct record record = { .kind = RECORD_END, .end = making->count };

	if (!hash_end(making->hash, digest, err))
		return false;
	record.end.digest = (view){ (const char *)digest, sizeof(digest) };
	return put(making, &record, err);
}

/* Counting takes its time: only for who watches. */
static bool
count_documents(struct making *making, struct error *err)
{
	making->progress = (struct progress){ .doing = "writing", .unit = "documents" };
	return making->source->watch.told == NULL ||
	    store_count(making->reader, V(""), &making->progress.total, err);
}

static bool
write_backup(const struct backup_source *source, int fd, view key, struct error *err)
{
	AUTO(making_done) struct making making = { .source = source };
	struct remembered head;
	uint8_t digest[SHA256_LEN];

	return store_reader_new(source->store, &making.reader, err) &&
	    hash_new(&making.hash, err) && take_snapshot(&making, err) &&
	    count_documents(&making, err) &&
	    stream_begin(fd, source->recipient, key, &making.stream, err) &&
	    put_begin(&making, view_from(key, STREAM_KEY_LEN - BACKUP_ID_LEN), err) &&
	    store_each(making.reader, put_document, &making, err) &&
	    store_each_line(making.reader, put_line, &making, err) &&
	    /* What is held is what SQLite's log grows by; the audit log may be long. */
	    end_snapshot(&making, &head, err) && put_root_key(&making, err) &&
	    put_audit(&making, &head, err) && put_end(&making, err) &&
	    stream_finish(making.stream, &making.bytes, digest, err);
}

/* A restore must not take the disk that the server needs. */
static bool
room_for(const char *data, int fd, struct error *err)
{
	struct statvfs disk;
	struct stat stat;
	uint64_t free_bytes;

	if (fstat(fd, &stat) != 0 || statvfs(data, &disk) != 0)
		return error_errno(err, "There is no telling how much room the disk has");
	free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (free_bytes > (uint64_t)stat.st_size + (uint64_t)stat.st_size / 2 + SPARE_BYTES)
		return true;
	return error_set(err, ERR_UNAVAILABLE,
	    "The data folder's disk has no room for trying to restore the backup.");
}

/* By the key it was written with: the recipient's private one is elsewhere. */
static bool
drill(const struct backup_source *source, int fd, view key, struct backup_report *report,
    struct error *err)
{
	AUTO(stage_done) struct stage stage = { 0 };
	AUTO(stream_in_done) struct stream_in *stream = NULL;

	stage_sweep(source->data, STAGE_LEFT_SECONDS);
	if (!room_for(source->data, fd, err))
		return false;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return error_errno(err, "The backup can't be read");
	if (!stage_make(source->data, &stage, err) || !stream_open_with(fd, key, &stream, err) ||
	    !stage_restore(&stage, stream, &source->watch, err))
		return false;
	*report = stage.report;
	return true;
}

/* rename would replace what has appeared there meanwhile. */
static bool
give_name(const char *temporary, const char *path, struct error *err)
{
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return true;
	if (errno == EEXIST)
		return error_set(err, ERR_CONFLICT, "There is a file of that name already.");
	/* Some network file systems know only the old call. */
	return (errno == EINVAL && rename(temporary, path) == 0) ||
	    error_errno(err, "The backup can't be given its name");
}

/* One that a crash may take is none. */
static bool
publish(const char *temporary, const char *path, struct error *err)
{
	if (!give_name(temporary, path, err))
		return false;
	if (file_sync_above(path, err))
		return true;
	(void)unlink(path);
	return false;
}

static bool
make_key(struct plain **out, struct error *err)
{
	*out = plain_new(STREAM_KEY_LEN);
	if (*out == NULL)
		return error_memory(err);
	random_bytes(plain_bytes(*out), STREAM_KEY_LEN);
	return true;
}

bool
backup_create(const struct backup_source *source, const char *path, struct backup_report *report,
    struct error *err)
{
	AUTO(text_done) char *temporary = NULL;
	AUTO(plain_done) struct plain *key = NULL;
	AUTO(fd_done) int fd = -1;

	if (access(path, F_OK) == 0)
		return error_set(err, ERR_CONFLICT, "There is a file of that name already.");
	if (!make_key(&key, err))
		return false;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return error_memory(err);
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "The backup can't be made");
	if ((fchmod(fd, 0600) == 0 || error_errno(err, "The backup can't be kept private")) &&
	    write_backup(source, fd, plain_view(key), err) &&
	    drill(source, fd, plain_view(key), report, err) && publish(temporary, path, err))
		return true;
	(void)unlink(temporary);
	return false;
}
