/*
 * Subscriptions, tenants, locations, providers and their versions.
 */
#include "arm/group.h"
#include "arm/location.h"
#include "access/decide.h"
#include "arm/testing.h"
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>

#define STRANGER "00000000-0000-4000-8000-00000000000d"
#define ALIASES "/providers/Microsoft.Subscription/aliases"

static const char *const versions[] = { "2024-01-01", "2023-01-01-preview", NULL };
static const struct resource_type thing = {
	.space = "Strongroom.Test",
	.name = "things",
	.versions = versions,
};
static const struct provider provider = {
	.space = "Strongroom.Test",
	.types = (const struct resource_type *const[]){ &thing, NULL },
};
static const struct provider *const providers[] = { &resources_provider, &authorization_provider,
	&provider, NULL };

struct plain_body {
	struct resource_body common;
};

static const struct field fields[] = { RESOURCE_FIELDS(struct plain_body), { 0 } };
static const struct op thing_ops[] = {
	RESOURCE_ROWS("Thing", "Strongroom.Test", "things", thing, fields, struct plain_body),
	{ 0 },
};
static const struct op *const tables[] = { subscription_ops, alias_ops, location_ops, provider_ops,
	group_ops, thing_ops, NULL };

static int
setup(void **state)
{
	return estate_setup(state, providers, tables);
}

static void
assert_code(const struct estate *e, const char *code)
{
	assert_text(view_of(error_table[e->err.code].name), view_of(code));
}

static void
test_seen(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_GET, "/subscriptions", ""), 200);
	assert_text(estate_member(e, "subscriptionId"), V(ESTATE_SUBSCRIPTION));
	assert_text(estate_member(e, "displayName"), V("Estate"));
	assert_text(estate_member(e, "state"), V("Enabled"));
	assert_true(estate_replied(e, "\"managedByTenants\":[]"));
	assert_int_equal(estate_do(e, HTTP_GET, S, ""), 200);
	assert_int_equal(estate_do(e, HTTP_GET, "/tenants", ""), 200);
	assert_text(estate_member(e, "tenantId"), V(ESTATE_TENANT));
	e->caller.object = (struct uuid){ STRANGER };
	assert_int_equal(estate_do(e, HTTP_GET, "/subscriptions", ""), 200);
	assert_true(estate_replied(e, "\"value\":[]"));
	assert_int_equal(estate_do(e, HTTP_GET, S, ""), 404);
	assert_code(e, "SubscriptionNotFound");
	assert_int_equal(estate_do(e, HTTP_GET, "/subscriptions/x", ""), 404);
}

static enum error_code
check(struct estate *e, const char *path)
{
	struct request r = { .path = view_of(path),
		.services = &e->services,
		.caller = e->caller,
		.arena = &e->arena };

	e->err.code = ERR_NONE;
	return subscription_check(&r, &e->err) ? ERR_NONE : e->err.code;
}

static void
test_check(void **state)
{
	struct estate *e = *state;

	assert_int_equal(check(e, S), ERR_NONE);
	assert_int_equal(check(e, S "/resourceGroups/x"), ERR_NONE);
	assert_int_equal(check(e, "/tenants"), ERR_NONE);
	assert_int_equal(check(e, "/subscriptions"), ERR_NONE);
	assert_int_equal(check(e, "/Subscriptions/x/y"), ERR_SUBSCRIPTION_INVALID);
	assert_int_equal(check(e, "/subscriptions/00000000-0000-4000-8000-0000000000ff/y"),
	    ERR_SUBSCRIPTION_NOT_FOUND);
	e->caller.tenant = (struct uuid){ STRANGER };
	assert_int_equal(check(e, S), ERR_INVALID_TOKEN_TENANT);
}

