/*
 * What hangs off vaults at the control plane: access policies, secrets, what is the same for all;
 * and vaults from before they were resources.
 */
#include "arm/keyvault_testing.h"
#include "keyring/work.h"

#include <stdio.h>

#define POLICIES(kind) V1 "/accessPolicies/" kind NEW
#define ENTRIES(list) JUST("\"accessPolicies\":[" list "]")

static void
test_access_policies(void **state)
{
	struct estate *e = *state;
	AUTO(vault_done) const struct vault *vault = NULL;

	DO(PUT, POLICIES("add"), ENTRIES(POLICY(ONE, "\"get\"")), 404);
	DO(PUT, V1 OLD, BODY(""), 201);
	DO(PUT, POLICIES("add"), ENTRIES(POLICY(ONE, "\"get\"")), 200);
	assert_text(estate_member(e, "id"), V(V1 "/accessPolicies/"));
	assert_text(estate_member(e, "type"), V("Microsoft.KeyVault/vaults/accessPolicies"));
	DO(PUT, POLICIES("add"), ENTRIES(POLICY(ONE, "\"list\"") "," POLICY(TWO, "\"get\"")), 200);
	assert_int_equal(estate_times(e, "\"objectId\":\"" ONE "\""), 1);
	assert_int_equal(estate_times(e, "\"objectId\":\"" TWO "\""), 1);
	assert_true(estate_replied(e, "\"get\",\"list\""));
	DO(PUT, POLICIES("Replace"), ENTRIES(POLICY(ONE, "\"set\"")), 200);
	assert_true(estate_replied(e, "[\"set\"]"));
	assert_int_equal(estate_times(e, "objectId"), 2);
	DO(PUT, POLICIES("remove"), ENTRIES(POLICY(TWO, "\"get\",\"list\"")), 200);
	assert_int_equal(estate_times(e, "objectId"), 1);
	DO(PUT, POLICIES("remove"), ENTRIES(POLICY(STRANGER, "\"get\"")), 200);
	assert_int_equal(estate_times(e, "objectId"), 1);
	/* "all" but one is not all any more. */
	DO(PUT, POLICIES("replace"), ENTRIES(POLICY(ONE, "\"all\"")), 200);
	DO(PUT, POLICIES("remove"), ENTRIES(POLICY(ONE, "\"get\",\"backup\"")), 200);
	assert_true(
	    estate_replied(e, "\"secrets\":[\"list\",\"set\",\"delete\",\"recover\",\"restore\"]"));
	DO(PUT, POLICIES("remove"), ENTRIES(POLICY(ONE, "\"all\"")), 200);
	assert_int_equal(estate_times(e, "objectId"), 0);
	DO(PUT, POLICIES("add"), ENTRIES(POLICY(ONE, "\"set\"")), 200);
	assert_int_equal(estate_times(e, "objectId"), 1);
	DO(GET, V1, "", 200);
	assert_int_equal(estate_times(e, "objectId"), 1);
	vault = site_vault(e, "vault-one");
	assert_int_equal(vault->policy_count, 1);
	DO(PUT, POLICIES("merge"), ENTRIES(POLICY(ONE, "\"get\"")), 400);
	DO(PUT, POLICIES("add"), "{}", 400);
	DO(PUT, POLICIES("add"), JUST(""), 400);
	DO(PUT, POLICIES("add"), ENTRIES(POLICY("no-guid", "\"get\"")), 400);
	DO(PUT, POLICIES("add"), ENTRIES(POLICY(ONE, "\"fly\"")), 400);
}

static void
test_coverage(void **state)
{
	struct estate *e = *state;

	DO(GET, V1 "/providers/Strongroom.Authorization/coverage", "", 404);
	DO(PUT, V1 OLD, BODY(",\"accessPolicies\":[" POLICY(ONE, "\"get\"") "]"), 201);
	DO(GET, V1 "/providers/Strongroom.Authorization/coverage", "", 200);
	assert_true(estate_replied(e, "\"uncovered\":1"));
	estate_grant(e, ONE, "Key Vault Secrets User", V1);
	DO(GET, V1 "/providers/Strongroom.Authorization/coverage", "", 200);
	assert_true(estate_replied(e, "\"uncovered\":0"));
}

static void
test_at_most_so_many_policies(void **state)
{
	AUTO(buf_free) struct buf body = { 0 };
	struct estate *e = *state;

	DO(PUT, V1 OLD, BODY(""), 201);
	buf_add(&body, V("{\"properties\":{\"accessPolicies\":["));
	for (unsigned i = 0; i < POLICIES_MAX; i++)
		buf_print(&body,
		    "%s{\"tenantId\":\"" ESTATE_TENANT
		    "\",\"objectId\":\"00000000-0000-4000-8000-%012u\",\"permissions\":"
		    "{\"secrets\":[\"get\"]}}",
		    i > 0 ? "," : "", i + 1000);
	buf_add(&body, V("]}}"));
	buf_add_char(&body, '\0');
	DO(PUT, POLICIES("add"), body.ptr, 200);
	assert_int_equal(estate_times(e, "objectId"), POLICIES_MAX);
	DO(PUT, POLICIES("add"), ENTRIES(POLICY(ONE, "\"get\"")), 400);
	DO(PUT, POLICIES("add"), body.ptr, 200);
}

