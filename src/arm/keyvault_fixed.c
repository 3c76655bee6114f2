/*
 * Microsoft.KeyVault's rows that answer what is the same for every vault: the provider's operations
 * with what they measure and log, private link resources, and the lists of what there is none of.
 */
#include "arm/keyvault.h"

/* As the original describes them. */
static const struct operation {
	const char *name, *resource, *title, *description;
} operations[] = {
	{ "vaults/read", "Key Vault", "View Key Vault", "View the properties of a key vault" },
	{ "vaults/write", "Key Vault", "Update Key Vault",
	    "Create a new key vault or update the properties of an existing key vault" },
	{ "vaults/delete", "Key Vault", "Delete Key Vault", "Delete a key vault" },
	{ "vaults/deploy/action", "Key Vault", "Use Vault for Azure Deployments",
	    "Enables access to secrets in a key vault when deploying Azure resources" },
	{ "vaults/secrets/read", "Secret", "View Secret Properties",
	    "View the properties of a secret, but not its value" },
	{ "vaults/secrets/write", "Secret", "Update Secret",
	    "Create a new secret or update the value of an existing secret" },
	{ "vaults/accessPolicies/write", "Access Policy", "Update Access Policy",
	    "Update an existing access policy by merging or replacing, or add a new access policy "
	    "to a vault." },
	{ "vaults/privateLinkResources/read", "Key Vault", "Read Private Link Resources",
	    "Get the available private link resources for the specified instance of Key Vault." },
	{ "vaults/privateEndpointConnections/read", "Key Vault",
	    "Read Private Endpoint Connections",
	    "View the state of a connection to a Private Endpoint resource in the "
	    "Microsoft.Network provider" },
	{ "operations/read", "Operations", "Available Key Vault Operations",
	    "Lists operations available on Microsoft.KeyVault resource provider" },
	{ "checkNameAvailability/read", "Name Availability", "Check Name Availability",
	    "Checks that a key vault name is valid and is not in use" },
	{ "deletedVaults/read", "Soft Deleted Key Vault", "View Soft Deleted Vaults",
	    "View the properties of soft deleted key vaults" },
	{ "locations/deletedVaults/read", "Soft Deleted Key Vault", "View Soft Deleted Key Vault",
	    "View the properties of a soft deleted key vault" },
	{ "locations/deletedVaults/purge/action", "Soft Deleted Key Vault",
	    "Purge Soft Deleted Key Vault", "Purge a soft deleted key vault" },
}, data_operations[] = {
	{ "vaults/secrets/getSecret/action", "Secret", "Get Secret",
	    "Gets the value of a secret." },
	{ "vaults/secrets/setSecret/action", "Secret", "Set Secret",
	    "Creates or updates the value of a secret." },
	{ "vaults/secrets/readMetadata/action", "Secret", "Read Secret Metadata",
	    "List or view the properties of a secret, but not its value." },
	{ "vaults/secrets/delete", "Secret", "Delete Secret", "Deletes a secret." },
	{ "vaults/secrets/update/action", "Secret", "Update Secret",
	    "Updates a secret's attributes, not its value." },
	{ "vaults/secrets/backup/action", "Secret", "Backup Secret",
	    "Creates the backup file of a secret." },
	{ "vaults/secrets/restore/action", "Secret", "Restore Secret",
	    "Restore a secret and all its versions from a backup file." },
	{ "vaults/secrets/recover/action", "Secret", "Recover Secret",
	    "Recovers a deleted secret." },
	{ "vaults/secrets/purge/action", "Secret", "Purge Secret", "Purges a deleted secret." },
};

