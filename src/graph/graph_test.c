/*
 * Applications: their documents, and the rows of Graph on them.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "identity/application.h"
#include "graph/graph.h"
#include "graph/testing.h"
#include "identity/principal.h"

/* A self-signed RSA certificate, good until 2126. */
static const char certificate[] =
    "MIIC+zCCAeOgAwIBAgIUA7WzDsh+uy82F+UsBzH5ETFVyN4wDQYJKoZIhvcNAQELBQAwDDEKMAgGA1UEAwwBYTAg"
    "Fw0yNjExMjIwODA3NTJaGA8yMTI2MTAyOTA4MDc1MlowDDEKMAgGA1UEAwwBYTCCASIwDQYJKoZIhvcNAQEBBQAD"
    "ggEPADCCAQoCggEBAMVEOqEELL0CcgIgIIIxHnyakIbguaP+hq1eN2kWcZbIvfe645jFZ7YVYTon0NGWDamDi3Gk"
    "XsO4aL8uanSt5NxhYKZifIT+F8vsqWGZZFX3aeA+FvGno76OeJpXtRA3b4OV6rnfZAUsdE8smUtMLRngFtHVd1yS"
    "4w4i4mmR3xMoA5t7iu5v0QrwZSy0DP/CqJ+gfWrlFrrkPrfJAJVHwvhLDTpZpxH8yvJVrjhRiDWMbXPax+rJfm2W"
    "MILS0cRNkf4OhA/TyUSfXq0P8FZk+XAZNT02K7NS8rGZhF4fPvBCrdr9HTkqpOwMnJCT2LXJtQzePPN8/3AD8JQY"
    "AV6q9r0CAwEAAaNTMFEwHQYDVR0OBBYEFBSTuolYZScJKg0AdeaadMAGvX0HMB8GA1UdIwQYMBaAFBSTuolYZScJ"
    "Kg0AdeaadMAGvX0HMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBACqOuuXoWCE0FCj1Wsk+ZUaO"
    "xgbYyNzi4dqDG4QCxou58Peaj6+lH72rDPUElkvZZLb05lLJAm1T6UqxSLZl27LdqGHwONfYvPFfj2GTeuNvcJrz"
    "TXogC71IJK3/DL3Hr+3HdGDZvhb94yw0DvSu0atHa3Hlos6kP97RAjfqkOVlaQE1ZTjMroTdJer3xclNG4QxBC9w"
    "Xv3FFQZzULwrjpLW8CK+GVu/qHxiA11akp1P/mYhwXDrigzKSKidev/AaSJVNZKbpYbV87s1UR1QdtnDDZb3WBC6"
    "IEZyerJHl9lFPNe4bhpcELIfiIsAgOhPhXRKBDA32CKLJBWGA7H5FnY=";
static const char ec_certificate[] =
    "MIIBbzCCARWgAwIBAgIUG6GlCcFovLdo2JDztdklSwxBkJMwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAgFw0y"
    "NjExMjIwODA3NTJaGA8yMTI2MTAyOTA4MDc1MlowDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEH"
    "A0IABGz9DcyhhcfAigxsoEQEyjEJVlwPUAaPhQ5wYtmosmFPIw6UKFpN7yK5c2A2nD/Me8+Q+5Wv/v+/vlIf2CpO"
    "AP6jUzBRMB0GA1UdDgQWBBTQzg8aqvXLbQmOy+zMc5VSS9h51DAfBgNVHSMEGDAWgBTQzg8aqvXLbQmOy+zMc5VS"
    "S9h51DAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCjJiR6U1XpRGYs5xeSMx5+7UjedAC6KiLb"
    "xeZUXoC3jAIgKhzpIg5Nuiot1sNDDoGx4RDdwpgWbqMfQmQznMO74pQ=";

#define APPLICATIONS "/v1.0/applications"
#define PRINCIPALS "/v1.0/servicePrincipals"

