#include "audit/segment.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX V("audit-")
#define SUFFIX V(".log")
#define SPARE "audit-next"
#define LISTED_MAX ((size_t)1 << 20)
#define COPY_LEN 16384

void
segment_list_done(uint64_t **list)
{
	free(*list);
}

struct segment_name
segment_name(uint64_t first)
{
	struct segment_name name;

	(void)snprintf(name.text, sizeof(name.text), "audit-%020" PRIu64 ".log", first);
	return name;
}

static bool
name_parse(const char *text, uint64_t *first)
{
	view name = view_of(text);

	if (name.len != SEGMENT_NAME_LEN || !view_starts(name, PREFIX) || !view_ends(name, SUFFIX))
		return false;
	name = view_from(name, PREFIX.len);
	name.len -= SUFFIX.len;
	return view_u64(name, first);
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Room for one more; it doubles at every power of two. */
static bool
list_grow(uint64_t **list, size_t count)
{
	uint64_t *grown;

	if (count >= LISTED_MAX)
		return false;
	if ((count & (count - 1)) != 0)
		return true;
	grown = realloc(*list, (count == 0 ? 1 : count * 2) * sizeof(**list));
	if (grown == NULL)
		return false;
	*list = grown;
	return true;
}

static void
dir_done(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

bool
segment_list(int dir, uint64_t **firsts, size_t *count, struct error *err)
{
	AUTO(segment_list_done) uint64_t *list = NULL;
	AUTO(dir_done) DIR *entries = NULL;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	size_t found = 0;

	if (fd >= 0)
		entries = fdopendir(fd);
	if (entries == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return error_errno(err, "The audit log's directory can't be read");
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
	while ((entry = readdir(entries)) != NULL) {
		uint64_t first;

		if (!name_parse(entry->d_name, &first))
			continue;
		if (!list_grow(&list, found))
			return error_memory(err);
		list[found++] = first;
	}
	if (found > 0)
		qsort(list, found, sizeof(*list), by_number);
	*firsts = list;
	*count = found;
	list = NULL;
	return true;
}

static struct segment *
segment_new(int dir)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (segment != NULL) {
		segment->dir = dir;
		segment->fd = -1;
	}
	return segment;
}

bool
segment_open(int dir, uint64_t first, struct segment **out, struct error *err)
{
	struct segment *segment = segment_new(dir);
	struct stat stat;

	if (segment == NULL)
		return error_memory(err);
	segment->fd =
	    openat(dir, segment_name(first).text, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (segment->fd < 0 || fstat(segment->fd, &stat) != 0) {
		(void)error_errno(err, "An audit segment can't be opened");
		/* Not segment_close: that cuts the file to a length which is not known yet. */
		if (segment->fd >= 0)
			(void)close(segment->fd);
		free(segment);
		return false;
	}
	segment->first = first;
	segment->length = (uint64_t)stat.st_size;
	*out = segment;
	return true;
}

bool
segment_spare(int dir, uint64_t bytes, struct segment **out, struct error *err)
{
	AUTO(segment_done) struct segment *spare = segment_new(dir);

	if (spare == NULL)
		return error_memory(err);
	if (unlinkat(dir, SPARE, 0) != 0 && errno != ENOENT)
		return error_errno(err, "An old spare audit segment can't be removed");
	spare->fd = openat(dir, SPARE, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (spare->fd < 0)
		return error_errno(err, "An audit segment can't be made");
	if (!segment_reserve(spare, bytes, err))
		return false;
	*out = spare;
	spare = NULL;
	return true;
}

bool
segment_begin(struct segment *spare, uint64_t first, struct error *err)
{
	if (renameat(spare->dir, SPARE, spare->dir, segment_name(first).text) != 0)
		return error_errno(err, "An audit segment can't be named");
	spare->first = first;
	return true;
}

bool
segment_reserve(struct segment *segment, uint64_t bytes, struct error *err)
{
	static atomic_flag warned = ATOMIC_FLAG_INIT;
	int done;

	if (bytes == 0)
		return true;
	do {
		done = fallocate(segment->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
	} while (done != 0 && errno == EINTR);
	if (done == 0)
		return true;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return error_errno(err, "Space for the audit log can't be reserved");
	if (!atomic_flag_test_and_set(&warned))
		log_line(LOG_WARN, "audit.no_reserve",
		    "this file system can't reserve space for the audit log");
	return true;
}

bool
segment_append(struct segment *segment, view bytes, struct error *err)
{
	ssize_t done;

	do {
		done = write(segment->fd, bytes.ptr, bytes.len);
	} while (done < 0 && errno == EINTR);
	if (done >= 0 && (size_t)done == bytes.len) {
		segment->length += bytes.len;
		return true;
	}
	if (done >= 0)
		errno = ENOSPC; /* the only thing a file is short of */
	(void)error_errno(err, "The audit log can't be written");
	if (ftruncate(segment->fd, (off_t)segment->length) != 0)
		segment->torn = true;
	return false;
}

bool
segment_mend(struct segment *segment, struct error *err)
{
	if (segment->torn && ftruncate(segment->fd, (off_t)segment->length) != 0)
		return error_errno(err, "A torn line can't be cut off");
	segment->torn = false;
	return true;
}

/* Write bytes ${from} to ${to} of the file ${fd} over themselves. */
static bool
rewrite(int fd, uint64_t from, uint64_t to)
{
	char bytes[COPY_LEN];

	while (from < to) {
		size_t want = to - from < sizeof(bytes) ? (size_t)(to - from) : sizeof(bytes);
		ssize_t got = pread(fd, bytes, want, (off_t)from);

		if (got <= 0 || pwrite(fd, bytes, (size_t)got, (off_t)from) != got)
			return false;
		from += (uint64_t)got;
	}
	return true;
}

/* Through a descriptor of its own: pwrite to one that appends would append. */
static bool
write_again(const struct segment *segment, uint64_t length)
{
	int fd = openat(segment->dir, segment_name(segment->first).text,
	    O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 && rewrite(fd, segment->synced, length);

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

bool
segment_sync(struct segment *segment, uint64_t length, struct error *err)
{
	if ((segment->suspect && !write_again(segment, length)) || fdatasync(segment->fd) != 0) {
		segment->suspect = true;
		return error_errno(err, "The audit log can't be synced");
	}
	segment->suspect = false;
	segment->synced = length;
	return true;
}

bool
segment_set_aside(int dir, uint64_t first, struct error *err)
{
	struct segment_name name = segment_name(first);
	char aside[SEGMENT_NAME_LEN + 8];

	(void)snprintf(aside, sizeof(aside), "%s.lost", name.text);
	if (renameat(dir, name.text, dir, aside) != 0)
		return error_errno(err, "A lost audit segment can't be set aside");
	return true;
}

void
segment_close(struct segment *segment)
{
	if (segment == NULL)
		return;
	if (segment->fd >= 0) {
		/* Cutting a file to its length frees what lies behind it. */
		if (ftruncate(segment->fd, (off_t)segment->length) != 0)
			log_line(LOG_WARN, "audit.release", "reserved space is not given back");
		(void)close(segment->fd);
		if (segment->first == 0)
			(void)unlinkat(segment->dir, SPARE, 0);
	}
	free(segment);
}

void
segment_done(struct segment **segment)
{
	segment_close(*segment);
}
