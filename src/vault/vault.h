/*
 * Vaults: each a security boundary with its own key.  Kept in memory by name; a request holds the
 * one it is about until it is answered.
 *
 * Documents, sealed under the system key: "vault/<name in lower case>" is what the data plane goes
 * by; what resource management shows is its own.  What is in a vault is under "v/<vault id>/",
 * sealed under the vault's own key.  Deleted vaults: deleted.h.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "access/policy.h"
#include "api/request.h"
#include "network/rules.h"

#define VAULT_NAME_MAX 24
#define RETENTION_MIN 7 /* days; fixed when the vault is made */
#define RETENTION_MAX 90
#define DAY_SECONDS ((int64_t)86400)

struct key_spec;
struct throttle;
struct vaults;

struct vault {
	struct uuid id; /* of the vault's documents and key: a new vault of that name has another */
	struct uuid tenant, subscription;
	view name, resource_group, location; /* as they were written when it was made */
	int64_t created;
	unsigned retention_days;
	bool purge_protection;
	bool rbac;    /* role assignments decide on the data plane; else its access policies */
	bool premium; /* the tier */
	/* Who else may fetch from it: virtual machines, disk encryption, template deployments. */
	bool for_deployment, for_disk_encryption, for_template_deployment;
	struct network_rules network;
	const struct access_policy *policies;
	size_t policy_count;
	view scope;         /* its resource id */
	view scope_capital; /* the same in capitals, as the audit log has it */
	struct vault_key *key;
	/* Of a vault in memory: what was asked of it; stays when the document changes. */
	struct throttle *throttle;
};

/*
 * vault_name_valid: 3 to 24 letters, digits and hyphens; a letter first, no hyphen last or
 * doubled.
 */
bool vault_name_valid(view name);
MUST_USE bool vault_name_check(view name, struct error *err); /* ERR_VAULT_NAME_INVALID */

/*
 * vaults_open(store, keyring, out, err):
 * Load all and watch the store for changes: also for vault keys that are deleted, which are wiped
 * from memory by the commit that deletes them.
 */
MUST_USE bool vaults_open(struct store *store, struct keyring *keyring, struct vaults **out,
    struct error *err);
void vaults_close(struct vaults *vaults); /* NULL is fine */

/*
 * vaults_throttle(vaults, percent, ctx, err):
 * From here on vaults have service limits: ${percent} says how many percent of the documents' for
 * a vault's name, from any thread.  Once, before anything is served; without it there are none.
 */
typedef unsigned vaults_percent(const void *ctx, view name);
MUST_USE bool vaults_throttle(struct vaults *vaults, vaults_percent *percent, const void *ctx,
    struct error *err);

/*
 * vault_charge(r, class, spec, err):
 * Count a request against its vault's limits; ${spec} is the key it is about, or NULL.  Once a
 * request, however often its row's function is run.  ERR_THROTTLED when too much was asked.
 */
MUST_USE bool vault_charge(struct request *r, enum throttle_class class,
    const struct key_spec *spec, struct error *err);

/*
 * vault_require_same(r, id, err):
 * A vault that was purged and made anew while a request was away has another key:
 * ERR_VAULT_NOT_FOUND.
 */
MUST_USE bool vault_require_same(const struct request *r, const struct uuid *id, struct error *err);

/* vaults_find(vaults, name): In any case; the caller gives it back. NULL when there is none. */
const struct vault *vaults_find(struct vaults *vaults, view name);
void vault_release(const struct vault *vault); /* NULL is fine */

/* vaults_names(vaults, arena, out, count, err): All names, in order, copied into ${arena}. */
MUST_USE bool vaults_names(struct vaults *vaults, struct arena *arena, view **out, size_t *count,
    struct error *err);

/*
 * vault_get(tx, name, out, found, err):
 * A live vault as the transaction's snapshot has it; lives in tx->arena.  _take: to change it, or
 * what goes by it; as tx_take.
 */
MUST_USE bool vault_get(struct tx *tx, view name, struct vault *out, bool *found,
    struct error *err);
MUST_USE bool vault_take(struct tx *tx, view name, struct vault *out, bool *found,
    struct error *err);

/*
 * vault_create(tx, vault, err):
 * Add a vault with a key of its own; fills in ${vault}'s id, scope and key.  ERR_VAULT_EXISTS when
 * the name is taken, in any case and anywhere in the installation; ERR_VAULT_IN_DELETED_STATE when
 * a deleted vault of the same subscription holds it.  Last in a transaction: what fails behind it
 * leaves the new key in memory.
 */
MUST_USE bool vault_create(struct tx *tx, struct vault *vault, struct error *err);

/* vault_update(tx, vault, err): Put back what vault_take gave. */
MUST_USE bool vault_update(struct tx *tx, const struct vault *vault, struct error *err);

/*
 * vault_geography(location):
 * The geography a backup may be restored in; a location that is none of the known regions is its
 * own.
 */
view vault_geography(view location);

/* vault_recovery_level(vault): What `recoveryLevel` says of objects in it. */
const char *vault_recovery_level(const struct vault *vault);

#endif
