/*
 * Changes of the outside credentials of an application or a managed identity: which issuer's
 * tokens, about whom, prove it.
 */
#ifndef IDENTITY_FEDERATED_H
#define IDENTITY_FEDERATED_H

#include "identity/application_store.h"

#define FEDERATED_NAME_MAX 120
#define FEDERATED_TEXT_MAX 600 /* bytes of issuer, subject, audience, description */

/*
 * federated_add(registration, credential, err):
 * One more, with an id of its own in ${credential}->id.  The caller puts the registration back.
 * ERR_GRAPH_BAD_REQUEST: not valid, the name or issuer with subject is taken, or too many.
 */
MUST_USE bool federated_add(struct registration *registration,
    struct federated_credential *credential, struct error *err);

/* federated_change: Instead of ->federated[at], under the same rules; id and name stay. */
MUST_USE bool federated_change(struct registration *registration, size_t at,
    const struct federated_credential *credential, struct error *err);

/* federated_find(registration, name, at): By id or name, in any case. */
bool federated_find(const struct registration *registration, view name, size_t *at);
void federated_remove(struct registration *registration, size_t at);

#endif
