/*
 * Managed identities and outside credentials: their functions, and what Graph shows of them.
 */
#include "crypto/random.h"
#include "identity/federated.h"
#include "graph/testing.h"
#include "identity/managed.h"
#include "identity/principal.h"

#include <stdio.h>

#define RESOURCE "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/x/one"
#define PRINCIPALS "/v1.0/servicePrincipals"
#define PRINCIPAL PRINCIPALS "/{id}"

static struct managed_identity
make(const char *name)
{
	struct managed_identity identity = {
		.tenant = town.tenant,
		.name = view_of(name),
		.resource = V(RESOURCE),
	};

	town_begin();
	REQUIRE(managed_identity_create(&town.tx, &identity, &town.err));
	town_commit();
	town_begin();
	return identity;
}

static void
test_life(void **state)
{
	struct managed_identity identity = make("one");
	struct principal principal;

	(void)state;
	assert_true(directory_principal(town.directory, &identity.object, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_IDENTITY);
	assert_string_equal(principal.application.text, identity.application.text);
	assert_string_equal(principal_type(principal.kind), "ServicePrincipal");
	REQUIRE(managed_identity_delete(&town.tx, town.directory, &identity.object, &town.err));
	town_commit();
	town_begin();
	assert_false(directory_principal(town.directory, &identity.object, &principal));
	REFUSED(managed_identity_delete(&town.tx, town.directory, &identity.object, &town.err),
	    ERR_GRAPH_NOT_FOUND, identity.object.text);
	identity.name = V("");
	REFUSED(managed_identity_create(&town.tx, &identity, &town.err), ERR_GRAPH_BAD_REQUEST,
	    "name");
}

static void
test_in_graph(void **state)
{
	struct managed_identity identity = make("one");
	view id = uuid_view(&identity.object);

	(void)state;
	REQUIRE(ask(GET(PRINCIPALS)));
	assert_true(replied("\"servicePrincipalType\":\"ManagedIdentity\""));
	assert_true(replied("\"alternativeNames\":[\"isExplicit=True\",\"" RESOURCE "\"]"));
	REQUIRE(ask(GET(PRINCIPALS, .query = "$filter=servicePrincipalType eq 'ManagedIdentity'")));
	assert_int_equal(graph_items("id"), 1);
	REQUIRE(ask(GET(PRINCIPALS,
	    .query =
		print("$filter=servicePrincipalNames/any(c:c eq '%s')", identity.application.text)
		    .ptr)));
	assert_true(view_eq(member("id"), id));
	REQUIRE(ask(
	    POST("/v1.0/directoryObjects/getByIds", .body = print("{\"ids\":[\"%s\"]}", id.ptr))));
	assert_true(replied("\"@odata.type\":\"#microsoft.graph.servicePrincipal\""));
	/* There is no application to it. */
	REQUIRE(ask(GET("/v1.0/applications")));
	assert_true(replied("\"value\":[]"));
	REQUIRE(ask(GET("/v1.0/applications",
	    .query = print("$filter=appId eq '%s'", identity.application.text).ptr)));
	assert_true(replied("\"value\":[]"));
	/* It belongs to resource management. */
	REFUSED(ask(DELETE(PRINCIPAL, .param = id)), ERR_GRAPH_DENIED, "managed identities");
	REFUSED(ask(PATCH(PRINCIPAL, .param = id, .body = V("{\"accountEnabled\":false}"))),
	    ERR_GRAPH_DENIED, "managed identities");
	REFUSED(ask(POST(PRINCIPAL "/addPassword", .param = id)), ERR_GRAPH_DENIED, "");
	REFUSED(ask(POST(PRINCIPAL "/removePassword", .param = id, .body = V("{\"keyId\":\"x\"}"))),
	    ERR_GRAPH_DENIED, "");
	REFUSED(ask(POST(PRINCIPALS,
		    .body = print("{\"appId\":\"%s\"}", identity.application.text))),
	    ERR_GRAPH_BAD_REQUEST, "does not reference");
}

static void
test_attach(void **state)
{
	AUTO(plain_done) struct plain *secret = NULL, *document = NULL;
	struct managed_identity one = make("one"), two = make("two");
	struct application host = town_application("host", &secret);
	struct uuid ids[APPLICATION_ATTACHED_MAX + 1] = { one.object, two.object };
	struct registration registration;

	(void)state;
	REQUIRE(managed_identity_attach(&town.tx, &host.object, ids, 2, &town.err));
	town_commit();
	town_begin();
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(&host.id), STORE_READ,
	    &document, &registration, &town.err));
	assert_int_equal(registration.attached_count, 2);
	assert_string_equal(registration.attached[1].text, two.object.text);
	REQUIRE(managed_identity_attach(&town.tx, &host.object, NULL, 0, &town.err));
	REFUSED(managed_identity_attach(&town.tx, &host.object, ids, APPLICATION_ATTACHED_MAX + 1,
		    &town.err),
	    ERR_GRAPH_BAD_REQUEST, "At most");
	/* Applications have secrets of their own to guard; nobody is nobody. */
	REFUSED(managed_identity_attach(&town.tx, &one.object, &host.object, 1, &town.err),
	    ERR_GRAPH_BAD_REQUEST, "not a managed identity");
	random_uuid(&ids[0]);
	REFUSED(managed_identity_attach(&town.tx, &host.object, ids, 1, &town.err),
	    ERR_GRAPH_BAD_REQUEST, "not a managed identity");
	REFUSED(managed_identity_attach(&town.tx, &ids[0], &one.object, 1, &town.err),
	    ERR_GRAPH_NOT_FOUND, "");
}

