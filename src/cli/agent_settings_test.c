#include "cli/agent_settings.h"

#include "base/testing.h"

#define HEAD                                              \
	"login = https://login.example.org:8443\n"        \
	"tenant = 9d6a3a3c-0000-4000-8000-000000000001\n" \
	"machine = 9d6a3a3c-0000-4000-8000-000000000002\n"
#define SHOP "[identity shop]\nusers = root\n"
#define ID "9d6a3a3c-0000-4000-8000-000000000003"
#define HUNDRED \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static struct error err;

static void
test_reads(void **state)
{
	static const char text[] = HEAD "; a comment\nca = /ca.pem\nlisten = [::1]:77\n"
					"[identity shop]\nclient-id = " ID "\nobject-id=" ID "\n"
					"resource-id = /subscriptions/s\n  /resourceGroups/g\n"
					"users = shop, 1001\nusers = other\ngroups = 0,root\n"
					"[identity own]\nusers = 0\n";
	struct agent_settings settings;
	const struct agent_identity *shop = &settings.identities[0];

	(void)state;
	assert_fine(agent_settings_read(view_of(text), &settings, &err), &err);
	assert_text(settings.login, V("https://login.example.org:8443"));
	assert_text(settings.key, V("/etc/strongroom-agent/key.pem"));
	assert_text(settings.socket, V("/run/strongroom-agent/socket"));
	assert_text(settings.ca, V("/ca.pem"));
	assert_string_equal(settings.address, "::1");
	assert_int_equal(settings.port, 77);
	assert_int_equal(settings.identity_count, 2);
	assert_text(shop->name, V("shop"));
	assert_text(shop->client_id, V(ID));
	assert_text(shop->resource_id, V("/subscriptions/s/resourceGroups/g"));
	assert_int_equal(shop->users.count, 3);
	assert_text(shop->users.items[0].text, V("shop"));
	assert_false(shop->users.items[0].number);
	assert_true(shop->users.items[1].number);
	assert_int_equal(shop->users.items[1].id, 1001);
	assert_int_equal(shop->groups.count, 2);
	assert_int_equal(shop->groups.items[1].id, 0);
	/* An identity without an id is the machine's own. */
	assert_text(settings.identities[1].client_id, settings.machine);
	agent_settings_free(&settings);
}

static void
test_refuses(void **state)
{
	static const struct {
		view text;
		const char *why;
	} rows[] = {
		{ V_INIT(""), "login" },
		{ V_INIT(HEAD), "no [identity" },
		{ V_INIT(HEAD "[identity shop]\nclient-id = " ID "\n"), "nobody may have it" },
		{ V_INIT(HEAD "[identity shop]\nusers = , ,\n"), "nobody may have it" },
		{ V_INIT(HEAD "[identity shop]\nusers = 65534\n"), "is nobody" },
		{ V_INIT(HEAD "[identity shop]\nusers = 4294967295\n"), "is nobody" },
		{ V_INIT(HEAD "[identity shop]\ngroups = no-such-group-here\n"), "no group" },
		{ V_INIT(HEAD SHOP "client-id = shop\n"), "client-id" },
		{ V_INIT(HEAD SHOP "object-id = shop\n"), "object-id" },
		{ V_INIT(HEAD SHOP "resource-id = shop\n"), "resource-id" },
		{ V_INIT(HEAD SHOP "user = root\n"), "no such setting" },
		{ V_INIT(HEAD SHOP "tenant = " ID "\n"), "no such setting" },
		{ V_INIT(HEAD "[shop]\nusers = root\n"), "no such section" },
		{ V_INIT(HEAD "[identity ]\nusers = root\n"), "no such section" },
		{ V_INIT(HEAD "[identity  \t]\nusers = root\n"), "no such section" },
		{ V_INIT(HEAD "[identity 1234567890123456789012345678901234567890]\n"
			      "users = root\n"),
		    "too long" },
		{ V_INIT(HEAD "port = 1\n" SHOP), "no such setting" },
		{ V_INIT(HEAD "users = root\n" SHOP), "no such setting" },
		{ V_INIT(HEAD "login = http://login.example.org\n" SHOP), "login" },
		{ V_INIT(HEAD "login = https://login.example.org/x\n" SHOP), "login" },
		{ V_INIT(HEAD "login = https://user@login.example.org\n" SHOP), "login" },
		{ V_INIT(HEAD "tenant = common\n" SHOP), "tenant" },
		{ V_INIT(HEAD "machine = here\n" SHOP), "machine" },
		{ V_INIT(HEAD "listen = 0.0.0.0:77\n" SHOP), "listen" },
		{ V_INIT(HEAD "listen = 192.0.2.1:77\n" SHOP), "listen" },
		{ V_INIT(HEAD "listen = localhost:77\n" SHOP), "listen" },
		{ V_INIT(HEAD "listen = 127.0.0.1\n" SHOP), "listen" },
		{ V_INIT(HEAD "listen = 127.0.0.1:65536\n" SHOP), "listen" },
		{ V_INIT(HEAD "listen = ::1:77\n" SHOP), "listen" },
		{ V_INIT(HEAD "listen = [::1]77\n" SHOP), "listen" },
		{ V_INIT(HEAD "socket = relative\n" SHOP), "socket" },
		{ V_INIT(HEAD "socket = /" HUNDRED "xxxxxxxx\n" SHOP), "socket" },
		{ V_INIT(HEAD "socket\n" SHOP), "line 4" },
		{ V_INIT(HEAD "key = /" HUNDRED HUNDRED "\n" SHOP), "line 4" },
		{ V_INIT(HEAD SHOP "\0"), "not text" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct agent_settings settings;

		if (agent_settings_read(rows[i].text, &settings, &err))
			fail_msg("accepted: %.*s", VIEW_ARG(rows[i].text));
		if (err.code != ERR_BAD_REQUEST || strstr(err.message, rows[i].why) == NULL)
			fail_msg("wanted \"%s\", got %s", rows[i].why, err.message);
		agent_settings_free(&settings);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests_name("agent settings", tests, NULL, NULL);
}
