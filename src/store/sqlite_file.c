#include "store/sqlite_file.h"

#include "base/file.h"
#include "store/sqlite_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x5374726d /* "Strm" */
#define FORMAT 1
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* https://www.sqlite.org/fileformat2.html#the_database_header */
#define HEADER_LEN 100
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_PAGE_SIZE 16 /* two bytes; 1 means 65536 */
#define HEADER_PAGES 28
#define HEADER_APPLICATION_ID 68

/* Looking through a file this large takes some 60 ms; a larger one is believed until it is read. */
#define CHECK_BYTES ((off_t)16 * 1024 * 1024)

/*
 * The key beside an integer primary key: documents are too large for a WITHOUT ROWID table, which
 * would keep them in the inner nodes as well.  No AUTOINCREMENT: meta counts.
 */
static const char schema[] = "PRAGMA application_id = " TEXT(
    APPLICATION_ID) ";"
		    "PRAGMA user_version = " TEXT(
			FORMAT) ";"
				"CREATE TABLE doc (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL,"
				" rev INTEGER NOT NULL, value BLOB NOT NULL) STRICT;"
				"CREATE TABLE journal (number INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;"
				"CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL,"
				" revision INTEGER NOT NULL, journal INTEGER NOT NULL) STRICT;"
				"INSERT INTO meta VALUES (1, 0, 0, 0);";

/* What the system said, but always as ERR_UNAVAILABLE. */
static bool
failed(struct error *err, const char *what)
{
	(void)error_errno(err, what);
	err->code = ERR_UNAVAILABLE;
	return false;
}

static char *
joined(const char *a, const char *b)
{
	size_t len = strlen(a) + strlen(b) + 1;
	char *text = malloc(len);

	if (text != NULL)
		(void)snprintf(text, len, "%s%s", a, b);
	return text;
}

/* The part of ${path} up to its last slash, which it may not have; a copy. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? strdup("./") : strndup(path, (size_t)(slash - path) + 1);
}

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Two names of one file must lead to one lock, so links are followed first. */
static bool
resolve(const char *path, char **out, struct error *err)
{
	AUTO(text_done) char *given = folder_of(path);
	AUTO(text_done) char *folder = NULL;
	AUTO(text_done) char *slashed = NULL;

	*out = realpath(path, NULL);
	if (*out != NULL)
		return true;
	if (given == NULL)
		return error_memory(err);
	if (errno == ENOENT)
		folder = realpath(given, NULL);
	if (folder == NULL)
		return failed(err, "The store's folder cannot be used");
	slashed = joined(folder, "/");
	if (slashed != NULL)
		*out = joined(slashed, name_of(path));
	return *out != NULL || error_memory(err);
}

/*
 * A file of ours: 0600 even when the umask says less or it was there with more.  *out is the
 * caller's to close after a failure, too.
 */
static bool
open_private(const char *path, int *out, struct error *err)
{
	*out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (*out < 0)
		return failed(err, "The store cannot be opened");
	return fchmod(*out, 0600) == 0 || failed(err, "The store cannot be kept from others");
}

static bool
lock(struct sqlite_file *file, struct error *err)
{
	AUTO(text_done) char *path = joined(file->path, ".lock");

	if (path == NULL)
		return error_memory(err);
	if (!open_private(path, &file->lock, err))
		return false;
	if (flock(file->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(err, ERR_UNAVAILABLE,
		    "Another process serves this store: stop that one first.");
	return failed(err, "The store cannot be locked");
}

static bool
sync_folder(const char *path, struct error *err)
{
	AUTO(text_done) char *folder = folder_of(path);
	AUTO(fd_done) int fd = -1;

	if (folder == NULL)
		return error_memory(err);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (fd >= 0 && fsync(fd) == 0) || failed(err, "The store's folder cannot be written");
}

static bool
fill(const char *path, struct error *err)
{
	AUTO(connection_close) struct connection fresh = { 0 };

	return connection_open(&fresh, path, SQLITE_OPEN_READWRITE, err) &&
	    connection_exec(&fresh, "BEGIN IMMEDIATE", err) &&
	    connection_exec(&fresh, schema, err) && connection_exec(&fresh, "COMMIT", err) &&
	    connection_exec(&fresh, "PRAGMA journal_mode = WAL", err);
}

/* Do something to all that SQLite may have left at ${path}. */
static bool
each_file(const char *path, int (*act)(const char *path), struct error *err)
{
	static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		AUTO(text_done) char *name = joined(path, suffixes[i]);

		if (name == NULL)
			return error_memory(err);
		if (act(name) != 0 && errno != ENOENT)
			return failed(err, "The store's files are not as they should be");
	}
	return true;
}

static int
make_private(const char *path)
{
	return chmod(path, 0600);
}

/* A log without its file is what is left of a store: an empty one must not take its place. */
static int
refuse(const char *path)
{
	struct stat stat;

	if (lstat(path, &stat) != 0 || stat.st_size == 0)
		return 0;
	errno = EEXIST;
	return -1;
}

/* Made aside and then renamed: what is there is always whole. */
static bool
create(const char *path, struct error *err)
{
	AUTO(text_done) char *aside = joined(path, ".new");
	AUTO(fd_done) int fd = -1;

	if (aside == NULL)
		return error_memory(err);
	/* SQLite would take what an earlier try left for a part of the new one. */
	if (!each_file(aside, unlink, err) || !each_file(path, refuse, err) ||
	    !open_private(aside, &fd, err) || !fill(aside, err))
		return false;
	if (fsync(fd) != 0 || rename(aside, path) != 0)
		return failed(err, "The store cannot be made");
	return sync_folder(path, err);
}

static uint32_t
big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	    bytes[3];
}

