/*
 * Outside issuers and their keys: fetched from where the issuer publishes them, remembered for a
 * day, fetched anew when a token names a key that is not among them.  Only issuers that an
 * administrator named in a document are asked about here; who calls sees to it.
 *
 * Bounds: ISSUERS_MAX issuers, the one unused for longest goes; one fetch at a time and issuer, a
 * minute between two, eight at most after failures; 5 seconds and 512 KB a document.  When an
 * issuer can't be reached its keys are good for another day.
 */
#ifndef IDENTITY_ISSUER_H
#define IDENTITY_ISSUER_H

#include "identity/jwks.h"

#define ISSUERS_MAX 256
#define ISSUER_DOCUMENT_MAX ((size_t)512 * 1024)

/* issuer_fetch(ctx, url, body, err): GET ${url}; false unless the reply was 200.  Any thread. */
typedef bool issuer_fetch(void *ctx, const char *url, struct buf *body, struct error *err);

/* The real one, over TLS; ${ctx}: PEM file of authorities to trust beside the system's, or NULL. */
issuer_fetch issuer_fetch_https;

struct issuers;

struct issuers_settings {
	issuer_fetch *fetch;
	void *ctx;
	int64_t (*clock)(void); /* seconds that only rise; NULL: the process's */
	bool background;        /* a thread fetches for those that can't wait */
};

MUST_USE bool issuers_new(const struct issuers_settings *settings, struct issuers **out,
    struct error *err);
void issuers_free(struct issuers *issuers); /* stops the thread; NULL is fine */

enum issuer_patience {
	ISSUER_AT_ONCE,   /* from memory; what is missing is fetched for the next time */
	ISSUER_MAY_FETCH, /* blocks for seconds: not on an event loop */
};

enum issuer_verdict {
	ISSUER_GOOD,
	ISSUER_BAD_SIGNATURE,
	ISSUER_UNKNOWN_KEY, /* also when the keys are there and the token's is not */
	ISSUER_UNREACHABLE, /* its keys can't be had, or not yet */
	ISSUER_BUSY,        /* too many are being fetched */
};

/* issuers_verify(issuers, issuer, jwt, patience): The signature only.  Any thread. */
enum issuer_verdict issuers_verify(struct issuers *issuers, view issuer, const struct jwt *jwt,
    enum issuer_patience patience);

/*
 * issuers_keep(issuers, issuer, keep):
 * Have its keys at hand, always; counted, any thread.  False: no memory; never when not to ${keep}.
 */
MUST_USE bool issuers_keep(struct issuers *issuers, view issuer, bool keep);

/* issuers_tick(issuers): Fetch what is due, as the thread does every now and then. */
void issuers_tick(struct issuers *issuers);

/* issuers_generation(issuers): Rises when any issuer's keys have changed. */
uint64_t issuers_generation(struct issuers *issuers);

#endif
