/*
 * For tests: a second opinion by the openssl command, and folders of their own.
 */
#ifndef CRYPTO_TESTING_H
#define CRYPTO_TESTING_H

#include "base/view.h"

/* runs(arguments): Run a command, NULL at the end of its words, silently; true when it exits 0. */
bool runs(const char *const *arguments);
bool has_openssl(void);

/* A file in a folder, its path in ${path}. */
#define PATH_LEN 96
void write_file(const char *folder, const char *name, view bytes, char path[PATH_LEN]);
void remove_folder(const char *folder); /* and all that is in it */

#endif
