/*
 * Ids and filters.
 */
#include "arm/filter.h"
#include "base/testing.h"

#include <stdlib.h>

#define SUB "/subscriptions/00000000-0000-4000-8000-00000000000B"
#define GROUP SUB "/resourceGroups/My.Group"
#define VAULT GROUP "/providers/Microsoft.KeyVault/vaults/Kv"

static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void
test_ids(void **state)
{
	static const struct {
		const char *text, *group, *scope, *space, *type, *name, *parent;
	} cases[] = {
		{ SUB, "", SUB, "", "", "00000000-0000-4000-8000-00000000000B", "" },
		{ GROUP, "My.Group", GROUP, "", "", "My.Group", "" },
		{ VAULT, "My.Group", GROUP, "Microsoft.KeyVault", "vaults", "Kv", "" },
		{ VAULT "/secrets/s", "My.Group", GROUP, "Microsoft.KeyVault", "vaults/secrets",
		    "s", VAULT },
		{ VAULT "/a/b/c/d", "My.Group", GROUP, "Microsoft.KeyVault", "vaults/a/c", "d",
		    VAULT "/a/b" },
		{ VAULT "/PROVIDERS/X.Y/ext/e", "My.Group", VAULT, "X.Y", "ext", "e", "" },
		{ SUB "/providers/X.Y/t/n", "", SUB, "X.Y", "t", "n", "" },
		{ "/providers/X.Y/t/n", "", "", "X.Y", "t", "n", "" },
		{ "/Providers/Microsoft.Management/managementGroups/m/providers/X.Y/t/n", "",
		    "/Providers/Microsoft.Management/managementGroups/m", "X.Y", "t", "n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct resource_id id;
		struct error err;

		assert_fine(resource_id_parse(view_of(cases[i].text), &arena, &id, &err), &err);
		assert_text(id.group, view_of(cases[i].group));
		assert_text(id.scope, view_of(cases[i].scope));
		assert_text(id.space, view_of(cases[i].space));
		assert_text(id.type, view_of(cases[i].type));
		assert_text(id.name, view_of(cases[i].name));
		assert_text(id.parent, view_of(cases[i].parent));
		assert_text(id_group(view_of(cases[i].text)), view_of(cases[i].group));
	}
}

static void
test_no_ids(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"subscriptions",
		"/subscriptions",
		"/subscriptions/",
		"/subscriptions/x",
		SUB "/",
		SUB "/resourceGroups",
		SUB "/resourceGroups/",
		SUB "/resourceGroups//providers/X.Y/t/n",
		SUB "/other/thing",
		GROUP "/thing",
		GROUP "/providers",
		GROUP "/providers/X.Y",
		GROUP "/providers/X.Y/t",
		VAULT "/secrets",
		VAULT "//",
		VAULT "/../x/y",
		VAULT "/./x",
		VAULT "/a/b\x01",
		VAULT "/a/\xff",
		VAULT "/\x7f/b",
		"/tenants/x",
		SUB "/other/providers/X.Y/t/n",
		GROUP "/other/providers/X.Y/t/n",
		"/x/providers/X.Y/t/n",
		VAULT "/odd/providers/X.Y/t/n",
	};
	char longest[RESOURCE_ID_MAX + 2] = VAULT;
	struct resource_id id;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		err.code = ERR_NONE;
		if (resource_id_parse(view_of(cases[i]), &arena, &id, &err))
			fail_msg("accepted: %s", cases[i]);
		assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
	memset(longest + strlen(longest), 'a', RESOURCE_ID_MAX + 1 - strlen(VAULT));
	assert_false(resource_id_parse((view){ longest, RESOURCE_ID_MAX + 1 }, &arena, &id, &err));
	assert_fine(resource_id_parse((view){ longest, RESOURCE_ID_MAX }, &arena, &id, &err), &err);
}

