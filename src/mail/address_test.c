#include "base/testing.h"
#include "mail/address.h"

#define LABEL63 "a23456789012345678901234567890123456789012345678901234567890123"

static void
test_addresses(void **state)
{
	static const struct {
		view address;
		bool fine;
	} rows[] = {
		{ V_INIT("a@b"), true },
		{ V_INIT("john.doe+tag@mail.example.com"), true },
		{ V_INIT("!#$%&'*+-/=?^_`{|}~@example.com"), true },
		{ V_INIT("a@1-2.example"), true },
		{ V_INIT("a@" LABEL63 ".example"), true },
		{ V_INIT("a@" LABEL63 "4.example"), false },
		{ V_INIT(LABEL63 "4@example.com"), true },
		{ V_INIT(LABEL63 "45@example.com"), false },
		{ V_INIT("a@" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63), false },
		{ V_INIT(""), false },
		{ V_INIT("a"), false },
		{ V_INIT("@b"), false },
		{ V_INIT("a@"), false },
		{ V_INIT("a@b@c"), false },
		{ V_INIT("a.@b"), false },
		{ V_INIT(".a@b"), false },
		{ V_INIT("a..b@c"), false },
		{ V_INIT("a@.b"), false },
		{ V_INIT("a@b."), false },
		{ V_INIT("a@-b"), false },
		{ V_INIT("a@b-"), false },
		{ V_INIT("a@b_c"), false },
		{ V_INIT("a b@c"), false },
		{ V_INIT("\"a\"@c"), false },
		{ V_INIT("<a@b>"), false },
		{ V_INIT("a@b\r\nBcc: c@d"), false },
		{ V_INIT("a\n@b"), false },
		{ V_INIT("a\0@b"), false },
		{ V_INIT("a@b\0"), false },
		{ V_INIT("a@[127.0.0.1]"), false },
		{ V_INIT("\xc3\xa4@b"), false },
		{ V_INIT("a,b@c"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (mail_address_valid(rows[i].address) != rows[i].fine)
			fail_msg("%.*s", VIEW_ARG(rows[i].address));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_addresses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
