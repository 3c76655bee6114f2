/*
 * The listener's certificate: from files, read again on demand, or from the installation's own
 * authority, renewed in time.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "authority.h"
#include "config.h"
#include "http/tls.h"

struct listener {
	const struct config *config;
	struct authority *authority; /* borrowed */
	struct tls *tls;
	int64_t renew; /* by the wall clock; 0: files are not renewed by us */
};

/* listener_open(config, authority, out, err): Closed with listener_close, also after a failure. */
MUST_USE bool listener_open(const struct config *config, struct authority *authority,
    struct listener *out, struct error *err);
void listener_close(struct listener *listener);

/*
 * listener_refresh(listener, reload, err): Renew what is soon to expire; ${reload}: read the
 * files.
 */
MUST_USE bool listener_refresh(struct listener *listener, bool reload, struct error *err);

#endif
