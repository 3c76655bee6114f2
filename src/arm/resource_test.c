/*
 * What all types have in common, on a type of the test's own.
 */
#include "arm/group.h"
#include "arm/location.h"
#include "arm/testing.h"
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>

#define G S "/resourceGroups/Group"
#define THINGS G "/providers/Strongroom.Test/things"

static const char *const versions[] = { "2024-01-01", NULL };

/* What the hooks were called for. */
static size_t removed;

struct thing_body {
	struct resource_body common;
	struct body_text color;
};

static bool
put_thing(struct resource_change *change, struct error *err)
{
	const struct thing_body *body = change->body;

	if (view_eq(body->color.text, V("bad")))
		return error_set(err, ERR_BAD_REQUEST, "no such color");
	if (change->patch && !body->color.given)
		return true;
	return arena_print(change->r->arena, &change->wanted->properties, "{\"color\":\"%.*s\"}",
		   VIEW_ARG(body->color.text)) ||
	    error_memory(err);
}

static bool
remove_thing(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	(void)services, (void)resource, (void)caller;
	removed++;
	return tx_delete(tx, V("own/thing"), err);
}

static const struct resource_type thing = {
	.space = "Strongroom.Test",
	.name = "things",
	.versions = versions,
	.put = put_thing,
	.remove = remove_thing,
};
static const struct resource_type part = {
	.space = "Strongroom.Test",
	.name = "things/parts",
	.versions = versions,
	.placeless = true,
	.etags = true,
	.put = put_thing,
	.remove = remove_thing,
};
static const struct resource_type tether = {
	.space = "Strongroom.Test",
	.name = "tethers",
	.versions = versions,
	.placeless = true,
	.extension = true,
	.always_ok = true,
	.put = put_thing,
};
static const struct provider provider = {
	.space = "Strongroom.Test",
	.types = (const struct resource_type *const[]){ &thing, &part, &tether, NULL },
};
static const struct provider *const providers[] = { &resources_provider, &provider, NULL };

static const struct field color_fields[] = {
	{ .name = "color",
	    .kind = FIELD_TEXT,
	    .max = 100000,
	    .offset = offsetof(struct thing_body, color) },
	{ 0 },
};
static const struct field thing_fields[] = {
	RESOURCE_FIELDS(struct thing_body),
	{ .name = "properties", .kind = FIELD_OBJECT, .fields = color_fields },
	{ 0 },
};
static const struct op thing_ops[] = {
	RESOURCE_ROWS("Thing", "Strongroom.Test", "things", thing, thing_fields, struct thing_body),
	RESOURCE_CHILD_ROWS("Part", "Strongroom.Test", "things/{thing}/parts", "things/parts", part,
	    thing_fields, struct thing_body),
	RESOURCE_ROWS_AT("Tether", "{scope}/providers/Strongroom.Test/tethers",
	    "Strongroom.Test/tethers", tether, thing_fields, struct thing_body),
	{ 0 },
};
static const struct op *const tables[] = { group_ops, location_ops, thing_ops, NULL };

static int
setup(void **state)
{
	removed = 0;
	return estate_setup(state, providers, tables);
}

#define BLUE \
	"{\"location\":\"West Europe\",\"tags\":{\"a\":\"1\"},\"properties\":{\"color\":\"blue\"}}"

static void
test_life(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/one", ""), 404);
	assert_text(view_of(error_table[e->err.code].name), V("ResourceNotFound"));
	assert_text(view_of(e->err.message),
	    V("The Resource 'Strongroom.Test/things/one' under resource group 'Group' was not "
	      "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/One", BLUE), 201);
	assert_text(estate_member(e, "id"), V(THINGS "/One"));
	assert_text(estate_member(e, "location"), V("westeurope"));
	assert_text(estate_member(e, "color"), V("blue"));
	assert_text(estate_member(e, "type"), V("Strongroom.Test/things"));
	assert_text(estate_member(e, "createdBy"), V(ESTATE_OWNER));
	assert_text(estate_member(e, "createdByType"), V("Application"));
	/* In any case, and what was written first stays. */
	assert_int_equal(estate_do(e, HTTP_PUT,
			     S "/resourcegroups/GROUP/providers/strongroom.TEST/THINGS/ONE", BLUE),
	    200);
	assert_text(estate_member(e, "id"), V(THINGS "/One"));
	assert_text(estate_member(e, "name"), V("One"));
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/oNe", ""), 200);
	assert_true(estate_replied(e, "\"tags\":{\"a\":\"1\"}"));
	assert_int_equal(estate_do(e, HTTP_HEAD, THINGS "/oNe", ""), 204);
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/oNe", ""), 200);
	assert_int_equal(removed, 1);
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/oNe", ""), 204);
	assert_int_equal(estate_do(e, HTTP_HEAD, THINGS "/oNe", ""), 404);
}