static void
test_life_of_an_application(void **state)
{
	view own, appid, object, body;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"My app\",\"more\":1}"))));
	assert_int_equal(graph.reply.status, 201);
	own = member("id");
	appid = member("appId");
	assert_true(view_eq(member("displayName"), V("My app")));
	assert_true(view_eq(member("@odata.context"),
	    V("https://graph.localhost:8443/v1.0/$metadata#applications/$entity")));

	assert_true(arena_print(&town.arena, &body, "{\"appId\":\"%s\"}", appid.ptr));
	REQUIRE(ask(POST(PRINCIPALS, .body = body)));
	assert_int_equal(graph.reply.status, 201);
	object = member("id");
	assert_false(view_eq(own, object));
	assert_true(holds(buf_view(&graph.reply.body), "\"servicePrincipalNames\":[\""));

	REQUIRE(ask(GET(APPLICATIONS "/{id}", .param = own)));
	assert_true(view_eq(member("appId"), appid));
	REQUIRE(ask(GET(PRINCIPALS "/{id}", .param = object)));
	assert_true(view_eq(member("appId"), appid));
	/* The ids of one are not those of the other. */
	REFUSED(ask(GET(APPLICATIONS "/{id}", .param = object)), ERR_GRAPH_NOT_FOUND, object.ptr);
	REFUSED(ask(GET(PRINCIPALS "/{id}", .param = own)), ERR_GRAPH_NOT_FOUND, own.ptr);

	graph.reply.status = 0;
	REQUIRE(ask(DELETE(APPLICATIONS "/{id}", .param = own)));
	assert_int_equal(graph.reply.status, 204);
	assert_int_equal(graph.reply.body.len, 0);
	REFUSED(ask(GET(PRINCIPALS "/{id}", .param = object)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(DELETE(APPLICATIONS "/{id}", .param = own)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(POST(PRINCIPALS, .body = body)), ERR_GRAPH_BAD_REQUEST, "does not reference");
}

static void
test_passwords(void **state)
{
	struct registration registration;
	AUTO(plain_done) struct plain *document = NULL;
	enum secret_verdict verdict;
	view own, appid;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"a\"}"))));
	own = member("id");
	appid = member("appId");
	REQUIRE(ask(POST(APPLICATIONS "/{id}/addPassword", .param = own,
	    .body = V("{\"passwordCredential\":{\"displayName\":\"rbac\",\"startDateTime\":"
		      "\"2020-01-01T00:00:00Z\",\"endDateTime\":\"2099-01-01T00:00:00Z\"}}"))));
	assert_int_equal(graph.reply.status, 200);
	assert_true(view_eq(member("displayName"), V("rbac")));
	assert_true(view_eq(member("endDateTime"), V("2099-01-01T00:00:00Z")));
	assert_true(view_starts(member("secretText"), member("hint")));
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), appid, STORE_READ, &document,
	    &registration, &town.err));
	REQUIRE(client_secret_check(registration.secrets, registration.secret_count,
	    member("secretText"), clock_wall(), &verdict, &town.err));
	assert_int_equal(verdict, SECRET_GOOD);

	REQUIRE(ask(POST(APPLICATIONS "/{id}/addPassword", .param = own)));
	assert_true(holds(buf_view(&graph.reply.body), "\"displayName\":null"));
	REQUIRE(ask(GET(APPLICATIONS "/{id}", .param = own)));
	assert_true(holds(buf_view(&graph.reply.body), "\"secretText\":null"));
	assert_false(holds(buf_view(&graph.reply.body), "\"secretText\":\""));
	REFUSED(ask(POST(APPLICATIONS "/{id}/addPassword", .param = own,
		    .body = V("{\"passwordCredential\":{\"endDateTime\":\"tomorrow\"}}"))),
	    ERR_GRAPH_BAD_REQUEST, "endDateTime");
	REFUSED(ask(POST(APPLICATIONS "/{id}/addPassword", .param = own,
		    .body = V("{\"passwordCredential\":{\"endDateTime\":"
			      "\"2020-01-01T00:00:00Z\"}}"))),
	    ERR_GRAPH_BAD_REQUEST, "lifetime");
	REFUSED(ask(POST(APPLICATIONS "/{id}/addPassword", .param = V("nobody"))),
	    ERR_GRAPH_NOT_FOUND, "");
}

static void
test_passwords_are_bounded(void **state)
{
	struct registration registration = { .secret_count = 0 };
	int64_t end = clock_wall() + 60;

	(void)state;
	for (size_t i = 0; i <= APPLICATION_SECRETS_MAX; i++) {
		AUTO(plain_done) struct plain *text = NULL;
		bool ok = registration_add_secret(&registration, V(""), end, &text, &town.err);

		assert_int_equal(ok, i < APPLICATION_SECRETS_MAX);
	}
	assert_int_equal(town.err.code, ERR_GRAPH_BAD_REQUEST);
	/* Those that are over make room. */
	registration.secrets[3].end = clock_wall() - 1;
	{
		AUTO(plain_done) struct plain *text = NULL;

		REQUIRE(registration_add_secret(&registration, V("new"), end, &text, &town.err));
	}
	assert_int_equal(registration.secret_count, APPLICATION_SECRETS_MAX);
	assert_true(view_eq(registration.secrets[31].name, V("new")));
}

