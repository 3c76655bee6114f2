/*
 * `strongroom fetch-cert VAULT NAME --pem DIR [--reload CMD] [--every DURATION]`: a vault's
 * certificate as files that a server reads, kept up with its versions.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/error.h"

#include <stdint.h>

/*
 * fetch_cert(argc, argv, err):
 * ${argv} is what stands behind the command's name.  Once, or with --every until it is ended by a
 * signal, which is safe at any moment.  Who asks is told by the environment: see fetch_ask.h.
 */
MUST_USE bool fetch_cert(int argc, char **argv, struct error *err);

#define FETCH_PAUSE_MIN 5   /* seconds after the first failure; then twice that, and so on */
#define FETCH_PAUSE_MAX 900 /* ... up to this, or to what --every says if that is less */

/* fetch_pause(every, failures): Seconds to the next try, after so many failures in a row. */
int64_t fetch_pause(int64_t every, unsigned failures);

#endif
