/*
 * Microsoft.KeyVault at the control plane: what vaults are made of, the rules that refuse,
 * deletion, recovery and purge.
 */
#include "arm/keyvault_testing.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static void
test_a_vault_is_made_and_shown(void **state)
{
	struct estate *e = *state;
	AUTO(vault_done) const struct vault *vault = NULL;

	DO(GET, V1, "", 404);
	assert_text(site_code(e), V("ResourceNotFound"));
	DO(PUT, V1 NEW, BODY(""), 201);
	DO(GET, VAULTS "/vault-ONE" NEW, "", 200);
	assert_text(estate_member(e, "id"), V(V1));
	assert_text(estate_member(e, "name"), V("Vault-One"));
	assert_text(estate_member(e, "type"), V("Microsoft.KeyVault/vaults"));
	assert_text(estate_member(e, "location"), V("westeurope"));
	assert_text(estate_member(e, "vaultUri"), V("https://vault-one.vault.localhost/"));
	assert_text(estate_member(e, "tenantId"), V(ESTATE_TENANT));
	assert_true(estate_replied(e,
	    "\"properties\":{\"sku\":{\"family\":\"A\",\"name\":\"standard\"},\"tenantId\":\"" ESTATE_TENANT
	    "\",\"accessPolicies\":[],\"enabledForDeployment\":false,"
	    "\"enabledForDiskEncryption\":false,\"enabledForTemplateDeployment\":false,"
	    "\"enableSoftDelete\":true,\"softDeleteRetentionInDays\":90,"
	    "\"enableRbacAuthorization\":true,\"publicNetworkAccess\":\"Enabled\","
	    "\"vaultUri\":\"https://vault-one.vault.localhost/\","
	    "\"provisioningState\":\"Succeeded\"}"));
	assert_true(estate_replied(e, "\"tags\":{\"t\":\"1\"}"));
	vault = site_vault(e, "vault-one");
	assert_non_null(vault);
	assert_text(vault->scope, V(V1));
	assert_true(vault->rbac);
	assert_text(uuid_view(&vault->tenant), V(ESTATE_TENANT));
	DO(HEAD, V1, "", 204);
	DO(GET, VAULTS, "", 200);
	assert_int_equal(estate_times(e, "\"vaultUri\":\"https://vault-one.vault.localhost/\""), 1);
	DO(GET, KV "/vaults", "", 200);
	assert_int_equal(estate_times(e, "\"vaultUri\""), 1);
}

/* Everything a vault can have, and the same again: what az sends back is what it was shown. */
static void
test_keeps_and_honours_every_property(void **state)
{
	struct estate *e = *state;
	AUTO(vault_done) const struct vault *vault = NULL;
	view text;
	char *echo;

	DO(PUT, V1 OLD,
	    "{\"location\":\"westeurope\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
	    "\",\"sku\":{\"family\":\"a\",\"name\":\"Premium\"},\"accessPolicies\":[" POLICY(ONE,
		"\"get\",\"list\"") "],\"networkAcls\":{\"bypass\":\"none\",\"defaultAction\":"
				    "\"Deny\",\"ipRules\":[{\"value\":\"203.0.113.7\"},{\"value\":\"198.51.100.0/24\"}],"
				    "\"virtualNetworkRules\":[{\"id\":\"" G
				    "/providers/Microsoft.Network/virtualNetworks/Net/subnets/Sub\","
				    "\"ignoreMissingVnetServiceEndpoint\":true}]},\"enabledForDeployment\":true,"
				    "\"enabledForDiskEncryption\":true,\"enabledForTemplateDeployment\":true,"
				    "\"enableSoftDelete\":true,\"softDeleteRetentionInDays\":7,"
				    "\"enablePurgeProtection\":true,\"publicNetworkAccess\":\"disabled\","
				    "\"vaultUri\":\"https://elsewhere\",\"provisioningState\":\"RegisteringDns\","
				    "\"hsmPoolResourceId\":\"x\",\"unheardOf\":{\"a\":[1]}}}",
	    201);
	for (int round = 0; round < 2; round++) {
		assert_true(estate_replied(e,
		    "\"networkAcls\":{\"bypass\":\"None\","
		    "\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":"
		    "\"203.0.113.7/32\"},{\"value\":"
		    "\"198.51.100.0/24\"}],"));
		assert_true(estate_replied(e,
		    "/providers/microsoft.network/virtualnetworks/net/subnets/sub\","
		    "\"ignoreMissingVnetServiceEndpoint\":true}]}"));
		assert_true(estate_replied(e, "\"family\":\"A\",\"name\":\"premium\""));
		assert_true(estate_replied(e, "\"softDeleteRetentionInDays\":7,"));
		assert_true(estate_replied(e,
		    "\"enableRbacAuthorization\":false,"
		    "\"enablePurgeProtection\":true,"
		    "\"publicNetworkAccess\":\"Disabled\""));
		assert_true(estate_replied(e, "\"objectId\":\"" ONE "\""));
		assert_true(
		    estate_replied(e, "\"vaultUri\":\"https://vault-one.vault.localhost/\""));
		assert_false(estate_replied(e, "unheardOf"));
		assert_int_equal(estate_times(e, "true"), 5 + 1);
		text = buf_view(&e->out.body);
		echo = strndup(text.ptr, text.len);
		assert_non_null(echo);
		DO(PUT, V1 OLD, echo, 200);
		free(echo);
	}
	vault = site_vault(e, "vault-one");
	assert_true(vault->premium && vault->for_deployment && vault->for_disk_encryption &&
	    vault->for_template_deployment && vault->purge_protection && vault->network.deny);
	assert_false(vault->rbac || vault->network.bypass);
	assert_int_equal(vault->network.public_access, PUBLIC_DISABLED);
	assert_int_equal(vault->network.block_count, 2);
	assert_int_equal(vault->policy_count, 1);
	assert_text(uuid_view(&vault->policies[0].object), V(ONE));
	assert_int_equal(vault->retention_days, 7);
}

