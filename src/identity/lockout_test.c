#include "identity/lockout.h"
#include "identity/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct lockout *lockout;
static struct replay *replay;

static int
setup(void **state)
{
	(void)state;
	lockout = lockout_new();
	replay = replay_new();
	return lockout == NULL || replay == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	lockout_free(lockout);
	replay_free(replay);
	return 0;
}

static void
miss(const char *client, const char *address, int times, int64_t now)
{
	for (int i = 0; i < times; i++)
		lockout_failed(lockout, view_of(client), view_of(address), now);
}

static bool
allows(const char *client, const char *address, int64_t now)
{
	return lockout_allows(lockout, view_of(client), view_of(address), now);
}

static void
test_locks_after_ten_in_a_row(void **state)
{
	(void)state;
	miss("app", "192.0.2.1", 9, 1000);
	assert_true(allows("app", "192.0.2.1", 1000));
	miss("APP", "192.0.2.1", 1, 1000);
	assert_false(allows("app", "192.0.2.1", 1059));
	assert_true(allows("app", "192.0.2.1", 1060));
	/* Only this client, only from there. */
	assert_true(allows("app", "192.0.2.2", 1000));
	assert_true(allows("other", "192.0.2.1", 1000));
}

static void
test_each_further_failure_doubles(void **state)
{
	static const int64_t seconds[] = { 60, 120, 240, 480, 900, 900 };
	int64_t now = 1000;

	(void)state;
	miss("app", "192.0.2.1", 9, now);
	for (size_t i = 0; i < COUNT_OF(seconds); i++) {
		miss("app", "192.0.2.1", 1, now);
		assert_false(allows("app", "192.0.2.1", now + seconds[i] - 1));
		assert_true(allows("app", "192.0.2.1", now + seconds[i]));
		now += seconds[i];
	}
	/* An hour's peace, and it starts anew. */
	miss("app", "192.0.2.1", 9, now + 3601);
	assert_true(allows("app", "192.0.2.1", now + 3601));
}

static void
test_success_clears(void **state)
{
	(void)state;
	miss("app", "192.0.2.1", 9, 1000);
	lockout_passed(lockout, V("app"), V("192.0.2.1"), 1000);
	miss("app", "192.0.2.1", 9, 1000);
	assert_true(allows("app", "192.0.2.1", 1000));
}

static void
test_address_limit_spares_the_known(void **state)
{
	char name[16];

	(void)state;
	lockout_passed(lockout, V("known"), V("192.0.2.1"), 1000);
	for (int i = 0; i < 99; i++) {
		(void)snprintf(name, sizeof(name), "guess%d", i);
		miss(name, "192.0.2.1", 1, 1000 + i);
	}
	assert_true(allows("new", "192.0.2.1", 1100));
	miss("guess", "192.0.2.1", 1, 1100);
	assert_false(allows("new", "192.0.2.1", 1100));
	assert_true(allows("known", "192.0.2.1", 1100));
	assert_true(allows("new", "192.0.2.2", 1100));
	assert_false(allows("new", "192.0.2.1", 1599));
	assert_true(allows("new", "192.0.2.1", 1600));
	/* The next window counts from zero. */
	miss("guess", "192.0.2.1", 1, 1700);
	assert_true(allows("new", "192.0.2.1", 1700));
}

static const struct {
	const char *one, *other;
	bool same;
} addresses[] = {
	{ "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true },
	{ "2001:db8:1:2::1", "2001:db8:1:3::1", false },
	{ "::ffff:192.0.2.1", "192.0.2.1", true },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
};

static void
test_addresses(void **state)
{
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		(void)setup(state);
		miss("app", addresses[i].one, 10, 1000);
		assert_int_equal(allows("app", addresses[i].other, 1000), !addresses[i].same);
		(void)teardown(state);
	}
}

/* Far more than fit: memory stays what it is, and the newest are still known. */
static void
test_is_bounded(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "client%d", i);
		lockout_failed(lockout, view_of(name), V("192.0.2.1"), i);
	}
	miss("last", "192.0.2.9", 10, 200000);
	assert_false(allows("last", "192.0.2.9", 200000));
}

static bool
admit(const char *id, int64_t expires, const char *address, int64_t now)
{
	view from = view_of(address);
	size_t colon;

	return replay_admit(replay, view_of(id), expires, from, view_find(from, ':', &colon), now);
}

static void
test_assertions_belong_to_the_first(void **state)
{
	(void)state;
	assert_true(admit("a", 1600, "192.0.2.1", 1000));
	assert_true(admit("a", 1600, "192.0.2.1", 1300));
	assert_false(admit("a", 1600, "192.0.2.2", 1300));
	assert_true(admit("b", 1600, "192.0.2.2", 1300));
	/* One address of the other family. */
	assert_true(admit("a", 1600, "2001:db8::1", 1300));
	assert_false(admit("a", 1600, "2001:db8::2", 1300));
	assert_true(admit("a", 1600, "192.0.2.1", 1600));
}

static void
test_replay_is_bounded(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "assertion%d", i);
		assert_true(admit(name, 2000 + i, "192.0.2.1", 1000));
	}
	assert_false(admit("assertion99999", 2000, "192.0.2.2", 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_locks_after_ten_in_a_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_further_failure_doubles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_success_clears, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_limit_spares_the_known, setup,
		    teardown),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test_setup_teardown(test_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_assertions_belong_to_the_first, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_replay_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
