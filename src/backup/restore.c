#include "backup/backup.h"

#include "backup/place.h"
#include "backup/stage.h"
#include "backup/stream.h"
#include "base/file.h"

#include <fcntl.h>

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

bool
backup_restore(const char *path, view key, const char *data, const struct watch *watch,
    struct backup_report *report, struct error *err)
{
	AUTO(place_done) struct place place = { .folder = -1 };
	AUTO(stage_done) struct stage stage = { 0 };

	if (!place_take(data, &place, err) || !stage_make(data, &stage, err) ||
	    !restore(path, key, watch, &stage, err) || !place_put(&place, &stage, err))
		return false;
	*report = stage.report;
	return true;
}