static void
test_certificates(void **state)
{
	view body;

	(void)state;
	assert_true(arena_print(&town.arena, &body,
	    "{\"displayName\":\"a\",\"keyCredentials\":[{\"type\":\"AsymmetricX509Cert\","
	    "\"usage\":\"Verify\",\"key\":\"%s\",\"displayName\":\"CN=a\"}]}",
	    certificate));
	REQUIRE(ask(POST(APPLICATIONS, .body = body)));
	assert_true(
	    view_eq(member("customKeyIdentifier"), V("57FBE4273B911F0865819EC5E1A261A920C24999")));
	assert_true(holds(buf_view(&graph.reply.body), "\"usage\":\"Verify\",\"key\":null"));
	REFUSED(ask(POST(APPLICATIONS,
		    .body = V("{\"displayName\":\"a\",\"keyCredentials\":[{"
			      "\"key\":\"YWJj\"}]}"))),
	    ERR_GRAPH_BAD_REQUEST, "X.509");
	REFUSED(ask(POST(APPLICATIONS,
		    .body = V("{\"displayName\":\"a\",\"keyCredentials\":[{"
			      "\"key\":\"*\"}]}"))),
	    ERR_GRAPH_BAD_REQUEST, "X.509");
	REFUSED(ask(POST(APPLICATIONS,
		    .body = V("{\"displayName\":\"a\",\"keyCredentials\":[{"
			      "\"type\":\"Symmetric\",\"key\":\"YWJj\"}]}"))),
	    ERR_GRAPH_BAD_REQUEST, "AsymmetricX509Cert");
	assert_true(arena_print(&town.arena, &body,
	    "{\"displayName\":\"a\",\"keyCredentials\":[{\"key\":\"%s\"}]}", ec_certificate));
	REFUSED(ask(POST(APPLICATIONS, .body = body)), ERR_GRAPH_BAD_REQUEST, "RSA");
	REFUSED(ask(POST(APPLICATIONS, .body = V("{}"))), ERR_BAD_PARAMETER, "displayName");
	REFUSED(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"\"}"))), ERR_GRAPH_BAD_REQUEST,
	    "displayName");
}

static void
test_lists(void **state)
{
	static const struct {
		const char *query;
		size_t count;
	} lists[] = {
		{ "", 4 },
		{ "$filter=displayName%20eq%20%27one%27", 1 },
		{ "$filter=startswith(displayName,'t')", 2 },
		{ "$filter=displayName eq 'five'", 0 },
		{ "$filter=appId eq '00000000-0000-0000-0000-000000000000'", 0 },
		{ "$filter=servicePrincipalNames/any(c:c eq 'https://x')", 0 },
	};
	static const char *const names[] = { "One", "Two", "Three", "Four" };
	view appid, query;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_true(arena_print(&town.arena, &query, "{\"displayName\":\"%s\"}", names[i]));
		REQUIRE(ask(POST(APPLICATIONS, .body = query)));
	}
	appid = member("appId");
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		REQUIRE(ask(GET(PRINCIPALS, .query = lists[i].query)));
		if (graph_items("appId") != lists[i].count)
			fail_msg("%s: %zu", lists[i].query, graph_items("appId"));
		assert_false(holds(buf_view(&graph.reply.body), "nextLink"));
	}
	assert_true(arena_print(&town.arena, &query, "$filter=appId eq '%s'", appid.ptr));
	REQUIRE(ask(GET(APPLICATIONS, .query = query.ptr)));
	assert_int_equal(graph_items("appId"), 1);
	assert_true(holds(buf_view(&graph.reply.body), "\"Four\""));
	REFUSED(ask(GET(APPLICATIONS, .query = "$filter=x eq 'y'")), ERR_GRAPH_BAD_REQUEST,
	    "filter");
	REFUSED(ask(GET(APPLICATIONS, .query = "$top=0")), ERR_GRAPH_BAD_REQUEST, "page size");
	REFUSED(ask(GET(APPLICATIONS, .query = "$skiptoken=x")), ERR_GRAPH_BAD_REQUEST,
	    "skiptoken");
}

