#include "access/role.h"

#include "base/attr.h"

#define KV "Microsoft.KeyVault/vaults/"

/* clang-format off */

/* The control-plane block that most Key Vault roles share. */
#define COMMON_ACTIONS \
	"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", \
	"Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", \
	"Microsoft.Support/*", "Microsoft.KeyVault/checkNameAvailability/read", \
	"Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read", \
	"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read"

#define ASSIGNMENTS "Microsoft.Authorization/roleAssignments/"
#define ASSIGNMENT_ROLE "Microsoft.Authorization/roleAssignments:RoleDefinitionId"

/* Which roles the one for the vaults' data may give and take. */
#define DATA_ROLES \
	"00482a5a-887f-4fb3-b363-3b7fe8e74483, a4417e6f-fecd-4de8-b567-7b0420556985, " \
	"14b46e9e-c2b7-41b4-b07b-48a6ebf60603, e147488a-f6f5-4113-8e2d-b22465e65bf6, " \
	"12338af0-0e69-4776-bea7-57ae8d297424, 21090545-7ca7-4776-b22c-e363652d74d2, " \
	"b86a8fe4-44ce-4948-aee5-eccb2c155cd7, 4633458b-17de-408a-b874-0445c86b69e6"

#define LIST(...) (const char *const[]){ __VA_ARGS__, NULL }