/* Is there a log beside it?  Then the file may be behind, in the middle of a checkpoint. */
static bool
has_log(const char *path)
{
	AUTO(text_done) char *log = joined(path, "-wal");
	struct stat stat;

	return log == NULL || (lstat(log, &stat) == 0 && stat.st_size > 0);
}

/* SQLite reads zeros where a file was cut off. */
static bool
check_end(const char *path, int fd, off_t size, struct error *err)
{
	unsigned char header[HEADER_LEN];
	uint32_t page;

	if (has_log(path))
		return true;
	if (pread(fd, header, sizeof(header), 0) != HEADER_LEN)
		return failed(err, "The store cannot be read");
	page = (uint32_t)header[HEADER_PAGE_SIZE] << 8 | header[HEADER_PAGE_SIZE + 1];
	if (page == 1)
		page = 65536;
	if (page > 0 && size % page == 0 && size / page >= (off_t)big_endian(header + HEADER_PAGES))
		return true;
	return error_set(err, ERR_UNAVAILABLE, "The store's file is damaged: its end is missing.");
}

/* Before SQLite sees it: what is somebody else's is not touched. */
static bool
recognise(int fd, struct error *err)
{
	unsigned char header[HEADER_LEN] = { 0 };
	ssize_t len = pread(fd, header, sizeof(header), 0);

	if (len < 0)
		return failed(err, "The store cannot be read");
	if (len < HEADER_LEN || memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0 ||
	    big_endian(header + HEADER_APPLICATION_ID) != APPLICATION_ID)
		return error_set(err, ERR_UNAVAILABLE, "This file is not a Strongroom store.");
	return true;
}

/* What a newer server wrote may still be in the log only, so SQLite is asked. */
static bool
check(const char *path, bool whole, struct error *err)
{
	AUTO(connection_close) struct connection connection = { 0 };
	int64_t format;

	if (!connection_open(&connection, path, SQLITE_OPEN_READWRITE, err) ||
	    !connection_number(&connection, "PRAGMA user_version", &format, err))
		return false;
	if (format < 1)
		return damaged_error(err);
	if (format > FORMAT)
		return error_set(err, ERR_UNAVAILABLE,
		    "The store has format %lld, made by a newer version of Strongroom; this one "
		    "knows format %d.",
		    (long long)format, FORMAT);
	return !whole || connection_sound(&connection, err);
}

/* Nothing is yet open in SQLite, whose locks would be lost when ${fd} is closed. */
static bool
prepare(const char *path, struct error *err)
{
	AUTO(fd_done) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat stat;

	if (fd < 0 && errno != ENOENT)
		return failed(err, "The store cannot be opened");
	if (fd >= 0 && fstat(fd, &stat) != 0)
		return failed(err, "The store cannot be read");
	if (fd < 0 || stat.st_size == 0)
		return create(path, err);
	return recognise(fd, err) && check_end(path, fd, stat.st_size, err) &&
	    each_file(path, make_private, err) && check(path, stat.st_size <= CHECK_BYTES, err);
}

static bool
find(view where, struct sqlite_file *out, struct error *err)
{
	AUTO(text_done) char *path = NULL;

	if (where.len == 0 || where.len >= PATH_MAX || memchr(where.ptr, 0, where.len) != NULL)
		return error_set(err, ERR_UNAVAILABLE, "The store's path is not a path.");
	path = strndup(where.ptr, where.len);
	if (path == NULL)
		return error_memory(err);
	return resolve(path, &out->path, err);
}

bool
sqlite_file_open(view where, struct sqlite_file *out, struct error *err)
{
	return find(where, out, err) && lock(out, err) && prepare(out->path, err);
}

bool
sqlite_file_look(view where, struct sqlite_file *out, struct error *err)
{
	AUTO(fd_done) int fd = -1;

	if (!find(where, out, err))
		return false;
	fd = open(out->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return failed(err, "The store cannot be opened");
	return recognise(fd, err) && check(out->path, false, err);
}

void
sqlite_file_close(struct sqlite_file *file)
{
	fd_done(&file->lock); /* and so unlock it; the file stays: others may wait for it */
	free(file->path);
}