static void
test_what_is_refused(void **state)
{
	static const struct {
		const char *target, *body;
		int status;
		const char *code, *part; /* of the message */
	} rows[] = {
		{ VAULTS "/a", BODY(""), 400, "VaultNameNotValid", "'a'" },
		{ VAULTS "/1ab", BODY(""), 400, "VaultNameNotValid", "" },
		{ VAULTS "/ab--c", BODY(""), 400, "VaultNameNotValid", "" },
		{ VAULTS "/abcdefghijklmnopqrstuvwxy", BODY(""), 400, "VaultNameNotValid", "" },
		{ S "/resourceGroups/none/providers/Microsoft.KeyVault/vaults/abc", BODY(""), 404,
		    "ResourceGroupNotFound", "" },
		{ V1, JUST(""), 400, "LocationRequired", "" },
		{ V1, "{\"location\":\"westeurope\"}", 400, "BadRequest", "tenantId" },
		{ V1,
		    "{\"location\":\"westeurope\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
		    "\"}}",
		    400, "BadRequest", "sku" },
		{ V1,
		    "{\"location\":\"westeurope\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
		    "\",\"sku\":{\"name\":\"standard\"}}}",
		    400, "BadRequest", "sku.family" },
		{ V1,
		    "{\"location\":\"westeurope\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
		    "\",\"sku\":{\"family\":\"A\",\"name\":\"gold\"}}}",
		    400, "BadRequest", "'gold'" },
		{ V1,
		    "{\"location\":\"westeurope\",\"properties\":{\"tenantId\":\"" STRANGER
		    "\",\"sku\":{\"family\":\"A\",\"name\":\"standard\"}}}",
		    400, "BadRequest", "does not match" },
		{ V1, BODY(",\"enableSoftDelete\":false"), 400, "BadRequest", "irreversible" },
		{ V1, BODY(",\"enablePurgeProtection\":false"), 400, "BadRequest",
		    "The property \"enablePurgeProtection\" cannot be set to false. Enabling the "
		    "purge protection for a vault is an irreversible action." },
		{ V1, BODY(",\"softDeleteRetentionInDays\":6"), 400, "BadRequest", "7 and 90" },
		{ V1, BODY(",\"softDeleteRetentionInDays\":91"), 400, "BadRequest", "7 and 90" },
		{ V1, BODY(",\"softDeleteRetentionInDays\":-9223372036854775808"), 400,
		    "BadRequest", "7 and 90" },
		{ V1, BODY(",\"softDeleteRetentionInDays\":\"7\""), 400, "BadParameter", "" },
		{ V1, BODY(",\"createMode\":\"other\""), 400, "BadRequest", "createMode" },
		{ V1, BODY(",\"publicNetworkAccess\":\"maybe\""), 400, "BadRequest", "'maybe'" },
		{ V1, BODY(",\"networkAcls\":{\"bypass\":\"All\"}"), 400, "BadRequest", "" },
		{ V1, BODY(",\"networkAcls\":{\"defaultAction\":\"\"}"), 400, "BadRequest", "" },
		{ V1, BODY(",\"networkAcls\":{\"ipRules\":[{\"value\":\"nowhere\"}]}"), 400,
		    "BadRequest", "'nowhere'" },
		{ V1, BODY(",\"networkAcls\":{\"ipRules\":[{\"value\":\"10.0.0.1\"}]}"), 400,
		    "BadRequest", "" },
		{ V1, BODY(",\"networkAcls\":{\"ipRules\":[{}]}"), 400, "BadParameter", "value" },
		{ V1, BODY(",\"networkAcls\":{\"virtualNetworkRules\":[{\"id\":\"net\"}]}"), 400,
		    "BadRequest", "" },
		{ V1,
		    BODY(",\"networkAcls\":{\"virtualNetworkRules\":[{\"id\":\"" VAULTS
			 "/other\"}]}"),
		    400, "BadRequest", "virtualNetworkRules" },
		{ V1, BODY(",\"networkAcls\":[]"), 400, "BadParameter", "" },
		{ V1, BODY(",\"accessPolicies\":[{\"objectId\":\"" ONE "\"}]"), 400, NULL, "" },
		{ V1,
		    BODY(",\"accessPolicies\":[{\"tenantId\":\"" STRANGER "\",\"objectId\":\"" ONE
			 "\",\"permissions\":{}}]"),
		    400, "BadRequest", "same tenant" },
		{ V1, "nonsense", 400, "BadParameter", "" },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int status = estate_do(e, HTTP_PUT, rows[i].target, rows[i].body);

		if (status != rows[i].status)
			print_error("row %zu: %d %s\n", i, status, e->err.message);
		assert_int_equal(status, rows[i].status);
		if (rows[i].code != NULL)
			assert_text(site_code(e), view_of(rows[i].code));
		assert_non_null(strstr(e->err.message, rows[i].part));
	}
	assert_int_equal(estate_count(e, "vault/"), 0);
	assert_int_equal(estate_count(e, "k/"), 2);
	e->services.private_ranges = true;
	DO(PUT, V1, BODY(",\"networkAcls\":{\"ipRules\":[{\"value\":\"10.0.0.1\"}]}"), 201);
}

