/*
 * Microsoft.KeyVault: vaults as resources.  A vault is two documents that change together: what the
 * data plane goes by ("vault/<name>", vault.h), and the resource with what is shown.  Private to
 * keyvault*.c, but for what makes vaults without a request.
 */
#ifndef ARM_KEYVAULT_H
#define ARM_KEYVAULT_H

#include "arm/provider.h"
#include "vault/deleted.h"

#define KEYVAULT "Microsoft.KeyVault"
#define SUBNET_RULES_MAX 200 /* the original's limit of virtualNetworkRules */

/* A rule of networkAcls that names a subnet. */
struct subnet_rule {
	view subnet;  /* its id in lower case */
	bool lenient; /* ignoreMissingVnetServiceEndpoint */
};

/* A vault as resource management sees it: with what only is shown. */
struct shape {
	struct vault vault;
	bool acls; /* networkAcls were given */
	const struct subnet_rule *subnets;
	size_t subnet_count;
};

/* What a client sends to make or change a vault. */
struct vault_body {
	struct resource_body common;
	struct body_text tenant, family, tier, create_mode;
	struct body_text public_access, bypass, default_action;
	struct body_flag rbac, soft_delete, protection;
	struct body_flag deployment, disk_encryption, template_deployment;
	struct body_number retention;
	struct body_list policies, ip_rules, subnets;
};

extern const struct field vault_fields[];
extern const struct resource_type vault_type;
extern const struct provider keyvault_provider;
extern const struct op keyvault_ops[], keyvault_deleted_ops[], keyvault_policy_ops[],
    keyvault_secret_ops[], keyvault_fixed_ops[];

/*
 * shape_apply(change, shape, err):
 * Check ${change}'s body against the rules and the vault as it is in ${shape} (or a new one's
 * defaults), and take it over.  What is absent stays as it is, for PUT as for PATCH.
 */
MUST_USE bool shape_apply(struct resource_change *change, struct shape *shape, struct error *err);

/*
 * shape_policies(shape, list, arena, out, count, err):
 * Read and check the entries of an `accessPolicies`; those of the same principal and application
 * become one.
 */
MUST_USE bool shape_policies(const struct shape *shape, const struct body_list *list,
    struct arena *arena, struct access_policy **out, size_t *count, struct error *err);

/* shape_read(vault, resource, arena, out, err): Put both documents together. */
MUST_USE bool shape_read(const struct vault *vault, const struct resource *resource,
    struct arena *arena, struct shape *out, struct error *err);

/* shape_print(shape, arena, resource, err): The resource's properties and hidden part. */
MUST_USE bool shape_print(const struct shape *shape, struct arena *arena, struct resource *resource,
    struct error *err);

/* vault_show: The type's show hook: with the address, by the name the request came by. */
void vault_show(struct request *r, const struct resource *resource);
void vault_uri(struct request *r, view name, const char *rest); /* parts of an open text */

/*
 * vault_of(r, id, change, resource, vault, err):
 * The vault of that resource id with both its documents, or the original's refusal.
 */
MUST_USE bool vault_of(struct request *r, view id, bool change, struct resource *resource,
    struct vault *vault, struct error *err);

/* vault_path_less(path, levels): Without its last ${levels} segments. */
view vault_path_less(view path, unsigned levels);

/* A PUT whose body says createMode "recover". */
MUST_USE bool vault_run_recover(struct request *r, struct error *err);

/*
 * vault_make(tx, vault, err):
 * Make a vault with its resource, and its group when there is none, for a server that is set up:
 * ${vault} as for vault_create.
 */
MUST_USE bool vault_make(struct tx *tx, struct vault *vault, struct error *err);

/*
 * vaults_adopt(store, keyring, err):
 * At start: make the resources, and their groups, of vaults from before there were any; once in a
 * store's life.  Blocks.
 */
MUST_USE bool vaults_adopt(struct store *store, struct keyring *keyring, struct error *err);

#endif
