/*
 * Creating the next version of a certificate by itself, in the three parts that create.c has for
 * requests: look in a snapshot, make outside of any, begin the operation in a transaction.
 * ${r}: made by hand, its first parameter is the certificate's name.
 */
#ifndef CERTS_RENEW_H
#define CERTS_RENEW_H

#include "certs/issue.h"

struct creating;

/* renew_look: What is to be made, by the stored policy; lives in r->arena. */
MUST_USE bool renew_look(struct request *r, const struct version *latest,
    const struct certificate_state *state, struct creating **out, struct error *err);

/* renew_make: The key, unless it is used again, and the request.  Burns. */
MUST_USE bool renew_make(struct request *r, struct creating *creating, struct error *err);

/*
 * renew_begin: As a create that brings nothing, but the tags are the latest version's.  No other
 * operation may be in progress.
 */
MUST_USE bool renew_begin(struct request *r, struct object *object, const struct version *latest,
    struct certificate_state *state, struct creating *creating, struct error *err);

#endif
