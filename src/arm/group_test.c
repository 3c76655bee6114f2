/*
 * Groups, what is in them, and how they go; /resources; locks.
 */
#include "arm/group.h"
#include "arm/testing.h"
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>

#define GROUPS S "/resourcegroups"
#define G S "/resourceGroups/Group"
#define THINGS G "/providers/Strongroom.Test/things"
#define STRANGER "00000000-0000-4000-8000-00000000000d"

static const char *const versions[] = { "2024-01-01", NULL };
static size_t removed;

static bool
remove_thing(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	(void)tx, (void)services, (void)err;
	assert_true(resource->name.len > 0);
	assert_text(uuid_view(&caller->object), V(ESTATE_OWNER));
	removed++;
	return true;
}

static const struct resource_type thing = {
	.space = "Strongroom.Test",
	.name = "things",
	.versions = versions,
	.remove = remove_thing,
};
static const struct resource_type part = {
	.space = "Strongroom.Test",
	.name = "things/parts",
	.versions = versions,
	.placeless = true,
};
static const struct resource_type other = {
	.space = "Strongroom.Test",
	.name = "others",
	.versions = versions,
};
static const struct provider provider = {
	.space = "Strongroom.Test",
	.types = (const struct resource_type *const[]){ &thing, &part, &other, NULL },
};
static const struct provider *const providers[] = { &resources_provider, &authorization_provider,
	&provider, NULL };

struct plain_body {
	struct resource_body common;
};

static const struct field fields[] = { RESOURCE_FIELDS(struct plain_body), { 0 } };
static const struct op thing_ops[] = {
	RESOURCE_ROWS("Thing", "Strongroom.Test", "things", thing, fields, struct plain_body),
	RESOURCE_ROWS("Other", "Strongroom.Test", "others", other, fields, struct plain_body),
	RESOURCE_CHILD_ROWS("Part", "Strongroom.Test", "things/{thing}/parts", "things/parts", part,
	    fields, struct plain_body),
	{ 0 },
};
static const struct op *const tables[] = { group_ops, resources_ops, provider_ops, lock_ops,
	tags_ops, subscription_ops, alias_ops, location_ops, thing_ops, NULL };

static int
setup(void **state)
{
	removed = 0;
	return estate_setup(state, providers, tables);
}

#define HERE "{\"location\":\"local\"}"

static void
put(struct estate *e, const char *path, const char *body)
{
	int status = estate_do(e, HTTP_PUT, path, body);

	if (status != 200 && status != 201)
		fail_msg("%s: %d %s", path, status, e->err.message);
}

static void
assert_code(const struct estate *e, const char *code)
{
	assert_text(view_of(error_table[e->err.code].name), view_of(code));
}

static void
test_life(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_HEAD, GROUPS "/myRG", ""), 404);
	assert_int_equal(
	    estate_do(e, HTTP_PUT, GROUPS "/myRG",
		"{\"location\":\"eastus2\",\"tags\":{\"env\":\"dev\"},\"managedBy\":\"/m\"}"),
	    201);
	assert_text(estate_member(e, "id"), V(S "/resourceGroups/myRG"));
	assert_text(estate_member(e, "type"), V("Microsoft.Resources/resourceGroups"));
	assert_text(estate_member(e, "provisioningState"), V("Succeeded"));
	assert_text(estate_member(e, "managedBy"), V("/m"));
	assert_int_equal(estate_do(e, HTTP_HEAD, S "/resourceGroups/MYrg", ""), 204);
	assert_int_equal(estate_do(e, HTTP_PUT, GROUPS "/MYRG", "{\"location\":\"East US 2\"}"),
	    200);
	assert_text(estate_member(e, "name"), V("myRG"));
	assert_true(estate_replied(e, "\"tags\":{}"));
	assert_int_equal(estate_do(e, HTTP_PATCH, GROUPS "/MYRG", "{\"tags\":{\"a\":\"b\"}}"), 200);
	assert_int_equal(estate_do(e, HTTP_GET, GROUPS "/myrg", ""), 200);
	assert_true(estate_replied(e, "\"tags\":{\"a\":\"b\"}"));
	assert_int_equal(estate_do(e, HTTP_GET, GROUPS, ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 2);
	assert_int_equal(estate_do(e, HTTP_GET,
			     GROUPS "?$filter=tagName%20eq%20'A'%20and%20tagValue%20eq%20'b'", ""),
	    200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
	assert_int_equal(estate_do(e, HTTP_GET, GROUPS "?$filter=name%20eq%20'myRG'", ""), 400);
	assert_code(e, "InvalidFilterInQueryString");
	assert_int_equal(estate_do(e, HTTP_DELETE, GROUPS "/myrg", ""), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, GROUPS "/myrg", ""), 404);
	assert_code(e, "ResourceGroupNotFound");
}

