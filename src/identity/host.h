/*
 * Hosts: a managed identity with a public key, whose assertions prove it without a certificate, and
 * who may have tokens of the identities that are attached to it.
 */
#ifndef IDENTITY_HOST_H
#define IDENTITY_HOST_H

#include "identity/application_store.h"

/*
 * host_key_read(text, spki, err):
 * A public key as clients send it: base64 of a SubjectPublicKeyInfo or a certificate in DER.
 * Append it as a SubjectPublicKeyInfo.  ERR_BAD_REQUEST.
 */
MUST_USE bool host_key_read(view text, struct buf *spki, struct error *err);

/* host_set_key(tx, object, spki, err): Of the managed identity ${object}, instead of one before. */
MUST_USE bool host_set_key(struct tx *tx, const struct uuid *object, view spki, struct error *err);

/*
 * host_find(tx, tenant, assertion, document, out, found, err):
 * The host that a client assertion says it is from; *found is false when it names none.  Nothing is
 * proven by that.  The caller frees ${document}, which ${out} borrows from.
 */
MUST_USE bool host_find(struct tx *tx, const struct uuid *tenant, view assertion,
    struct plain **document, struct registration *out, bool *found, struct error *err);

/*
 * host_identity(tx, host, name, document, out, err):
 * The host's own identity or an attached one, by client id, principal id or resource id.
 * ERR_GRAPH_NOT_FOUND.  The same of ${document}.
 */
MUST_USE bool host_identity(struct tx *tx, const struct registration *host, view name,
    struct plain **document, struct registration *out, struct error *err);

#endif
