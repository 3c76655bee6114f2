#include "backup/backup.h"

#include "backup/stage.h"
#include "backup/stream.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
restore(const char *path, view key, const struct watch *watch, struct stage *stage,
    struct error *err)
{
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	AUTO(fd_done) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "The backup can't be opened");
	return stream_open(fd, key, &stream, err) && stage_restore(stage, stream, watch, err);
}

bool
backup_verify(const char *path, view key, const char *scratch, const struct watch *watch,
    struct backup_report *report, struct error *err)
{
	AUTO(stage_done) struct stage stage = { 0 };

	if (!stage_make(scratch, &stage, err) || !restore(path, key, watch, &stage, err))
		return false;
	*report = stage.report;
	return true;
}

/* A disk of its own has a folder from the start. */
static bool
is_empty(const char *path, struct error *err)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (folder == NULL)
		return error_errno(err, "The data folder can't be opened");
	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((entry = readdir(folder)) != NULL)
		empty = empty &&
		    (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, "lost+found") == 0);
	(void)closedir(folder);
	return empty ||
	    error_set(err, ERR_CONFLICT,
		"The data folder is not empty: a backup is restored to a new one only.");
}

/* ${made}: to be removed after a failure. */
static bool
prepare(const char *data, bool *made, struct error *err)
{
	*made = mkdir(data, 0700) == 0;
	if (!*made && errno != EEXIST)
		return error_errno(err, "The data folder can't be made");
	/* What a restore that was killed has left is not in the way of the next. */
	stage_sweep(data);
	if (!is_empty(data, err))
		return false;
	return chmod(data, 0700) == 0 || error_errno(err, "The data folder can't be kept private");
}

static bool
restore_to(const char *path, view key, const char *data, const struct watch *watch,
    struct backup_report *report, struct error *err)
{
	AUTO(stage_done) struct stage stage = { 0 };

	if (!stage_make(data, &stage, err) || !restore(path, key, watch, &stage, err) ||
	    !stage_publish(&stage, data, err))
		return false;
	*report = stage.report;
	return true;
}

bool
backup_restore(const char *path, view key, const char *data, const struct watch *watch,
    struct backup_report *report, struct error *err)
{
	bool made;

	if (!prepare(data, &made, err))
		return false;
	if (restore_to(path, key, data, watch, report, err))
		return true;
	if (made)
		(void)rmdir(data);
	return false;
}