static void
test_patch(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PATCH, THINGS "/One", BLUE), 404);
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/One", BLUE), 201);
	assert_int_equal(estate_do(e, HTTP_PATCH, THINGS "/One", "{\"tags\":{\"b\":\"2\"}}"), 200);
	assert_true(estate_replied(e, "\"tags\":{\"b\":\"2\"}"));
	assert_text(estate_member(e, "color"), V("blue"));
	assert_int_equal(estate_do(e, HTTP_PATCH, THINGS "/One",
			     "{\"properties\":{\"color\":\"red\"}}"),
	    200);
	assert_true(estate_replied(e, "\"tags\":{\"b\":\"2\"}"));
	assert_text(estate_member(e, "color"), V("red"));
	/* A PUT says it all: without tags there are none, and the location may be left out. */
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/One",
			     "{\"properties\":{\"color\":\"red\"}}"),
	    200);
	assert_true(estate_replied(e, "\"tags\":{}"));
	assert_text(estate_member(e, "location"), V("westeurope"));
}

static void
test_refused(void **state)
{
	static const struct {
		const char *path, *body, *code;
	} cases[] = {
		{ THINGS "/x", "{}", "LocationRequired" },
		{ THINGS "/x", "{\"location\":\"moon\"}", "LocationNotAvailableForResourceType" },
		{ THINGS "/x", "{\"location\":\"global\"}", "LocationNotAvailableForResourceType" },
		{ THINGS "/present", "{\"location\":\"northeurope\"}", "InvalidResourceLocation" },
		{ S "/resourceGroups/none/providers/Strongroom.Test/things/x", BLUE,
		    "ResourceGroupNotFound" },
		{ "/subscriptions/none/resourceGroups/g/providers/Strongroom.Test/things/x", BLUE,
		    "BadRequest" },
		{ THINGS "/a%b", BLUE, "InvalidResourceName" },
		{ THINGS "/a.", BLUE, "InvalidResourceName" },
		{ THINGS "/x", "{\"location\":\"local\",\"properties\":{\"color\":\"bad\"}}",
		    "BadRequest" },
		{ THINGS "/x", "{\"location\":\"local\",\"tags\":{\"a<b\":\"\"}}", "InvalidTags" },
		{ THINGS "/x", "{\"location\":\"local\",\"tags\":{\"a\":\"\",\"A\":\"\"}}",
		    "InvalidTags" },
		{ THINGS "/x", "{\"location\":\"local\",\"tags\":{\"\":\"\"}}", "InvalidTags" },
		{ THINGS "/none/parts/x", "{}", "ParentResourceNotFound" },
		{ THINGS "/none/providers/Strongroom.Test/tethers/x", "{}", "ResourceNotFound" },
	};
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/present", BLUE), 201);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(estate_do(e, HTTP_PUT, cases[i].path, cases[i].body) >= 400);
		assert_text(view_of(error_table[e->err.code].name), view_of(cases[i].code));
	}
	assert_int_equal(estate_count(e, "r"), 1);
}

/* ${count} tags; the first one's name or value as long as is said. */
static const char *
tagged(struct estate *e, size_t count, size_t name, size_t value)
{
	static char text[8192];
	size_t len;

	(void)e;
	len = (size_t)snprintf(text, sizeof(text), "{\"location\":\"local\",\"tags\":{\"");
	memset(text + len, 'n', name);
	len += name;
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\":\"");
	memset(text + len, 'v', value);
	len += value;
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\"");
	for (size_t i = 1; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"t%zu\":\"\"", i);
	(void)snprintf(text + len, sizeof(text) - len, "}}");
	return text;
}

static void
test_tags_bounds(void **state)
{
	static const struct {
		size_t count, name, value;
		int status;
	} cases[] = {
		{ 50, 1, 1, 201 },
		{ 51, 1, 1, 400 },
		{ 1, 512, 256, 200 },
		{ 1, 513, 1, 400 },
		{ 1, 1, 257, 400 },
	};
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x",
				     tagged(e, cases[i].count, cases[i].name, cases[i].value)),
		    cases[i].status);
}

static void
set_field(struct estate *e, const char *name, view value)
{
	static char text[100];

	assert_true(value.len < sizeof(text));
	memcpy(text, value.ptr, value.len);
	e->fields[0] = (struct http_field){ view_of(name), { text, value.len } };
	e->in.field_count = name == NULL ? 0 : 1;
}

static void
test_preconditions(void **state)
{
	struct estate *e = *state;

	set_field(e, "If-Match", V("*"));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x", BLUE), 412);
	set_field(e, "If-None-Match", V("*"));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x", BLUE), 201);
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x", BLUE), 412);
	assert_text(view_of(error_table[e->err.code].name), V("PreconditionFailed"));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x/parts/p", "{}"), 201);
	set_field(e, "If-Match", V("\"00000000-0000-0000-0000-000000000000\""));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x/parts/p", "{}"), 412);
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/x/parts/p", ""), 412);
	e->in.field_count = 0;
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/x/parts/p", ""), 200);
	set_field(e, "If-Match", V("*"));
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/x/parts/p", ""), 200);
}

