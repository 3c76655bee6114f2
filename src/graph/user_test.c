/*
 * Users: their documents, their passwords, and the rows of Graph on them.
 */
#include "crypto/password.h"
#include "crypto/random.h"
#include "identity/administrators.h"
#include "graph/testing.h"
#include "identity/principal.h"
#include "identity/user_password.h"

#include <string.h>

#define USERS "/v1.0/users"
#define USER "/v1.0/users/{id}"

#define GOOD "Correct horse 7"

/* A user; the id. */
static view
make(const char *upn, const char *name)
{
	REQUIRE(ask(POST(USERS,
	    .body = print("{\"userPrincipalName\":\"%s\",\"displayName\":\"%s\","
			  "\"accountEnabled\":true,\"mailNickname\":\"x\",\"passwordProfile\":{"
			  "\"password\":\"" GOOD "\",\"forceChangePasswordNextSignIn\":false}}",
		upn, name))));
	assert_int_equal(graph.reply.status, 201);
	return member("id");
}

static struct uuid
uuid_of(view text)
{
	struct uuid uuid;

	assert_true(uuid_parse(text, &uuid));
	return uuid;
}

static void
test_life(void **state)
{
	view id = make("Ada.L@Example.org", "Ada");
	struct uuid object = uuid_of(id);
	struct principal principal;

	(void)state;
	assert_true(replied("\"userPrincipalName\":\"Ada.L@Example.org\""));
	assert_true(replied("$metadata#users/$entity"));
	assert_false(replied("argon2"));
	assert_true(directory_principal(town.directory, &object, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_USER);
	assert_true(principal.enabled);
	REQUIRE(ask(GET(USER, .param = V("ada.l@EXAMPLE.org"))));
	assert_true(view_eq(member("id"), id));
	REQUIRE(ask(PATCH(USER, .param = id,
	    .body = V("{\"displayName\":\"Ada K\",\"mail\":\"a@x.org\",\"givenName\":\"Ada\","
		      "\"surname\":\"K\",\"userPrincipalName\":\"ada@example.org\"}"))));
	assert_int_equal(graph.reply.status, 204);
	REQUIRE(ask(GET(USER, .param = id)));
	assert_true(replied("\"displayName\":\"Ada K\",\"givenName\":\"Ada\""));
	assert_true(replied("\"mail\":\"a@x.org\""));
	assert_true(replied("\"surname\":\"K\",\"userPrincipalName\":\"ada@example.org\"}"));
	assert_false(replied("argon2"));
	/* The old name is free, the new one finds the user. */
	REFUSED(ask(GET(USER, .param = V("ada.l@example.org"))), ERR_GRAPH_NOT_FOUND, "ada.l@");
	(void)make("ada.l@example.org", "Another");
	REQUIRE(ask(DELETE(USER, .param = V("ada@example.org"))));
	assert_int_equal(graph.reply.status, 204);
	assert_false(directory_principal(town.directory, &object, &principal));
	REFUSED(ask(GET(USER, .param = id)), ERR_GRAPH_NOT_FOUND, id.ptr);
	REFUSED(ask(DELETE(USER, .param = id)), ERR_GRAPH_NOT_FOUND, "");
	(void)make("ada@example.org", "Again");
}

static void
test_names_are_unique(void **state)
{
	view other;

	(void)state;
	(void)make("ada@example.org", "Ada");
	other = make("bob@example.org", "Bob");
	REFUSED(ask(POST(USERS,
		    .body = V("{\"userPrincipalName\":\"ADA@example.org\",\"displayName\":\"A\","
			      "\"accountEnabled\":true,\"passwordProfile\":{\"password\":\"" GOOD
			      "\"}}"))),
	    ERR_GRAPH_BAD_REQUEST,
	    "Another object with the same value for property userPrincipalName already exists.");
	REFUSED(ask(PATCH(USER, .param = other,
		    .body = V("{\"userPrincipalName\":\"Ada@example.org\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "userPrincipalName already exists");
	/* In another case it is still one's own. */
	REQUIRE(ask(
	    PATCH(USER, .param = other, .body = V("{\"userPrincipalName\":\"BOB@example.org\"}"))));
	REQUIRE(ask(GET(USER, .param = V("bob@example.org"))));
	assert_true(view_eq(member("userPrincipalName"), V("BOB@example.org")));
}

static void
test_disabled_at_once(void **state)
{
	view id = make("ada@example.org", "Ada");
	struct uuid object = uuid_of(id);
	AUTO(plain_done) struct plain *document = NULL;
	struct principal principal;
	struct user user;

	(void)state;
	REQUIRE(ask(PATCH(USER, .param = id, .body = V("{\"accountEnabled\":false}"))));
	assert_true(directory_principal(town.directory, &object, &principal));
	assert_false(principal.enabled);
	REQUIRE(user_get(&town.tx, &object, STORE_READ, &document, &user, &town.err));
	assert_false(user.enabled);
	REQUIRE(ask(GET(USER, .param = id, .query = "$select=id,accountEnabled")));
	assert_true(replied("\"accountEnabled\":false}"));
	assert_false(replied("displayName"));
	REQUIRE(ask(PATCH(USER, .param = id, .body = V("{\"accountEnabled\":true}"))));
	assert_true(directory_principal(town.directory, &object, &principal));
	assert_true(principal.enabled);
}

static const char *const bad_names[] = {
	"",
	"ada",
	"@example.org",
	"ada@",
	"ada@nodot",
	"a b@example.org",
	"ada@exam ple.org",
	"a/b@example.org",
	"ada@@example.org",
	"ada@example.org@x",
	".ada@example.org",
	"ada.@example.org",
	"ada@.example.org",
	"ada@example.",
	"\xc3\xa4@example.org",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org",
};

static void
test_bad_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_names); i++) {
		view body =
		    print("{\"userPrincipalName\":\"%s\",\"displayName\":\"A\","
			  "\"accountEnabled\":true,\"passwordProfile\":{\"password\":\"" GOOD
			  "\"}}",
			bad_names[i]);

		if (ask(POST(USERS, .body = body)))
			fail_msg("%s", bad_names[i]);
		assert_int_equal(town.err.code, ERR_GRAPH_BAD_REQUEST);
	}
	/* The installation's own domain may have no dot. */
	(void)make("ada@localhost", "Ada");
	(void)make("o'brien_x-1@example.org", "O");
}

static void
test_bad_bodies(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"userPrincipalName\":\"a@b.c\",\"displayName\":\"A\",\"accountEnabled\":true}",
		"{\"userPrincipalName\":\"a@b.c\",\"displayName\":\"\",\"accountEnabled\":true,"
		"\"passwordProfile\":{\"password\":\"" GOOD "\"}}",
		"{\"userPrincipalName\":\"a@b.c\",\"accountEnabled\":true,"
		"\"passwordProfile\":{\"password\":\"" GOOD "\"}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		REFUSED(ask(POST(USERS, .body = view_of(bodies[i]))), ERR_GRAPH_BAD_REQUEST, "");
	}
	REFUSED(ask(POST(USERS, .body = V("{\"displayName\":1}"))), ERR_BAD_PARAMETER, "");
	REFUSED(ask(PATCH(USER, .param = V("nobody"), .body = V("{}"))), ERR_GRAPH_NOT_FOUND, "");
}

static const struct {
	const char *password;
	bool allowed;
} passwords[] = {
	{ GOOD, true },
	{ "Abcdefg1", true },
	{ "abcdef1!", true },
	{ "ABCDEF1!", true },
	{ "Gr\xc3\xbcn\xc3\xa4uge", true }, /* letters beyond ASCII are a class of their own */
	{ "Abcdef1", false },
	{ "abcdefg1", false },
	{ "ABCDEFGH", false },
	{ "12345678!", false },
	{ "My Name is ADA 1", false },
	{ "Abcdefg1\xff", false },
	{ "", false },
};

static void
test_password_rules(void **state)
{
	const struct user user = { .upn = V_INIT("ada@example.org") };
	const struct user brief = { .upn = V_INIT("a@example.org") };
	char text[1200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(passwords); i++) {
		if (user_password_allowed(&user, view_of(passwords[i].password), &town.err) !=
		    passwords[i].allowed)
			fail_msg("%s", passwords[i].password);
	}
	assert_true(user_password_allowed(&brief, V("Banana 17"), &town.err));
	memset(text, 'a', sizeof(text));
	text[0] = 'A';
	text[1] = '1';
	assert_true(user_password_allowed(&user, (view){ text, 256 }, &town.err));
	assert_false(user_password_allowed(&user, (view){ text, 257 }, &town.err));
	assert_false(user_password_allowed(&user, (view){ text, sizeof(text) }, &town.err));
}

static void
become(view id)
{
	graph.caller.person = true;
	graph.caller.object = uuid_of(id);
}

static void
test_passwords(void **state)
{
	view id = make("ada@example.org", "Ada");
	struct uuid object = uuid_of(id);
	AUTO(plain_done) struct plain *document = NULL;
	struct user user;
	bool fits;

	(void)state;
	REFUSED(ask(PATCH(USER, .param = id,
		    .body = V("{\"passwordProfile\":{\"password\":\"short\"}}"))),
	    ERR_GRAPH_BAD_REQUEST, "complexity");
	/* One that is set by another is changed at the next sign-in, unless said otherwise. */
	REQUIRE(ask(PATCH(USER, .param = id,
	    .body = V("{\"passwordProfile\":{\"password\":\"Second word 2\"}}"))));
	REQUIRE(user_get(&town.tx, &object, STORE_READ, &document, &user, &town.err));
	assert_true(user.must_change);
	assert_true(user.sessions_started > 0);
	REQUIRE(password_matches(V("Second word 2"), user.password_hash, &fits, &town.err));
	assert_true(fits);
	plain_free(document);
	document = NULL;

	become(id);
	REFUSED(ask(POST("/v1.0/me/changePassword",
		    .body =
			V("{\"currentPassword\":\"" GOOD "\",\"newPassword\":\"Third word 3\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "does not match");
	REFUSED(ask(POST("/v1.0/me/changePassword",
		    .body = V("{\"currentPassword\":\"Second word 2\",\"newPassword\":\"x\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "complexity");
	REQUIRE(ask(POST("/v1.0/me/changePassword",
	    .body = V("{\"currentPassword\":\"Second word 2\","
		      "\"newPassword\":\"Third word 3\"}"))));
	assert_int_equal(graph.reply.status, 204);
	REQUIRE(user_get(&town.tx, &object, STORE_READ, &document, &user, &town.err));
	assert_false(user.must_change);
	REQUIRE(password_matches(V("Third word 3"), user.password_hash, &fits, &town.err));
	assert_true(fits);
}

static void
test_guessing_is_slow(void **state)
{
	view body = V("{\"currentPassword\":\"wrong\",\"newPassword\":\"Third word 3\"}");

	(void)state;
	become(make("ada@example.org", "Ada"));
	for (int i = 0; i < 10; i++)
		REFUSED(ask(POST("/v1.0/me/changePassword", .body = body)), ERR_GRAPH_BAD_REQUEST,
		    "does not match");
	REFUSED(ask(POST("/v1.0/me/changePassword", .body = body)), ERR_THROTTLED, "");
}

static void
test_me(void **state)
{
	view id = make("ada@example.org", "Ada");

	(void)state;
	REFUSED(ask(GET("/v1.0/me")), ERR_BAD_REQUEST, "/me request is only valid");
	become(id);
	REQUIRE(ask(GET("/v1.0/me")));
	assert_true(view_eq(member("id"), id));
	REQUIRE(ask(GET("/v1.0/me/ownedObjects")));
	assert_true(replied("\"value\":[]"));
}

static void
test_lists(void **state)
{
	static const struct {
		const char *query;
		size_t count;
	} lists[] = {
		{ "", 4 },
		{ "$filter=userPrincipalName eq 'BOB@example.org'", 1 },
		{ "$filter=userPrincipalName eq 'bob@example.org' or mail eq 'cy@x.org'", 2 },
		{ "$filter=mail eq 'cy@x.org' or userPrincipalName eq 'cy@example.org'", 1 },
		{ "$filter=displayName eq 'Bob'", 1 },
		{ "$filter=startswith(displayName,'a')", 2 },
		{ "$filter=userPrincipalName eq 'bob@example.org' and startswith(displayName,'A')",
		    0 },
		{ "$filter=accountEnabled eq false", 0 },
		{ "$filter=userPrincipalName in ('bob@example.org','BOB@example.org','no@x.y')",
		    1 },
	};

	(void)state;
	(void)make("ada@example.org", "Ada");
	(void)make("al@example.org", "Al");
	(void)make("bob@example.org", "Bob");
	REQUIRE(ask(PATCH(USER, .param = make("cy@example.org", "Cy"),
	    .body = V("{\"mail\":\"cy@x.org\"}"))));
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		REQUIRE(ask(GET(USERS, .query = lists[i].query)));
		if (graph_items("userPrincipalName") != lists[i].count)
			fail_msg("%s: %zu", lists[i].query, graph_items("userPrincipalName"));
		assert_false(replied("nextLink"));
		assert_false(replied("argon2"));
	}
	REFUSED(ask(GET(USERS, .query = "$filter=passwordProfile eq 'x'")), ERR_GRAPH_BAD_REQUEST,
	    "filter");
	REQUIRE(ask(GET(USERS, .query = "$top=3&$select=id")));
	assert_int_equal(graph_items("id"), 3);
	assert_true(replied("$skiptoken"));
	assert_true(replied("$select=id"));
}

static void
test_tenants_are_apart(void **state)
{
	view id = make("ada@example.org", "Ada");

	(void)state;
	random_uuid(&graph.caller.tenant);
	REFUSED(ask(GET(USER, .param = id)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(GET(USER, .param = V("ada@example.org"))), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(PATCH(USER, .param = id, .body = V("{}"))), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(DELETE(USER, .param = id)), ERR_GRAPH_NOT_FOUND, "");
	REQUIRE(ask(GET(USERS)));
	assert_int_equal(graph_items("id"), 0);
	/* The same name is another user there. */
	(void)make("ada@example.org", "Ada");
}

#define ROLE "/v1.0/directoryRoles(roleTemplateId='62e90394-69f5-4237-9190-012177145e10')"

static view
reference(view id)
{
	return print("{\"@odata.id\":\"https://graph.localhost/v1.0/directoryObjects/%s\"}",
	    id.ptr);
}

static bool
administers(view id)
{
	struct caller caller = { .tenant = town.tenant, .person = true, .object = uuid_of(id) };
	bool is;

	REQUIRE(caller_is_administrator(&town.tx, &caller, &is, &town.err));
	return is;
}

static void
test_administrators(void **state)
{
	view ada = make("ada@example.org", "Ada"), bob = make("bob@example.org", "Bob");

	(void)state;
	assert_false(administers(ada));
	REQUIRE(ask(POST(ROLE "/members/$ref", .body = reference(ada))));
	assert_true(view_ends(graph.object_id, print("/directoryRoles/members/%s", ada.ptr)));
	assert_true(administers(ada));
	/* The last one stays, in every way. */
	REFUSED(ask(DELETE(ROLE "/members/{id}/$ref", .param = ada)), ERR_GRAPH_BAD_REQUEST,
	    "last administrator");
	REFUSED(ask(DELETE(USER, .param = ada)), ERR_GRAPH_BAD_REQUEST, "last administrator");
	REFUSED(ask(PATCH(USER, .param = ada, .body = V("{\"accountEnabled\":false}"))),
	    ERR_GRAPH_BAD_REQUEST, "last administrator");
	REQUIRE(ask(POST(ROLE "/members/$ref", .body = reference(bob))));
	REQUIRE(ask(GET(ROLE "/members")));
	assert_int_equal(graph_items("id"), 2);
	assert_true(replied("\"@odata.type\":\"#microsoft.graph.user\""));
	REQUIRE(ask(PATCH(USER, .param = bob, .body = V("{\"accountEnabled\":false}"))));
	assert_false(administers(bob));
	/* A disabled one does not count. */
	REFUSED(ask(DELETE(USER, .param = ada)), ERR_GRAPH_BAD_REQUEST, "last administrator");
	REQUIRE(ask(PATCH(USER, .param = bob, .body = V("{\"accountEnabled\":true}"))));
	REQUIRE(ask(DELETE(ROLE "/members/{id}/$ref", .param = ada)));
	assert_false(administers(ada));
	assert_true(administers(bob));
	REQUIRE(ask(DELETE(USER, .param = ada)));
	assert_false(administers(ada));
}

/* Two who remove each other at once: the second looks again. */
static void
test_administrators_conflict(void **state)
{
	struct uuid ada = uuid_of(make("ada@example.org", "Ada")),
		    bob = uuid_of(make("bob@example.org", "Bob"));
	struct tx first;

	(void)state;
	town_begin();
	REQUIRE(administrators_add(&town.tx, &town.tenant, &ada, &town.err));
	REQUIRE(administrators_add(&town.tx, &town.tenant, &bob, &town.err));
	town_commit();
	town_begin();
	REQUIRE(administrators_leave(&town.tx, &town.tenant, &ada, false, &town.err));
	first = town.tx;
	town_begin();
	REQUIRE(administrators_leave(&town.tx, &town.tenant, &bob, true, &town.err));
	town_commit();
	assert_false(tx_commit(&first, town.store, V(""), &town.err));
	assert_int_equal(town.err.code, ERR_STORE_CONFLICT);
}

static void
test_roles_are_for_who_signs_in(void **state)
{
	view group;

	(void)state;
	REQUIRE(
	    ask(POST("/v1.0/groups", .body = V("{\"displayName\":\"g\",\"mailNickname\":\"g\"}"))));
	group = member("id");
	REFUSED(ask(POST(ROLE "/members/$ref", .body = reference(group))), ERR_GRAPH_BAD_REQUEST,
	    "Only users");
	REFUSED(ask(POST(ROLE "/members/$ref", .body = V("{\"@odata.id\":\"x\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "@odata.id");
	REQUIRE(ask(GET("/v1.0/directoryRoles")));
	assert_true(view_eq(member("displayName"), V("Global Administrator")));
	REQUIRE(ask(GET("/v1.0/organization")));
	assert_true(view_eq(member("displayName"), V("Home")));
	assert_true(replied("\"name\":\"localhost\""));
}

#define USER_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		USER_TEST(test_life),
		USER_TEST(test_names_are_unique),
		USER_TEST(test_disabled_at_once),
		USER_TEST(test_bad_names),
		USER_TEST(test_bad_bodies),
		cmocka_unit_test(test_password_rules),
		USER_TEST(test_passwords),
		USER_TEST(test_guessing_is_slow),
		USER_TEST(test_me),
		USER_TEST(test_lists),
		USER_TEST(test_tenants_are_apart),
		USER_TEST(test_administrators),
		USER_TEST(test_administrators_conflict),
		USER_TEST(test_roles_are_for_who_signs_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
