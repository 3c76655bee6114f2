#include "base/address.h"

#include "base/testing.h"

static void
test_parses(void **state)
{
	static const struct {
		view text;
		view printed; /* empty: refused */
	} rows[] = {
		{ V_INIT("203.0.113.9"), V_INIT("203.0.113.9") },
		{ V_INIT("0.0.0.0"), V_INIT("0.0.0.0") },
		{ V_INIT("255.255.255.255"), V_INIT("255.255.255.255") },
		{ V_INIT("2001:DB8:0:0:0:0:0:1"), V_INIT("2001:db8::1") },
		{ V_INIT("::"), V_INIT("::") },
		{ V_INIT("1::2:3:4:5:6:7"), V_INIT("1:0:2:3:4:5:6:7") },
		{ V_INIT("::ffff:192.0.2.1"), V_INIT("192.0.2.1") },
		{ V_INIT("::ffff:c000:201"), V_INIT("192.0.2.1") },
		{ V_INIT("64:ff9b::192.0.2.33"), V_INIT("64:ff9b::c000:221") },
		{ V_INIT(""), V_INIT("") },
		{ V_INIT("1.2.3"), V_INIT("") },
		{ V_INIT("1.2.3.4.5"), V_INIT("") },
		{ V_INIT("01.2.3.4"), V_INIT("") },
		{ V_INIT("0x1.2.3.4"), V_INIT("") },
		{ V_INIT("256.2.3.4"), V_INIT("") },
		{ V_INIT("16909060"), V_INIT("") },
		{ V_INIT(" 1.2.3.4"), V_INIT("") },
		{ V_INIT("1.2.3.4 "), V_INIT("") },
		{ V_INIT("1.2.3.4:80"), V_INIT("") },
		{ V_INIT("1.2.3.4\0"), V_INIT("") },
		{ V_INIT("1::2:3:4:5:6:7:8"), V_INIT("") },
		{ V_INIT("1::2::3"), V_INIT("") },
		{ V_INIT("1:2:3:4:5:6:7"), V_INIT("") },
		{ V_INIT("12345::"), V_INIT("") },
		{ V_INIT("::1%lo"), V_INIT("") },
		{ V_INIT("[::1]"), V_INIT("") },
		{ V_INIT("::1.2.3.04"), V_INIT("") },
		{ V_INIT("0000:0000:0000:0000:0000:ffff:192.168.100.1000"), V_INIT("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[ADDRESS_TEXT];
		struct address address;

		if (address_parse(rows[i].text, &address) != (rows[i].printed.len > 0))
			fail_msg("\"%.*s\"", VIEW_ARG(rows[i].text));
		if (rows[i].printed.len > 0)
			assert_text(address_print(&address, text), rows[i].printed);
	}
}

static void
test_parses_blocks(void **state)
{
	static const struct {
		view text;
		int prefix; /* -1: refused */
	} rows[] = {
		{ V_INIT("203.0.113.0/24"), 120 },
		{ V_INIT("203.0.113.9"), 128 },
		{ V_INIT("203.0.113.9/32"), 128 },
		{ V_INIT("0.0.0.0/0"), 96 },
		{ V_INIT("128.0.0.0/1"), 97 },
		{ V_INIT("2001:db8::/32"), 32 },
		{ V_INIT("2001:db8::"), 128 },
		{ V_INIT("::/0"), 0 },
		{ V_INIT("::1/128"), 128 },
		{ V_INIT("::ffff:203.0.113.0/120"), 120 },
		{ V_INIT("203.0.113.9/24"), -1 },
		{ V_INIT("203.0.113.128/24"), -1 },
		{ V_INIT("0.0.0.1/0"), -1 },
		{ V_INIT("2001:db8::1/32"), -1 },
		{ V_INIT("203.0.113.0/33"), -1 },
		{ V_INIT("2001:db8::/129"), -1 },
		{ V_INIT("203.0.113.0/"), -1 },
		{ V_INIT("203.0.113.0/024"), -1 },
		{ V_INIT("203.0.113.0/+24"), -1 },
		{ V_INIT("203.0.113.0/24/24"), -1 },
		{ V_INIT("203.0.113.0/255.255.255.0"), -1 },
		{ V_INIT("203.0.113.0 /24"), -1 },
		{ V_INIT("203.0.113.0/24 "), -1 },
		{ V_INIT("203.0.113.0/99999999999999999999"), -1 },
		{ V_INIT("/24"), -1 },
		{ V_INIT("/"), -1 },
		{ V_INIT(""), -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address_block block = { .prefix = 7 };

		if (address_block_parse(rows[i].text, &block) != (rows[i].prefix >= 0))
			fail_msg("\"%.*s\"", VIEW_ARG(rows[i].text));
		assert_int_equal(block.prefix, rows[i].prefix >= 0 ? rows[i].prefix : 7);
	}
}

static void
test_holds(void **state)
{
	static const struct {
		view block, address;
		bool holds;
	} rows[] = {
		{ V_INIT("203.0.113.0/24"), V_INIT("203.0.113.0"), true },
		{ V_INIT("203.0.113.0/24"), V_INIT("203.0.113.255"), true },
		{ V_INIT("203.0.113.0/24"), V_INIT("203.0.112.255"), false },
		{ V_INIT("203.0.113.0/24"), V_INIT("203.0.114.0"), false },
		{ V_INIT("203.0.113.0/24"), V_INIT("::ffff:203.0.113.7"), true },
		{ V_INIT("203.0.113.0/24"), V_INIT("::203.0.113.7"), false },
		{ V_INIT("::ffff:203.0.113.0/120"), V_INIT("203.0.113.7"), true },
		{ V_INIT("203.0.113.8/29"), V_INIT("203.0.113.15"), true },
		{ V_INIT("203.0.113.8/29"), V_INIT("203.0.113.16"), false },
		{ V_INIT("203.0.113.9"), V_INIT("203.0.113.9"), true },
		{ V_INIT("203.0.113.9"), V_INIT("203.0.113.8"), false },
		{ V_INIT("0.0.0.0/0"), V_INIT("255.1.2.3"), true },
		{ V_INIT("0.0.0.0/0"), V_INIT("2001:db8::1"), false },
		{ V_INIT("::/0"), V_INIT("2001:db8::1"), true },
		{ V_INIT("::/0"), V_INIT("203.0.113.9"), false },
		{ V_INIT("2001:db8:8000::/33"), V_INIT("2001:db8:ffff::"), true },
		{ V_INIT("2001:db8:8000::/33"), V_INIT("2001:db8:7fff::"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address_block block;
		struct address address;

		assert_true(address_block_parse(rows[i].block, &block));
		assert_true(address_parse(rows[i].address, &address));
		if (address_block_holds(&block, &address) != rows[i].holds)
			fail_msg("%.*s in %.*s", VIEW_ARG(rows[i].address),
			    VIEW_ARG(rows[i].block));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses),
		cmocka_unit_test(test_parses_blocks),
		cmocka_unit_test(test_holds),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