static void
test_below(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/x", BLUE), 201);
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/xx", BLUE), 201);
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/X/parts/P", "{}"), 201);
	assert_text(estate_member(e, "id"), V(THINGS "/x/parts/P"));
	assert_text(estate_member(e, "type"), V("Strongroom.Test/things/parts"));
	assert_int_equal(estate_do(e, HTTP_PUT, THINGS "/X/providers/strongroom.test/tethers/T",
			     "{}"),
	    200);
	assert_text(estate_member(e, "id"), V(THINGS "/x/providers/Strongroom.Test/tethers/T"));
	assert_int_equal(estate_do(e, HTTP_PUT, S "/providers/strongroom.test/tethers/T", "{}"),
	    200);
	assert_text(estate_member(e, "id"), V(S "/providers/Strongroom.Test/tethers/T"));
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers/Strongroom.Test/tethers", ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
	assert_int_equal(estate_do(e, HTTP_DELETE, S "/providers/Strongroom.Test/tethers/t", ""),
	    200);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/x/providers/Strongroom.Test/tethers", ""),
	    200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/x/parts", ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS, ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 2);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "/none/parts", ""), 404);
	/* Everything below goes, too; a neighbour whose name begins alike stays. */
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/x", ""), 200);
	assert_int_equal(estate_count(e, "r"), 1);
	assert_int_equal(removed, 2);
}

static void
make_many(struct estate *e, size_t count)
{
	char path[256];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), THINGS "/t%05zu", i);
		assert_int_equal(estate_do(e, HTTP_PUT, path, BLUE), 201);
	}
}

/* Follow the links; returns how many items there were. */
static size_t
walk(struct estate *e, const char *target, size_t *pages)
{
	char next[2048];
	size_t items = 0;

	(void)snprintf(next, sizeof(next), "%s", target);
	for (*pages = 0; next[0] != '\0'; ++*pages) {
		view link;

		assert_int_equal(estate_do(e, HTTP_GET, next, ""), 200);
		items += estate_times(e, "\"id\"");
		link = view_from(estate_member(e, "nextLink"),
		    sizeof("https://management.localhost") - 1);
		(void)snprintf(next, sizeof(next), "%.*s", VIEW_ARG(link));
	}
	return items;
}

static void
test_pages(void **state)
{
	struct estate *e = *state;
	size_t pages;

	make_many(e, 105);
	assert_int_equal(walk(e, THINGS "?api-version=2024-01-01", &pages), 105);
	assert_int_equal(pages, 2);
	assert_int_equal(walk(e,
			     S "/providers/Strongroom.Test/things?$top=25&api-version=2024-01-01",
			     &pages),
	    105);
	assert_int_equal(pages, 5);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "?%24top=7", ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 7);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "?$top=0", ""), 400);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "?$top=x", ""), 400);
	assert_int_equal(estate_do(e, HTTP_GET, THINGS "?$skiptoken=AAAA", ""), 400);
}

#define STRANGER "00000000-0000-4000-8000-00000000000d"

static void
test_list_by_role(void **state)
{
	struct estate *e = *state;

	make_many(e, 3);
	e->caller.object = (struct uuid){ STRANGER };
	assert_int_equal(estate_do(e, HTTP_GET, THINGS, ""), 403);
	estate_grant(e, STRANGER, "Reader", THINGS "/T00001");
	assert_int_equal(estate_do(e, HTTP_GET, THINGS, ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
	assert_text(estate_member(e, "name"), V("t00001"));
	assert_int_equal(estate_do(e, HTTP_GET, S "/providers/Strongroom.Test/things", ""), 200);
	assert_int_equal(estate_times(e, "\"id\""), 1);
}

/* Those above stay, however many there are; they are not even looked at. */
static void
test_removal_among_many_roles(void **state)
{
	struct estate *e = *state;
	char object[UUID_LEN + 1];

	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(object, sizeof(object), "00000000-0000-4000-9000-%012x", i);
		estate_grant(e, object, "Reader", S);
	}
	make_many(e, 1);
	estate_grant(e, STRANGER, "Reader", THINGS "/t00000");
	assert_int_equal(estate_do(e, HTTP_DELETE, THINGS "/t00000", ""), 200);
	assert_int_equal(estate_count(e, "a/"), 20001); /* and the owner's */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_patch, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_tags_bounds, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_preconditions, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_below, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_list_by_role, setup, estate_teardown),
		cmocka_unit_test_setup_teardown(test_removal_among_many_roles, setup,
		    estate_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
