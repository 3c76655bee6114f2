/*
 * Small files, whole: settings, certificates, keys.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

/*
 * file_write(path, bytes, mode, err):
 * Replace ${path} in one step: a temporary file beside it, synced, then renamed.  A crash leaves
 * the old file or the new one.
 */
MUST_USE bool file_write(const char *path, view bytes, mode_t mode, struct error *err);

/*
 * file_read(path, max, out, err): Append the content; ERR_NOT_FOUND, or ERR_BAD_REQUEST over
 * ${max}.
 */
MUST_USE bool file_read(const char *path, size_t max, struct buf *out, struct error *err);

void fd_done(int *fd);       /* for AUTO: close unless it is negative; errno stays */
void text_done(char **text); /* for AUTO: free */

#endif
