/*
 * The files of a SQLite store: PATH, PATH-wal and PATH-shm (SQLite's own), and PATH.lock, which
 * whoever serves the store has locked (flock).  All are 0600, whatever the umask is.
 */
#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include "base/error.h"
#include "base/view.h"

struct sqlite_file {
	char *path; /* absolute */
	int lock;
};

/*
 * sqlite_file_open(where, out, err):
 * Lock ${where}, make it when it is not there, and see that it is ours and nobody newer's.
 * *out may be closed after a failure too.
 */
MUST_USE bool sqlite_file_open(view where, struct sqlite_file *out, struct error *err);

/* sqlite_file_look: What is there, without the lock of whoever serves it, to be read only. */
MUST_USE bool sqlite_file_look(view where, struct sqlite_file *out, struct error *err);
void sqlite_file_close(struct sqlite_file *file);

#endif