/* Reference of the data plane, section 13.3, and the general roles that stand around them. */
static const struct role roles[] = {
	{ "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner",
	  "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
	  { LIST("*"), NULL, NULL, NULL }, NULL, NULL },
	{ "b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor",
	  "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
	  { LIST("*"),
	  LIST("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
	       "Microsoft.Authorization/elevateAccess/Action"),
	  NULL, NULL }, NULL, NULL },
	{ "acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader",
	  "View all resources, but does not allow you to make any changes.",
	  { LIST("*/read"), NULL, NULL, NULL }, NULL, NULL },
	{ "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator",
	  "Lets you manage user access to Azure resources.",
	  { LIST("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"), NULL, NULL, NULL }, NULL, NULL },
	{ "00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator",
	  "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and secrets.",
	  { LIST(COMMON_ACTIONS), NULL, LIST(KV "*"), NULL }, NULL, NULL },
	{ "a4417e6f-fecd-4de8-b567-7b0420556985", "Key Vault Certificates Officer",
	  "Perform any action on the certificates of a key vault, except manage permissions.",
	  { LIST(COMMON_ACTIONS), NULL,
	  LIST(KV "certificatecas/*", KV "certificates/*", KV "certificatecontacts/write"), NULL }, NULL, NULL },
	{ "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba", "Key Vault Certificate User",
	  "Read certificate contents including secret and key portion.",
	  { NULL, NULL,
	  LIST(KV "certificates/read", KV "secrets/getSecret/action", KV "secrets/readMetadata/action",
	       KV "keys/read"), NULL }, NULL, NULL },
	{ "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer",
	  "Perform any action on the keys of a key vault, except manage permissions.",
	  { LIST(COMMON_ACTIONS), NULL, LIST(KV "keys/*", KV "keyrotationpolicies/*"), NULL }, NULL, NULL },
	{ "12338af0-0e69-4776-bea7-57ae8d297424", "Key Vault Crypto User",
	  "Perform cryptographic operations using keys.",
	  { NULL, NULL,
	  LIST(KV "keys/read", KV "keys/update/action", KV "keys/backup/action", KV "keys/encrypt/action",
	       KV "keys/decrypt/action", KV "keys/wrap/action", KV "keys/unwrap/action",
	       KV "keys/sign/action", KV "keys/verify/action"), NULL }, NULL, NULL },
	{ "e147488a-f6f5-4113-8e2d-b22465e65bf6", "Key Vault Crypto Service Encryption User",
	  "Read metadata of keys and perform wrap/unwrap operations.",
	  { LIST("Microsoft.EventGrid/eventSubscriptions/write", "Microsoft.EventGrid/eventSubscriptions/read",
	       "Microsoft.EventGrid/eventSubscriptions/delete"), NULL,
	  LIST(KV "keys/read", KV "keys/wrap/action", KV "keys/unwrap/action"), NULL }, NULL, NULL },
	{ "08bbd89e-9f13-488c-ac41-acfcb10c90ab", "Key Vault Crypto Service Release User",
	  "Release keys.",
	  { NULL, NULL, LIST(KV "keys/release/action"), NULL }, NULL, NULL },
	{ "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "Key Vault Secrets Officer",
	  "Perform any action on the secrets of a key vault, except manage permissions.",
	  { LIST(COMMON_ACTIONS), NULL, LIST(KV "secrets/*"), NULL }, NULL, NULL },
	{ "4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User",
	  "Read secret contents.",
	  { NULL, NULL, LIST(KV "secrets/getSecret/action", KV "secrets/readMetadata/action"), NULL }, NULL, NULL },
	{ "21090545-7ca7-4776-b22c-e363652d74d2", "Key Vault Reader",
	  "Read metadata of key vaults and its certificates, keys, and secrets.",
	  { LIST(COMMON_ACTIONS), NULL, LIST(KV "*/read", KV "secrets/readMetadata/action"), NULL }, NULL, NULL },
	{ "f25e0fa2-a7c8-4377-a976-54943a77a395", "Key Vault Contributor",
	  "Lets you manage key vaults, but not access to them.",
	  { LIST("Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.KeyVault/*",
	       "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
	       "Microsoft.Support/*"),
	  LIST("Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/hsmPools/*",
	       "Microsoft.KeyVault/managedHsms/*"),
	  NULL, NULL }, NULL, NULL },
	{ "a68e7c17-0ab2-4c09-9a58-125dae29748c", "Key Vault Purge Operator",
	  "Allows permanent deletion of soft-deleted vaults.",
	  { LIST("Microsoft.KeyVault/locations/deletedVaults/read",
	       "Microsoft.KeyVault/locations/deletedVaults/purge/action",
	       "Microsoft.KeyVault/locations/operationResults/read"),
	  NULL, NULL, NULL }, NULL, NULL },
	{ "f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator",
	  "Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage access using other ways, such as Azure Policy.",
	  { LIST(ASSIGNMENTS "write", ASSIGNMENTS "delete", "*/read", "Microsoft.Support/*"),
	  NULL, NULL, NULL }, NULL, NULL },
	{ "f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator",
	  "Read and Assign User Assigned Identity",
	  { LIST("Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
	       "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
	       "Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*",
	       "Microsoft.Resources/subscriptions/resourceGroups/read",
	       "Microsoft.Resources/deployments/*", "Microsoft.Support/*"),
	  NULL, NULL, NULL }, NULL, NULL },
	{ "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", "Managed Identity Contributor",
	  "Create, Read, Update, and Delete User Assigned Identity",
	  { LIST("Microsoft.ManagedIdentity/userAssignedIdentities/read",
	       "Microsoft.ManagedIdentity/userAssignedIdentities/write",
	       "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
	       "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/*",
	       "Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action",
	       "Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*",
	       "Microsoft.Resources/subscriptions/resourceGroups/read",
	       "Microsoft.Resources/deployments/*", "Microsoft.Support/*"),
	  NULL, NULL, NULL }, NULL, NULL },
	{ "8b54135c-b56d-4d72-a534-26097cfdc8d8", "Key Vault Data Access Administrator",
	  "Manage access to Azure Key Vault by adding or removing role assignments for the Key Vault Administrator, Key Vault Certificates Officer, Key Vault Crypto Officer, Key Vault Crypto Service Encryption User, Key Vault Crypto User, Key Vault Reader, Key Vault Secrets Officer, or Key Vault Secrets User roles. Includes an ABAC condition to constrain role assignments.",
	  { LIST("Microsoft.Authorization/roleAssignments/write",
	       "Microsoft.Authorization/roleAssignments/delete", "Microsoft.Authorization/*/read",
	       "Microsoft.Resources/deployments/*",
	       "Microsoft.Resources/subscriptions/resourceGroups/read",
	       "Microsoft.Resources/subscriptions/read",
	       "Microsoft.Management/managementGroups/read", "Microsoft.Support/*",
	       "Microsoft.KeyVault/vaults/*/read"),
	  NULL, NULL, NULL },
	  "((!(ActionMatches{'" ASSIGNMENTS "write'})) OR (@Request[" ASSIGNMENT_ROLE "] "
	  "ForAnyOfAnyValues:GuidEquals{" DATA_ROLES "})) AND "
	  "((!(ActionMatches{'" ASSIGNMENTS "delete'})) OR (@Resource[" ASSIGNMENT_ROLE "] "
	  "ForAnyOfAnyValues:GuidEquals{" DATA_ROLES "}))", NULL },
};

/* clang-format on */

const struct role *
role_at(size_t index)
{
	return index < COUNT_OF(roles) ? &roles[index] : NULL;
}

const struct role *
role_find(view id)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		if (view_ieq(id, view_of(roles[i].id)))
			return &roles[i];
	}
	return NULL;
}

const struct role *
role_find_named(view name)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		if (view_ieq(name, view_of(roles[i].name)))
			return &roles[i];
	}
	return NULL;
}

struct uuid
role_id(const struct role *role)
{
	struct uuid id = { 0 };

	(void)uuid_parse(view_of(role->id), &id);
	return id;
}

bool
role_allows(const struct role *role, view action, bool data)
{
	return permissions_hold(&role->permissions, action, data);
}
