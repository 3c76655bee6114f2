#include "access/role.h"
#include "base/testing.h"

#include <stdio.h>

static void
test_patterns(void **state)
{
	static const struct {
		view pattern, action;
		bool matches;
	} rows[] = {
		{ V_INIT("*"), V_INIT(""), true },
		{ V_INIT("*"), V_INIT("a/b/c"), true },
		{ V_INIT(""), V_INIT(""), true },
		{ V_INIT(""), V_INIT("a"), false },
		{ V_INIT("a"), V_INIT(""), false },
		{ V_INIT("a/b"), V_INIT("A/B"), true },
		{ V_INIT("a/b"), V_INIT("a/b/c"), false },
		{ V_INIT("a/b/c"), V_INIT("a/b"), false },
		{ V_INIT("a/*"), V_INIT("a/b"), true },
		{ V_INIT("a/*"), V_INIT("a/b/c"), true },
		{ V_INIT("a/*"), V_INIT("a/"), true },
		{ V_INIT("a/*"), V_INIT("a"), false },
		{ V_INIT("a/*"), V_INIT("ab/c"), false },
		{ V_INIT("*/read"), V_INIT("a/b/read"), true },
		{ V_INIT("*/read"), V_INIT("a/read/write"), false },
		{ V_INIT("*/read"), V_INIT("read"), false },
		{ V_INIT("*/read"), V_INIT("a/read/read"), true },
		{ V_INIT("a/*/read"), V_INIT("a/b/c/read"), true },
		{ V_INIT("a/*/read"), V_INIT("a/read"), false },
		{ V_INIT("a/*/read"), V_INIT("a//read"), true },
		{ V_INIT("a*b*c"), V_INIT("aXbXbXc"), true },
		{ V_INIT("a*b*c"), V_INIT("acb"), false },
		{ V_INIT("**"), V_INIT("a"), true },
		{ V_INIT("a**"), V_INIT("a"), true },
		{ V_INIT("*a*"), V_INIT("bab"), true },
		{ V_INIT("*a*"), V_INIT("bbb"), false },
		{ V_INIT("*ab"), V_INIT("aab"), true },
		/* A star in what is asked for is just a character. */
		{ V_INIT("a"), V_INIT("*"), false },
		{ V_INIT("a/read"), V_INIT("a/*"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (action_matches(rows[i].pattern, rows[i].action) != rows[i].matches)
			fail_msg("%s on %s", rows[i].pattern.ptr, rows[i].action.ptr);
	}
}

/* A pattern of stars must not make the work grow by more than the product of the lengths. */
static void
test_many_stars(void **state)
{
	static char pattern[1000], action[20000];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	memset(action, 'a', sizeof(action));
	assert_true(
	    action_matches((view){ pattern, sizeof(pattern) }, (view){ action, sizeof(action) }));
	pattern[sizeof(pattern) - 1] = 'b';
	assert_false(
	    action_matches((view){ pattern, sizeof(pattern) }, (view){ action, sizeof(action) }));
}

/* The data actions there are: reference of the data plane, section 13.2. */
static const char *const data_actions[] = {
	"secrets/delete",
	"secrets/backup/action",
	"secrets/purge/action",
	"secrets/update/action",
	"secrets/recover/action",
	"secrets/restore/action",
	"secrets/readMetadata/action",
	"secrets/getSecret/action",
	"secrets/setSecret/action",
	"keys/read",
	"keys/update/action",
	"keys/create/action",
	"keys/import/action",
	"keys/recover/action",
	"keys/restore/action",
	"keys/delete",
	"keys/backup/action",
	"keys/purge/action",
	"keys/encrypt/action",
	"keys/decrypt/action",
	"keys/wrap/action",
	"keys/unwrap/action",
	"keys/sign/action",
	"keys/verify/action",
	"keys/release/action",
	"keys/rotate/action",
	"keyrotationpolicies/read",
	"keyrotationpolicies/write",
	"certificates/delete",
	"certificates/read",
	"certificates/backup/action",
	"certificates/purge/action",
	"certificates/update/action",
	"certificates/create/action",
	"certificates/import/action",
	"certificates/recover/action",
	"certificates/restore/action",
	"certificatecas/delete",
	"certificatecas/read",
	"certificatecas/write",
	"certificatecontacts/write",
};

/* Section 13.3: which of them each role allows, between spaces; "x/" stands for all below x. */
static const struct {
	const char *id, *name, *allowed;
} data_roles[] = {
	{ "00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator",
	    "secrets/ keys/ keyrotationpolicies/ certificates/ certificatecas/ "
	    "certificatecontacts/" },
	{ "a4417e6f-fecd-4de8-b567-7b0420556985", "Key Vault Certificates Officer",
	    "certificates/ certificatecas/ certificatecontacts/write" },
	{ "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba", "Key Vault Certificate User",
	    "certificates/read secrets/getSecret/action secrets/readMetadata/action keys/read" },
	{ "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer",
	    "keys/ keyrotationpolicies/" },
	{ "12338af0-0e69-4776-bea7-57ae8d297424", "Key Vault Crypto User",
	    "keys/read keys/update/action keys/backup/action keys/encrypt/action "
	    "keys/decrypt/action keys/wrap/action keys/unwrap/action keys/sign/action "
	    "keys/verify/action" },
	{ "e147488a-f6f5-4113-8e2d-b22465e65bf6", "Key Vault Crypto Service Encryption User",
	    "keys/read keys/wrap/action keys/unwrap/action" },
	{ "08bbd89e-9f13-488c-ac41-acfcb10c90ab", "Key Vault Crypto Service Release User",
	    "keys/release/action" },
	{ "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "Key Vault Secrets Officer", "secrets/" },
	{ "4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User",
	    "secrets/getSecret/action secrets/readMetadata/action" },
	{ "21090545-7ca7-4776-b22c-e363652d74d2", "Key Vault Reader",
	    "keys/read keyrotationpolicies/read certificates/read certificatecas/read "
	    "secrets/readMetadata/action" },
	{ "f25e0fa2-a7c8-4377-a976-54943a77a395", "Key Vault Contributor", "" },
	{ "a68e7c17-0ab2-4c09-9a58-125dae29748c", "Key Vault Purge Operator", "" },
	{ "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", "" },
	{ "b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", "" },
	{ "acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", "" },
	{ "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "" },
	{ "f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator", "" },
	{ "f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator", "" },
	{ "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", "Managed Identity Contributor", "" },
	{ "8b54135c-b56d-4d72-a534-26097cfdc8d8", "Key Vault Data Access Administrator", "" },
};

static bool
is_listed(const char *list, view action)
{
	view rest = view_of(list);

	while (rest.len > 0) {
		view word = view_cut(&rest, ' ');

		if (view_ends(word, V("/")) ? view_starts(action, word) : view_eq(action, word))
			return true;
	}
	return false;
}

static void
test_data_actions_of_every_role(void **state)
{
	char action[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(data_roles); i++) {
		const struct role *role = role_find(view_of(data_roles[i].id));

		assert_non_null(role);
		assert_string_equal(role->name, data_roles[i].name);
		for (size_t j = 0; j < COUNT_OF(data_actions); j++) {
			(void)snprintf(action, sizeof(action), "Microsoft.KeyVault/vaults/%s",
			    data_actions[j]);
			if (role_allows(role, view_of(action), true) !=
			    is_listed(data_roles[i].allowed, view_of(data_actions[j])))
				fail_msg("%s, %s", role->name, data_actions[j]);
		}
	}
	/* No role that this test does not know. */
	assert_null(role_at(COUNT_OF(data_roles)));
	assert_non_null(role_at(COUNT_OF(data_roles) - 1));
}

static void
test_actions(void **state)
{
	static const struct {
		view role, action;
		bool allowed;
	} rows[] = {
		{ V_INIT("Owner"), V_INIT("Microsoft.Authorization/roleAssignments/write"), true },
		{ V_INIT("Contributor"), V_INIT("Microsoft.KeyVault/vaults/write"), true },
		{ V_INIT("Contributor"), V_INIT("Microsoft.Authorization/roleAssignments/write"),
		    false },
		{ V_INIT("Contributor"), V_INIT("microsoft.authorization/roleassignments/DELETE"),
		    false },
		{ V_INIT("Contributor"), V_INIT("Microsoft.Authorization/roleAssignments/read"),
		    true },
		{ V_INIT("Reader"), V_INIT("Microsoft.KeyVault/vaults/read"), true },
		{ V_INIT("Reader"), V_INIT("Microsoft.KeyVault/vaults/write"), false },
		{ V_INIT("User Access Administrator"),
		    V_INIT("Microsoft.Authorization/roleAssignments/write"), true },
		{ V_INIT("User Access Administrator"), V_INIT("Microsoft.KeyVault/vaults/write"),
		    false },
		{ V_INIT("Key Vault Administrator"),
		    V_INIT("Microsoft.Authorization/roleAssignments/write"), false },
		{ V_INIT("Key Vault Administrator"),
		    V_INIT("Microsoft.Authorization/roleAssignments/read"), true },
		{ V_INIT("Key Vault Administrator"), V_INIT("Microsoft.KeyVault/vaults/write"),
		    false },
		{ V_INIT("Key Vault Secrets User"),
		    V_INIT("Microsoft.Authorization/roleAssignments/read"), false },
		{ V_INIT("Key Vault Contributor"), V_INIT("Microsoft.KeyVault/vaults/write"),
		    true },
		{ V_INIT("Key Vault Contributor"),
		    V_INIT("Microsoft.KeyVault/locations/deletedVaults/purge/action"), false },
		{ V_INIT("Key Vault Contributor"), V_INIT("Microsoft.KeyVault/managedHsms/write"),
		    false },
		{ V_INIT("Key Vault Contributor"),
		    V_INIT("Microsoft.Authorization/roleAssignments/write"), false },
		{ V_INIT("Key Vault Purge Operator"),
		    V_INIT("Microsoft.KeyVault/locations/deletedVaults/purge/action"), true },
		{ V_INIT("Key Vault Purge Operator"), V_INIT("Microsoft.KeyVault/vaults/write"),
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct role *role = role_find_named(rows[i].role);

		assert_non_null(role);
		if (role_allows(role, rows[i].action, false) != rows[i].allowed)
			fail_msg("%s, %s", role->name, rows[i].action.ptr);
	}
}

/* Who may do everything to a vault may not read what is in it, and the other way round. */
static void
test_the_planes_are_apart(void **state)
{
	(void)state;
	assert_true(role_allows(role_find_named(V("owner")), V("a/b"), false));
	assert_false(role_allows(role_find_named(V("owner")), V("a/b"), true));
	assert_false(role_allows(role_find_named(V("KEY VAULT SECRETS OFFICER")),
	    V("Microsoft.KeyVault/vaults/secrets/delete"), false));
}

static void
test_finds(void **state)
{
	(void)state;
	assert_non_null(role_find(V("00482A5A-887F-4FB3-B363-3B7FE8E74483")));
	assert_null(role_find(V("")));
	assert_null(role_find(V("00482a5a-887f-4fb3-b363-3b7fe8e7448")));
	assert_null(role_find_named(V("Key Vault")));
	assert_null(role_at(SIZE_MAX));
}

static void
test_ids_and_names_are_unique(void **state)
{
	const struct role *role;

	(void)state;
	for (size_t i = 0; (role = role_at(i)) != NULL; i++) {
		assert_ptr_equal(role_find(view_of(role->id)), role);
		assert_ptr_equal(role_find_named(view_of(role->name)), role);
		assert_true(role->description[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_many_stars),
		cmocka_unit_test(test_data_actions_of_every_role),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_the_planes_are_apart),
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_ids_and_names_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
