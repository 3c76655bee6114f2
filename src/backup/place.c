#include "backup/place.h"

#include "backup/record.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK RECORD_ROOT_KEY ".restoring"

static bool
is_there(int folder, const char *name)
{
	struct stat stat;

	return fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
backup_restored(const char *data, struct error *err)
{
	AUTO(text_done) char *mark = NULL;

	if (!file_path(data, MARK, &mark, err))
		return false;
	return access(mark, F_OK) != 0 ||
	    error_set(err, ERR_UNAVAILABLE,
		"A restore to the data folder %s is under way, or was killed: then run it again, "
		"or empty the folder.",
		data);
}

/*
 * What a disk of its own has from the start does not count, nor does the mark, nor what a server
 * leaves that began to open a store and then saw the mark: a store's lock stays when it is closed.
 */
static bool
is_empty(int folder, struct error *err)
{
	static const char *const fine[] = { ".", "..", "lost+found", MARK, STAGE_STORE ".lock" };
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t others = 0;

	if (dir == NULL) {
		(void)error_errno(err, "The data folder can't be opened");
		fd_done(&fd);
		return false;
	}
	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((entry = readdir(dir)) != NULL) {
		others++;
		for (size_t i = 0; i < COUNT_OF(fine); i++)
			others -= strcmp(entry->d_name, fine[i]) == 0;
	}
	(void)closedir(dir);
	return others == 0 ||
	    error_set(err, ERR_CONFLICT,
		"The data folder is not empty: a backup is restored to a new one only.");
}

/* The root keys under a name that was not theirs yet. */
static void
remove_drafts(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (dir == NULL)
		fd_done(&fd);
	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, MARK ".", sizeof(MARK)) == 0)
			(void)unlinkat(folder, entry->d_name, 0);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

/* With the log of a server that was killed while it opened one: it is of another store. */
static void
remove_store(int folder)
{
	static const char *const names[] = { STAGE_STORE, STAGE_STORE "-wal", STAGE_STORE "-shm" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlinkat(folder, names[i], 0);
}

/* All in a marked folder is a restore's.  The mark goes last: whatever stops this, it goes on. */
static void
clear(const struct place *place)
{
	AUTO(text_done) char *audit = NULL;
	struct error ignored;

	stage_sweep(place->data, -1);
	if (file_path(place->data, STAGE_AUDIT, &audit, &ignored))
		stage_remove(audit);
	remove_store(place->folder);
	remove_drafts(place->folder);
	if (is_empty(place->folder, &ignored))
		(void)unlinkat(place->folder, MARK, 0);
}

static bool
mark(const struct place *place, struct error *err)
{
	AUTO(fd_done)
	int fd = openat(place->folder, MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return (fd >= 0 && fsync(place->folder) == 0) ||
	    error_errno(err, "The data folder can't be written");
}

static bool
lock(struct place *place, struct error *err)
{
	place->folder = open(place->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->folder < 0)
		return error_errno(err, "The data folder can't be opened");
	if (flock(place->folder, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(err, ERR_CONFLICT,
		    "The data folder is in use by another restore.");
	return error_errno(err, "The data folder can't be locked");
}

bool
place_take(const char *data, struct place *out, struct error *err)
{
	*out = (struct place){ .data = data, .folder = -1, .made = mkdir(data, 0700) == 0 };
	if (!out->made && errno != EEXIST)
		return error_errno(err, "The data folder can't be made");
	if (!lock(out, err))
		return false;
	if (is_there(out->folder, MARK) && !is_there(out->folder, RECORD_ROOT_KEY))
		clear(out);
	stage_sweep(data, STAGE_LEFT_SECONDS);
	if (!is_empty(out->folder, err))
		return false;
	if (fchmod(out->folder, 0700) != 0)
		return error_errno(err, "The data folder can't be kept private");
	/* No server can be started there from now on.  One that just was keeps what it has made. */
	out->marked = mark(out, err) && is_empty(out->folder, err);
	if (!out->marked)
		(void)unlinkat(out->folder, MARK, 0);
	return out->marked;
}

/* SQLite takes its log away when it has written all of it into the file. */
static bool
is_closed(const struct stage *stage, struct error *err)
{
	AUTO(text_done) char *log = NULL;

	if (!file_path(stage->path, STAGE_STORE "-wal", &log, err))
		return false;
	return access(log, F_OK) != 0 ||
	    error_set(err, ERR_UNAVAILABLE, "The restored store could not be closed.");
}

static bool
move(const struct place *place, const struct stage *stage, const char *name, struct error *err)
{
	AUTO(text_done) char *from = NULL;

	if (!file_path(stage->path, name, &from, err))
		return false;
	return renameat(AT_FDCWD, from, place->folder, name) == 0 ||
	    error_errno(err, "What was restored can't be moved");
}

static bool
move_all(const struct place *place, const struct stage *stage, struct error *err)
{
	AUTO(text_done) char *audit = NULL;

	remove_store(place->folder);
	return file_path(place->data, STAGE_AUDIT, &audit, err) &&
	    move(place, stage, STAGE_STORE, err) && move(place, stage, STAGE_AUDIT, err) &&
	    file_sync_folder(audit, err) && file_sync_folder(place->data, err) &&
	    (!place->made || file_sync_above(place->data, err));
}

/* What may be lost with the power is not there yet. */
static bool
unmark(struct place *place, struct error *err)
{
	int folder = place->folder;

	if (renameat(folder, MARK, folder, RECORD_ROOT_KEY) != 0)
		return error_errno(err, "The root keys can't be given their name");
	if (fsync(folder) != 0) {
		(void)error_errno(err, "The data folder can't be written");
		if (renameat(folder, RECORD_ROOT_KEY, folder, MARK) != 0)
			(void)unlinkat(folder, RECORD_ROOT_KEY, 0);
		return false;
	}
	place->marked = place->made = false;
	return true;
}

bool
place_put(struct place *place, const struct stage *stage, struct error *err)
{
	return is_closed(stage, err) && move_all(place, stage, err) &&
	    file_write_at(place->folder, MARK, plain_view(stage->root_key), 0600, err) &&
	    unmark(place, err);
}

void
place_done(struct place *place)
{
	if (place->marked)
		clear(place);
	if (place->made)
		(void)rmdir(place->data);
	fd_done(&place->folder);
	*place = (struct place){ .folder = -1 };
}
