#include "http/crowd.h"

#include "base/testing.h"

static struct address
parsed(const char *text)
{
	struct address address;

	assert_true(address_parse(view_of(text), &address));
	return address;
}

static bool
enter(struct crowd *crowd, const char *text)
{
	struct address address = parsed(text);

	return crowd_enter(crowd, &address);
}

static void
leave(struct crowd *crowd, const char *text)
{
	struct address address = parsed(text);

	crowd_leave(crowd, &address);
}

static void
test_counts_by_address(void **state)
{
	struct crowd *crowd = crowd_new(2);

	(void)state;
	assert_non_null(crowd);
	assert_true(enter(crowd, "192.0.2.1") && enter(crowd, "192.0.2.1"));
	assert_false(enter(crowd, "192.0.2.1"));
	assert_false(enter(crowd, "::ffff:192.0.2.1"));
	assert_true(enter(crowd, "192.0.2.2"));
	leave(crowd, "192.0.2.1");
	assert_true(enter(crowd, "192.0.2.1"));
	assert_false(enter(crowd, "192.0.2.1"));
	crowd_free(crowd);
}

static void
test_counts_ipv6_by_64(void **state)
{
	struct crowd *crowd = crowd_new(2);

	(void)state;
	assert_non_null(crowd);
	assert_true(enter(crowd, "2001:db8::1") && enter(crowd, "2001:db8::2"));
	assert_false(enter(crowd, "2001:db8:0:0:ffff::3"));
	assert_true(enter(crowd, "2001:db8:0:1::1"));
	leave(crowd, "2001:db8::2");
	leave(crowd, "2001:db8::1");
	assert_true(enter(crowd, "2001:db8::9") && enter(crowd, "2001:db8::9"));
	assert_false(enter(crowd, "2001:db8::9"));
	crowd_free(crowd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_by_address),
		cmocka_unit_test(test_counts_ipv6_by_64),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
