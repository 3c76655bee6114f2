/*
 * Reading DATA/env back, for the commands that speak to the server it belongs to.
 */
#ifndef ENVIRONMENT_FILE_H
#define ENVIRONMENT_FILE_H

#include "base/buf.h"
#include "config.h"

/*
 * environment_read(config, out, err):
 * Append DATA/env.  Only `dev` writes one: ERR_NOT_FOUND says what to do where there is none.
 */
MUST_USE bool environment_read(const struct config *config, struct buf *out, struct error *err);

/*
 * environment_value(config, name, out, err):
 * Append what DATA/env exports as ${name}; ERR_NOT_FOUND when it has no such line.
 */
MUST_USE bool environment_value(const struct config *config, const char *name, struct buf *out,
    struct error *err);

#endif
