#include "listener.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define PEM_MAX ((size_t)256 * 1024)

static bool
from_files(const struct listener *listener)
{
	return listener->config->certificate[0] != '\0';
}

static bool
obtain(struct listener *listener, struct buf *chain, struct buf *key, struct error *err)
{
	const struct config *config = listener->config;
	int64_t expires, now = clock_wall();

	if (from_files(listener))
		return file_read(config->certificate, PEM_MAX, chain, err) &&
		    file_read(config->certificate_key, PEM_MAX, key, err);
	if (!authority_issue(listener->authority, config->domain, chain, key, &expires, err))
		return false;
	/* With a third of its life left. */
	listener->renew = now + (expires - now) * 2 / 3;
	return true;
}

bool
listener_open(const struct config *config, struct authority *authority, struct listener *out,
    struct error *err)
{
	AUTO(buf_free) struct buf chain = { 0 }, key = { 0 };

	*out = (struct listener){ .config = config, .authority = authority };
	return obtain(out, &chain, &key, err) &&
	    tls_new(buf_view(&chain), buf_view(&key), &out->tls, err);
}

void
listener_close(struct listener *listener)
{
	tls_free(listener->tls);
	listener->tls = NULL;
}

bool
listener_refresh(struct listener *listener, bool reload, struct error *err)
{
	AUTO(buf_free) struct buf chain = { 0 }, key = { 0 };
	bool due = from_files(listener) ? reload : clock_wall() >= listener->renew;

	if (!due)
		return true;
	if (!obtain(listener, &chain, &key, err) ||
	    !tls_replace(listener->tls, buf_view(&chain), buf_view(&key), err))
		return false;
	log_line(LOG_INFO, "tls.certificate", "the listener has a new certificate");
	return true;
}
