/*
 * The first start: what an installation needs before anyone can sign in: an authority, a tenant, a
 * subscription, an administrator, vaults.
 *
 * Document, sealed under the system key: "install".
 */
#ifndef PROVISION_H
#define PROVISION_H

#include "base/uuid.h"
#include "config.h"
#include "keyring/keyring.h"
#include "store/store.h"

/* Who and what the installation began with. */
struct installation {
	struct uuid tenant, subscription, administrator; /* appid */
};

#define PROVISION_GROUP "dev" /* the resource group of the first vaults */
#define PROVISION_VAULT "dev" /* the vault of a development server that is told of none */

/* installation_read(store, keyring, out, found, err): Has there been a first start? */
MUST_USE bool installation_read(struct store *store, struct keyring *keyring,
    struct installation *out, bool *found, struct error *err);

/* installation_create(store, keyring, out, err): The first start. One commit: all or nothing. */
MUST_USE bool installation_create(struct store *store, struct keyring *keyring,
    struct installation *out, struct error *err);

/*
 * installation_tenant(store, keyring, name, out, err):
 * Another tenant beside the first, with a subscription and an administrator of its own.
 */
#define TENANT_NAME_MAX 256
MUST_USE bool installation_tenant(struct store *store, struct keyring *keyring, view name,
    struct installation *out, struct error *err);

/* installation_secret: A new client secret for the administrator; the caller frees it. */
MUST_USE bool installation_secret(struct store *store, struct keyring *keyring,
    const struct installation *installation, struct plain **out, struct error *err);

/*
 * installation_check(config, err):
 * The vaults that are to be made can be: asked before anything is made.
 */
MUST_USE bool installation_check(const struct config *config, struct error *err);

/*
 * installation_vaults(config, store, keyring, installation, first, err):
 * Make the vaults that the settings name and that are not there yet.  ${first}: the first start of
 * a development server, which gets a vault in any case.
 */
MUST_USE bool installation_vaults(const struct config *config, struct store *store,
    struct keyring *keyring, const struct installation *installation, bool first,
    struct error *err);

#endif
