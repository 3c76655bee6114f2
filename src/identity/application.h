/*
 * Changes of an application's credentials, as the rows of Graph need them.
 */
#ifndef IDENTITY_APPLICATION_H
#define IDENTITY_APPLICATION_H

#include "identity/application_store.h"

/*
 * registration_add_secret(registration, name, end, text, err):
 * Give it a client secret that is good until ${end}; ${text} is the only copy.  The caller puts the
 * registration back.  Expired ones make room; ERR_GRAPH_BAD_REQUEST when there is none.
 */
MUST_USE bool registration_add_secret(struct registration *registration, view name, int64_t end,
    struct plain **text, struct error *err);

/*
 * registration_add_certificate(registration, name, der, err):
 * Let it sign assertions with the key of ${der}, which must be RSA, as long as that is valid.
 */
MUST_USE bool registration_add_certificate(struct registration *registration, view name, view der,
    struct error *err);

#endif
