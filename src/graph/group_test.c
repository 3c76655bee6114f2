/*
 * Groups and their members: the rows of Graph, and what the directory has in memory of them.
 */
#include "crypto/random.h"
#include "graph/testing.h"
#include "identity/group_store.h"
#include "identity/principal.h"

#define GROUPS "/v1.0/groups"
#define GROUP "/v1.0/groups/{id}"
#define MEMBERS GROUP "/members"

static view
make(const char *name)
{
	REQUIRE(ask(POST(GROUPS,
	    .body = print("{\"displayName\":\"%s\",\"mailNickname\":\"%s\",\"mailEnabled\":false,"
			  "\"securityEnabled\":true}",
		name, name))));
	assert_int_equal(graph.reply.status, 201);
	return member("id");
}

static view
make_application(void)
{
	REQUIRE(ask(POST("/v1.0/applications", .body = V("{\"displayName\":\"app\"}"))));
	REQUIRE(ask(POST("/v1.0/servicePrincipals",
	    .body = print("{\"appId\":\"%s\"}", member("appId").ptr))));
	return member("id");
}

static view
reference(view id)
{
	return print("{\"@odata.id\":\"https://graph.localhost/v1.0/directoryObjects/%s\"}",
	    id.ptr);
}

static bool
add(view group, view who)
{
	return ask(POST(MEMBERS "/$ref", .param = group, .body = reference(who)));
}

static struct uuid
uuid_of(view text)
{
	struct uuid uuid;

	assert_true(uuid_parse(text, &uuid));
	return uuid;
}

/* How many groups the directory counts it in. */
static size_t
counted(view id)
{
	static struct memberships memberships;
	struct uuid object = uuid_of(id);

	directory_memberships(town.directory, &object, &memberships);
	assert_true(memberships.whole);
	assert_true(view_eq(uuid_view(&memberships.ids[0]), id));
	return memberships.count - 1;
}

