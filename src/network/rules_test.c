#include "network/rules.h"

#include "base/testing.h"

static void
test_judges(void **state)
{
	static const char *const texts[] = { "203.0.113.0/24", "198.51.100.7", "2001:db8::/32" };
	static const struct {
		enum public_access access;
		bool deny, bypass, trusted;
		view peer;
		enum network_verdict verdict;
	} rows[] = {
		{ PUBLIC_ENABLED, false, false, false, V_INIT("192.0.2.1"), NETWORK_ADMITTED },
		{ PUBLIC_ENABLED, false, false, false, V_INIT(""), NETWORK_ADMITTED },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("203.0.113.4"), NETWORK_ADMITTED },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("198.51.100.7"), NETWORK_ADMITTED },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("2001:db8::9"), NETWORK_ADMITTED },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("::ffff:203.0.113.4"),
		    NETWORK_ADMITTED },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("198.51.100.8"), NETWORK_FIREWALL },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("2001:db9::1"), NETWORK_FIREWALL },
		{ PUBLIC_ENABLED, true, false, false, V_INIT(""), NETWORK_FIREWALL },
		{ PUBLIC_ENABLED, true, false, false, V_INIT("203.0.113.4, 1.2.3.4"),
		    NETWORK_FIREWALL },
		{ PUBLIC_ENABLED, true, true, false, V_INIT("192.0.2.1"), NETWORK_FIREWALL },
		{ PUBLIC_ENABLED, true, false, true, V_INIT("192.0.2.1"), NETWORK_FIREWALL },
		{ PUBLIC_ENABLED, true, true, true, V_INIT("192.0.2.1"), NETWORK_ADMITTED },
		{ PUBLIC_DISABLED, false, false, false, V_INIT("192.0.2.1"), NETWORK_CONNECTION },
		{ PUBLIC_DISABLED, true, false, false, V_INIT("203.0.113.4"), NETWORK_CONNECTION },
		{ PUBLIC_DISABLED, true, true, false, V_INIT("203.0.113.4"), NETWORK_CONNECTION },
		{ PUBLIC_DISABLED, true, false, true, V_INIT("203.0.113.4"), NETWORK_CONNECTION },
		{ PUBLIC_DISABLED, true, true, true, V_INIT("192.0.2.1"), NETWORK_ADMITTED },
		{ PUBLIC_BY_PERIMETER, false, true, true, V_INIT("203.0.113.4"),
		    NETWORK_CONNECTION },
	};
	struct address_block blocks[COUNT_OF(texts)];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_true(address_block_parse(view_of(texts[i]), &blocks[i]));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct network_rules rules = { .public_access = rows[i].access,
			.deny = rows[i].deny,
			.bypass = rows[i].bypass,
			.blocks = blocks,
			.block_count = COUNT_OF(blocks) };

		if (network_judge(&rules, rows[i].peer, rows[i].trusted) != rows[i].verdict)
			fail_msg("row %zu", i);
	}
}

static void
test_denies_without_a_rule(void **state)
{
	struct network_rules rules = { .deny = true };

	(void)state;
	assert_int_equal(network_judge(&rules, V("203.0.113.4"), false), NETWORK_FIREWALL);
}

static void
test_parses_rules(void **state)
{
	static const struct {
		view value;
		bool fine, fine_private;
	} rows[] = {
		{ V_INIT("203.0.113.0/24"), true, true },
		{ V_INIT("203.0.113.9"), true, true },
		{ V_INIT("2001:db8::/32"), true, true },
		{ V_INIT("0.0.0.0/0"), true, true },
		{ V_INIT("8.0.0.0/6"), true, true }, /* wider than the private block in it */
		{ V_INIT("10.0.0.0/8"), false, true },
		{ V_INIT("10.1.2.3"), false, true },
		{ V_INIT("172.16.0.0/12"), false, true },
		{ V_INIT("172.31.255.255"), false, true },
		{ V_INIT("172.32.0.0"), true, true },
		{ V_INIT("192.168.7.0/24"), false, true },
		{ V_INIT("::ffff:192.168.7.1"), false, true },
		{ V_INIT("203.0.113.9/24"), false, false },
		{ V_INIT("203.0.113.0-203.0.113.9"), false, false },
		{ V_INIT("vault.example"), false, false },
		{ V_INIT(""), false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int private_use = 0; private_use < 2; private_use++) {
			bool fine = private_use ? rows[i].fine_private : rows[i].fine;
			struct address_block block = { .prefix = 7 };
			struct error err = { 0 };

			if (network_block_parse(rows[i].value, private_use, &block, &err) != fine)
				fail_msg("\"%.*s\"", VIEW_ARG(rows[i].value));
			assert_int_equal(err.code, fine ? ERR_NONE : ERR_BAD_REQUEST);
			assert_int_equal(block.prefix == 7, !fine);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judges),
		cmocka_unit_test(test_denies_without_a_rule),
		cmocka_unit_test(test_parses_rules),
	};

	return cmocka_run_group_tests_name("network rules", tests, NULL, NULL);
}
