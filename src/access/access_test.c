#include "access/access.h"
#include "base/testing.h"
#include "keyring/testing.h"
#include "keyring/work.h"

#include <stdio.h>

#define SUB "/subscriptions/00000000-0000-4000-8000-000000000001"
#define VAULT SUB "/resourceGroups/dev/providers/Microsoft.KeyVault/vaults/v1"
#define GET_SECRET V("Microsoft.KeyVault/vaults/secrets/getSecret/action")

static struct place place;
static struct access *access_index;
static struct arena arena;
static struct error err;

static void
reopen(void)
{
	access_close(access_index);
	assert_fine(access_open(place.store, place.keyring, &access_index, &err), &err);
}

static int
setup(void **state)
{
	(void)state;
	place_make(&place, false);
	access_index = NULL;
	assert_fine(access_open(place.store, place.keyring, &access_index, &err), &err);
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	access_close(access_index);
	place_remove(&place);
	return 0;
}

static struct uuid
id_of(unsigned number)
{
	struct uuid id;

	(void)snprintf(id.text, sizeof(id.text), "00000000-0000-4000-8000-%012x", number);
	return id;
}

static void
assert_id(const struct uuid *id, unsigned number)
{
	struct uuid wanted = id_of(number);

	assert_string_equal(id->text, wanted.text);
}

static bool
put_body(void *ctx, struct tx *tx, view *journal, struct error *problem)
{
	(void)journal;
	return assignment_put(tx, ctx, problem);
}

static bool
delete_body(void *ctx, struct tx *tx, view *journal, struct error *problem)
{
	(void)journal;
	return assignment_delete(tx, ctx, problem);
}

static void
grant(unsigned name, unsigned principal, view role, view scope)
{
	struct assignment assignment = {
		.name = id_of(name),
		.principal = id_of(principal),
		.role = role_find_named(role),
		.scope = scope,
		.principal_type = V("ServicePrincipal"),
		.created = 1000 + name,
		.created_by = id_of(99),
	};

	assert_non_null(assignment.role);
	assert_fine(work_run(place.store, place.keyring, put_body, &assignment, &err), &err);
}

static void
revoke(unsigned name)
{
	struct uuid id = id_of(name);
	struct assignment present;

	assert_true(assignment_find(access_index, &id, &arena, &present));
	assert_fine(work_run(place.store, place.keyring, delete_body, &present, &err), &err);
}

static bool
may_read(unsigned principal, view scope)
{
	struct uuid id = id_of(principal);

	return access_check(access_index, &id, GET_SECRET, true, scope, NULL);
}

