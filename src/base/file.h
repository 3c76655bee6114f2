/*
 * Small files, whole: settings, certificates, keys; and the folders that files lie in.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/plain.h"

#include <sys/types.h>

/*
 * file_write(path, bytes, mode, err):
 * Replace ${path} in one step: a temporary file beside it, synced, then renamed.  A crash leaves
 * the old file or the new one.
 */
MUST_USE bool file_write(const char *path, view bytes, mode_t mode, struct error *err);

/* file_write_at(folder, name, ...): The same in an open ${folder}, wherever its path leads now. */
MUST_USE bool file_write_at(int folder, const char *name, view bytes, mode_t mode,
    struct error *err);

/*
 * file_read(path, max, out, err): Append the content; ERR_NOT_FOUND, or ERR_BAD_REQUEST over
 * ${max}.
 */
MUST_USE bool file_read(const char *path, size_t max, struct buf *out, struct error *err);

/*
 * file_read_secret(what, path, out, err):
 * The first line, of 1 to FILE_SECRET_MAX bytes, of a file that nobody else may reach (0600).
 * ERR_BAD_REQUEST, in words that begin with ${what}: "The token's PIN file".
 */
#define FILE_SECRET_MAX 255
MUST_USE bool file_read_secret(const char *what, const char *path, struct plain **out,
    struct error *err);

/* file_path(folder, name, out, err): "folder/name"; the caller frees. */
MUST_USE bool file_path(const char *folder, const char *name, char **out, struct error *err);

/*
 * file_sync_folder(folder, err): Make durable what was made, renamed or removed in ${folder}.
 * file_sync_above(path, err): The same of the folder that ${path} lies in.
 */
MUST_USE bool file_sync_folder(const char *folder, struct error *err);
MUST_USE bool file_sync_above(const char *path, struct error *err);

/* fd_write(fd, bytes): All of them, in as many writes as it takes; else false, by errno. */
MUST_USE bool fd_write(int fd, view bytes);

void fd_done(int *fd);       /* for AUTO: close unless it is negative; errno stays */
void text_done(char **text); /* for AUTO: free */

#endif