/* Page after page until there is no next one: each application once. */
static void
test_paging(void **state)
{
	const char *query = "$top=3&$filter=startswith(displayName,'a')";
	size_t pages = 0, seen = 0;
	view next, body;

	(void)state;
	for (int i = 0; i < 70; i++) {
		assert_true(arena_print(&town.arena, &body, "{\"displayName\":\"%c\"}",
		    i % 7 == 0 ? 'b' : 'a'));
		REQUIRE(ask(POST(APPLICATIONS, .body = body)));
	}
	while (query != NULL) {
		REQUIRE(ask(GET(APPLICATIONS, .query = query)));
		assert_true(graph_items("appId") <= 3);
		seen += graph_items("appId");
		assert_true(++pages < 30);
		next = member("@odata.nextLink");
		query = NULL;
		if (next.len > 0) {
			assert_true(
			    view_starts(next, V("https://graph.localhost:8443" APPLICATIONS "?")));
			(void)view_cut(&next, '?');
			query = next.ptr; /* the copy ends with a NUL */
		}
	}
	assert_int_equal(seen, 60);
	assert_int_equal(pages, 21);
}

static void
test_by_ids(void **state)
{
	view own, object, body;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"a\"}"))));
	own = member("id");
	REQUIRE(ask(GET(PRINCIPALS)));
	object = member("id");
	assert_true(arena_print(&town.arena, &body,
	    "{\"ids\":[\"%s\",\"x\",\"%s\",\"00000000-0000-0000-0000-000000000000\"]}", own.ptr,
	    object.ptr));
	REQUIRE(ask(POST("/v1.0/directoryObjects/getByIds", .body = body)));
	assert_int_equal(graph_items("appId"), 2);
	assert_true(holds(buf_view(&graph.reply.body),
	    "{\"@odata.type\":\"#microsoft.graph.servicePrincipal\",\"id\":\""));
	assert_true(arena_print(&town.arena, &body,
	    "{\"ids\":[\"%s\",\"%s\"],\"types\":[\"user\",\"servicePrincipal\"]}", own.ptr,
	    object.ptr));
	REQUIRE(ask(POST("/v1.0/directoryObjects/microsoft.graph.getByIds", .body = body)));
	assert_int_equal(graph_items("appId"), 1);
	assert_true(view_eq(member("id"), object));
	REFUSED(ask(POST("/v1.0/directoryObjects/getByIds", .body = V("{}"))), ERR_BAD_PARAMETER,
	    "ids");
	REFUSED(ask(GET("/v1.0/me")), ERR_BAD_REQUEST, "/me request is only valid");
}