static void
test_scopes(void **state)
{
	static const struct {
		view outer, inner;
		bool contains;
	} rows[] = {
		{ V_INIT("/"), V_INIT("/"), true },
		{ V_INIT("/"), V_INIT("/subscriptions/a"), true },
		{ V_INIT("/subscriptions/a"), V_INIT("/"), false },
		{ V_INIT("/subscriptions/a"), V_INIT("/subscriptions/a"), true },
		{ V_INIT("/subscriptions/a"), V_INIT("/SUBSCRIPTIONS/A/b"), true },
		{ V_INIT("/subscriptions/a"), V_INIT("/subscriptions/ab"), false },
		{ V_INIT("/subscriptions/a"), V_INIT("/subscriptions/ab/c"), false },
		{ V_INIT("/subscriptions/a/"), V_INIT("/subscriptions/a"), true },
		{ V_INIT("/subscriptions/a/b"), V_INIT("/subscriptions/a"), false },
		{ V_INIT("/a/secrets/x"), V_INIT("/a/secrets/xy"), false },
		{ V_INIT("/a/secrets/x"), V_INIT("/a/secrets/X"), true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (scope_contains(rows[i].outer, rows[i].inner) != rows[i].contains)
			fail_msg("%s, %s", rows[i].outer.ptr, rows[i].inner.ptr);
	}
}

static void
test_counts_from_the_commit_on(void **state)
{
	(void)state;
	assert_false(may_read(1, V(VAULT)));
	grant(10, 1, V("Key Vault Secrets User"), V(VAULT));
	assert_true(may_read(1, V(VAULT)));
	assert_false(may_read(2, V(VAULT)));
	revoke(10);
	assert_false(may_read(1, V(VAULT)));
}

/* What the index showed the caller is what is changed, or nothing is. */
static void
test_the_store_has_the_last_word(void **state)
{
	struct assignment wanted = {
		.name = id_of(10),
		.principal = id_of(1),
		.role = role_find_named(V("Key Vault Secrets User")),
		.scope = V(VAULT),
		.principal_type = V("ServicePrincipal"),
	};
	struct assignment elsewhere = wanted;

	(void)state;
	assert_false(work_run(place.store, place.keyring, delete_body, &wanted, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	assert_false(access_has(access_index, &wanted));
	grant(10, 1, V("Key Vault Secrets User"), V(VAULT));
	assert_true(access_has(access_index, &wanted));
	assert_false(work_run(place.store, place.keyring, put_body, &wanted, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	elsewhere.scope = V(VAULT "/secrets/one");
	assert_false(access_has(access_index, &elsewhere));
	assert_false(work_run(place.store, place.keyring, delete_body, &elsewhere, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	assert_true(may_read(1, V(VAULT)));
	revoke(10);
}

static void
test_holds_below_its_scope(void **state)
{
	static const view scopes[] = { V_INIT("/"), V_INIT(SUB), V_INIT(SUB "/resourceGroups/dev"),
		V_INIT(VAULT), V_INIT(VAULT "/secrets/one") };
	static const view asked[] = { V_INIT(VAULT "/secrets/one"), V_INIT(VAULT "/secrets/two"),
		V_INIT(VAULT), V_INIT(VAULT "x"), V_INIT(SUB "x") };
	static const bool may[COUNT_OF(scopes)][COUNT_OF(asked)] = {
		{ true, true, true, true, true },
		{ true, true, true, true, false },
		{ true, true, true, true, false },
		{ true, true, true, false, false },
		{ true, false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scopes); i++) {
		grant(10, 1, V("Key Vault Secrets User"), scopes[i]);
		for (size_t j = 0; j < COUNT_OF(asked); j++)
			assert_int_equal(may_read(1, asked[j]), may[i][j]);
		revoke(10);
	}
}

static void
test_tells_which_assignment_allowed_it(void **state)
{
	struct uuid principal = id_of(1), assignment;

	(void)state;
	grant(10, 1, V("Key Vault Reader"), V(SUB));
	grant(11, 1, V("Key Vault Secrets User"), V(VAULT));
	grant(12, 2, V("Key Vault Secrets User"), V(VAULT));
	assert_true(
	    access_check(access_index, &principal, GET_SECRET, true, V(VAULT), &assignment));
	assert_id(&assignment, 11);
	assert_false(access_check(access_index, &principal, GET_SECRET, false, V(VAULT), NULL));
}

/* Several of one principal, taken away in every order. */
static void
test_each_stands_for_itself(void **state)
{
	static const unsigned orders[][3] = { { 10, 11, 12 }, { 12, 11, 10 }, { 11, 10, 12 },
		{ 11, 12, 10 }, { 10, 12, 11 }, { 12, 10, 11 } };
	static const view scopes[] = { V_INIT("/a"), V_INIT("/b"), V_INIT("/c") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		bool there[3] = { true, true, true };

		for (unsigned j = 0; j < 3; j++)
			grant(10 + j, 1, V("Key Vault Secrets User"), scopes[j]);
		for (size_t step = 0; step < 3; step++) {
			revoke(orders[i][step]);
			there[orders[i][step] - 10] = false;
			for (size_t j = 0; j < 3; j++)
				assert_int_equal(may_read(1, scopes[j]), there[j]);
		}
	}
}

static void
test_a_name_given_again(void **state)
{
	(void)state;
	grant(10, 1, V("Key Vault Secrets User"), V("/a"));
	revoke(10);
	grant(10, 2, V("Key Vault Secrets User"), V("/b"));
	assert_false(may_read(1, V("/a")));
	assert_false(may_read(1, V("/b")));
	assert_true(may_read(2, V("/b")));
}

static void
test_is_there_after_a_restart(void **state)
{
	struct assignment found;
	struct uuid name = id_of(10);

	(void)state;
	grant(10, 1, V("Key Vault Secrets User"), V(VAULT));
	grant(11, 1, V("Key Vault Reader"), V(SUB));
	revoke(11);
	reopen();
	assert_true(may_read(1, V(VAULT)));
	assert_true(assignment_find(access_index, &name, &arena, &found));
	assert_text(found.scope, V(VAULT));
	assert_text(found.principal_type, V("ServicePrincipal"));
	assert_id(&found.created_by, 99);
	assert_int_equal(found.created, 1010);
	assert_string_equal(found.role->name, "Key Vault Secrets User");
	name = id_of(11);
	assert_false(assignment_find(access_index, &name, &arena, &found));
}

static void
test_reaches(void **state)
{
	struct uuid one = id_of(1), two = id_of(2);

	(void)state;
	grant(10, 1, V("Key Vault Secrets User"), V(VAULT));
	assert_true(access_reaches(access_index, &one, V(SUB)));
	assert_true(access_reaches(access_index, &one, V(VAULT "/secrets/a")));
	assert_false(access_reaches(access_index, &one, V("/subscriptions/other")));
	assert_false(access_reaches(access_index, &two, V(SUB)));
}

static bool
is_of_principal(const struct assignment *assignment, const void *ctx)
{
	return view_eq(uuid_view(&assignment->principal), uuid_view(ctx));
}

static void
test_lists(void **state)
{
	struct uuid principal = id_of(1);
	struct assignment *list;
	struct arena poor;
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		grant(10 + i, i % 2, V("Key Vault Reader"), V(SUB));
	assert_fine(assignments_list(access_index, is_of_principal, &principal, &arena, &list,
			&count, &err),
	    &err);
	assert_int_equal(count, 10);
	for (size_t i = 0; i < count; i++)
		assert_text(list[i].scope, V(SUB));
	arena_init(&poor, 100);
	assert_false(assignments_list(access_index, is_of_principal, &principal, &poor, &list,
	    &count, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	arena_free(&poor);
	principal = id_of(7);
	assert_fine(assignments_list(access_index, is_of_principal, &principal, &arena, &list,
			&count, &err),
	    &err);
	assert_int_equal(count, 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		FRESH(test_counts_from_the_commit_on),
		FRESH(test_the_store_has_the_last_word),
		FRESH(test_holds_below_its_scope),
		FRESH(test_tells_which_assignment_allowed_it),
		FRESH(test_each_stands_for_itself),
		FRESH(test_a_name_given_again),
		FRESH(test_is_there_after_a_restart),
		FRESH(test_reaches),
		FRESH(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