static const struct metric {
	const char *name, *title, *description, *unit, *aggregation;
	const char *const *dimensions;
} metrics[] = {
	{ "ServiceApiHit", "Total Service Api Hits", "Number of total service api hits", "Count",
	    "Count", (const char *const[]){ "ActivityType", "ActivityName", NULL } },
	{ "ServiceApiLatency", "Overall Service Api Latency",
	    "Overall latency of service api requests", "MilliSeconds", "Average",
	    (const char *const[]){ "ActivityType", "ActivityName", "StatusCode", "StatusCodeClass",
		NULL } },
	{ "ServiceApiResult", "Total Service Api Results", "Number of total service api results",
	    "Count", "Count",
	    (const char *const[]){ "ActivityType", "ActivityName", "StatusCode", "StatusCodeClass",
		NULL } },
	{ "SaturationShoebox", "Overall Vault Saturation", "Vault capacity used", "Percent",
	    "Average",
	    (const char *const[]){ "ActivityType", "ActivityName", "TransactionType", NULL } },
	{ "Availability", "Overall Vault Availability", "Vault requests availability", "Percent",
	    "Average",
	    (const char *const[]){ "ActivityType", "ActivityName", "StatusCode", "StatusCodeClass",
		NULL } },
};

static const struct {
	const char *name, *title;
	const char *groups[2];
} logs[] = {
	{ "AuditEvent", "Audit Logs", { "audit", "allLogs" } },
	{ "AzurePolicyEvaluationDetails", "Azure Policy Evaluation Details", { "allLogs", NULL } },
};

static void
write_display(struct json *json, const char *resource, const char *title, const char *description)
{
	json_open_in(json, "display", '{');
	json_text(json, "provider", V("Microsoft Key Vault"));
	json_text(json, "resource", view_of(resource));
	json_text(json, "operation", view_of(title));
	json_text(json, "description", view_of(description));
	json_close(json, '}');
}

static void
write_name(struct json *json, const char *name)
{
	json_text_open(json, "name");
	json_text_part(json, V(KEYVAULT "/"));
	json_text_part(json, view_of(name));
	json_text_close(json);
}

