/*
 * What is found in a file, until it is checked as a whole.  For pki/ only.
 */
#ifndef PKI_BUNDLE_PARTS_H
#define PKI_BUNDLE_PARTS_H

#include "crypto/openssl.h"
#include "pki/bundle.h"

struct parts {
	struct arena *arena;
	EVP_PKEY *key; /* the only one */
	size_t keys;
	view certificates[BUNDLE_CERTIFICATES_MAX]; /* DER, in the arena */
	size_t count;
};

void parts_done(struct parts *parts); /* for AUTO */

/* parts_key(parts, key): Takes it over, also when it is one too many. */
void parts_key(struct parts *parts, EVP_PKEY *key);

/* parts_certificate(parts, der, err): A copy of it; ERR_BAD_PARAMETER: too many. */
MUST_USE bool parts_certificate(struct parts *parts, view der, struct error *err);

/* parts_finish(parts, out, err): Check that they belong together. */
MUST_USE bool parts_finish(struct parts *parts, struct bundle *out, struct error *err);

#endif
