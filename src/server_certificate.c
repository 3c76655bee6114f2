#include "server_certificate.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define PEM_MAX ((size_t)256 * 1024)

static bool
from_files(const struct server_certificate *certificate)
{
	return certificate->config->certificate[0] != '\0';
}

/* ${renew}: see struct server_certificate. */
static bool
obtain(const struct server_certificate *certificate, struct buf *chain, struct buf *key,
    int64_t *renew, struct error *err)
{
	const struct config *config = certificate->config;
	int64_t expires, now = clock_wall();

	*renew = 0;
	if (from_files(certificate))
		return file_read(config->certificate, PEM_MAX, chain, err) &&
		    file_read(config->certificate_key, PEM_MAX, key, err);
	if (!authority_issue(certificate->authority, config->domain, chain, key, &expires, err))
		return false;
	/* With a third of its life left. */
	*renew = now + (expires - now) * 2 / 3;
	return true;
}

bool
server_certificate_open(const struct config *config, struct authority *authority,
    struct server_certificate *out, struct error *err)
{
	AUTO(buf_free) struct buf chain = { 0 }, key = { 0 };

	*out = (struct server_certificate){ .config = config, .authority = authority };
	return obtain(out, &chain, &key, &out->renew, err) &&
	    tls_new(buf_view(&chain), buf_view(&key), &out->tls, err);
}

void
server_certificate_close(struct server_certificate *certificate)
{
	tls_free(certificate->tls);
	certificate->tls = NULL;
}

bool
server_certificate_refresh(struct server_certificate *certificate, bool reload, struct error *err)
{
	AUTO(buf_free) struct buf chain = { 0 }, key = { 0 };
	bool due = from_files(certificate) ? reload : clock_wall() >= certificate->renew;
	int64_t renew;

	if (!due)
		return true;
	if (!obtain(certificate, &chain, &key, &renew, err) ||
	    !tls_replace(certificate->tls, buf_view(&chain), buf_view(&key), err))
		return false;
	certificate->renew = renew;
	log_line(LOG_INFO, "tls.certificate", "the listener has a new certificate");
	return true;
}