static void
test_refused(void **state)
{
	static const struct {
		const char *path, *body, *code;
	} cases[] = {
		{ GROUPS "/x", "{}", "LocationRequired" },
		{ GROUPS "/x", "{\"location\":\"moon\"}", "LocationNotAvailableForResourceGroup" },
		{ GROUPS "/x.", HERE, "InvalidResourceGroup" },
		{ GROUPS "/a b", HERE, "InvalidResourceGroup" },
		{ GROUPS "/a'b", HERE, "InvalidResourceGroup" },
		{ GROUPS
		    "/01234567890123456789012345678901234567890123456789012345678901234567890123456"
		    "78901234567890",
		    HERE, "InvalidResourceGroup" },
		{ G, "{\"location\":\"northeurope\"}", "InvalidResourceGroupLocation" },
		{ G, "{\"location\":\"westeurope\",\"managedBy\":\"/x\"}", "BadRequest" },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(estate_do(e, HTTP_PUT, cases[i].path, cases[i].body) >= 400);
		assert_code(e, cases[i].code);
	}
	assert_int_equal(estate_count(e, "g"), 1);
}

static void
test_delete_at_once(void **state)
{
	struct estate *e = *state;

	put(e, GROUPS "/Group-2", HERE);
	put(e, S "/resourceGroups/Group-2/providers/Strongroom.Test/things/stays", HERE);
	put(e, THINGS "/a", HERE);
	put(e, THINGS "/a/parts/p", "{}");
	put(e, THINGS "/b", HERE);
	estate_grant(e, STRANGER, "Reader", THINGS "/a");
	estate_grant(e, STRANGER, "Reader", G);
	assert_int_equal(estate_count(e, "a/"), 3);
	assert_int_equal(estate_do(e, HTTP_DELETE, G, ""), 200);
	assert_int_equal(removed, 2);
	assert_int_equal(estate_count(e, "r"), 1);
	assert_int_equal(estate_count(e, "g"), 1);
	/* The roles given there are gone with it. */
	assert_int_equal(estate_count(e, "a/"), 1);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/a", ""), 404);
	assert_code(e, "ResourceGroupNotFound");
}

static void
test_delete_bit_by_bit(void **state)
{
	struct estate *e = *state;
	char target[2048];

	for (size_t i = 0; i < 230; i++) {
		(void)snprintf(target, sizeof(target), THINGS "/t%zu", i);
		put(e, target, HERE);
	}
	estate_grant(e, STRANGER, "Reader", G);
	assert_int_equal(estate_do(e, HTTP_DELETE, G "?api-version=2024-11-01", ""), 202);
	assert_int_equal(removed, 0);
	assert_text(estate_field(e, "Retry-After"), V("2"));
	(void)snprintf(target, sizeof(target), "%.*s",
	    VIEW_ARG(view_from(estate_field(e, "Location"),
		sizeof("https://management.localhost") - 1)));
	assert_non_null(strstr(target, "?api-version=2024-11-01"));
	assert_int_equal(estate_do(e, HTTP_GET, target, ""), 202);
	assert_int_equal(estate_do(e, HTTP_GET, G, ""), 200);
	assert_text(estate_member(e, "provisioningState"), V("Deleting"));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/late", HERE), 409);
	assert_code(e, "ResourceGroupBeingDeleted");
	assert_int_equal(estate_do(e, HTTP_PUT, G, "{\"location\":\"westeurope\"}"), 409);
	assert_int_equal(estate_do(e, HTTP_DELETE, G, ""), 202);
	assert_fine(groups_finish(&e->services, &e->err), &e->err);
	assert_int_equal(removed, 230);
	assert_int_equal(estate_count(e, "r"), 0);
	assert_int_equal(estate_count(e, "g"), 0);
	assert_int_equal(estate_count(e, "a/"), 1);
	assert_int_equal(estate_do(e, HTTP_GET, target, ""), 200);
	assert_fine(groups_finish(&e->services, &e->err), &e->err);
	/* A new group of the name is another one. */
	put(e, G, HERE);
	assert_int_equal(estate_do(e, HTTP_GET, target, ""), 200);
	assert_int_equal(estate_do(e, HTTP_GET, S "/operationresults/AAAA", ""), 404);
}