/* Set here, read at the data plane only. */
static void
test_secrets(void **state)
{
	struct estate *e = *state;
	char first[256];

	DO(PUT, SECRET, JUST("\"value\":\"deep\""), 404);
	DO(PUT, V1, BODY(""), 201);
	DO(PUT, SECRET, JUST("\"contentType\":\"text\""), 400);
	DO(PUT, SECRET,
	    "{\"tags\":{\"a\":\"b\"},\"properties\":{\"value\":\"very deep\",\"contentType\":"
	    "\"text\",\"attributes\":{\"enabled\":false,\"exp\":4000000000}}}",
	    200);
	assert_false(estate_replied(e, "deep"));
	assert_text(estate_member(e, "id"), V(SECRET));
	assert_text(estate_member(e, "name"), V("Word"));
	assert_text(estate_member(e, "type"), V("Microsoft.KeyVault/vaults/secrets"));
	assert_text(estate_member(e, "location"), V("westeurope"));
	assert_text(estate_member(e, "secretUri"),
	    V("https://vault-one.vault.localhost/secrets/Word"));
	assert_true(estate_replied(e, "\"tags\":{\"a\":\"b\"}"));
	assert_true(estate_replied(e, "\"enabled\":false,\"exp\":4000000000,\"created\":"));
	(void)snprintf(first, sizeof(first), "%.*s",
	    VIEW_ARG(estate_member(e, "secretUriWithVersion")));
	DO(GET, V1 "/secrets/WORD", "", 200);
	assert_text(estate_member(e, "secretUriWithVersion"), view_of(first));
	assert_false(estate_replied(e, "deep"));
	DO(PATCH, SECRET, JUST("\"attributes\":{\"enabled\":true}"), 200);
	assert_text(estate_member(e, "secretUriWithVersion"), view_of(first));
	assert_text(estate_member(e, "contentType"), V("text"));
	assert_true(estate_replied(e, "\"enabled\":true,\"exp\":4000000000"));
	DO(PATCH, SECRET, JUST("\"value\":\"deeper\""), 200);
	assert_false(view_eq(estate_member(e, "secretUriWithVersion"), view_of(first)));
	DO(PATCH, V1 "/secrets/none", JUST("\"attributes\":{}"), 404);
	DO(PUT, V1 "/secrets/bad_name", JUST("\"value\":\"x\""), 400);
	DO(PUT, V1 "/secrets/other", JUST("\"value\":\"x\""), 200);
	DO(GET, V1 "/secrets" NEW "&$top=1", "", 200);
	assert_int_equal(estate_times(e, "\"secretUri\""), 1);
	assert_true(estate_replied(e, "nextLink"));
	DO(GET, V1 "/secrets" NEW, "", 200);
	assert_int_equal(estate_times(e, "\"secretUri\""), 2);
	assert_false(estate_replied(e, "deep"));
}

static void
test_what_is_always_the_same(void **state)
{
	static const char *const empty[] = { KV "/managedHSMs", KV "/deletedManagedHSMs",
		G "/providers/Microsoft.KeyVault/managedHSMs", V1 "/privateEndpointConnections" };
	struct estate *e = *state;

	DO(GET, V1 "/privateLinkResources", "", 404);
	DO(PUT, V1, BODY(""), 201);
	DO(GET, V1 "/privateLinkResources", "", 200);
	assert_true(
	    estate_replied(e, "\"requiredZoneNames\":[\"privatelink.vaultcore.azure.net\"]"));
	for (size_t i = 0; i < COUNT_OF(empty); i++) {
		DO(GET, empty[i], "", 200);
		assert_text(buf_view(&e->out.body), V("{\"value\":[]}"));
	}
	DO(GET, "/providers/Microsoft.KeyVault/operations", "", 200);
	assert_int_equal(estate_times(e, "\"aggregationType\""), 5);
	assert_true(estate_replied(e, "\"name\":\"AuditEvent\""));
}

/* A vault from before there were resources gets its own, and its group, once. */
#define OLDER S "/resourceGroups/dev/providers/Microsoft.KeyVault/vaults/Older"

static bool
old_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct vault vault = { .tenant = { ESTATE_TENANT },
		.subscription = { ESTATE_SUBSCRIPTION },
		.name = view_of(ctx),
		.resource_group = V("dev"),
		.location = V("local"),
		.created = 1700000000,
		.retention_days = 90,
		.rbac = true };

	(void)journal;
	return vault_create(tx, &vault, err);
}

static void
adopt(struct estate *e)
{
	assert_fine(vaults_adopt(e->place.store, e->place.keyring, &e->err), &e->err);
}

static void
test_an_old_vault_becomes_a_resource(void **state)
{
	struct estate *e = *state;

	assert_fine(work_run(e->place.store, e->place.keyring, old_body,
			(void *)(uintptr_t) "Older", &e->err),
	    &e->err);
	DO(GET, OLDER, "", 404);
	adopt(e);
	DO(GET, OLDER, "", 200);
	assert_text(estate_member(e, "id"), V(OLDER));
	assert_true(estate_replied(e, "\"enableRbacAuthorization\":true"));
	DO(PATCH, OLDER, JUST("\"enabledForDeployment\":true"), 200);
	adopt(e);
	DO(GET, OLDER, "", 200);
	assert_true(estate_replied(e, "\"enabledForDeployment\":true"));
}

static void
test_many_old_vaults(void **state)
{
	struct estate *e = *state;
	char name[16];

	for (int i = 0; i < 205; i++) {
		(void)snprintf(name, sizeof(name), "old-%d", i);
		assert_fine(work_run(e->place.store, e->place.keyring, old_body, name, &e->err),
		    &e->err);
	}
	adopt(e);
	DO(GET, S "/resourceGroups/dev/providers/Microsoft.KeyVault/vaults?$top=300", "", 200);
	assert_int_equal(estate_times(e, "\"vaultUri\""), 205);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_access_policies),
		FRESH(test_coverage),
		FRESH(test_at_most_so_many_policies),
		FRESH(test_secrets),
		FRESH(test_what_is_always_the_same),
		FRESH(test_an_old_vault_becomes_a_resource),
		FRESH(test_many_old_vaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
