#include "access/condition.h"
#include "access/condition_value.h"
#include "access/testing.h"
#include "base/clock.h"
#include "base/testing.h"

#include <stdlib.h>

#define SECRET \
	"/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v1/secrets/app-One"
#define NAME "@Resource[Microsoft.KeyVault/vaults/secrets:name]"
#define VAULT "@Resource[Microsoft.KeyVault/vaults:name]"
#define ROLE "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
#define GUID "4633458b-17de-408a-b874-0445c86b69e6"
#define GET "Microsoft.KeyVault/vaults/secrets/getSecret/action"

static enum verdict
judge(const char *text, view action, const struct access_attribute *attributes, size_t count,
    bool pending)
{
	const struct access_question question = {
		.action = action,
		.scope = V(SECRET),
		.attributes = attributes,
		.attribute_count = count,
		.attributes_pending = pending,
	};

	return condition_judge(view_of(text), &question);
}

/* The names of a vault, of its group and of a secret may be those of types. */
static void
test_names_like_types(void **state)
{
	static const struct {
		const char *scope, *text;
		bool holds;
	} rows[] = {
#define IN(group, rest) \
	"/subscriptions/s/resourceGroups/" group "/providers/Microsoft.KeyVault/vaults/" rest
		{ IN("g", "secrets/secrets/prod"), NAME " StringEquals 'prod'", true },
		{ IN("g", "secrets/secrets/prod"), NAME " StringEquals 'secrets'", false },
		{ IN("g", "secrets/secrets/prod"), VAULT " StringEquals 'secrets'", true },
		{ IN("g", "secrets"), "Exists " NAME, false },
		{ IN("g", "vaults/secrets/vaults"), VAULT " StringEquals 'vaults'", true },
		{ IN("Microsoft.KeyVault", "v/secrets/x"), VAULT " StringEquals 'v'", true },
		{ IN("vaults", "v/secrets/x"), NAME " StringEquals 'x'", true },
		{ IN("g", "v/secrets"), "Exists " NAME, false },
		{ "/subscriptions/s/resourceGroups/vaults", "Exists " VAULT, false },
		{ "/", "Exists " VAULT, false },
#undef IN
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct access_question question = { .action = V(GET),
			.scope = view_of(rows[i].scope) };
		enum verdict verdict = condition_judge(view_of(rows[i].text), &question);

		if (verdict != (rows[i].holds ? VERDICT_TRUE : VERDICT_FALSE))
			fail_msg("%s at %s", rows[i].text, rows[i].scope);
	}
}