static void
test_alias(void **state)
{
	struct estate *e = *state;
	struct access_question question = {
		.tenant = e->caller.tenant,
		.principal = e->caller.object,
		.action = V("Any.Thing/write"),
	};
	struct access_decision decision;
	char id[UUID_LEN + 1], path[128];

	assert_int_equal(estate_do(e, HTTP_GET, ALIASES "/new", ""), 404);
	assert_int_equal(
	    estate_do(e, HTTP_PUT, ALIASES "/New",
		"{\"properties\":{\"displayName\":\"Second\",\"workload\":\"DevTest\"}}"),
	    201);
	(void)snprintf(id, sizeof(id), "%.*s", VIEW_ARG(estate_member(e, "subscriptionId")));
	assert_text(estate_member(e, "provisioningState"), V("Succeeded"));
	assert_int_equal(estate_do(e, HTTP_PUT, ALIASES "/nEw", "{\"properties\":{}}"), 200);
	assert_text(estate_member(e, "subscriptionId"), view_of(id));
	assert_int_equal(estate_do(e, HTTP_GET, "/subscriptions", ""), 200);
	assert_int_equal(estate_times(e, "\"displayName\""), 2);
	(void)snprintf(path, sizeof(path), "/subscriptions/%s", id);
	question.scope = view_of(path);
	assert_true(access_decide(e->access, &question, &decision));
	(void)snprintf(path, sizeof(path),
	    "/subscriptions/%s/providers/Microsoft.Subscription/rename", id);
	assert_int_equal(estate_do(e, HTTP_POST, path, "{\"subscriptionName\":\"Third\"}"), 200);
	assert_int_equal(estate_do(e, HTTP_GET, ALIASES "/new", ""), 200);
	assert_text(estate_member(e, "displayName"), V("Third"));
	assert_text(estate_member(e, "workload"), V("DevTest"));
	assert_int_equal(estate_do(e, HTTP_POST, path, "{\"subscriptionName\":\"\"}"), 400);
	/* The alias goes, the subscription stays. */
	assert_int_equal(estate_do(e, HTTP_DELETE, ALIASES "/new", ""), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, ALIASES "/new", ""), 204);
	assert_int_equal(estate_count(e, "sub/"), 2);
}

static void
test_alias_refused(void **state)
{
	static const struct {
		const char *path, *body;
		int status;
	} cases[] = {
		{ ALIASES "/a", "{}", 400 },
		{ ALIASES "/a", "{\"properties\":{\"displayName\":\"\"}}", 400 },
		{ ALIASES "/a", "{\"properties\":{\"displayName\":\"a\\u0001\"}}", 400 },
		{ ALIASES "/a%b", "{\"properties\":{\"displayName\":\"x\"}}", 400 },
		{ ALIASES "/a", "{\"properties\":{\"subscriptionId\":\"x\"}}", 404 },
		{ ALIASES "/a",
		    "{\"properties\":{\"subscriptionId\":\"00000000-0000-4000-8000-0000000000ff\"}}",
		    404 },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(estate_do(e, HTTP_PUT, cases[i].path, cases[i].body),
		    cases[i].status);
	/* One that is there, by who may, and by who may not. */
	e->caller.object = (struct uuid){ STRANGER };
	assert_int_equal(estate_do(e, HTTP_PUT, ALIASES "/a",
			     "{\"properties\":{\"subscriptionId\":\"" ESTATE_SUBSCRIPTION "\"}}"),
	    404);
	e->caller.object = (struct uuid){ ESTATE_OWNER };
	assert_int_equal(estate_do(e, HTTP_PUT, ALIASES "/a",
			     "{\"properties\":{\"subscriptionId\":\"" ESTATE_SUBSCRIPTION "\"}}"),
	    201);
	assert_int_equal(estate_count(e, "sub/"), 1);
}

static void
test_locations(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_GET, S "/locations", ""), 200);
	assert_text(estate_member(e, "name"), V("local"));
	assert_true(estate_replied(e, "\"displayName\":\"West Europe\""));
	assert_true(location_known(&e->services, V("local")));
	assert_true(location_known(&e->services, V("eastus2")));
	assert_false(location_known(&e->services, V("loca")));
	assert_false(location_known(&e->services, V("locall")));
	assert_false(location_known(&e->services, V("")));
	e->services.location = "My Place";
	assert_true(location_known(&e->services, V("myplace")));
	assert_text(location_title(V("westeurope")), V("West Europe"));
	assert_text(location_title(V("myplace")), V("myplace"));
}