/* The default depends on the version that makes the vault, and nothing else changes it. */
static void
test_the_model_by_version(void **state)
{
	static const struct {
		const char *version, *more;
		bool rbac;
	} rows[] = {
		{ "?api-version=2015-06-01", "", false },
		{ "?api-version=2025-05-01", "", false },
		{ "?api-version=2025-05-01", ",\"enableRbacAuthorization\":null", false },
		{ "?api-version=2025-05-01", ",\"enableRbacAuthorization\":true", true },
		{ "?api-version=2026-02-01", "", true },
		{ "?api-version=2026-02-01", ",\"enableRbacAuthorization\":null", true },
		{ "?api-version=2026-02-01", ",\"enableRbacAuthorization\":false", false },
		{ "?api-version=2026-04-01-preview", "", true },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char target[512], body[1024];

		(void)snprintf(target, sizeof(target), VAULTS "/model-%zu%s", i, rows[i].version);
		(void)snprintf(body, sizeof(body),
		    "{\"location\":\"local\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
		    "\",\"sku\":{\"family\":\"A\",\"name\":\"standard\"}%s}}",
		    rows[i].more);
		DO(PUT, target, body, 201);
		for (int again = 0; again < 2; again++) {
			AUTO(vault_done) const struct vault *vault = NULL;
			char name[32];

			(void)snprintf(name, sizeof(name), "model-%zu", i);
			vault = site_vault(e, name);
			assert_non_null(vault);
			assert_int_equal(vault->rbac, rows[i].rbac);
			/* The other default's version, without saying what is wanted. */
			(void)snprintf(target, sizeof(target), VAULTS "/%s%s", name,
			    rows[i].rbac ? OLD : NEW);
			DO(PUT, target,
			    "{\"location\":\"local\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
			    "\",\"sku\":{\"family\":\"A\",\"name\":\"standard\"}}}",
			    200);
		}
	}
}