static void
test_judged(void **state)
{
	static const struct {
		const char *text;
		bool holds;
	} rows[] = {
		{ NAME " StringEquals 'app-One'", true },
		{ NAME " stringequals 'APP-ONE'", true }, /* a secret's name has no case */
		{ NAME " StringNotEquals 'APP-one'", false },
		{ NAME " StringEquals 'other'", false },
		{ NAME " StringStartsWith 'APP'", true },
		{ NAME " StringNotStartsWith 'app'", false },
		{ NAME " StringEndsWith 'one'", true },
		{ NAME " StringNotEndsWithIgnoreCase 'two'", true },
		{ NAME " StringContains 'p-o'", true },
		{ NAME " StringNotContains 'x'", true },
		{ NAME " StringLike 'a*-?ne'", true },
		{ NAME " StringLike 'a*-?nx'", false },
		{ NAME " StringNotLike 'b*'", true },
		{ NAME " ForAnyOfAnyValues:StringEquals {'x', 'app-one'}", true },
		{ NAME " ForAnyOfAnyValues:StringEquals {'x', 'y'}", false },
		{ NAME " ForAllOfAnyValues:StringStartsWith {'x', 'app'}", true },
		{ NAME " ForAnyOfAllValues:StringStartsWith {'a', 'app'}", true },
		{ NAME " ForAllOfAllValues:StringStartsWith {'a', 'x'}", false },
		{ NAME " ForAllOfAllValues:StringNotEquals {'x', 'y'}", true },
		{ VAULT " StringEquals 'v1'", true },
		{ "Exists " NAME, true },
		{ "NOT Exists " NAME, false },
		{ "!(" NAME " StringEquals 'x')", true },
		{ "NOT " NAME " StringEquals 'x'", true },
		{ "ActionMatches{'" GET "'}", true },
		{ "ActionMatches{'microsoft.keyvault/*/ACTION'}", true },
		{ "ActionMatches{'Microsoft.KeyVault/vaults/keys/*'}", false },
		{ "(!(ActionMatches{'" GET "'})) OR (" NAME " StringStartsWith 'app')", true },
		{ "(!(ActionMatches{'" GET "'})) || (" NAME " StringStartsWith 'db')", false },
		/* AND binds closer than OR. */
		{ "Exists " NAME " OR " NAME " StringEquals 'x' AND " NAME " StringEquals 'y'",
		    true },
		{ "(Exists " NAME " OR Exists " NAME ") && " NAME " StringEquals 'y'", false },
		/* Absent: false, whatever the operator. */
		{ "@Resource[Microsoft.KeyVault/vaults/keys:name] StringEquals 'x'", false },
		{ "@Resource[Microsoft.KeyVault/vaults/keys:name] StringNotEquals 'x'", false },
		{ "Exists @Resource[Microsoft.KeyVault/vaults/keys:name]", false },
		{ ROLE " GuidEquals " GUID, false },
		{ ROLE " GuidNotEquals " GUID, false },
		/* Attributes on both sides. */
		{ NAME " StringEquals " NAME, true },
		{ NAME " StringNotEquals " VAULT, true },
		{ NAME " StringNotEquals @Resource[Microsoft.KeyVault/vaults/keys:name]", false },
		{ "@Environment[UtcNow] DateTimeGreaterThan '2020-01-01T00:00:00Z'", true },
		{ "@Environment[UtcNow] DateTimeLessThan '2020-01-01T00:00:00.5Z'", false },
		{ NAME " NumericEquals 5", false },
		{ NAME " BoolEquals true", false },
		{ "((((((" NAME " StringEquals 'app-One'))))))", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err = { 0 };
		enum verdict got = judge(rows[i].text, V(GET), NULL, 0, true);

		if (!condition_check(view_of(rows[i].text), &err) ||
		    got != (rows[i].holds ? VERDICT_TRUE : VERDICT_FALSE))
			fail_msg("%s: %d %s", rows[i].text, got, err.message);
	}
}

static void
test_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"true",
		"()",
		"(" NAME " StringEquals 'x'",
		NAME " StringEquals 'x')",
		NAME " StringEquals 'x' AND",
		NAME " StringEquals 'x' " NAME " StringEquals 'x'",
		NAME,
		NAME " StringEquals",
		NAME " StringEquals x",
		NAME " StringEquals {'x'}",
		NAME " StringEquals 'it\\'s'",
		NAME " StringEquals 'open",
		NAME " ForAnyOfAnyValues:StringEquals 'x'",
		NAME " ForAnyOfAnyValues:StringEquals {}",
		NAME " ForAnyOfAnyValues:StringEquals {'x',}",
		NAME " ForAnyOfAnyValues:StringEquals {'x'",
		NAME " ForSomeValues:StringEquals {'x'}",
		NAME " StringAlmostEquals 'x'",
		NAME " GuidEquals " GUID,
		NAME " DateTimeEquals '2020-01-01T00:00:00Z'",
		ROLE " StringEquals 'x'",
		ROLE " GuidEquals 'x'",
		ROLE " GuidEquals " NAME,
		"@Environment[UtcNow] DateTimeLessThan '2020-13-01T00:00:00Z'",
		"@Environment[UtcNow] DateTimeLessThan 'tomorrow'",
		"@Environment[UtcNow] StringEquals 'x'",
		"@Environment[Microsoft.Network/privateEndpoints] StringEquals 'x'",
		"@Environment[" GUID "] StringEquals 'x'",
		"@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a] StringEquals 'x'",
		"@Resource[UtcNow] DateTimeLessThan '2020-01-01T00:00:00Z'",
		"@Resource[Microsoft.Storage/storageAccounts/name] StringEquals 'x'",
		"@Resource Microsoft.KeyVault/vaults:name StringEquals 'x'",
		"@Resource[Microsoft.KeyVault/vaults:name StringEquals 'x'",
		"SubOperationMatches{'x'} AND Exists " NAME,
		"ActionMatches 'x'",
		"ActionMatches{'x'",
		"Exists",
		"Exists 'x'",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err = { 0 };

		if (condition_check(view_of(rows[i]), &err) || err.code != ERR_INVALID_CONDITION ||
		    judge(rows[i], V(GET), NULL, 0, false) != VERDICT_FALSE)
			fail_msg("%s", rows[i]);
	}
}

static void
test_bounded(void **state)
{
	char *text = malloc(CONDITION_MAX + 1);
	struct error err;

	(void)state;
	assert_non_null(text);
	memset(text, '(', CONDITION_MAX);
	assert_false(condition_check((view){ text, CONDITION_MAX }, &err));
	memset(text, '!', CONDITION_MAX);
	assert_false(condition_check((view){ text, CONDITION_MAX }, &err));
	memset(text, ' ', CONDITION_MAX + 1);
	memcpy(text, "Exists " NAME, sizeof("Exists " NAME) - 1);
	assert_true(condition_check((view){ text, CONDITION_MAX }, &err));
	assert_false(condition_check((view){ text, CONDITION_MAX + 1 }, &err));
	free(text);
}

