/*
 * The listener's certificate: from files, read again on demand, or from the installation's own
 * authority, renewed in time.
 */
#ifndef SERVER_CERTIFICATE_H
#define SERVER_CERTIFICATE_H

#include "authority.h"
#include "config.h"
#include "http/tls.h"

struct server_certificate {
	const struct config *config;
	struct authority *authority; /* borrowed */
	struct tls *tls;
	int64_t renew; /* by the wall clock; 0: files are not renewed by us */
};

/*
 * server_certificate_open(config, authority, out, err):
 * Closed with server_certificate_close, also after a failure.
 */
MUST_USE bool server_certificate_open(const struct config *config, struct authority *authority,
    struct server_certificate *out, struct error *err);
void server_certificate_close(struct server_certificate *certificate);

/*
 * server_certificate_refresh(certificate, reload, err):
 * Renew what is soon to expire; ${reload}: read the files.  After a failure it stays as it was.
 */
MUST_USE bool server_certificate_refresh(struct server_certificate *certificate, bool reload,
    struct error *err);

#endif