static void
test_providers(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_GET, S "/providers", ""), 200);
	assert_int_equal(estate_times(e, "\"namespace\""), 3);
	/* A literal beside it in the tree does not hide it. */
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers/strongroom.test", ""), 200);
	assert_text(estate_member(e, "namespace"), V("Strongroom.Test"));
	assert_text(estate_member(e, "registrationState"), V("NotRegistered"));
	assert_true(estate_replied(e, "\"apiVersions\":[\"2024-01-01\",\"2023-01-01-preview\"]"));
	assert_int_equal(estate_do(e, HTTP_POST, S "/providers/Strongroom.Test/register", ""), 200);
	assert_text(estate_member(e, "registrationState"), V("Registered"));
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers/Strongroom.Test", ""), 200);
	assert_text(estate_member(e, "registrationState"), V("Registered"));
	assert_int_equal(estate_do(e, HTTP_POST, S "/providers/Strongroom.Test/unregister", ""),
	    200);
	assert_text(estate_member(e, "registrationState"), V("NotRegistered"));
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers/No.Such", ""), 404);
	assert_code(e, "InvalidResourceNamespace");
	e->caller.object = (struct uuid){ STRANGER };
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers", ""), 403);
	estate_grant(e, STRANGER, "Reader", S);
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers", ""), 200);
	assert_int_equal(estate_do(e, HTTP_POST, S "/providers/Strongroom.Test/register", ""), 403);
}

static bool
version_fine(struct estate *e, const char *path, const char *version)
{
	struct request r = { .path = view_of(path), .services = &e->services };

	return provider_version_check(&r, view_of(version), &e->err);
}

static void
test_versions(void **state)
{
	struct estate *e = *state;
	const char *path = S "/resourceGroups/g/providers/strongroom.TEST/Things/x";

	assert_true(version_fine(e, path, "2024-01-01"));
	assert_true(version_fine(e, path, "2023-01-01-PREVIEW"));
	assert_false(version_fine(e, path, "2023-01-01"));
	assert_code(e, "NoRegisteredProviderFound");
	assert_text(view_of(e->err.message),
	    V("No registered resource provider found for location 'local' and API version "
	      "'2023-01-01' for type 'things'. The supported api-versions are '2024-01-01, "
	      "2023-01-01-preview'. The supported locations are 'local'."));
	assert_false(version_fine(e, S "/providers/Strongroom.Test/things", "2020-01-01"));
	/* What belongs to a type has its versions. */
	assert_false(version_fine(e,
	    S "/resourceGroups/g/providers/Strongroom.Test/things/x/details", "2020-01-01"));
	assert_true(version_fine(e, S "/providers/Strongroom.Test/others", "2020-01-01"));
	assert_true(version_fine(e, S "/resourceGroups/g", "2020-01-01"));
	assert_true(version_fine(e, S "/providers/No.Such/things", "2020-01-01"));
}

static enum error_code
unrouted(struct estate *e, const char *path)
{
	static const struct http_request in = { 0 };
	struct request r = { .path = view_of(path),
		.services = &e->services,
		.plane = PLANE_MANAGEMENT,
		.in = &in,
		.arena = &e->arena };

	(void)error_set(&e->err, ERR_NOT_FOUND, "no row");
	provider_unrouted(&r, &e->err);
	return e->err.code;
}

static void
test_unrouted(void **state)
{
	struct estate *e = *state;

	assert_int_equal(unrouted(e, S "/resourceGroups/g/providers/No.Such/t/n"),
	    ERR_INVALID_NAMESPACE);
	assert_int_equal(unrouted(e, S "/resourceGroups/g/providers/Strongroom.Test/t/n"),
	    ERR_INVALID_TYPE);
	assert_int_equal(unrouted(e, S "/resourceGroups/g/providers/Strongroom.Test/things/n/x"),
	    ERR_INVALID_TYPE);
	assert_int_equal(unrouted(e, S "/nothing"), ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seen, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_alias, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_alias_refused, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_locations, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_providers, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_versions, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_unrouted, setup, estate_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