/* Another tenant's caller sees nothing of ours. */
static void
test_tenants_are_apart(void **state)
{
	view own, appid, object, body;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"a\"}"))));
	own = member("id");
	appid = member("appId");
	REQUIRE(ask(GET(PRINCIPALS)));
	object = member("id");
	random_uuid(&graph.caller.tenant);
	REQUIRE(ask(GET(PRINCIPALS)));
	assert_int_equal(graph_items("appId"), 0);
	REFUSED(ask(GET(APPLICATIONS "/{id}", .param = own)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(GET(PRINCIPALS "/{id}", .param = object)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(DELETE(APPLICATIONS "/{id}", .param = own)), ERR_GRAPH_NOT_FOUND, "");
	REFUSED(ask(POST(APPLICATIONS "/{id}/addPassword", .param = own)), ERR_GRAPH_NOT_FOUND, "");
	assert_true(arena_print(&town.arena, &body, "{\"appId\":\"%s\"}", appid.ptr));
	REFUSED(ask(POST(PRINCIPALS, .body = body)), ERR_GRAPH_BAD_REQUEST, "does not reference");
	assert_true(
	    arena_print(&town.arena, &body, "{\"ids\":[\"%s\",\"%s\"]}", own.ptr, object.ptr));
	REQUIRE(ask(POST("/v1.0/directoryObjects/getByIds", .body = body)));
	assert_int_equal(graph_items("appId"), 0);
}

static void
test_administrators(void **state)
{
	struct application application = { .tenant = town.tenant,
		.name = V("Admin"),
		.administrator = true },
			   found;
	struct plain *secret = NULL;
	struct caller caller;
	bool is;

	(void)state;
	random_uuid(&application.id);
	random_uuid(&application.object);
	REQUIRE(application_create(&town.tx, &application, &town.err));
	/* In one transaction with its first secret. */
	REQUIRE(application_add_secret(&town.tx, uuid_view(&application.tenant),
	    uuid_view(&application.id), V(""), 60, &secret, &town.err));
	plain_free(secret);
	REFUSED(application_create(&town.tx, &application, &town.err), ERR_GRAPH_BAD_REQUEST,
	    "appId already exists");
	town_commit();
	town_begin();
	REQUIRE(application_by_object(&town.tx, uuid_view(&application.object), &found, &town.err));
	assert_string_equal(found.id.text, application.id.text);
	assert_true(view_eq(found.name, V("Admin")));
	assert_true(found.administrator);
	REFUSED(application_by_object(&town.tx, uuid_view(&application.id), &found, &town.err),
	    ERR_GRAPH_NOT_FOUND, "");

	caller = (struct caller){ .tenant = application.tenant,
		.object = application.object,
		.application = application.id };
	REQUIRE(caller_is_administrator(&town.tx, &caller, &is, &town.err));
	assert_true(is);
	caller.object = application.id;
	REQUIRE(caller_is_administrator(&town.tx, &caller, &is, &town.err));
	assert_false(is);
	random_uuid(&caller.application);
	is = true;
	REQUIRE(caller_is_administrator(&town.tx, &caller, &is, &town.err));
	assert_false(is);
}

#define APPLICATION APPLICATIONS "/{id}"
#define PRINCIPAL PRINCIPALS "/{id}"

static void
test_change_application(void **state)
{
	view own, body;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS,
	    .body =
		V("{\"displayName\":\"a\",\"web\":{\"redirectUris\":[\"https://a.example/b\"]},"
		  "\"publicClient\":{\"redirectUris\":[\"http://localhost\",\"my.app://x\"]}}"))));
	own = member("id");
	assert_true(replied("\"redirectUris\":[\"https://a.example/b\"]}"));
	assert_true(
	    replied("\"publicClient\":{\"redirectUris\":[\"http://localhost\",\"my.app://x\"]}"));
	body =
	    print("{\"displayName\":\"b\",\"spa\":{\"redirectUris\":[\"https://s\"]},"
		  "\"publicClient\":{\"redirectUris\":[]},\"keyCredentials\":[{\"key\":\"%s\"}]}",
		certificate);
	REQUIRE(ask(PATCH(APPLICATION, .param = own, .body = body)));
	assert_int_equal(graph.reply.status, 204);
	REQUIRE(ask(GET(APPLICATION, .param = own)));
	assert_true(replied("\"displayName\":\"b\""));
	assert_true(replied("\"publicClient\":{\"redirectUris\":[]}"));
	assert_true(replied("\"spa\":{\"redirectUris\":[\"https://s\"]}"));
	assert_true(replied("\"redirectUris\":[\"https://a.example/b\"]}"));
	assert_int_equal(graph_items("keyId"), 1);
	/* As az appends: what it read, without the key itself, and another one. */
	body = print("{\"keyCredentials\":[{\"keyId\":\"%s\",\"key\":null,\"usage\":\"Verify\"},"
		     "{\"keyId\":\"x\",\"key\":\"%s\"}]}",
	    member("keyId").ptr, certificate);
	REQUIRE(ask(PATCH(APPLICATION, .param = own, .body = body)));
	REQUIRE(ask(GET(APPLICATION, .param = own)));
	assert_int_equal(graph_items("keyId"), 2);
	REFUSED(ask(PATCH(APPLICATION, .param = own,
		    .body = V("{\"keyCredentials\":[{\"keyId\":\"x\"}]}"))),
	    ERR_GRAPH_BAD_REQUEST, "X.509");
	REQUIRE(ask(PATCH(APPLICATION, .param = own, .body = V("{\"keyCredentials\":[]}"))));
	REQUIRE(ask(GET(APPLICATION, .param = own, .query = "$select=keyCredentials,appId")));
	assert_int_equal(graph_items("keyId"), 0);
	assert_false(replied("displayName"));
	REFUSED(ask(PATCH(APPLICATION, .param = own, .body = V("{\"displayName\":\"\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "displayName");
}

static const char *const bad_redirects[] = {
	"",
	"a.example",
	"http://a.example",
	"http://localhost.example",
	"http://localhost:80x",
	"https://",
	"https://user@a.example/",
	"https://a.example/#x",
	"https://*.example/",
	"https://a example/",
	"my.app://x", /* for public clients only */
	"javascript:alert(1)",
};

static void
test_bad_redirects(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_redirects); i++) {
		if (ask(POST(APPLICATIONS,
			.body = print("{\"displayName\":\"a\",\"web\":{\"redirectUris\":[\"%s\"]}}",
			    bad_redirects[i]))))
			fail_msg("%s", bad_redirects[i]);
		assert_int_equal(town.err.code, ERR_GRAPH_BAD_REQUEST);
	}
	REFUSED(ask(POST(APPLICATIONS,
		    .body = V("{\"displayName\":\"a\",\"publicClient\":{\"redirectUris\":"
			      "[\"javascript:x\"]}}"))),
	    ERR_GRAPH_BAD_REQUEST, "redirectUris");
	REFUSED(ask(POST(APPLICATIONS,
		    .body = V("{\"displayName\":\"a\",\"web\":{\"redirectUris\":\"https://a\"}}"))),
	    ERR_BAD_PARAMETER, "redirectUris");
}

static void
test_remove_passwords(void **state)
{
	view own, appid, object, key;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"a\"}"))));
	own = member("id");
	appid = member("appId");
	REQUIRE(ask(GET(PRINCIPALS)));
	object = member("id");
	REQUIRE(ask(POST(APPLICATION "/addPassword", .param = own)));
	REQUIRE(ask(POST(PRINCIPAL "/addPassword", .param = object)));
	key = member("keyId");
	/* The service principal's are the application's. */
	REQUIRE(ask(GET(PRINCIPALS "(appId='{appId}')", .param = appid)));
	assert_true(view_eq(member("id"), object));
	assert_int_equal(graph_items("keyId"), 2);
	REFUSED(ask(POST(APPLICATION "/removePassword", .param = own,
		    .body = V("{\"keyId\":\"x\"}"))),
	    ERR_GRAPH_BAD_REQUEST, "No password credential found");
	REQUIRE(ask(POST(PRINCIPAL "/removePassword", .param = object,
	    .body = print("{\"keyId\":\"%s\"}", key.ptr))));
	assert_int_equal(graph.reply.status, 204);
	REQUIRE(ask(GET(APPLICATIONS "(appId='{appId}')", .param = appid)));
	assert_true(view_eq(member("id"), own));
	assert_int_equal(graph_items("keyId"), 1);
	assert_false(replied(key.ptr));
	REQUIRE(ask(GET(APPLICATION "/owners", .param = own)));
	assert_true(replied("\"value\":[]"));
}