static void
test_federated_of_identity(void **state)
{
	struct managed_identity identity = make("one");
	AUTO(plain_done) struct plain *document = NULL, *again = NULL;
	struct federated_credential credential = {
		.name = V("repo"),
		.issuer = V("https://token.actions.example.com"),
		.subject = V("repo:a/b:ref:refs/heads/main"),
		.audience = V("api://AzureADTokenExchange"),
	};
	struct registration registration;
	size_t at;

	(void)state;
	REQUIRE(
	    managed_identity_take(&town.tx, &identity.object, &document, &registration, &town.err));
	REQUIRE(federated_add(&registration, &credential, &town.err));
	REQUIRE(registration_put(&town.tx, &registration, &town.err));
	town_commit();
	town_begin();
	REQUIRE(
	    managed_identity_take(&town.tx, &identity.object, &again, &registration, &town.err));
	assert_true(federated_find(&registration, V("REPO"), &at));
	assert_true(federated_find(&registration, uuid_view(&credential.id), &at));
	assert_true(view_eq(registration.federated[at].subject, credential.subject));
	federated_remove(&registration, at);
	assert_false(federated_find(&registration, V("repo"), &at));
}

static const struct {
	const char *name, *issuer, *subject, *audience;
	const char *refused; /* NULL: fine */
} credentials[] = {
	{ "abc", "https://a.example", "s", "a", NULL },
	{ "a-b_c9", "https://a.example/path/v2.0", "repo:x/y", "api://x", NULL },
	{ "ab", "https://a.example", "s", "a", "name" },
	{ "-abc", "https://a.example", "s", "a", "name" },
	{ "a/bc", "https://a.example", "s", "a", "name" },
	{ "", "https://a.example", "s", "a", "name" },
	{ "abc", "http://a.example", "s", "a", "issuer" },
	{ "abc", "https://", "s", "a", "issuer" },
	{ "abc", "https:///x", "s", "a", "issuer" },
	{ "abc", "https://user@a.example", "s", "a", "issuer" },
	{ "abc", "https://a.example?x", "s", "a", "issuer" },
	{ "abc", "https://a example", "s", "a", "issuer" },
	{ "abc", "", "s", "a", "issuer" },
	{ "abc", "https://a.example", "", "a", "subject" },
	{ "abc", "https://a.example", "s", "", "audiences" },
	{ "abc", "https://a.example", "s\xff", "a", "subject" },
};

static void
test_credential_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(credentials); i++) {
		struct registration registration = { .federated_count = 0 };
		struct federated_credential credential = {
			.name = view_of(credentials[i].name),
			.issuer = view_of(credentials[i].issuer),
			.subject = view_of(credentials[i].subject),
			.audience = view_of(credentials[i].audience),
		};
		bool ok = federated_add(&registration, &credential, &town.err);

		if (ok != (credentials[i].refused == NULL))
			fail_msg("%zu", i);
		if (!ok && !holds(view_of(town.err.message), credentials[i].refused))
			fail_msg("%zu: %s", i, town.err.message);
	}
}