/* Whoever may write a vault, but not give rights, must not change who decides. */
static void
test_changing_the_model_needs_more(void **state)
{
	static const char *const switches[] = { JUST("\"enableRbacAuthorization\":false"),
		JUST("\"enableRbacAuthorization\":true") };
	struct estate *e = *state;
	struct uuid owner = e->caller.object;

	estate_grant(e, STRANGER, "Key Vault Contributor", S);
	DO(PUT, V1 NEW, BODY(""), 201);
	for (size_t i = 0; i < COUNT_OF(switches); i++) {
		assert_true(uuid_parse(V(STRANGER), &e->caller.object));
		DO(PATCH, V1 NEW, switches[i], 403);
		assert_text(site_code(e), V("AuthorizationFailed"));
		assert_non_null(strstr(e->err.message,
		    "'Microsoft.Authorization/roleAssignments/write' over scope '" V1 "'"));
		/* What is as it was needs nothing. */
		DO(PATCH, V1 NEW, switches[1 - i], 200);
		e->caller.object = owner;
		DO(PATCH, V1 NEW, switches[i], 200);
	}
}

static void
test_updates(void **state)
{
	struct estate *e = *state;

	DO(PATCH, V1, JUST(""), 404);
	DO(PUT, V1 OLD, BODY(",\"softDeleteRetentionInDays\":30"), 201);
	/* Fixed or one-way. */
	DO(PATCH, V1, JUST("\"softDeleteRetentionInDays\":31"), 400);
	assert_string_equal(e->err.message,
	    "The property \"softDeleteRetentionInDays\" has been set already and it can't be "
	    "modified.");
	DO(PATCH, V1, JUST("\"softDeleteRetentionInDays\":30"), 200);
	DO(PATCH, V1, JUST("\"enableSoftDelete\":false"), 400);
	DO(PATCH, V1, JUST("\"enablePurgeProtection\":true"), 200);
	DO(PATCH, V1, JUST("\"enablePurgeProtection\":false"), 400);
	DO(PUT, V1 OLD, BODY(""), 200);
	assert_true(estate_replied(e, "\"enablePurgeProtection\":true"));
	DO(PUT, V1, "{\"location\":\"northeurope\"}", 409);
	assert_text(site_code(e), V("InvalidResourceLocation"));
	/* A part of it. */
	DO(PATCH, V1, "{\"tags\":{\"new\":\"2\"}}", 200);
	assert_true(estate_replied(e, "\"tags\":{\"new\":\"2\"}"));
	assert_true(estate_replied(e, "\"softDeleteRetentionInDays\":30"));
	DO(PATCH, V1, JUST("\"networkAcls\":{\"defaultAction\":\"Deny\"}"), 200);
	assert_true(estate_replied(e,
	    "\"bypass\":\"AzureServices\",\"defaultAction\":\"Deny\","
	    "\"ipRules\":[],\"virtualNetworkRules\":[]"));
	DO(PATCH, V1, JUST("\"networkAcls\":{\"ipRules\":[{\"value\":\"203.0.113.9\"}]}"), 200);
	assert_true(estate_replied(e,
	    "\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":"
	    "\"203.0.113.9/32\"}]"));
	DO(PATCH, V1, JUST("\"sku\":{\"family\":\"A\",\"name\":\"premium\"}"), 200);
	assert_true(estate_replied(e, "\"name\":\"premium\""));
	DO(PATCH, V1, JUST("\"sku\":{\"family\":\"A\"}"), 400);
}

static void
test_a_name_is_taken_once(void **state)
{
	struct estate *e = *state;

	DO(PUT, S "/resourceGroups/other", "{\"location\":\"westeurope\"}", 201);
	DO(PUT, V1, BODY(""), 201);
	DO(PUT, S "/resourceGroups/other/providers/Microsoft.KeyVault/vaults/VAULT-ONE", BODY(""),
	    409);
	assert_text(site_code(e), V("VaultAlreadyExists"));
}

#define CHECK KV "/checkNameAvailability" NEW
#define NAME(name) "{\"name\":\"" name "\",\"type\":\"Microsoft.KeyVault/vaults\"}"