static void
test_names(void **state)
{
	(void)state;
	assert_true(group_name_valid(V("a_-.()9")));
	assert_true(group_name_valid(V("gr\xc3\xbcn")));
	assert_false(group_name_valid(V("")));
	assert_false(group_name_valid(V("a.")));
	assert_false(group_name_valid(V("a/b")));
	assert_false(group_name_valid((view){ "a\0b", 3 }));
	assert_text(group_name_fault(V("ab*c")), V("*"));
	assert_true(resource_name_valid(V("a b'c")));
	for (const char *bad = "<>%&\\?/:#\n\x7f"; *bad != '\0'; bad++) {
		char name[] = "a_b";

		name[1] = *bad;
		assert_false(resource_name_valid(view_of(name)));
	}
	assert_false(resource_name_valid(V("a.")));
	assert_false(resource_name_valid(V("")));
}

static const struct resource_type type = { .space = "Microsoft.KeyVault", .name = "vaults" };
static const struct body_tag tags[] = { { V_INIT("env"), V_INIT("Prod") },
	{ V_INIT("team"), V_INIT("it's") } };
static const struct resource vault = { .type = &type,
	.id = V_INIT(VAULT),
	.name = V_INIT("Kv"),
	.location = V_INIT("westeurope"),
	.tags = tags,
	.tag_count = COUNT_OF(tags) };

static void
test_filters(void **state)
{
	static const struct {
		const char *text;
		bool matches;
	} cases[] = {
		{ "", true },
		{ "resourceType eq 'microsoft.keyvault/VAULTS'", true },
		{ "RESOURCETYPE EQ 'Microsoft.KeyVault/vaults'", true },
		{ "resourceType eq 'Microsoft.KeyVault/vault'", false },
		{ "resourceType ne 'Microsoft.KeyVault/vaults'", false },
		{ "name eq 'KV' and resourceGroup eq 'my.group'", true },
		{ "name eq 'kv' and resourceGroup eq 'other'", false },
		{ "location eq 'West Europe'", true },
		{ "kind eq ''", true },
		{ "tagName eq 'team' and tagValue eq 'it''s'", true },
		{ "tagName eq 'env' and tagValue eq 'it''s'", false },
		{ "tagName eq 'none'", false },
		{ "startswith(tagName, 'te')", true },
		{ "substringof('v', name)", true },
		{ "substringof('x', name)", false },
		{ "  name   eq   'kv'  ", true },
	};
	struct resource_filter filter;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_fine(resource_filter_parse(view_of(cases[i].text), false, &arena, &filter,
				&err),
		    &err);
		if (resource_filter_fits(&filter, &vault) != cases[i].matches)
			fail_msg("%s", cases[i].text);
	}
	assert_fine(resource_filter_parse(V("name ne 'a' and name eq 'b'"), false, &arena, &filter,
			&err),
	    &err);
	assert_text(resource_filter_only(&filter, FILTER_NAME), V("b"));
	assert_text(resource_filter_only(&filter, FILTER_TYPE), V(""));
}

static void
test_bad_filters(void **state)
{
	static const char *const cases[] = {
		"x",
		"name",
		"name eq",
		"name eq kv",
		"name eq 'kv",
		"name eq 'kv' and",
		"name eq 'kv' or name eq 'b'",
		"name eq 'kv' name eq 'b'",
		"name gt 'kv'",
		"size eq '1'",
		"not (name eq 'kv')",
		"substringof('x')",
		"substringof('x', name",
		"startswith(name 'x')",
		"name eq 'a'b'",
		"and name eq 'a'",
	};
	char many[FILTER_TERMS_MAX * 20 + 40] = "name eq 'a'";
	struct resource_filter filter;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (resource_filter_parse(view_of(cases[i]), false, &arena, &filter, &err))
			fail_msg("accepted: %s", cases[i]);
		assert_int_equal(err.code, ERR_FILTER_INVALID);
	}
	for (size_t i = 1; i < FILTER_TERMS_MAX; i++)
		memcpy(many + strlen(many), " and name eq 'a'", sizeof(" and name eq 'a'"));
	assert_true(resource_filter_parse(view_of(many), false, &arena, &filter, &err));
	memcpy(many + strlen(many), " and name eq 'a'", sizeof(" and name eq 'a'"));
	assert_false(resource_filter_parse(view_of(many), false, &arena, &filter, &err));
	assert_true(resource_filter_parse(V("tagName eq 'a'"), true, &arena, &filter, &err));
	assert_false(resource_filter_parse(V("name eq 'a'"), true, &arena, &filter, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_filters, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
