/*
 * Vaults: each a security boundary with its own key.  Kept in memory by name; a request holds the
 * one it is about until it is answered.
 *
 * Documents, sealed under the system key: "vault/<name in lower case>". What is in a vault is
 * under "v/<vault id>/", sealed under the vault's own key.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "api/request.h"

#define VAULT_NAME_MAX 24
#define RETENTION_MIN 7 /* days; fixed when the vault is made */
#define RETENTION_MAX 90

struct vaults;

struct vault {
	struct uuid id; /* of the vault's documents and key: a new vault of that name has another */
	struct uuid tenant, subscription;
	view name, resource_group, location; /* as they were written when it was made */
	int64_t created;
	unsigned retention_days;
	bool purge_protection;
	view scope;         /* its resource id */
	view scope_capital; /* the same in capitals, as the audit log has it */
	struct vault_key *key;
};

/*
 * vault_name_valid: 3 to 24 letters, digits and hyphens; a letter first, no hyphen last or
 * doubled.
 */
bool vault_name_valid(view name);

/* vaults_open(store, keyring, out, err): Load all and watch the store for changes. */
MUST_USE bool vaults_open(struct store *store, struct keyring *keyring, struct vaults **out,
    struct error *err);
void vaults_close(struct vaults *vaults); /* NULL is fine */

/* vaults_find(vaults, name): In any case; the caller gives it back. NULL when there is none. */
const struct vault *vaults_find(struct vaults *vaults, view name);
void vault_release(const struct vault *vault); /* NULL is fine */

/* vaults_names(vaults, arena, out, count, err): All names, in order, copied into ${arena}. */
MUST_USE bool vaults_names(struct vaults *vaults, struct arena *arena, view **out, size_t *count,
    struct error *err);

/*
 * vault_create(tx, vault, err):
 * Add a vault with a key of its own.  ${vault} needs all but the id, the scope and the key.
 */
MUST_USE bool vault_create(struct tx *tx, const struct vault *vault, struct error *err);

/*
 * vault_geography(location):
 * The geography a backup may be restored in; a location that is none of the known regions is its
 * own.
 */
view vault_geography(view location);

/* vault_recovery_level(vault): What `recoveryLevel` says of objects in it. */
const char *vault_recovery_level(const struct vault *vault);

#endif
