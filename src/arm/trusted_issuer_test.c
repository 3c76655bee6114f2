/*
 * The rows of trusted issuers; what they are good for is tried in identity/trust_test.c.
 */
#include "arm/group.h"
#include "arm/testing.h"
#include "arm/trusted_issuer.h"
#include "base/testing.h"
#include "identity/trust.h"

#include <stdio.h>
#include <stdlib.h>

#define ISSUERS "/providers/Strongroom.Identity/trustedIssuers"
#define BODY(issuer, audiences) \
	"{\"properties\":{\"issuer\":\"" issuer "\",\"audiences\":" audiences "}}"

static const struct provider *const providers[] = { &resources_provider, NULL };
static const struct op *const tables[] = { trusted_issuer_ops, NULL };

static int
setup(void **state)
{
	return estate_setup(state, providers, tables);
}

static void
test_life(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_GET, ISSUERS "/Cluster", NULL), 404);
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/Cluster",
			     BODY("https://i/x", "[\"a\",\"b\"]")),
	    201);
	assert_text(estate_member(e, "subjectClaim"), V("sub"));
	assert_true(estate_replied(e, "\"audiences\":[\"a\",\"b\"]"));
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/CLUSTER",
			     "{\"properties\":{\"issuer\":\"https://i/y\",\"audiences\":[\"c\"],"
			     "\"subjectClaim\":\"oid\"}}"),
	    200);
	assert_text(estate_member(e, "name"), V("Cluster"));
	assert_int_equal(estate_do(e, HTTP_GET, ISSUERS "/cluster", NULL), 200);
	assert_text(estate_member(e, "issuer"), V("https://i/y"));
	assert_text(estate_member(e, "subjectClaim"), V("oid"));
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/other", BODY("https://i/y", "[\"a\"]")),
	    409);
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/other", BODY("https://i/x", "[\"a\"]")),
	    201);
	assert_int_equal(estate_do(e, HTTP_GET, ISSUERS, NULL), 200);
	assert_int_equal(estate_times(e, "\"issuer\""), 2);
	/* Another tenant's are its own. */
	(void)uuid_parse(V("00000000-0000-4000-8000-0000000000aa"), &e->caller.tenant);
	assert_int_equal(estate_do(e, HTTP_GET, ISSUERS "/cluster", NULL), 404);
	assert_int_equal(estate_do(e, HTTP_DELETE, ISSUERS "/cluster", NULL), 204);
	(void)uuid_parse(V(ESTATE_TENANT), &e->caller.tenant);
	assert_int_equal(estate_do(e, HTTP_DELETE, ISSUERS "/CLUSTER", NULL), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, ISSUERS "/cluster", NULL), 204);
	assert_int_equal(estate_count(e, "t/"), 1);
}

static void
test_bad_bodies(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"properties\":{}}",
		"{\"properties\":{\"issuer\":\"https://i\"}}",
		BODY("http://i", "[\"a\"]"),
		BODY("https://i?x", "[\"a\"]"),
		BODY("https://u@i", "[\"a\"]"),
		BODY("https://i", "[]"),
		BODY("https://i", "[\"\"]"),
		BODY("https://i", "[null]"),
		BODY("https://i", "\"a\""),
		BODY("https://i", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]"),
		"{\"properties\":{\"issuer\":\"https://i\",\"audiences\":[\"a\"],\"subjectClaim\":\"\"}}",
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (estate_do(e, HTTP_PUT, ISSUERS "/cluster", bad[i]) != 400)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/a.b", BODY("https://i", "[\"a\"]")), 400);
	assert_int_equal(estate_count(e, "t/"), 0);
}

/* Nobody takes the authority's own tokens away from it. */
static void
test_own_issuer(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/own",
			     BODY("https://login.localhost/" ESTATE_TENANT "/", "[\"a\"]")),
	    400);
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/own",
			     BODY("https://login.localhost", "[\"a\"]")),
	    400);
	assert_int_equal(estate_do(e, HTTP_PUT, ISSUERS "/other",
			     BODY("https://login.localhost.example/", "[\"a\"]")),
	    201);
}

static void
test_bounded(void **state)
{
	struct estate *e = *state;

	for (int i = 0; i <= TRUSTED_PER_TENANT_MAX; i++) {
		char path[100], body[200];

		(void)snprintf(path, sizeof(path), ISSUERS "/number%d", i);
		(void)snprintf(body, sizeof(body),
		    "{\"properties\":{\"issuer\":\"https://i/%d\",\"audiences\":[\"a\"]}}", i);
		assert_int_equal(estate_do(e, HTTP_PUT, path, body),
		    i < TRUSTED_PER_TENANT_MAX ? 201 : 409);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, estate_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_bad_bodies),
		TEST(test_own_issuer),
		TEST(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