/* What the body will say is open, for the guard's question and for the two actions only. */
static void
test_pending(void **state)
{
	static const char *const open[] = { ROLE " GuidEquals " GUID, ROLE " GuidNotEquals " GUID,
		"!(" ROLE " GuidEquals " GUID ")", "Exists " ROLE,
		"Exists " NAME " AND " ROLE " GuidEquals " GUID,
		NAME " StringEquals 'x' OR " ROLE " GuidEquals " GUID };
	static const struct access_attribute given[] = {
		{ V_INIT("Request"),
		    V_INIT("microsoft.authorization/roleassignments:RoleDefinitionId"),
		    V_INIT(GUID) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(open); i++) {
		assert_int_equal(judge(open[i], V(ASSIGNMENT_WRITE), NULL, 0, true), VERDICT_OPEN);
		assert_true(judge(open[i], V(ASSIGNMENT_WRITE), NULL, 0, false) != VERDICT_OPEN);
		assert_true(judge(open[i], V("A/other/write"), NULL, 0, true) != VERDICT_OPEN);
		assert_true(judge(open[i], V(ASSIGNMENT_WRITE), given, 1, true) != VERDICT_OPEN);
	}
	/* What can't hold any more is no longer open. */
	assert_int_equal(judge(NAME " StringEquals 'x' AND " ROLE " GuidEquals " GUID,
			     V(ASSIGNMENT_WRITE), NULL, 0, true),
	    VERDICT_FALSE);
	assert_int_equal(judge(open[0], V(ASSIGNMENT_WRITE), given, 1, false), VERDICT_TRUE);
	assert_int_equal(judge(open[2], V(ASSIGNMENT_WRITE), given, 1, false), VERDICT_FALSE);
}

static void
test_built_in_conditions(void **state)
{
	const struct role *role;
	struct error err;
	size_t found = 0;

	(void)state;
	for (size_t i = 0; (role = role_at(i)) != NULL; i++) {
		if (role->condition == NULL)
			continue;
		found++;
		assert_fine(condition_check(view_of(role->condition), &err), &err);
	}
	assert_int_equal(found, 1);
}

static void
test_operators(void **state)
{
	static const struct {
		const char *left, *name, *right;
		bool holds;
	} rows[] = {
		{ "a", "StringEquals", "A", false },
		{ "a", "StringEqualsIgnoreCase", "A", true },
		{ "a", "StringNotEquals", "A", true },
		{ "abc", "StringLikeIgnoreCase", "A?C", true },
		{ "abc", "StringLike", "*", true },
		{ "", "StringLike", "?", false },
		{ GUID, "GuidEquals", "4633458B-17DE-408A-B874-0445C86B69E6", true },
		{ "x", "GuidNotEquals", GUID, false },
		{ "10", "NumericGreaterThan", "9", true },
		{ "9.5", "NumericLessThanEquals", "9.5", true },
		{ "x", "NumericNotEquals", "9", false },
		{ "0x10", "NumericEquals", "16", false },
		{ "-1", "NumericLessThan", "0", true },
		{ "TRUE", "BoolEquals", "true", true },
		{ "maybe", "BoolNotEquals", "true", false },
		{ "false", "BoolNotEquals", "true", true },
		{ "2026-03-01T00:00:00Z", "DateTimeGreaterThan", "2026-02-28T23:59:59.9999999Z",
		    true },
		{ "2026-03-01T00:00:00Z", "DateTimeEquals", "2026-03-01T00:00:00.0Z", true },
		{ "x", "DateTimeNotEquals", "2026-03-01T00:00:00Z", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct condition_operator *operator=
		    condition_operator_find(view_of(rows[i].name));

		assert_non_null(operator);
		if (operator->holds(view_of(rows[i].left),
			view_of(rows[i].right), operator->any_case) != rows[i].holds)
			fail_msg("%s %s %s", rows[i].left, rows[i].name, rows[i].right);
	}
}

/* Against the clock's own printing. */
static void
test_times(void **state)
{
	static const int64_t times[] = { 0, 951782400, 1709164800, 1772323199, 4107542399 };
	char iso[CLOCK_ISO_LEN + 1];
	int64_t nanos;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		clock_iso(times[i] * 1000000000 + 100, iso);
		assert_true(condition_time(view_of(iso), &nanos));
		assert_int_equal(nanos, times[i] * 1000000000 + 100);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_names_like_types),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_built_in_conditions),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