static void
test_credentials_are_bounded(void **state)
{
	struct registration registration = { .federated_count = 0 };
	char names[APPLICATION_FEDERATED_MAX + 1][8];
	bool ok;

	(void)state;
	for (int i = 0; i <= APPLICATION_FEDERATED_MAX; i++) {
		struct federated_credential credential = {
			.issuer = V("https://a.example"),
			.audience = V("a"),
		};

		(void)snprintf(names[i], sizeof(names[i]), "name%d", i);
		credential.name = credential.subject = view_of(names[i]);
		ok = federated_add(&registration, &credential, &town.err);
		assert_int_equal(ok, i < APPLICATION_FEDERATED_MAX);
	}
	assert_true(holds(view_of(town.err.message), "limit"));
}

#define APPLICATION "/v1.0/applications/{id}"
#define CREDENTIALS APPLICATION "/federatedIdentityCredentials"
#define CREDENTIAL CREDENTIALS "/{credential}"

static void
test_rows(void **state)
{
	view app, id,
	    body = V("{\"name\":\"repo\",\"issuer\":\"https://a.example\",\"subject\":"
		     "\"s\",\"audiences\":[\"api://x\"],\"description\":\"d\"}");

	(void)state;
	REQUIRE(ask(POST("/v1.0/applications", .body = V("{\"displayName\":\"a\"}"))));
	app = member("id");
	REQUIRE(ask(POST(CREDENTIALS, .param = app, .body = body)));
	assert_int_equal(graph.reply.status, 201);
	id = member("id");
	assert_true(replied("\"description\":\"d\",\"audiences\":[\"api://x\"]"));
	REFUSED(ask(POST(CREDENTIALS, .param = app, .body = body)), ERR_GRAPH_BAD_REQUEST,
	    "name repo already exists");
	REFUSED(ask(POST(CREDENTIALS, .param = app,
		    .body = V("{\"name\":\"other\",\"issuer\":\"https://a.example\",\"subject\":"
			      "\"s\",\"audiences\":[\"api://x\"]}"))),
	    ERR_GRAPH_BAD_REQUEST, "issuer and subject");
	REFUSED(ask(POST(CREDENTIALS, .param = app,
		    .body = V("{\"name\":\"other\",\"issuer\":\"https://a.example\",\"subject\":"
			      "\"t\",\"audiences\":[\"x\",\"y\"]}"))),
	    ERR_GRAPH_BAD_REQUEST, "exactly one");
	REFUSED(ask(POST(CREDENTIALS, .param = app, .body = V("{\"audiences\":[]}"))),
	    ERR_GRAPH_BAD_REQUEST, "exactly one");
	REFUSED(ask(POST(CREDENTIALS, .param = app, .body = V("{}"))), ERR_GRAPH_BAD_REQUEST,
	    "name");
	REQUIRE(ask(GET(CREDENTIALS, .param = app)));
	assert_int_equal(graph_items("subject"), 1);
	REQUIRE(ask(PATCH(CREDENTIAL, .param = app, .second = id,
	    .body = V("{\"subject\":\"t\",\"name\":\"ignored\"}"))));
	assert_int_equal(graph.reply.status, 204);
	REQUIRE(ask(GET(CREDENTIAL, .param = app, .second = V("repo"))));
	assert_true(view_eq(member("subject"), V("t")));
	assert_true(view_eq(member("id"), id));
	REFUSED(ask(PATCH(CREDENTIAL, .param = app, .second = id,
		    .body = V("{\"issuer\":\"http://a\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "issuer");
	REQUIRE(ask(DELETE(CREDENTIAL, .param = app, .second = V("repo"))));
	REFUSED(ask(GET(CREDENTIAL, .param = app, .second = id)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(GET(CREDENTIALS, .param = id)), ERR_GRAPH_NOT_FOUND, "");
}

#define MANAGED_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MANAGED_TEST(test_life),
		MANAGED_TEST(test_in_graph),
		MANAGED_TEST(test_attach),
		MANAGED_TEST(test_federated_of_identity),
		cmocka_unit_test(test_credential_rules),
		cmocka_unit_test(test_credentials_are_bounded),
		MANAGED_TEST(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
