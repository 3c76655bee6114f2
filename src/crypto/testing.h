/*
 * For tests: a second opinion by the openssl command, and files for it.
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

#endif