static void
test_life(void **state)
{
	view id = make("Readers");
	struct uuid object = uuid_of(id);
	struct principal principal;
	view name;

	(void)state;
	assert_true(directory_principal(town.directory, &object, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_GROUP);
	assert_string_equal(principal_type(principal.kind), "Group");
	REQUIRE(principal_name(&town.tx, &object, &name, &town.err));
	assert_true(view_eq(name, V("Readers")));
	REQUIRE(ask(GET(GROUP, .param = id)));
	assert_true(replied("\"description\":null,\"displayName\":\"Readers\""));
	REQUIRE(ask(PATCH(GROUP, .param = id,
	    .body = V("{\"displayName\":\"Writers\",\"description\":\"who writes\"}"))));
	assert_int_equal(graph.reply.status, 204);
	REQUIRE(ask(GET(GROUPS,
	    .query = "$filter=displayName eq 'Writers' and mailNickname eq "
		     "'readers'")));
	assert_int_equal(graph_items("id"), 1);
	assert_true(view_eq(member("description"), V("who writes")));
	REQUIRE(ask(DELETE(GROUP, .param = id)));
	assert_int_equal(graph.reply.status, 204);
	assert_false(directory_principal(town.directory, &object, &principal));
	REFUSED(ask(GET(GROUP, .param = id)), ERR_GRAPH_NOT_FOUND, id.ptr);
	REQUIRE(principal_name(&town.tx, &object, &name, &town.err));
	assert_int_equal(name.len, 0);
}

static void
test_bad_bodies(void **state)
{
	static const char *const bodies[] = {
		"{\"displayName\":\"\",\"mailNickname\":\"a\"}",
		"{\"displayName\":\"a\",\"mailNickname\":\"\"}",
		"{\"displayName\":\"a\",\"mailNickname\":\"a b\"}",
		"{\"displayName\":\"a\",\"mailNickname\":\"a@b\"}",
		"{\"displayName\":\"a\"}",
		"{\"displayName\":\"a\",\"mailNickname\":\"a\",\"members@odata.bind\":[\"x\"]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		if (ask(POST(GROUPS, .body = view_of(bodies[i]))))
			fail_msg("%s", bodies[i]);
		assert_int_equal(town.err.code, ERR_GRAPH_BAD_REQUEST);
	}
}

static void
test_members(void **state)
{
	view inner = make("inner"), outer = make("outer"), app = make_application();

	(void)state;
	REQUIRE(add(inner, app));
	assert_int_equal(graph.reply.status, 204);
	assert_true(view_eq(graph.object_id,
	    print("https://graph.localhost:8443/v1.0/groups/%s/members/%s", inner.ptr, app.ptr)));
	REQUIRE(add(outer, inner));
	assert_int_equal(counted(app), 2);
	assert_int_equal(counted(inner), 1);
	REFUSED(add(inner, app), ERR_GRAPH_BAD_REQUEST, "already exist");
	REFUSED(add(inner, inner), ERR_GRAPH_BAD_REQUEST, "own member");
	REFUSED(add(inner, V("00000000-0000-0000-0000-000000000000")), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(POST(MEMBERS "/$ref", .param = inner, .body = V("{\"@odata.id\":\"x\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "@odata.id");
	REQUIRE(ask(GET(MEMBERS, .param = outer)));
	assert_int_equal(graph_items("id"), 1);
	assert_true(replied("\"@odata.type\":\"#microsoft.graph.group\",\"id\":\""));
	REQUIRE(ask(DELETE(MEMBERS "/{member}/$ref", .param = outer, .second = inner)));
	assert_int_equal(graph.reply.status, 204);
	REFUSED(ask(DELETE(MEMBERS "/{member}/$ref", .param = outer, .second = inner)),
	    ERR_GRAPH_NOT_FOUND, "");
	assert_int_equal(counted(app), 1);
	REQUIRE(ask(GET(MEMBERS, .param = outer)));
	assert_true(replied("\"value\":[]"));
}

static void
test_bind(void **state)
{
	view a = make("a"), b = make("b");

	(void)state;
	REQUIRE(ask(POST(GROUPS,
	    .body = print("{\"displayName\":\"c\",\"mailNickname\":\"c\",\"members@odata.bind\":["
			  "\"https://g/v1.0/directoryObjects/%s\",\"https://g/v1.0/groups/%s\"]}",
		a.ptr, b.ptr))));
	assert_true(view_ends(graph.object_id, print("/members/%s,%s", a.ptr, b.ptr)));
	assert_int_equal(counted(a), 1);
	assert_int_equal(counted(b), 1);
	REFUSED(ask(PATCH(GROUP, .param = a,
		    .body = print("{\"members@odata.bind\":[\"https://g/directoryObjects/%s\","
				  "\"https://g/directoryObjects/%s\"]}",
			b.ptr, b.ptr))),
	    ERR_GRAPH_BAD_REQUEST, "already exist");
	REQUIRE(ask(PATCH(GROUP, .param = a,
	    .body = print("{\"members@odata.bind\":[\"https://g/directoryObjects/%s\"]}", b.ptr))));
	assert_int_equal(counted(b), 2);
}

static void
test_cycles(void **state)
{
	view a = make("a"), b = make("b"), c = make("c");

	(void)state;
	REQUIRE(add(a, b));
	REQUIRE(add(b, c));
	REQUIRE(add(c, a));
	assert_int_equal(counted(a), 2);
	assert_int_equal(counted(b), 2);
	assert_int_equal(counted(c), 2);
	REQUIRE(ask(GET(GROUP "/transitiveMemberOf", .param = a)));
	assert_int_equal(graph_items("id"), 2);
	REQUIRE(ask(GET(GROUP "/memberOf", .param = a)));
	assert_int_equal(graph_items("id"), 1);
}

static void
test_deleted_ones_count_for_nothing(void **state)
{
	view inner = make("inner"), outer = make("outer"), app = make_application();
	struct uuid group = uuid_of(inner), who = uuid_of(app);

	(void)state;
	REQUIRE(add(inner, app));
	REQUIRE(add(outer, inner));
	REQUIRE(ask(DELETE(GROUP, .param = inner)));
	assert_int_equal(counted(app), 0);
	REQUIRE(ask(GET(MEMBERS, .param = outer)));
	assert_true(replied("\"value\":[]"));
	/* Even a membership that was left behind, or appears late. */
	town_begin();
	REFUSED(membership_add(&town.tx, &group, &who, &town.err), ERR_GRAPH_NOT_FOUND, "");
	REQUIRE(add(outer, app));
	REQUIRE(ask(DELETE("/v1.0/servicePrincipals/{id}", .param = app)));
	REQUIRE(ask(GET(MEMBERS, .param = outer)));
	assert_true(replied("\"value\":[]"));
	assert_int_equal(counted(app), 0);
}

/* A membership and its group's deletion at once: one of them is too late. */
static void
test_membership_races_deletion(void **state)
{
	view inner = make("inner"), app = make_application();
	struct uuid group = uuid_of(inner), who = uuid_of(app);
	struct tx late;

	(void)state;
	town_begin();
	REQUIRE(membership_add(&town.tx, &group, &who, &town.err));
	late = town.tx;
	REQUIRE(ask(DELETE(GROUP, .param = inner)));
	assert_false(tx_commit(&late, town.store, V(""), &town.err));
	assert_int_equal(town.err.code, ERR_STORE_CONFLICT);
}

#define PRINCIPAL "/v1.0/servicePrincipals/{id}"

static void
test_questions(void **state)
{
	view inner = make("inner"), outer = make("outer"), app = make_application(), other;

	(void)state;
	REQUIRE(ask(POST(GROUPS,
	    .body = V("{\"displayName\":\"mail\",\"mailNickname\":\"m\",\"mailEnabled\":true,"
		      "\"securityEnabled\":false}"))));
	other = member("id");
	REQUIRE(add(inner, app));
	REQUIRE(add(outer, inner));
	REQUIRE(add(other, app));
	REQUIRE(ask(POST(PRINCIPAL "/getMemberGroups", .param = app,
	    .body = V("{\"securityEnabledOnly\":false}"))));
	assert_true(replied(inner.ptr) && replied(outer.ptr) && replied(other.ptr));
	REQUIRE(ask(POST(PRINCIPAL "/getMemberGroups", .param = app,
	    .body = V("{\"securityEnabledOnly\":true}"))));
	assert_true(replied(inner.ptr) && replied(outer.ptr));
	assert_false(replied(other.ptr));
	REQUIRE(ask(POST("/v1.0/directoryObjects/{id}/checkMemberGroups", .param = app,
	    .body = print("{\"groupIds\":[\"%s\",\"%s\",\"x\"]}", outer.ptr, app.ptr))));
	assert_true(replied(print("\"value\":[\"%s\"]", outer.ptr).ptr));
	REFUSED(ask(POST("/v1.0/groups/{id}/checkMemberGroups", .param = app,
		    .body = V("{\"groupIds\":[]}"))),
	    ERR_GRAPH_NOT_FOUND, "");
	REQUIRE(ask(GET(PRINCIPAL "/memberOf", .param = app)));
	assert_int_equal(graph_items("id"), 2);
	assert_true(replied("#microsoft.graph.group"));
	REQUIRE(ask(GET("/v1.0/directoryObjects/{id}", .param = inner)));
	assert_true(view_eq(member("displayName"), V("inner")));
}

static void
test_paging(void **state)
{
	view group = make("large"), next;
	const char *query = "$top=3";
	size_t seen = 0, pages = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		REQUIRE(add(group, make(print("g%d", i).ptr)));
	while (query != NULL) {
		REQUIRE(ask(GET(MEMBERS, .param = group, .query = query)));
		seen += graph_items("id");
		assert_true(++pages < 10);
		next = member("@odata.nextLink");
		(void)view_cut(&next, '?');
		query = next.len > 0 ? next.ptr : NULL;
	}
	assert_int_equal(seen, 10);
	assert_int_equal(pages, 4);
}

static void
test_tenants_are_apart(void **state)
{
	view id = make("a"), own;

	(void)state;
	random_uuid(&graph.caller.tenant);
	REFUSED(ask(GET(GROUP, .param = id)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(GET(MEMBERS, .param = id)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(DELETE(GROUP, .param = id)), ERR_GRAPH_NOT_FOUND, "");
	own = make("b");
	REFUSED(add(own, id), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(add(id, own), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(GET("/v1.0/directoryObjects/{id}", .param = id)), ERR_GRAPH_NOT_FOUND, "");
}

#define GROUP_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GROUP_TEST(test_life),
		GROUP_TEST(test_bad_bodies),
		GROUP_TEST(test_members),
		GROUP_TEST(test_bind),
		GROUP_TEST(test_cycles),
		GROUP_TEST(test_deleted_ones_count_for_nothing),
		GROUP_TEST(test_membership_races_deletion),
		GROUP_TEST(test_questions),
		GROUP_TEST(test_paging),
		GROUP_TEST(test_tenants_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