static void
write_metric(struct json *json, const struct metric *metric)
{
	json_open(json, '{');
	json_text(json, "name", view_of(metric->name));
	json_text(json, "displayName", view_of(metric->title));
	json_text(json, "displayDescription", view_of(metric->description));
	json_text(json, "unit", view_of(metric->unit));
	json_text(json, "aggregationType", view_of(metric->aggregation));
	json_open_in(json, "supportedAggregationTypes", '[');
	json_text(json, NULL, view_of(metric->aggregation));
	json_close(json, ']');
	json_open_in(json, "supportedTimeGrainTypes", '[');
	json_text(json, NULL, V("PT1M"));
	json_close(json, ']');
	json_open_in(json, "dimensions", '[');
	for (const char *const *at = metric->dimensions; *at != NULL; at++) {
		json_open(json, '{');
		json_text(json, "name", view_of(*at));
		json_text(json, "displayName", view_of(*at));
		json_flag(json, "toBeExportedForShoebox", true);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_flag(json, "fillGapWithZero", false);
	json_close(json, '}');
}

static void
write_logs(struct json *json)
{
	json_open_in(json, "logSpecifications", '[');
	for (size_t i = 0; i < COUNT_OF(logs); i++) {
		json_open(json, '{');
		json_text(json, "name", view_of(logs[i].name));
		json_text(json, "displayName", view_of(logs[i].title));
		json_text(json, "blobDuration", V("PT1H"));
		json_open_in(json, "categoryGroups", '[');
		for (size_t j = 0; j < COUNT_OF(logs[i].groups); j++) {
			if (logs[i].groups[j] != NULL)
				json_text(json, NULL, view_of(logs[i].groups[j]));
		}
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* What a vault logs and measures hangs off one of its operations. */
static void
write_specification(struct json *json)
{
	json_open(json, '{');
	json_text(json, "origin", V("system"));
	write_name(json, "vaults/providers/Microsoft.Insights/logDefinitions/read");
	write_display(json, "Key Vault Log Definition", "Read log definition",
	    "Gets the available logs for a key vault");
	json_flag(json, "isDataAction", false);
	json_open_in(json, "properties", '{');
	json_open_in(json, "serviceSpecification", '{');
	write_logs(json);
	json_open_in(json, "metricSpecifications", '[');
	for (size_t i = 0; i < COUNT_OF(metrics); i++)
		write_metric(json, &metrics[i]);
	json_close(json, ']');
	json_close(json, '}');
	json_close(json, '}');
	json_close(json, '}');
}

static void
write_operations(struct json *json, const struct operation *list, size_t count, bool data)
{
	for (size_t i = 0; i < count; i++) {
		json_open(json, '{');
		write_name(json, list[i].name);
		write_display(json, list[i].resource, list[i].title, list[i].description);
		json_flag(json, "isDataAction", data);
		json_close(json, '}');
	}
}

static bool
run_operations(struct request *r, struct error *err)
{
	struct json *json = reply_json(r);

	(void)err;
	json_open(json, '{');
	json_open_in(json, "value", '[');
	write_operations(json, operations, COUNT_OF(operations), false);
	write_operations(json, data_operations, COUNT_OF(data_operations), true);
	write_specification(json);
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

static bool
run_none(struct request *r, struct error *err)
{
	struct json *json = reply_json(r);

	(void)err;
	json_open(json, '{');
	json_open_in(json, "value", '[');
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

static bool
require_vault(struct request *r, struct resource *out, struct error *err)
{
	struct vault vault;

	return vault_of(r, vault_path_less(r->path, 1), false, out, &vault, err);
}

static bool
run_links(struct request *r, struct error *err)
{
	struct resource resource;
	struct json *json;

	if (!require_vault(r, &resource, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	json_open_in(json, "value", '[');
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, resource.id);
	json_text_part(json, V("/privateLinkResources/vault"));
	json_text_close(json);
	json_text(json, "name", V("vault"));
	json_text(json, "type", V(KEYVAULT "/vaults/privateLinkResources"));
	json_open_in(json, "properties", '{');
	json_text(json, "groupId", V("vault"));
	json_open_in(json, "requiredMembers", '[');
	json_text(json, NULL, V("default"));
	json_close(json, ']');
	json_open_in(json, "requiredZoneNames", '[');
	json_text(json, NULL, V("privatelink.vaultcore.azure.net"));
	json_close(json, ']');
	json_close(json, '}');
	json_close(json, '}');
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

static bool
run_connections(struct request *r, struct error *err)
{
	struct resource resource;

	return require_vault(r, &resource, err) && run_none(r, err);
}

/* clang-format off */

#define ROW RESOURCE_ROW(vault_type), .method = HTTP_GET
#define VAULT RESOURCE_GROUP_PATH KEYVAULT "/vaults/{vault}"

const struct op keyvault_fixed_ops[] = {
	{ "VaultOperations", ROW, .guard = GUARD_CALLER,
	    .path = "/providers/" KEYVAULT "/operations", .run = run_operations },
	{ "VaultListPrivateLinkResources", ROW, .guard = GUARD_SCOPE,
	    .path = VAULT "/privateLinkResources",
	    .action = KEYVAULT "/vaults/privateLinkResources/read", .run = run_links },
	{ "VaultListPrivateEndpointConnections", ROW, .guard = GUARD_SCOPE,
	    .path = VAULT "/privateEndpointConnections",
	    .action = KEYVAULT "/vaults/privateEndpointConnections/read",
	    .run = run_connections },
	{ "ManagedHsmListAll", ROW, .guard = GUARD_CALLER,
	    .path = RESOURCE_SUBSCRIPTION_PATH KEYVAULT "/managedHSMs", .run = run_none },
	{ "ManagedHsmList", ROW, .guard = GUARD_CALLER,
	    .path = RESOURCE_GROUP_PATH KEYVAULT "/managedHSMs", .run = run_none },
	{ "ManagedHsmListDeleted", ROW, .guard = GUARD_CALLER,
	    .path = RESOURCE_SUBSCRIPTION_PATH KEYVAULT "/deletedManagedHSMs",
	    .run = run_none },
	{ 0 },
};

/* clang-format on */
