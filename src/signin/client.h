/*
 * The application through which a person signs in.
 */
#ifndef SIGNIN_CLIENT_H
#define SIGNIN_CLIENT_H

#include "identity/application_store.h"

struct client {
	struct uuid id;
	view name;
	bool family;       /* one of the tools every directory knows; they share refresh tokens */
	bool confidential; /* has credentials, and must use them */
	struct plain *document; /* what the views borrow from; NULL for the tools */
	view redirects[APPLICATION_REDIRECTS_MAX];
	size_t redirect_count;
};

void client_done(struct client *client); /* for AUTO */

/*
 * client_find(tx, tenant, id, out, err):
 * By its appid, as sent.  ERR_STS_UNKNOWN_APPLICATION when there is none, or it is none that people
 * sign in through.
 */
MUST_USE bool client_find(struct tx *tx, const struct uuid *tenant, view id, struct client *out,
    struct error *err);

/* client_redirects(client, url): May codes for this client be sent there? */
bool client_redirects(const struct client *client, view url);

bool client_is_family(view id);

#endif