static bool
enabled(view object)
{
	struct principal principal;
	struct uuid id;

	assert_true(uuid_parse(object, &id));
	return directory_principal(town.directory, &id, &principal) && principal.enabled;
}

/* The application stays and can have another one. */
static void
test_delete_service_principal(void **state)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;
	view own, appid, object, body;

	(void)state;
	REQUIRE(ask(POST(APPLICATIONS, .body = V("{\"displayName\":\"a\"}"))));
	own = member("id");
	appid = member("appId");
	REQUIRE(ask(GET(PRINCIPALS)));
	object = member("id");
	assert_true(enabled(object));
	REQUIRE(ask(PATCH(PRINCIPAL, .param = object, .body = V("{\"accountEnabled\":false}"))));
	assert_false(enabled(object));
	REQUIRE(ask(GET(PRINCIPAL, .param = object)));
	assert_true(replied("\"accountEnabled\":false"));
	REQUIRE(ask(PATCH(PRINCIPAL, .param = object, .body = V("{\"accountEnabled\":true}"))));
	assert_true(enabled(object));

	REQUIRE(ask(DELETE(PRINCIPAL, .param = object)));
	assert_int_equal(graph.reply.status, 204);
	assert_false(enabled(object));
	REQUIRE(ask(GET(PRINCIPALS)));
	assert_true(replied("\"value\":[]"));
	REQUIRE(ask(GET(PRINCIPALS, .query = print("$filter=appId eq '%s'", appid.ptr).ptr)));
	assert_true(replied("\"value\":[]"));
	REFUSED(ask(GET(PRINCIPAL, .param = object)), ERR_GRAPH_NOT_FOUND, "");
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), appid, STORE_READ, &document,
	    &registration, &town.err));
	assert_true(registration.disabled && registration.bare);
	REQUIRE(ask(GET(APPLICATION, .param = own)));
	body = print("{\"appId\":\"%s\"}", appid.ptr);
	REQUIRE(ask(POST(PRINCIPALS, .body = body)));
	assert_int_equal(graph.reply.status, 201);
	assert_false(view_eq(member("id"), object));
	assert_true(enabled(member("id")));
	REQUIRE(ask(DELETE(APPLICATION, .param = own)));
	REQUIRE(ask(GET(PRINCIPALS)));
	assert_true(replied("\"value\":[]"));
}

