#include "cli/agent_account.h"

#include "base/testing.h"

#include <unistd.h>

#define SHOP "9d6a3a3c-0000-4000-8000-00000000000a"
#define BANK "9d6a3a3c-0000-4000-8000-00000000000b"
#define OBJECT "9d6a3a3c-0000-4000-8000-00000000000c"
#define RESOURCE "/subscriptions/S/userAssignedIdentities/Bank"
#define MACHINE "9d6a3a3c-0000-4000-8000-000000000002"

static const char text[] = "login = https://login.example.org\n"
			   "tenant = 9d6a3a3c-0000-4000-8000-000000000001\n"
			   "machine = " MACHINE "\n"
			   "[identity shop]\nclient-id = " SHOP "\nusers = shop, 1001\n"
			   "[identity bank]\nclient-id = " BANK "\nobject-id = " OBJECT "\n"
			   "resource-id = " RESOURCE "\nusers = 1002\ngroups = 500\n"
			   "[identity bank too]\nclient-id = " BANK "\nusers = 1003\n"
			   "[identity own]\nusers = 1001\n";

static struct error err;

static const gid_t tellers[] = { 100, 500 }, others[] = { 100, 501 };

static const struct account shop = { 2000, V_INIT("shop"), others, 2 };
static const struct account number = { 1001, V_INIT(""), NULL, 0 };
static const struct account teller = { 2001, V_INIT("teller"), tellers, 2 };
static const struct account clerk = { 1003, V_INIT("clerk"), others, 2 };
static const struct account stranger = { 2002, V_INIT("shopper"), others, 2 };
/* Names are no numbers, and numbers no names. */
static const struct account sly = { 2003, V_INIT("1001"), NULL, 0 };
static const struct account nameless = { 2004, V_INIT(""), NULL, 0 };

static void
test_chooses(void **state)
{
	static const struct {
		const struct account *account;
		enum identity_key key;
		view value;
		view name;            /* of the identity */
		enum error_code code; /* without one */
	} rows[] = {
		{ &shop, IDENTITY_DEFAULT, V_INIT(""), V_INIT("shop"), 0 },
		{ &number, IDENTITY_DEFAULT, V_INIT(""), V_INIT("shop"), 0 },
		{ &teller, IDENTITY_DEFAULT, V_INIT(""), V_INIT("bank"), 0 },
		{ &clerk, IDENTITY_DEFAULT, V_INIT(""), V_INIT("bank too"), 0 },
		{ &stranger, IDENTITY_DEFAULT, V_INIT(""), V_INIT(""), ERR_FORBIDDEN },
		{ &sly, IDENTITY_DEFAULT, V_INIT(""), V_INIT(""), ERR_FORBIDDEN },
		{ &nameless, IDENTITY_DEFAULT, V_INIT(""), V_INIT(""), ERR_FORBIDDEN },
		{ &shop, IDENTITY_CLIENT_ID, V_INIT(SHOP), V_INIT("shop"), 0 },
		{ &shop, IDENTITY_CLIENT_ID, V_INIT("9D6A3A3C-0000-4000-8000-00000000000A"),
		    V_INIT("shop"), 0 },
		{ &shop, IDENTITY_CLIENT_ID, V_INIT(BANK), V_INIT(""), ERR_FORBIDDEN },
		{ &shop, IDENTITY_CLIENT_ID, V_INIT(OBJECT), V_INIT(""), ERR_NOT_FOUND },
		{ &shop, IDENTITY_CLIENT_ID, V_INIT(""), V_INIT(""), ERR_NOT_FOUND },
		{ &shop, IDENTITY_CLIENT_ID, V_INIT(MACHINE), V_INIT(""), ERR_FORBIDDEN },
		{ &number, IDENTITY_CLIENT_ID, V_INIT(MACHINE), V_INIT("own"), 0 },
		{ &teller, IDENTITY_OBJECT_ID, V_INIT(OBJECT), V_INIT("bank"), 0 },
		{ &teller, IDENTITY_OBJECT_ID, V_INIT(BANK), V_INIT(""), ERR_NOT_FOUND },
		{ &teller, IDENTITY_OBJECT_ID, V_INIT(""), V_INIT(""), ERR_NOT_FOUND },
		{ &teller, IDENTITY_RESOURCE_ID,
		    V_INIT("/subscriptions/s/userassignedidentities/bank"), V_INIT("bank"), 0 },
		{ &teller, IDENTITY_RESOURCE_ID, V_INIT(""), V_INIT(""), ERR_NOT_FOUND },
		{ &shop, IDENTITY_RESOURCE_ID, V_INIT(RESOURCE), V_INIT(""), ERR_FORBIDDEN },
		{ &clerk, IDENTITY_CLIENT_ID, V_INIT(BANK), V_INIT("bank too"), 0 },
	};
	struct agent_settings settings;

	(void)state;
	assert_fine(agent_settings_read(view_of(text), &settings, &err), &err);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct agent_identity *identity = NULL;

		if (identity_choose(&settings, rows[i].account, rows[i].key, rows[i].value,
			&identity, &err) != (rows[i].name.len > 0))
			fail_msg("row %zu: %s", i, err.message);
		if (rows[i].name.len > 0)
			assert_text(identity->name, rows[i].name);
		else
			assert_int_equal(err.code, rows[i].code);
	}
	agent_settings_free(&settings);
}

static void
test_finds_accounts(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct account account;
	bool member = false;

	(void)state;
	arena_init(&arena, (size_t)1024 * 1024);
	assert_fine(account_find(0, &arena, &account, &err), &err);
	assert_text(account.name, V("root"));
	for (size_t i = 0; i < account.group_count; i++)
		member = member || account.groups[i] == 0;
	assert_true(member);
	assert_fine(account_find(54321, &arena, &account, &err), &err);
	assert_int_equal(account.uid, 54321);
	assert_int_equal(account.name.len, 0);
	assert_int_equal(account.group_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chooses),
		cmocka_unit_test(test_finds_accounts),
	};

	return cmocka_run_group_tests_name("agent account", tests, NULL, NULL);
}