static void
test_name_availability(void **state)
{
	struct estate *e = *state;

	DO(POST, CHECK, NAME("vault-one"), 200);
	assert_text(buf_view(&e->out.body), V("{\"nameAvailable\":true}"));
	DO(PUT, V1, BODY(""), 201);
	for (int round = 0; round < 2; round++) {
		DO(POST, CHECK, NAME("VAULT-one"), 200);
		assert_true(
		    estate_replied(e, "\"nameAvailable\":false,\"reason\":\"AlreadyExists\""));
		DO(DELETE, V1, "", round == 0 ? 200 : 204);
	}
	DO(POST, CHECK, NAME("a--b"), 200);
	assert_text(estate_member(e, "reason"), V("AccountNameInvalid"));
	DO(POST, CHECK, "{\"name\":\"abc\",\"type\":\"Microsoft.Other/things\"}", 400);
	DO(POST, CHECK, "{}", 400);
	DO(POST, KV "/checkMhsmNameAvailability", "{\"name\":\"some-hsm\"}", 200);
	assert_text(buf_view(&e->out.body), V("{\"nameAvailable\":true}"));
}

/* What is in a vault, by way of the control plane. */

static void
test_deletion_and_recovery(void **state)
{
	static const char recover[] =
	    "{\"location\":\"westeurope\",\"properties\":{\"tenantId\":\"" ESTATE_TENANT
	    "\",\"sku\":{\"family\":\"A\",\"name\":"
	    "\"standard\"},\"createMode\":\"recover\"}}";
	struct estate *e = *state;
	AUTO(vault_done) const struct vault *vault = NULL;
	struct uuid id;

	DO(PUT, V1 NEW, BODY(",\"enabledForDeployment\":true"), 201);
	DO(PUT, SECRET, JUST("\"value\":\"deep\""), 200);
	vault = site_vault(e, "vault-one");
	id = vault->id;
	vault_release(vault);
	DO(DELETE, V1, "", 200);
	vault = site_vault(e, "vault-one");
	assert_null(vault);
	DO(GET, V1, "", 404);
	DO(DELETE, V1, "", 204);
	DO(GET, VAULTS, "", 200);
	assert_text(buf_view(&e->out.body), V("{\"value\":[]}"));

	DO(GET, DELETED, "", 200);
	assert_text(estate_member(e, "id"), V(KV "/locations/westeurope/deletedVaults/Vault-One"));
	assert_text(estate_member(e, "name"), V("Vault-One"));
	assert_text(estate_member(e, "type"), V("Microsoft.KeyVault/deletedVaults"));
	assert_text(estate_member(e, "vaultId"), V(V1));
	assert_true(estate_replied(e, "\"tags\":{\"t\":\"1\"}"));
	assert_true(estate_replied(e, "\"purgeProtectionEnabled\":false"));
	assert_int_equal(estate_member(e, "deletionDate").len, 20);
	DO(GET, KV "/deletedVaults", "", 200);
	assert_int_equal(estate_times(e, "\"vaultId\""), 1);
	DO(GET, KV "/locations/northeurope/deletedVaults/vault-one", "", 404);
	assert_text(site_code(e), V("DeletedVaultNotFound"));

	DO(PUT, V1, BODY(""), 409);
	assert_text(site_code(e), V("ConflictError"));
	assert_non_null(strstr(e->err.message, "already exists in deleted state"));
	DO(PUT, V1, "{\"properties\":{\"createMode\":\"recover\"}}", 400);
	DO(PUT, V1, "{\"location\":\"eastus\",\"properties\":{\"createMode\":\"recover\"}}", 409);
	DO(PUT, VAULTS "/another", recover, 404);
	DO(PUT, S "/resourceGroups/other", "{\"location\":\"westeurope\"}", 201);
	DO(PUT, S "/resourceGroups/other/providers/Microsoft.KeyVault/vaults/vault-one", recover,
	    404);
	DO(PUT, VAULTS "/vault-one", recover, 200);
	assert_text(estate_member(e, "id"), V(V1));
	assert_true(estate_replied(e, "\"enabledForDeployment\":true"));
	assert_true(estate_replied(e, "\"enableRbacAuthorization\":true"));
	assert_true(estate_replied(e, "\"tags\":{\"t\":\"1\"}"));
	vault = site_vault(e, "vault-one");
	assert_non_null(vault);
	assert_text(uuid_view(&vault->id), uuid_view(&id));
	DO(GET, SECRET, "", 200);
	DO(PUT, V1, recover, 409);
	DO(GET, DELETED, "", 404);
	DO(GET, KV "/deletedVaults", "", 200);
	assert_text(buf_view(&e->out.body), V("{\"value\":[]}"));
}