/* Made by an earlier server, the administrator is in no list; it stays all the same. */
static void
test_last_administrator(void **state)
{
	struct registration registration = {
		.tenant = town.tenant,
		.name = V("Admin"),
		.administrator = true,
	};
	view own, object;

	(void)state;
	random_uuid(&registration.id);
	random_uuid(&registration.object);
	random_uuid(&registration.own);
	town_begin();
	REQUIRE(registration_add(&town.tx, &registration, &town.err));
	town_commit();
	own = uuid_view(&registration.own);
	object = uuid_view(&registration.object);
	REFUSED(ask(DELETE(APPLICATION, .param = own)), ERR_GRAPH_BAD_REQUEST,
	    "last administrator");
	REFUSED(ask(DELETE(PRINCIPAL, .param = object)), ERR_GRAPH_BAD_REQUEST,
	    "last administrator");
	REFUSED(ask(PATCH(PRINCIPAL, .param = object, .body = V("{\"accountEnabled\":false}"))),
	    ERR_GRAPH_BAD_REQUEST, "last administrator");
	REQUIRE(ask(GET("/v1.0/directoryRoles/62e90394-69f5-4237-9190-012177145e10/members")));
	assert_true(view_eq(member("id"), object));
}

/* Two that change the same application at once: the second has to look again. */
static void
test_changes_conflict(void **state)
{
	AUTO(plain_done) struct plain *secret = NULL, *late = NULL;
	struct application application = town_application("a", &secret);
	view tenant = uuid_view(&application.tenant), id = uuid_view(&application.id);
	struct plain *other = NULL;
	struct tx first;

	(void)state;
	REQUIRE(application_add_secret(&town.tx, tenant, id, V("late"), 60, &late, &town.err));
	first = town.tx;
	town_begin();
	REQUIRE(application_add_secret(&town.tx, tenant, id, V("early"), 60, &other, &town.err));
	plain_free(other);
	town_commit();
	assert_false(tx_commit(&first, town.store, V(""), &town.err));
	assert_int_equal(town.err.code, ERR_STORE_CONFLICT);
}

static void
test_every_row_is_guarded(void **state)
{
	(void)state;
	for (const struct op *op = graph_ops; op->name != NULL; op++) {
		bool reads = op->method == HTTP_GET || holds(view_of(op->path), "etByIds") ||
		    holds(view_of(op->path), "/getMember") ||
		    holds(view_of(op->path), "/checkMember") || holds(view_of(op->path), "/me/");

		assert_int_equal(op->guard, reads ? GUARD_CALLER : GUARD_ADMIN);
		assert_int_equal(op->plane, PLANE_GRAPH);
	}
}

#define GRAPH_TEST(test) cmocka_unit_test_setup_teardown(test, graph_setup, graph_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GRAPH_TEST(test_life_of_an_application),
		GRAPH_TEST(test_passwords),
		GRAPH_TEST(test_passwords_are_bounded),
		GRAPH_TEST(test_certificates),
		GRAPH_TEST(test_lists),
		GRAPH_TEST(test_paging),
		GRAPH_TEST(test_by_ids),
		GRAPH_TEST(test_tenants_are_apart),
		GRAPH_TEST(test_administrators),
		GRAPH_TEST(test_change_application),
		GRAPH_TEST(test_bad_redirects),
		GRAPH_TEST(test_remove_passwords),
		GRAPH_TEST(test_delete_service_principal),
		GRAPH_TEST(test_last_administrator),
		GRAPH_TEST(test_changes_conflict),
		cmocka_unit_test(test_every_row_is_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
