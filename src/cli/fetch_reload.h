/*
 * The command that makes a server take the new files.
 */
#ifndef CLI_FETCH_RELOAD_H
#define CLI_FETCH_RELOAD_H

#include "base/error.h"

#define FETCH_RELOAD_SECONDS 300 /* then it is killed */

/*
 * fetch_reload(command, seconds, err):
 * `/bin/sh -c ${command}`, in a process group of its own, with nothing to read and without what the
 * environment holds of credentials.  ERR_BAD_REQUEST: it failed, was killed or did not end.
 */
MUST_USE bool fetch_reload(const char *command, unsigned seconds, struct error *err);

#endif
