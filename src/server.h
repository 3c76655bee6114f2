/*
 * A whole server, put together.
 */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"

/*
 * server_run(config, err):
 * Serve until SIGTERM or SIGINT; SIGHUP reads the certificate files again.  With config->dev, make
 * what is missing and tell how to connect on standard output.
 */
MUST_USE bool server_run(const struct config *config, struct error *err);

/*
 * server_init(config, err):
 * The first start of a data folder for `serve`: print the administrator's credentials, once, on
 * standard output.
 */
MUST_USE bool server_init(const struct config *config, struct error *err);

/*
 * server_tenant(config, name, err):
 * Add a tenant to a stopped server's data folder: print its administrator's credentials, once.
 */
MUST_USE bool server_tenant(const struct config *config, view name, struct error *err);

#endif
