#include "access/policy.h"
#include "access/testing.h"
#include "base/testing.h"

static struct arena arena;
static struct error err;

static bool
parse(const char *text, struct access_policy *out)
{
	struct policy_body body = { 0 };

	return body_read(view_of(text), policy_fields, &body, &arena, &err) &&
	    policy_read(&body, out, &err);
}

#define TENANT_TEXT "00000000-0000-4000-8000-000000007001"
#define ONE "00000000-0000-4000-8000-000000000001"
#define APP "00000000-0000-4000-8000-0000000000a1"
#define HEAD "{\"tenantId\":\"" TENANT_TEXT "\",\"objectId\":\"" ONE "\","

static int
setup(void **state)
{
	(void)state;
	leave_all();
	arena_init(&arena, 100000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* What is sent, and how it is shown: in the original's order and writing. */
static void
test_shown_as_the_original_does(void **state)
{
	static const struct {
		const char *sent, *shown;
	} rows[] = {
		{ HEAD "\"permissions\":{\"secrets\":[\"LIST\",\"Get\"]}}",
		    HEAD
		    "\"permissions\":{\"keys\":[],\"secrets\":[\"get\",\"list\"],\"certificates\":[]}}" },
		{ HEAD "\"applicationId\":\"" APP
		       "\",\"permissions\":{\"keys\":[\"wrapkey\",\"GET\",\"all\",\"get\"],"
		       "\"storage\":[\"setsas\"],\"certificates\":[\"purge\"]}}",
		    HEAD "\"applicationId\":\"" APP
			 "\",\"permissions\":{\"keys\":[\"get\",\"wrapKey\",\"all\"],"
			 "\"secrets\":[],\"certificates\":[\"purge\"],\"storage\":[\"setsas\"]}}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf out = { 0 }, packed = { 0 };
		struct json json = json_to(&out);
		struct access_policy policy, again;
		struct unpack in;

		assert_fine(parse(rows[i].sent, &policy), &err);
		policy_pack(&policy, &packed);
		in = unpack_of(buf_view(&packed));
		assert_true(policy_unpack(&in, &again) && unpack_end(&in));
		policy_write(&json, &again);
		assert_text(buf_view(&out), view_of(rows[i].shown));
	}
}

static void
test_refused(void **state)
{
	static const char *const rows[] = {
		"{}",
		HEAD "\"permissions\":{\"secrets\":[\"sign\"]}}",
		HEAD "\"permissions\":{\"secrets\":[\"\"]}}",
		HEAD "\"permissions\":{\"secrets\":\"get\"}}",
		HEAD "\"permissions\":{\"secrets\":[1]}}",
		HEAD "\"applicationId\":\"x\",\"permissions\":{}}",
		"{\"tenantId\":\"x\",\"objectId\":\"" ONE "\",\"permissions\":{}}",
		"{\"tenantId\":\"" ONE "\",\"objectId\":\"x\",\"permissions\":{}}",
		"{\"tenantId\":\"" ONE "\",\"objectId\":\"" ONE "\"}",
	};
	struct access_policy policy;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (parse(rows[i], &policy))
			fail_msg("%s", rows[i]);
		assert_true(err.code == ERR_BAD_REQUEST || err.code == ERR_BAD_PARAMETER);
	}
}

static bool
allows(const char *permissions, const char *action, const char *permission)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct access_policy policy;
	struct caller caller = { .tenant = id_of(TENANT), .object = id_of(1) };

	buf_print(&text, HEAD "\"permissions\":{%s}}", permissions);
	buf_add_char(&text, '\0');
	assert_fine(parse(text.ptr, &policy), &err);
	return policies_allow(&policy, 1, NULL, &caller, view_of(action), view_of(permission));
}

static void
test_actions(void **state)
{
	static const struct {
		const char *permissions, *action, *permission;
		bool allowed;
	} rows[] = {
		{ "\"secrets\":[\"get\"]", "secrets/getSecret/action", "", true },
		{ "\"keys\":[\"get\"]", "secrets/getSecret/action", "", false },
		{ "\"secrets\":[\"get\"]", "secrets/readMetadata/action", "", false },
		{ "\"secrets\":[\"get\"]", "secrets/readMetadata/action", "get", true },
		{ "\"secrets\":[\"list\"]", "secrets/readMetadata/action", "", true },
		{ "\"secrets\":[\"all\"]", "secrets/setSecret/action", "", true },
		{ "\"secrets\":[\"all\"]", "secrets/purge/action", "", false },
		{ "\"secrets\":[\"purge\"]", "secrets/purge/action", "", true },
		{ "\"keys\":[\"wrapKey\"]", "keys/wrap/action", "", true },
		{ "\"keys\":[\"list\"]", "keys/read", "", false },
		{ "\"keys\":[\"list\"]", "keys/read", "list", true },
		{ "\"keys\":[\"get\"]", "keyrotationpolicies/read", "", false },
		{ "\"certificates\":[\"manageissuers\"]", "certificatecas/read", "listissuers",
		    true },
		{ "\"certificates\":[\"listissuers\"]", "certificatecas/read", "listissuers",
		    true },
		{ "\"certificates\":[\"listissuers\"]", "certificatecas/read", "", false },
		{ "\"secrets\":[\"all\"]", "secrets/nothing", "", false },
		{ "\"secrets\":[\"all\"]", "secrets/getSecret/action", "nothing", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (allows(rows[i].permissions, rows[i].action, rows[i].permission) !=
		    rows[i].allowed)
			fail_msg("%s %s %s", rows[i].permissions, rows[i].action,
			    rows[i].permission);
	}
}

/* Who it is for: the principal, by a group, and through which application. */
static void
test_whose(void **state)
{
	struct access_policy policy = { .tenant = id_of(TENANT), .object = id_of(5), .secrets = 1 };
	struct caller caller = { .tenant = id_of(TENANT), .object = id_of(1) };
	view action = V("secrets/getSecret/action");

	(void)state;
	assert_false(policies_allow(&policy, 1, NULL, &caller, action, V("")));
	join(1, 6);
	join(6, 5);
	assert_true(policies_allow(&policy, 1, NULL, &caller, action, V("")));
	policy.application = id_of(0xa1);
	assert_false(policies_allow(&policy, 1, NULL, &caller, action, V("")));
	caller.application = id_of(0xa1);
	assert_true(policies_allow(&policy, 1, NULL, &caller, action, V("")));
	/* Compound: the application alone is not enough. */
	caller.object = id_of(2);
	assert_false(policies_allow(&policy, 1, NULL, &caller, action, V("")));
	caller.object = id_of(5);
	caller.tenant = id_of(OTHER_TENANT);
	assert_false(policies_allow(&policy, 1, NULL, &caller, action, V("")));
}

static void
test_needs(void **state)
{
	view collection, name;

	(void)state;
	assert_true(policy_need(V("keyrotationpolicies/read"), V(""), &collection, &name));
	assert_text(collection, V("keys"));
	assert_text(name, V("getrotationpolicy"));
	assert_true(policy_need(V("keys/read"), V("list"), &collection, &name));
	assert_text(name, V("list"));
	assert_false(policy_need(V("keys/read"), V("set"), &collection, &name));
	assert_false(policy_need(V("keys/x"), V(""), &collection, &name));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_shown_as_the_original_does),
		FRESH(test_refused),
		FRESH(test_actions),
		FRESH(test_whose),
		FRESH(test_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
