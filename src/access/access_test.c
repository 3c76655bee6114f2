#include "access/testing.h"
#include "base/pack.h"
#include "base/testing.h"
#include "keyring/work.h"

#include <stdio.h>
#include <stdlib.h>

#define SUB "/subscriptions/00000000-0000-4000-8000-000000000001"
#define VAULT SUB "/resourceGroups/dev/providers/Microsoft.KeyVault/vaults/v1"
#define GET_SECRET V("Microsoft.KeyVault/vaults/secrets/getSecret/action")

static struct error err;

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

static bool
may_read(unsigned principal, view scope)
{
	return may(principal, GET_SECRET, true, scope);
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
	grant(10, 1, "Key Vault Secrets User", V(VAULT));
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
		.role = role_id(role_find_named(V("Key Vault Secrets User"))),
		.tenant = id_of(TENANT),
		.scope = V(VAULT),
		.principal_type = V("ServicePrincipal"),
	};
	struct assignment elsewhere = wanted;

	(void)state;
	assert_false(work_run(world.place.store, world.place.keyring, delete_body, &wanted, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	assert_false(access_has(world.access, &wanted));
	grant(10, 1, "Key Vault Secrets User", V(VAULT));
	assert_true(access_has(world.access, &wanted));
	assert_false(work_run(world.place.store, world.place.keyring, put_body, &wanted, &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
	elsewhere.scope = V(VAULT "/secrets/one");
	assert_false(access_has(world.access, &elsewhere));
	assert_false(
	    work_run(world.place.store, world.place.keyring, delete_body, &elsewhere, &err));
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
		{ true, true, true, true, false },
		{ true, true, true, true, false },
		{ true, true, true, true, false },
		{ true, true, true, false, false },
		{ true, false, false, false, false },
	};

	(void)state;
	add_subscription(1, TENANT);
	for (size_t i = 0; i < COUNT_OF(scopes); i++) {
		grant(10, 1, "Key Vault Secrets User", scopes[i]);
		for (size_t j = 0; j < COUNT_OF(asked); j++)
			assert_int_equal(may_read(1, asked[j]), may[i][j]);
		revoke(10);
	}
}

static void
decide(unsigned principal, bool data, struct access_decision *out)
{
	struct access_question question = {
		.tenant = id_of(TENANT),
		.principal = id_of(principal),
		.action = GET_SECRET,
		.data = data,
		.scope = V(VAULT),
	};

	(void)access_decide(world.access, &question, out);
}

static void
test_tells_which_assignment_allowed_it(void **state)
{
	struct access_decision decision;

	(void)state;
	join(1, 5);
	join(5, 6);
	grant(10, 1, "Key Vault Reader", V(SUB));
	grant(11, 1, "Key Vault Secrets User", V(VAULT));
	grant(12, 2, "Key Vault Secrets User", V(VAULT));
	decide(1, true, &decision);
	assert_true(decision.allowed);
	assert_id(&decision.assignment, 11);
	assert_string_equal(decision.through.text, "");
	decide(1, false, &decision);
	assert_false(decision.allowed);
	assert_int_equal(decision.reason, ACCESS_NO_ASSIGNMENT);
	revoke(11);
	grant(13, 6, "Key Vault Secrets User", V(SUB));
	decide(1, true, &decision);
	assert_true(decision.allowed);
	assert_id(&decision.assignment, 13);
	assert_id(&decision.through, 6);
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
			grant(10 + j, 1, "Key Vault Secrets User", scopes[j]);
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
	grant(10, 1, "Key Vault Secrets User", V("/a"));
	revoke(10);
	grant(10, 2, "Key Vault Secrets User", V("/b"));
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
	grant(10, 1, "Key Vault Secrets User", V(VAULT));
	grant(11, 1, "Key Vault Reader", V(SUB));
	revoke(11);
	world_reopen();
	assert_true(may_read(1, V(VAULT)));
	assert_true(assignment_find(world.access, &name, &world.arena, &found));
	assert_text(found.scope, V(VAULT));
	assert_text(found.principal_type, V("ServicePrincipal"));
	assert_id(&found.created_by, 99);
	assert_int_equal(found.created, 1010);
	assert_string_equal(found.role.text, "4633458b-17de-408a-b874-0445c86b69e6");
	name = id_of(11);
	assert_false(assignment_find(world.access, &name, &world.arena, &found));
}

static bool
reaches(unsigned principal, view scope)
{
	struct uuid tenant = id_of(TENANT), id = id_of(principal);

	return access_reaches(world.access, &tenant, &id, scope);
}

static void
test_reaches(void **state)
{
	struct uuid other = id_of(OTHER_TENANT), one = id_of(1);

	(void)state;
	join(3, 1);
	grant(10, 1, "Key Vault Secrets User", V(VAULT));
	assert_true(reaches(1, V(SUB)));
	assert_true(reaches(1, V("/")));
	assert_true(reaches(3, V(SUB)));
	assert_true(reaches(1, V(VAULT "/secrets/a")));
	assert_false(reaches(1, V("/subscriptions/other")));
	assert_false(reaches(1, V(VAULT "x")));
	assert_false(reaches(2, V(SUB)));
	assert_false(access_reaches(world.access, &other, &one, V(SUB)));
}

static struct assignment_page
page_of(const struct assignment_query *query, view after, size_t limit)
{
	struct assignment_page page;

	assert_fine(assignments_page(world.access, query, after, limit, &world.arena, &page, &err),
	    &err);
	return page;
}

/* Walks all pages of ${limit}, and says how many there were in all. */
static size_t
pages_of(const struct assignment_query *query, size_t limit)
{
	struct assignment_page page = page_of(query, V(""), limit);
	size_t total = page.count;

	while (page.next.len > 0) {
		assert_int_equal(page.count, limit);
		page = page_of(query, page.next, limit);
		assert_true(page.count > 0);
		total += page.count;
	}
	return total;
}

static void
test_lists(void **state)
{
	static const view scopes[] = { V_INIT("/"), V_INIT(SUB), V_INIT(SUB "/resourceGroups/dev"),
		V_INIT(VAULT), V_INIT(VAULT "/secrets/one"), V_INIT(VAULT "-2") };
	struct uuid one = id_of(1), member = id_of(2), nobody = id_of(77);
	struct assignment_query query = { .tenant = id_of(TENANT), .scope = V("/") };

	(void)state;
	join(2, 1);
	for (unsigned i = 0; i < COUNT_OF(scopes); i++) {
		grant(10 + i, 1, "Key Vault Reader", scopes[i]);
		grant(20 + i, 2, "Key Vault Reader", scopes[i]);
	}
	for (size_t limit = 1; limit < 14; limit++) {
		query.scope = V("/");
		assert_int_equal(pages_of(&query, limit), 12);
		query.scope = V("/SUBSCRIPTIONS/00000000-0000-4000-8000-000000000001");
		assert_int_equal(pages_of(&query, limit), 12);
		query.scope = V(VAULT);
		assert_int_equal(pages_of(&query, limit), 10);
		query.at_scope = true;
		assert_int_equal(pages_of(&query, limit), 8);
		query.principal = &one;
		assert_int_equal(pages_of(&query, limit), 4);
		query.principal = &member;
		query.groups = true;
		assert_int_equal(pages_of(&query, limit), 8);
		query.at_scope = query.groups = false;
		query.principal = &one;
		assert_int_equal(pages_of(&query, limit), 5);
		query.principal = &nobody;
		assert_int_equal(pages_of(&query, limit), 0);
		query.principal = NULL;
	}
	query.tenant = id_of(OTHER_TENANT);
	assert_int_equal(pages_of(&query, 5), 0);
}

static void
test_a_list_has_a_ceiling(void **state)
{
	struct assignment_query query = { .tenant = id_of(TENANT), .scope = V("/") };
	struct assignment_page page;
	struct arena poor;

	(void)state;
	grant(10, 1, "Key Vault Reader", V(SUB));
	arena_init(&poor, 100);
	assert_false(assignments_page(world.access, &query, V(""), 9, &poor, &page, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	arena_free(&poor);
}

/* A grant at the root counts in the tenant's own subscriptions, and in no others. */
static void
test_tenants_are_apart(void **state)
{
	struct access_question question = {
		.tenant = id_of(TENANT),
		.principal = id_of(1),
		.action = GET_SECRET,
		.data = true,
		.scope = V("/subscriptions/00000000-0000-4000-8000-000000000002/x"),
	};
	struct access_decision decision;

	(void)state;
	grant(10, 1, "Key Vault Administrator", V("/"));
	assert_true(may_read(1, V("/")));
	assert_false(may_read(1, question.scope));
	add_subscription(2, OTHER_TENANT);
	assert_false(may_read(1, question.scope));
	grant(11, 1, "Key Vault Administrator", question.scope);
	assert_false(may_read(1, question.scope));
	add_subscription(2, TENANT);
	assert_true(may_read(1, question.scope));
	question.tenant = id_of(OTHER_TENANT);
	assert_false(access_decide(world.access, &question, &decision));
}

static void
test_what_is_changed(void **state)
{
	struct uuid name = id_of(10);
	struct assignment present;

	(void)state;
	grant(10, 1, "Key Vault Secrets User", V(VAULT));
	assert_true(assignment_find(world.access, &name, &world.arena, &present));
	present.condition =
	    V("@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'app'");
	present.description = V("why");
	change_assignment(&present);
	assert_true(may_read(1, V(VAULT "/secrets/App1")));
	assert_false(may_read(1, V(VAULT "/secrets/other")));
	assert_false(may_read(1, V(VAULT)));
	world_reopen();
	assert_true(assignment_find(world.access, &name, &world.arena, &present));
	assert_text(present.description, V("why"));
	assert_int_equal(access_count(world.access), 1);
	assert_false(may_read(1, V(VAULT "/secrets/other")));
}

#define NAMED(name) "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals '" name "'"

/* On condition; ${len}: what the condition is padded to. */
static void
grant_if(unsigned name, const char *role, view scope, view condition, size_t len)
{
	struct uuid id = id_of(name);
	struct assignment present;
	char *padded = malloc(len);

	assert_non_null(padded);
	memset(padded, ' ', len);
	memcpy(padded, condition.ptr, condition.len);
	grant(name, 1, role, scope);
	assert_true(assignment_find(world.access, &id, &world.arena, &present));
	present.condition = (view){ padded, len };
	change_assignment(&present);
	free(padded);
}

/* However many conditions somebody has heaped on one: few are read, and a grant without counts. */
static void
test_conditions_are_bounded(void **state)
{
	static const char *const roles[] = { "Key Vault Secrets User", "Key Vault Secrets Officer",
		"Key Vault Administrator" };
	static const view scopes[] = { V_INIT(VAULT "/secrets/one"), V_INIT(VAULT),
		V_INIT(SUB "/resourceGroups/dev") };
	unsigned name = 100;

	(void)state;
	add_subscription(1, TENANT);
	grant_if(10, roles[0], V("/"), V(NAMED("one")), 100);
	for (size_t i = 0; i < COUNT_OF(scopes); i++) {
		for (size_t j = 0; j < COUNT_OF(roles); j++) {
			/* The root's comes last; eight of 8000 bytes leave none of 64 KB for it. */
			assert_int_equal(may_read(1, V(VAULT "/secrets/one")), name <= 108);
			grant_if(name++, roles[j], scopes[i], V(NAMED("other")), 8000);
		}
	}
	assert_false(may_read(1, V(VAULT "/secrets/one")));
	grant(11, 2, roles[0], V("/"));
	join(1, 2);
	assert_true(may_read(1, V(VAULT "/secrets/one")));
}

static void
put_old(view scope)
{
	static const char *const texts[] = { "00000000-0000-4000-8000-000000000001",
		"4633458b-17de-408a-b874-0445c86b69e6", NULL, "ServicePrincipal" };
	struct uuid by = id_of(99);
	AUTO(buf_free) struct buf document = { 0 };
	struct sealed sealed;
	struct change change = { .kind = CHANGE_PUT,
		.key = V("a/00000000-0000-4000-8000-00000000000a") };

	pack_u8(&document, 1);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		pack_bytes(&document, texts[i] == NULL ? scope : view_of(texts[i]));
	pack_i64(&document, 1234);
	pack_bytes(&document, uuid_view(&by));
	assert_fine(keyring_seal(keyring_system(world.place.keyring), buf_view(&document),
			change.key, &world.arena, &sealed, &err),
	    &err);
	change.value = sealed;
	assert_fine(store_commit_wait(world.place.store, &change, 1, V(""), &err), &err);
}

/* Assignments from before they had a tenant are the home tenant's. */
static void
test_the_first_format(void **state)
{
	struct uuid name = id_of(10);
	struct assignment found;

	(void)state;
	put_old(V(VAULT));
	assert_true(may_read(1, V(VAULT)));
	assert_true(assignment_find(world.access, &name, &world.arena, &found));
	assert_id(&found.tenant, TENANT);
	assert_int_equal(found.updated, 1234);
	revoke(10);
	assert_false(may_read(1, V(VAULT)));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

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
		FRESH(test_a_list_has_a_ceiling),
		FRESH(test_tenants_are_apart),
		FRESH(test_what_is_changed),
		FRESH(test_conditions_are_bounded),
		FRESH(test_the_first_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
