#include "access/coverage.h"
#include "access/testing.h"
#include "base/testing.h"

#define VAULT                                                                             \
	"/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g/providers/" \
	"Microsoft.KeyVault/vaults/v1"

static uint64_t
set_of(const char *const *actions)
{
	uint64_t set = 0;

	for (; *actions != NULL; actions++) {
		size_t i = 0;

		while (!view_eq(view_of(data_action_at(i)), view_of(*actions)))
			assert_non_null(data_action_at(++i));
		set |= (uint64_t)1 << i;
	}
	return set;
}

static void
test_narrowest_roles(void **state)
{
	static const struct {
		const char *actions[6], *roles[3];
	} rows[] = {
		{ { NULL }, { NULL } },
		{ { "secrets/getSecret/action" }, { "Key Vault Secrets User" } },
		{ { "secrets/getSecret/action", "secrets/setSecret/action" },
		    { "Key Vault Secrets Officer" } },
		{ { "keys/read", "keys/wrap/action", "keys/unwrap/action" },
		    { "Key Vault Crypto Service Encryption User" } },
		{ { "keys/sign/action" }, { "Key Vault Crypto User" } },
		{ { "keys/create/action" }, { "Key Vault Crypto Officer" } },
		{ { "certificates/read", "secrets/getSecret/action" },
		    { "Key Vault Certificate User" } },
		{ { "certificates/read", "keys/read" }, { "Key Vault Certificate User" } },
		{ { "keys/release/action" }, { "Key Vault Crypto Service Release User" } },
		{ { "keys/create/action", "secrets/getSecret/action" },
		    { "Key Vault Crypto Officer", "Key Vault Secrets User" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct role *roles[COVERAGE_ROLES_MAX];
		size_t count = coverage_roles(set_of(rows[i].actions), roles);

		for (size_t j = 0; j < count; j++) {
			assert_non_null(rows[i].roles[j]);
			assert_string_equal(roles[j]->name, rows[i].roles[j]);
		}
		assert_null(rows[i].roles[count]);
	}
}

static bool
contains(const struct buf *text, const char *part)
{
	return memmem(text->ptr, text->len, part, strlen(part)) != NULL;
}

static void
test_report(void **state)
{
	/* get, list; get */
	struct access_policy policies[] = {
		{ .tenant = id_of(TENANT), .object = id_of(1), .secrets = 3 },
		{ .tenant = id_of(TENANT), .object = id_of(2), .application = id_of(9), .keys = 1 },
	};
	struct coverage coverage = {
		.access = world.access,
		.tenant = id_of(TENANT),
		.vault = V(VAULT),
		.policies = policies,
		.count = COUNT_OF(policies),
	};
	AUTO(buf_free) struct buf out = { 0 };
	struct json json = json_to(&out);

	(void)state;
	coverage_write(&coverage, &json);
	assert_true(contains(&out, "\"entries\":2,\"covered\":0,\"uncovered\":2"));
	assert_true(contains(&out, "\"roleName\":\"Key Vault Secrets User\""));
	assert_true(contains(&out, "\"compound\":true,\"covered\":false"));
	assert_true(contains(&out,
	    "\"missing\":[\"Microsoft.KeyVault/vaults/secrets/getSecret/action\","
	    "\"Microsoft.KeyVault/vaults/secrets/readMetadata/action\"]"));
	join(1, 5);
	grant(10, 5, "Key Vault Secrets User", V(VAULT));
	grant(11, 2, "Key Vault Reader", V(VAULT));
	buf_reset(&out);
	json = json_to(&out);
	coverage_write(&coverage, &json);
	assert_true(contains(&out, "\"entries\":2,\"covered\":2,\"uncovered\":0"));
	assert_true(contains(&out, "\"missing\":[],\"proposedRoles\":[],\"gained\":[]"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_narrowest_roles),
		cmocka_unit_test_setup_teardown(test_report, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
