/*
 * A decision costs the same however many assignments there are, and however many one principal has.
 */
#include "access/index.h"
#include "access/testing.h"
#include "base/clock.h"
#include "base/testing.h"

#define ASSIGNMENTS 100000
#define HEAVY 10000 /* of them one principal's */
#define ROUNDS 3000

#define HEAVY_ID 0x1
#define LIGHT_ID 0x2

static void
add(unsigned index, unsigned principal)
{
	struct assignment assignment = {
		.name = id_of(0x100000 + index),
		.principal = id_of(principal),
		.tenant = id_of(TENANT),
		.role = role_id(role_find_named(V("Key Vault Secrets User"))),
		.principal_type = V("User"),
	};

	assert_true(arena_print(&world.arena, &assignment.scope,
	    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g/providers/"
	    "Microsoft.KeyVault/vaults/v%u",
	    index));
	assert_true(index_assignment(world.access, uuid_view(&assignment.name), &assignment));
}

static int64_t
time_of(unsigned principal, unsigned index)
{
	int64_t start = clock_mono();
	view scope;

	assert_true(arena_print(&world.arena, &scope,
	    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g/providers/"
	    "Microsoft.KeyVault/vaults/v%u/secrets/a",
	    index));
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* One of them allows nothing: nobody stops early. */
		assert_true(may(principal, V("Microsoft.KeyVault/vaults/secrets/getSecret/action"),
		    true, scope));
		assert_false(
		    may(principal, V("Microsoft.KeyVault/vaults/keys/sign/action"), true, scope));
	}
	return clock_mono() - start;
}

static void
test_many_cost_no_more(void **state)
{
	int64_t light, heavy;

	(void)state;
	add(0, LIGHT_ID);
	light = time_of(LIGHT_ID, 0);
	for (unsigned i = 1; i <= ASSIGNMENTS; i++)
		add(i, i % (ASSIGNMENTS / HEAVY) == 0 ? HEAVY_ID : 0x1000 + i % 777);
	heavy = time_of(HEAVY_ID, ASSIGNMENTS / 2);
	print_message("%lld ns with one, %lld ns with %d of %d\n",
	    (long long)(light / (2 * ROUNDS)), (long long)(heavy / (2 * ROUNDS)), HEAVY,
	    ASSIGNMENTS);
	/* A walk would cost thousands of times as much; caches and a busy machine do not. */
	assert_true(heavy < 50 * light);
}

static void
test_a_page_costs_what_it_returns(void **state)
{
	struct assignment_query query = { .tenant = id_of(TENANT), .scope = V("/") };
	struct assignment_page page;
	view after = V("");
	size_t total = 0;

	(void)state;
	for (unsigned i = 1; i <= HEAVY; i++)
		add(i, HEAVY_ID);
	do {
		assert_true(assignments_page(world.access, &query, after, 500, &world.arena, &page,
		    &world.err));
		total += page.count;
		after = page.next;
	} while (after.len > 0);
	assert_int_equal(total, HEAVY);
	for (unsigned i = 1; i <= HEAVY; i++) {
		struct uuid name = id_of(0x100000 + i);

		assert_true(index_assignment(world.access, uuid_view(&name), NULL));
	}
	assert_int_equal(access_count(world.access), 0);
	assert_int_equal(map_count(world.access->grants), 0);
	assert_int_equal(map_count(world.access->holders), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_many_cost_no_more),
		FRESH(test_a_page_costs_what_it_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
