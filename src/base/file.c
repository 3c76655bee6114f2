#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 4096

void
fd_done(int *fd)
{
	int before = errno; /* why it is given up, mostly */

	if (*fd >= 0)
		(void)close(*fd);
	errno = before;
}

void
text_done(char **text)
{
	free(*text);
}

bool
fd_write(int fd, view bytes)
{
	while (bytes.len > 0) {
		ssize_t done = write(fd, bytes.ptr, bytes.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes = view_from(bytes, (size_t)done);
	}
	return true;
}

static bool
write_temporary(int fd, view bytes, mode_t mode)
{
	return fchmod(fd, mode) == 0 && fd_write(fd, bytes) && fsync(fd) == 0;
}

/* Beside ${name}, which nobody has: it is made here, and no link is followed. */
static bool
make_temporary(int folder, const char *name, char **path, int *fd, struct error *err)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return error_errno(err, "cannot name a file");
	if (asprintf(path, "%s.%016" PRIx64, name, number) < 0) {
		*path = NULL;
		return error_memory(err);
	}
	*fd = openat(folder, *path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *fd >= 0 || error_errno(err, "cannot make a file");
}

bool
file_write_at(int folder, const char *name, view bytes, mode_t mode, struct error *err)
{
	AUTO(text_done) char *temporary = NULL;
	AUTO(fd_done) int fd = -1;

	if (!make_temporary(folder, name, &temporary, &fd, err))
		return false;
	if (!write_temporary(fd, bytes, mode) || renameat(folder, temporary, folder, name) != 0) {
		(void)error_errno(err, "cannot write a file");
		(void)unlinkat(folder, temporary, 0);
		return false;
	}
	/* Without this the rename itself may be lost. */
	return fsync(folder) == 0 || error_errno(err, "cannot sync a folder");
}

/* The folder that ${path} lies in; negative: errno says why not. */
static int
open_above(const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO(text_done)
	char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

	return folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
file_write(const char *path, view bytes, mode_t mode, struct error *err)
{
	const char *slash = strrchr(path, '/');
	AUTO(fd_done) int fd = open_above(path);

	if (fd < 0)
		return error_errno(err, "cannot make a file");
	return file_write_at(fd, slash == NULL ? path : slash + 1, bytes, mode, err);
}

bool
file_path(const char *folder, const char *name, char **out, struct error *err)
{
	if (asprintf(out, "%s/%s", folder, name) >= 0)
		return true;
	*out = NULL;
	return error_memory(err);
}

bool
file_sync_folder(const char *folder, struct error *err)
{
	AUTO(fd_done) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (fd >= 0 && fsync(fd) == 0) || error_errno(err, "cannot sync a folder");
}

bool
file_sync_above(const char *path, struct error *err)
{
	AUTO(fd_done) int fd = open_above(path);

	return (fd >= 0 && fsync(fd) == 0) || error_errno(err, "cannot sync a folder");
}

bool
file_read(const char *path, size_t max, struct buf *out, struct error *err)
{
	AUTO(fd_done) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t before = out->len;
	ssize_t got = 1;

	if (fd < 0)
		return errno == ENOENT ? error_set(err, ERR_NOT_FOUND, "there is no such file")
				       : error_errno(err, "cannot open a file");
	while (got > 0) {
		char *room = buf_room(out, PIECE);

		if (room == NULL)
			return error_memory(err);
		got = read(fd, room, PIECE);
		if (got < 0)
			return error_errno(err, "cannot read a file");
		out->len += (size_t)got;
		if (out->len - before > max)
			return error_set(err, ERR_BAD_REQUEST, "the file is too large");
	}
	return true;
}

static bool
check_access(const char *what, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_BAD_REQUEST, "%s is not a file.", what);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "%s has mode %04o, which lets others at it: chmod 0600 it.", what,
		    (unsigned)(st.st_mode & 07777));
	return true;
}

static bool
read_line(const char *what, int fd, struct plain **out, struct error *err)
{
	AUTO(plain_done) struct plain *secret = plain_new(FILE_SECRET_MAX + 1);
	size_t len = 0, line;
	ssize_t got;

	if (secret == NULL)
		return error_memory(err);
	do {
		got = read(fd, plain_bytes(secret) + len, FILE_SECRET_MAX + 1 - len);
		if (got < 0 && errno != EINTR)
			return error_set(err, ERR_BAD_REQUEST, "%s can't be read.", what);
		len += got > 0 ? (size_t)got : 0;
	} while (got != 0 && len <= FILE_SECRET_MAX);
	plain_resize(secret, len);
	if (!view_find(plain_view(secret), '\n', &line))
		line = len;
	if (line == 0 || line > FILE_SECRET_MAX)
		return error_set(err, ERR_BAD_REQUEST,
		    "%s does not begin with a line of 1 to %d bytes.", what, FILE_SECRET_MAX);
	plain_resize(secret, line);
	*out = secret;
	secret = NULL;
	return true;
}

bool
file_read_secret(const char *what, const char *path, struct plain **out, struct error *err)
{
	/* Not blocking: opening a pipe would wait for a writer. */
	AUTO(fd_done) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, ERR_BAD_REQUEST, "%s can't be opened.", what);
	return check_access(what, fd, err) && read_line(what, fd, out, err);
}