/* A resource put in after the deletion has looked must not be left over. */
static void
test_delete_race(void **state)
{
	struct estate *e = *state;
	struct http_reply out = { 0 };
	struct arena arena = { 0 };
	struct store_reader *reader = NULL;
	struct request r = { .in = &e->in,
		.out = &out,
		.arena = &arena,
		.services = &e->services,
		.plane = PLANE_MANAGEMENT,
		.authority = V("management.localhost"),
		.caller = e->caller,
		.path = V(G),
		.tx = { .keyring = e->place.keyring, .arena = &arena } };

	arena_init(&arena, (size_t)1 << 20);
	assert_fine(store_reader_new(e->place.store, &reader, &e->err), &e->err);
	r.tx.reader = reader;
	assert_fine(store_begin(reader, &e->err), &e->err);
	assert_fine(router_match(e->router, HTTP_DELETE, &r, &e->err) && r.op->run(&r, &e->err),
	    &e->err);
	store_end(reader);
	put(e, THINGS "/between", HERE);
	assert_false(tx_commit(&r.tx, e->place.store, V(""), &e->err));
	assert_int_equal(e->err.code, ERR_STORE_CONFLICT);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/between", ""), 200);
	store_reader_free(reader);
	buf_free(&out.body);
	buf_free(&out.fields);
	arena_free(&arena);
}

static void
list(struct estate *e, const char *target, size_t count)
{
	int status = estate_do(e, HTTP_GET, target, "");

	if (status != 200)
		fail_msg("%s: %d %s", target, status, e->err.message);
	if (estate_times(e, "\"id\"") != count)
		fail_msg("%s: %zu", target, estate_times(e, "\"id\""));
}

static void
test_resources(void **state)
{
	struct estate *e = *state;

	put(e, GROUPS "/Two", HERE);
	put(e, THINGS "/Alpha",
	    "{\"location\":\"westeurope\",\"tags\":{\"env\":\"prod\",\"x\":\"dev\"}}");
	put(e, THINGS "/Alpha/parts/p", "{}");
	put(e, S "/resourceGroups/Two/providers/Strongroom.Test/things/Beta", HERE);
	put(e, S "/resourceGroups/Two/providers/Strongroom.Test/others/Alpha", HERE);
	list(e, S "/resources", 3);
	assert_false(estate_replied(e, "systemData"));
	list(e, S "/resources?$filter=resourceType%20eq%20'strongroom.test/THINGS'", 2);
	list(e,
	    S
	    "/resources?$filter=resourceType%20eq%20'Strongroom.Test%2Fthings'%20and%20name%20eq%20'alpha'",
	    1);
	assert_text(estate_member(e, "id"), V(THINGS "/Alpha"));
	list(e, S "/resources?$filter=name%20eq%20'alpha'", 2);
	list(e, S "/resources?$filter=resourceGroup%20eq%20'TWO'", 2);
	list(e, S "/resources?$filter=location%20eq%20'West%20Europe'", 1);
	list(e, S "/resources?$filter=location%20ne%20'westeurope'", 2);
	list(e, S "/resources?$filter=tagname%20eq%20'env'%20and%20tagvalue%20eq%20'prod'", 1);
	list(e, S "/resources?$filter=tagname%20eq%20'env'%20and%20tagvalue%20eq%20'dev'", 0);
	list(e, S "/resources?$filter=substringof('lph',name)", 2);
	list(e, S "/resources?$filter=resourceType%20eq%20'No.Such/type'", 0);
	list(e, S "/resources?$filter=", 3);
	list(e, S "/resources?$top=1&$expand=createdTime", 1);
	list(e, G "/resources", 1);
	list(e, S "/resourceGroups/TWO/resources?$filter=name%20eq%20'beta'", 1);
	assert_int_equal(estate_do(e, HTTP_GET, S "/resourceGroups/none/resources", ""), 404);
	e->caller.object = (struct uuid){ STRANGER };
	assert_int_equal(estate_do(e, HTTP_GET, S "/resources", ""), 403);
	/* A stranger is not told what groups there are. */
	assert_int_equal(estate_do(e, HTTP_GET, G "/resources", ""), 403);
	assert_int_equal(estate_do(e, HTTP_GET, S "/resourceGroups/none/resources", ""), 403);
	assert_int_equal(estate_do(e, HTTP_GET,
			     S "/resourceGroups/none/providers/Strongroom.Test/things", ""),
	    403);
	estate_grant(e, STRANGER, "Reader", THINGS "/ALPHA");
	list(e, S "/resources?$filter=resourceType%20eq%20'Strongroom.Test/things'", 1);
	list(e, S "/resources", 1);
}

