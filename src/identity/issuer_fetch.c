#include "http/client.h"
#include "identity/issuer.h"

#define FETCH_SECONDS 5

bool
issuer_fetch_https(void *ctx, const char *url, struct buf *body, struct error *err)
{
	const struct client_request request = {
		.method = "GET",
		.url = url,
		.more_ca_file = ctx,
		.seconds = FETCH_SECONDS,
		.max = ISSUER_DOCUMENT_MAX,
		.careful = true,
	};
	long status;

	if (!client_send(&request, &status, body, err))
		return false;
	return status == 200 ||
	    error_set(err, ERR_UNAVAILABLE, "%s: the reply was %ld", url, status);
}
