/*
 * Managed identities, as resource management makes them: a service principal without an
 * application object and without secrets, named after a resource.
 */
#ifndef IDENTITY_MANAGED_H
#define IDENTITY_MANAGED_H

#include "identity/application_store.h"

struct directory;

struct managed_identity {
	struct uuid tenant;
	struct uuid object;      /* "principalId" */
	struct uuid application; /* "clientId" */
	view name;
	view resource; /* its resource id */
};

/* managed_identity_create(tx, identity, err): The two ids are made here. */
MUST_USE bool managed_identity_create(struct tx *tx, struct managed_identity *identity,
    struct error *err);

/*
 * managed_identity_delete(tx, directory, object, err):
 * With its memberships.  ERR_GRAPH_NOT_FOUND when there is none; so with all below.
 */
MUST_USE bool managed_identity_delete(struct tx *tx, struct directory *directory,
    const struct uuid *object, struct error *err);

/*
 * managed_identity_take(tx, object, document, out, err):
 * To be changed (identity/federated.h) and put back (registration_put); the caller frees
 * ${document}, which ${out} borrows from.
 */
MUST_USE bool managed_identity_take(struct tx *tx, const struct uuid *object,
    struct plain **document, struct registration *out, struct error *err);

/*
 * managed_identity_attach(tx, host, ids, count, err):
 * The object ids of the identities that the service principal ${host} may speak for, instead of
 * those before.  ERR_GRAPH_BAD_REQUEST when one is no managed identity of the host's tenant, or
 * there are too many.
 */
MUST_USE bool managed_identity_attach(struct tx *tx, const struct uuid *host,
    const struct uuid *ids, size_t count, struct error *err);

#endif