static void
test_purge(void **state)
{
	struct estate *e = *state;
	uint64_t keys = estate_count(e, "k/");

	DO(PUT, V1, BODY(""), 201);
	DO(PUT, SECRET, JUST("\"value\":\"deep\""), 200);
	assert_int_equal(estate_count(e, "k/"), keys + 1);
	DO(POST, DELETED "/purge", "", 404);
	DO(DELETE, V1, "", 200);
	DO(POST, DELETED "/purge", "", 200);
	assert_int_equal(e->out.body.len, 0);
	assert_int_equal(estate_count(e, "k/"), keys);
	assert_int_equal(estate_count(e, "v/"), 0);
	assert_int_equal(estate_count(e, "dvault"), 0);
	assert_int_equal(estate_count(e, "due/"), 0);
	DO(POST, DELETED "/purge", "", 404);
	/* The name is free, and the new vault is empty. */
	DO(PUT, V1, BODY(""), 201);
	DO(GET, SECRET, "", 404);
}

static void
test_a_protected_vault(void **state)
{
	struct estate *e = *state;

	DO(PUT, V1, BODY(",\"enablePurgeProtection\":true,\"softDeleteRetentionInDays\":7"), 201);
	DO(DELETE, V1, "", 200);
	DO(GET, DELETED, "", 200);
	assert_true(estate_replied(e, "\"purgeProtectionEnabled\":true"));
	DO(POST, DELETED "/purge", "", 405);
	assert_string_equal(e->err.message, "Operation 'DeletedVaultPurge' is not allowed.");
	clock_set_offset(7 * DAY_SECONDS + 1);
	DO(POST, DELETED "/purge", "", 200);
}

/* A group takes its vaults along; they can be recovered once there is a group again. */
static void
test_a_group_goes(void **state)
{
	static const char recover[] =
	    "{\"location\":\"westeurope\",\"properties\":{\"createMode\":\"recover\"}}";
	struct estate *e = *state;

	DO(PUT, V1, BODY(""), 201);
	(void)estate_do(e, HTTP_DELETE, G, "");
	assert_int_equal(estate_count(e, "vault/"), 0);
	assert_int_equal(estate_count(e, "dvault/"), 1);
	DO(PUT, V1, recover, 404);
	assert_text(site_code(e), V("ResourceGroupNotFound"));
	DO(PUT, G, "{\"location\":\"westeurope\"}", 201);
	DO(PUT, V1, recover, 200);
}

static void
test_pages_of_deleted_vaults(void **state)
{
	struct estate *e = *state;
	char target[1024];
	view rest;

	for (int i = 0; i < 5; i++) {
		(void)snprintf(target, sizeof(target), VAULTS "/many-%d", i);
		DO(PUT, target, BODY(""), 201);
		DO(DELETE, target, "", 200);
	}
	DO(GET, KV "/deletedVaults" NEW "&$top=3", "", 200);
	assert_int_equal(estate_times(e, "\"vaultId\""), 3);
	rest = estate_member(e, "nextLink");
	assert_true(view_starts(rest, V("https://management.localhost/")));
	(void)snprintf(target, sizeof(target), "%.*s",
	    VIEW_ARG(view_from(rest, sizeof("https://management.localhost") - 1)));
	DO(GET, target, "", 200);
	assert_int_equal(estate_times(e, "\"vaultId\""), 2);
	assert_false(estate_replied(e, "nextLink"));
	DO(GET, KV "/deletedVaults" NEW "&$skiptoken=forged", "", 400);
	DO(GET, KV "/deletedVaults" NEW "&$top=0", "", 400);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_a_vault_is_made_and_shown),
		FRESH(test_keeps_and_honours_every_property),
		FRESH(test_what_is_refused),
		FRESH(test_the_model_by_version),
		FRESH(test_changing_the_model_needs_more),
		FRESH(test_updates),
		FRESH(test_a_name_is_taken_once),
		FRESH(test_name_availability),
		FRESH(test_deletion_and_recovery),
		FRESH(test_purge),
		FRESH(test_a_protected_vault),
		FRESH(test_a_group_goes),
		FRESH(test_pages_of_deleted_vaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