/* Many pages of what is not wanted before what is. */
static void
test_resources_far(void **state)
{
	struct estate *e = *state;
	char target[256];

	for (size_t i = 0; i < 600; i++) {
		(void)snprintf(target, sizeof(target), THINGS "/t%zu", i);
		put(e, target, HERE);
	}
	list(e, S "/resources?$filter=name%20eq%20't599'", 1);
	list(e, S "/resources?$top=1000", 600);
	assert_false(estate_replied(e, "nextLink"));
}

#define LOCKS "/providers/Microsoft.Authorization/locks"
#define READ_ONLY "{\"properties\":{\"level\":\"ReadOnly\",\"notes\":\"why\"}}"
#define NO_DELETE "{\"properties\":{\"level\":\"cannotdelete\"}}"

static bool
allowed(struct estate *e, const char *scope, const char *action)
{
	return locks_check(e->locks, view_of(scope), view_of(action), &e->err);
}

#define THING_DELETE "Strongroom.Test/things/delete"
#define THING_WRITE "Strongroom.Test/things/write"

static void
test_locks(void **state)
{
	struct estate *e = *state;

	put(e, THINGS "/A", HERE);
	assert_true(allowed(e, THINGS "/A", THING_DELETE));
	assert_int_equal(estate_do(e, HTTP_PUT,
			     S "/resourcegroups/GROUP/providers/Strongroom.Test/things/a" LOCKS
			       "/L",
			     NO_DELETE),
	    201);
	assert_text(estate_member(e, "id"), V(THINGS "/A" LOCKS "/L"));
	assert_text(estate_member(e, "level"), V("CanNotDelete"));
	assert_false(allowed(e, THINGS "/a", THING_DELETE));
	assert_text(view_of(e->err.message),
	    V("The scope '" THINGS "/a' cannot perform delete operation because following scope(s) "
	      "are locked: '" THINGS "/A'. Please remove the lock and try again."));
	assert_true(allowed(e, THINGS "/a", THING_WRITE));
	assert_true(allowed(e, THINGS "/ab", THING_DELETE));
	/* What is below holds up the group; what is beside it does not. */
	assert_false(allowed(e, G, "Microsoft.Resources/subscriptions/resourceGroups/delete"));
	assert_true(allowed(e, S "/resourceGroups/Group2",
	    "Microsoft.Resources/subscriptions/resourceGroups/delete"));
	assert_true(allowed(e, THINGS "/a/providers/x", "Microsoft.Authorization/locks/delete"));

	assert_int_equal(estate_do(e, HTTP_PUT, G LOCKS "/ro", READ_ONLY), 201);
	assert_text(estate_member(e, "notes"), V("why"));
	assert_false(allowed(e, THINGS "/a", THING_WRITE));
	assert_false(allowed(e, THINGS "/a", "Strongroom.Test/things/restart/action"));
	assert_true(allowed(e, THINGS "/a", "Strongroom.Test/things/listKeys/action"));
	assert_true(allowed(e, THINGS "/a", "Strongroom.Test/things/read"));
	assert_int_equal(estate_do(e, HTTP_PUT, G LOCKS "/RO", NO_DELETE), 200);
	assert_text(estate_member(e, "name"), V("ro"));
	assert_true(allowed(e, THINGS "/a", THING_WRITE));

	assert_int_equal(estate_do(e, HTTP_GET, G LOCKS, ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 2);
	assert_int_equal(estate_do(e, HTTP_GET, G LOCKS "?$filter=atScope()", ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
	assert_int_equal(estate_do(e, HTTP_GET, G LOCKS "?$filter=x", ""), 400);
	assert_int_equal(estate_do(e, HTTP_GET, G LOCKS "/Ro", ""), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, G LOCKS "/Ro", ""), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, G LOCKS "/Ro", ""), 204);
	assert_int_equal(estate_do(e, HTTP_GET, G LOCKS "/Ro", ""), 404);
	assert_code(e, "LockNotFound");
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/a" LOCKS "/l", ""), 200);
	assert_true(allowed(e, THINGS "/a", THING_DELETE));
}

static void
test_locks_refused(void **state)
{
	static const struct {
		const char *path, *body, *code;
	} cases[] = {
		{ G LOCKS "/x", "{}", "BadParameter" },
		{ G LOCKS "/x", "{\"properties\":{\"level\":\"NotSpecified\"}}", "BadRequest" },
		{ G LOCKS "/a%b", NO_DELETE, "InvalidResourceName" },
		{ S "/resourceGroups/none" LOCKS "/x", NO_DELETE, "ResourceGroupNotFound" },
		{ THINGS "/none" LOCKS "/x", NO_DELETE, "ResourceNotFound" },
		{ LOCKS "/x", NO_DELETE, "BadRequest" },
		{ "/subscriptions/x" LOCKS "/x", NO_DELETE, "BadRequest" },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(estate_do(e, HTTP_PUT, cases[i].path, cases[i].body) >= 400);
		assert_code(e, cases[i].code);
	}
	assert_int_equal(estate_count(e, "lock/"), 0);
}

#define TAGS "/providers/Microsoft.Resources/tags/default"

static void
test_tags(void **state)
{
	static const struct {
		enum http_method method;
		const char *body, *tags;
	} cases[] = {
		{ HTTP_PUT, "{\"properties\":{\"tags\":{\"A\":\"1\",\"b\":\"2\"}}}",
		    "\"tags\":{\"A\":\"1\",\"b\":\"2\"}" },
		{ HTTP_PATCH,
		    "{\"operation\":\"Merge\",\"properties\":{\"tags\":{\"a\":\"3\",\"c\":\"4\"}}}",
		    "\"tags\":{\"b\":\"2\",\"a\":\"3\",\"c\":\"4\"}" },
		{ HTTP_PATCH,
		    "{\"operation\":\"delete\",\"properties\":{\"tags\":{\"a\":\"9\",\"C\":\"4\"}}}",
		    "\"tags\":{\"b\":\"2\",\"a\":\"3\"}" },
		{ HTTP_PATCH, "{\"operation\":\"Replace\",\"properties\":{\"tags\":{\"z\":\"\"}}}",
		    "\"tags\":{\"z\":\"\"}" },
		{ HTTP_GET, "", "\"tags\":{\"z\":\"\"}" },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(estate_do(e, cases[i].method, G TAGS, cases[i].body), 200);
		if (!estate_replied(e, cases[i].tags))
			fail_msg("%zu: %.*s", i, VIEW_ARG(buf_view(&e->out.body)));
	}
	assert_int_equal(estate_do(e, HTTP_GET, G, ""), 200);
	assert_true(estate_replied(e, "\"tags\":{\"z\":\"\"}"));
	assert_int_equal(estate_do(e, HTTP_DELETE, G TAGS, ""), 200);
	assert_int_equal(estate_do(e, HTTP_GET, G TAGS, ""), 200);
	assert_true(estate_replied(e, "\"tags\":{}"));
	assert_int_equal(estate_do(e, HTTP_PATCH, G TAGS,
			     "{\"operation\":\"x\",\"properties\":{\"tags\":{}}}"),
	    400);
	assert_int_equal(estate_do(e, HTTP_PUT, G TAGS,
			     "{\"properties\":{\"tags\":{\"a%\":\"\"}}}"),
	    400);
	assert_int_equal(estate_do(e, HTTP_GET, S TAGS, ""), 400);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/none" TAGS, ""), 404);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_delete_at_once, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_delete_bit_by_bit, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_delete_race, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_resources, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_resources_far, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_tags, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_locks, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_locks_refused, setup, estate_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
