/*
 * The rows, asked as the journey asks them: the guard's question, the body, the function, the
 * commit.
 */
#include "access/testing.h"
#include "api/body.h"
#include "api/route.h"
#include "base/testing.h"

#define SUB "/subscriptions/00000000-0000-4000-8000-000000000001"
#define OTHER_SUB "/subscriptions/00000000-0000-4000-8000-000000000002"
#define VAULT SUB "/resourceGroups/dev/providers/Microsoft.KeyVault/vaults/v1"
#define MA "/providers/Microsoft.Authorization/"
#define ID(number) "00000000-0000-4000-8000-00000000" number
#define SECRETS_USER "4633458b-17de-408a-b874-0445c86b69e6"
#define SECRETS_OFFICER "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
#define OWNER "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#define DEFINITION(id) SUB MA "roleDefinitions/" id

#define ADMINISTRATOR 0x10
#define CONSTRAINED 0x20
#define NOBODY 0x30

static struct router *router;
static struct store_reader *reader;
static struct http_reply reply;

static int
setup(void **state)
{
	static const struct op *const tables[] = { assignment_ops, role_ops, deny_ops, NULL };

	assert_int_equal(world_setup(state), 0);
	assert_fine(router_new(tables, &router, &world.err), &world.err);
	assert_fine(store_reader_new(world.place.store, &reader, &world.err), &world.err);
	add_subscription(1, TENANT);
	add_subscription(2, OTHER_TENANT);
	grant(0x100, ADMINISTRATOR, "Owner", V(SUB));
	grant(0x101, CONSTRAINED, "Key Vault Data Access Administrator", V(SUB));
	return 0;
}

static int
teardown(void **state)
{
	buf_free(&reply.body);
	buf_free(&reply.fields);
	router_free(router);
	store_reader_free(reader);
	return world_teardown(state);
}

/* As the guard has it. */
static bool
guard(const struct request *r)
{
	const struct access_question question = {
		.tenant = r->caller.tenant,
		.principal = r->caller.object,
		.action = view_of(r->op->action),
		.scope = r->params[0],
		.attributes_pending = true,
	};
	struct access_decision decision;

	return access_decide(world.access, &question, &decision) ||
	    error_set(&world.err, ERR_AUTHORIZATION_FAILED, "by the guard");
}

static bool
run_row(struct request *r, const char *body)
{
	if (r->op->body != NULL) {
		r->body = arena_alloc(r->arena, r->op->body_size);
		assert_non_null(r->body);
		if (!body_read(view_of(body), r->op->body, r->body, r->arena, &world.err))
			return false;
	}
	return r->op->run(r, &world.err);
}

/* Returns the status, of a refusal too. */
static int
ask(unsigned who, enum http_method method, const char *target, const char *body)
{
	const struct services services = {
		.store = world.place.store,
		.keyring = world.place.keyring,
		.access = world.access,
	};
	view rest = view_of(target), path = view_cut(&rest, '?');
	struct http_request in = { .method = method, .path = path, .query = rest };
	struct request r = {
		.in = &in,
		.out = &reply,
		.arena = &world.arena,
		.services = &services,
		.plane = PLANE_MANAGEMENT,
		.authority = V("management.localhost"),
		.path = path,
		.caller = { .known = true, .tenant = id_of(TENANT), .object = id_of(who) },
		.tx = { .reader = reader, .keyring = world.place.keyring, .arena = &world.arena },
	};
	bool fine;

	buf_reset(&reply.body);
	reply.status = 0;
	world.err = (struct error){ 0 };
	assert_fine(store_begin(reader, &world.err), &world.err);
	fine = router_match(router, method, &r, &world.err) && guard(&r) && run_row(&r, body);
	store_end(reader);
	if (fine && r.tx.count > 0)
		fine = tx_commit(&r.tx, world.place.store, V(""), &world.err);
	buf_add_char(&reply.body, '\0');
	return fine ? reply.status : error_table[world.err.code].status;
}

static bool
replied(const char *part)
{
	return strstr(reply.body.ptr, part) != NULL;
}

static size_t
times(const char *part)
{
	size_t count = 0;

	for (const char *at = reply.body.ptr; (at = strstr(at, part)) != NULL; at++)
		count++;
	return count;
}

#define ASSIGN(role, principal, more)                          \
	"{\"properties\":{\"roleDefinitionId\":\"" DEFINITION( \
	    role) "\",\"principalId\":\"" principal "\"" more "}}"
#define AT(scope, name) scope MA "roleAssignments/" name

static void
test_given_shown_taken(void **state)
{
	const char *body = ASSIGN(SECRETS_USER, ID("0041"), "");
	const char *target = AT(VAULT, ID("0200"));

	(void)state;
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, target, body), 201);
	assert_true(replied("\"principalType\":\"ServicePrincipal\""));
	assert_true(replied("\"condition\":null,\"conditionVersion\":null"));
	assert_true(replied("\"roleDefinitionId\":\"" DEFINITION(SECRETS_USER) "\""));
	assert_true(
	    may(0x41, V("Microsoft.KeyVault/vaults/secrets/getSecret/action"), true, V(VAULT)));
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, target, body), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, AT(VAULT, ID("0201")), body), 409);
	assert_int_equal(world.err.code, ERR_ROLE_ASSIGNMENT_EXISTS);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, target, ASSIGN(SECRETS_USER, ID("0042"), "")),
	    400);
	assert_int_equal(world.err.code, ERR_ROLE_ASSIGNMENT_FIXED);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, target, NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, AT(SUB, ID("0200")), NULL), 404);
	assert_int_equal(ask(NOBODY, HTTP_GET, target, NULL), 403);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, AT(SUB, ID("0200")), NULL), 204);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, target, NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, target, NULL), 204);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, target, NULL), 404);
}

static void
test_assignments_refused(void **state)
{
	static const struct {
		const char *target, *body;
		enum error_code code;
	} rows[] = {
		{ AT(VAULT, "x"), ASSIGN(SECRETS_USER, ID("0041"), ""), ERR_BAD_REQUEST },
		{ AT(VAULT, ID("0200")), ASSIGN(ID("0999"), ID("0041"), ""),
		    ERR_ROLE_DEFINITION_MISSING },
		{ AT(VAULT, ID("0200")), ASSIGN(OWNER "/../" SECRETS_USER, ID("0041"), ""),
		    ERR_ROLE_DEFINITION_MISSING },
		{ AT(VAULT, ID("0200")), ASSIGN(SECRETS_USER "/", ID("0041"), ""),
		    ERR_ROLE_DEFINITION_MISSING },
		{ AT(VAULT, ID("0200")),
		    "{\"properties\":{\"roleDefinitionId\":\"/x/" SECRETS_USER
		    "\",\"principalId\":\"" ID("0041") "\"}}",
		    ERR_ROLE_DEFINITION_MISSING },
		{ AT(VAULT, ID("0200")), ASSIGN(SECRETS_USER, ID("004f"), ""),
		    ERR_PRINCIPAL_NOT_FOUND },
		{ AT(VAULT, ID("0200")), ASSIGN(SECRETS_USER, ID("004e"), ""),
		    ERR_PRINCIPAL_NOT_FOUND },
		{ AT(VAULT, ID("0200")), ASSIGN(SECRETS_USER, "x", ""), ERR_PRINCIPAL_NOT_FOUND },
		{ AT(VAULT, ID("0200")),
		    ASSIGN(SECRETS_USER, ID("0041"), ",\"principalType\":\"Group\""),
		    ERR_PRINCIPAL_TYPE },
		{ AT(VAULT, ID("0200")),
		    ASSIGN(SECRETS_USER, ID("0041"), ",\"condition\":\"Exists nothing\""),
		    ERR_INVALID_CONDITION },
		{ AT(VAULT, ID("0200")),
		    ASSIGN(SECRETS_USER, ID("0041"),
			",\"condition\":\"ActionMatches{'x/*'}\",\"conditionVersion\":\"1.0\""),
		    ERR_INVALID_CONDITION },
		{ AT(OTHER_SUB, ID("0200")), ASSIGN(SECRETS_USER, ID("0041"), ""),
		    ERR_AUTHORIZATION_FAILED },
		{ AT(VAULT "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", ID("0200")),
		    ASSIGN(SECRETS_USER, ID("0041"), ""), ERR_BAD_REQUEST },
		{ AT(VAULT, ID("0200")), "{}", ERR_BAD_PARAMETER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)ask(ADMINISTRATOR, HTTP_PUT, rows[i].target, rows[i].body);
		if (world.err.code != rows[i].code)
			fail_msg("%zu: %s", i, world.err.message);
	}
	assert_int_equal(access_count(world.access), 2);
}

static void
test_condition_and_description_change(void **state)
{
	const char *target = AT(VAULT, ID("0200"));
	view get = V("Microsoft.KeyVault/vaults/secrets/getSecret/action");

	(void)state;
	assert_int_equal(
	    ask(ADMINISTRATOR, HTTP_PUT, target,
		ASSIGN(SECRETS_USER, ID("0041"),
		    ",\"description\":\"why\",\"conditionVersion\":\"2.0\",\"condition\":"
		    "\"@Resource[Microsoft.KeyVault/vaults/secrets:name] StringLike 'app*'\"")),
	    201);
	assert_true(replied("\"conditionVersion\":\"2.0\""));
	assert_true(replied("\"description\":\"why\""));
	assert_true(may(0x41, get, true, V(VAULT "/secrets/app1")));
	assert_false(may(0x41, get, true, V(VAULT "/secrets/db1")));
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, target,
			     ASSIGN(SECRETS_USER, ID("0041"), ",\"description\":\"so\"")),
	    200);
	assert_true(replied("\"condition\":null"));
	assert_true(replied("\"description\":\"so\""));
	assert_true(may(0x41, get, true, V(VAULT "/secrets/db1")));
	assert_int_equal(access_count(world.access), 3);
}

/* Who may give only some roles, gives and takes only those: the guard can't know, the row does. */
static void
test_escalation(void **state)
{
	(void)state;
	assert_int_equal(ask(CONSTRAINED, HTTP_PUT, AT(VAULT, ID("0200")),
			     ASSIGN(SECRETS_USER, ID("0041"), "")),
	    201);
	assert_int_equal(ask(CONSTRAINED, HTTP_PUT, AT(VAULT, ID("0201")),
			     ASSIGN(OWNER, ID("0020"), "")),
	    403);
	assert_int_equal(world.err.code, ERR_AUTHORIZATION_FAILED);
	assert_true(strcmp(world.err.message, "by the guard") != 0);
	assert_int_equal(ask(CONSTRAINED, HTTP_PUT, AT(SUB, ID("0100")),
			     ASSIGN(OWNER, ID("0010"), "")),
	    403);
	assert_int_equal(ask(CONSTRAINED, HTTP_DELETE, AT(SUB, ID("0100")), NULL), 403);
	assert_int_equal(ask(CONSTRAINED, HTTP_DELETE, AT(VAULT, ID("0200")), NULL), 200);
	/* Elsewhere an open condition does not count. */
	assert_false(may(CONSTRAINED, V(ASSIGNMENT_WRITE), false, V(SUB)));
	assert_int_equal(access_count(world.access), 2);
	assert_int_equal(ask(NOBODY, HTTP_PUT, AT(VAULT, ID("0201")),
			     ASSIGN(SECRETS_USER, ID("0041"), "")),
	    403);
	assert_string_equal(world.err.message, "by the guard");
}

static size_t
listed(const char *target)
{
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, target, NULL), 200);
	return times("\"principalId\"");
}

static void
test_list_filters(void **state)
{
#define LIST(scope, filter) scope MA "roleAssignments?api-version=2022-04-01&$filter=" filter
	(void)state;
	join(0x41, 0x4d);
	grant(0x200, 0x41, "Key Vault Reader", V(VAULT));
	grant(0x201, 0x4d, "Key Vault Reader", V(SUB));
	assert_int_equal(listed(SUB MA "roleAssignments"), 4);
	assert_int_equal(listed(LIST(SUB, "atScope%28%29")), 3);
	assert_int_equal(listed(LIST(VAULT, "ATSCOPE()")), 4);
	assert_int_equal(listed(LIST(SUB, "principalId%20eq%20%27" ID("0041") "%27")), 1);
	assert_int_equal(listed(LIST(SUB, "assignedTo(%27" ID("0041") "%27)")), 2);
	assert_int_equal(listed(LIST(SUB, "atScope()%20and%20assignedTo(%27" ID("0041") "%27)")),
	    1);
	assert_int_equal(listed(LIST(SUB,
			     "principalId%20eq%20%27" ID("004d") "%27%20and%20"
								 "assignedTo(%27" ID(
								     "0041") "%27)")),
	    1);
	assert_int_equal(listed(LIST(SUB,
			     "principalId%20eq%20%27" ID("0010") "%27%20and%20"
								 "assignedTo(%27" ID(
								     "0041") "%27)")),
	    0);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, LIST(SUB, "nonsense()"), NULL), 400);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, LIST(SUB, "principalId%20eq%20%27x%27"),
			     NULL),
	    400);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, LIST(SUB, "atScope()%20and"), NULL), 400);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, SUB MA "roleAssignments?$skiptoken=x", NULL),
	    400);
}

/* The next page's link is the request's own, with its filter, and leads through all of them. */
static void
test_pages(void **state)
{
	const char *target = SUB MA "roleAssignments?$filter=atScope()&api-version=2022-04-01";
	size_t total = 0, pages = 0;
	view link;

	(void)state;
	for (unsigned i = 0; i < 450; i++)
		grant(0x1000 + i, 0x2000 + i, "Reader", V(SUB));
	for (bool more = true; more; pages++) {
		const char *at;

		total += listed(target);
		at = strstr(reply.body.ptr, "\"nextLink\":\"https://management.localhost");
		more = at != NULL;
		if (!more)
			break;
		link = view_of(strchr(at + 22, '/'));
		link = view_cut(&link, '"');
		assert_true(memmem(link.ptr, link.len, "$filter=atScope()", 17) != NULL);
		assert_true(arena_copy(&world.arena, link, &link));
		target = link.ptr;
	}
	assert_int_equal(total, 452);
	assert_int_equal(pages, 2);
}

#define ROLE(name, scope, more)                                                            \
	"{\"properties\":{\"roleName\":\"" name "\",\"assignableScopes\":[\"" scope "\"]," \
	"\"permissions\":[{\"actions\":[\"Microsoft.KeyVault/vaults/read\"],"              \
	"\"dataActions\":[\"Microsoft.KeyVault/vaults/secrets/*\"],"                       \
	"\"notDataActions\":[\"Microsoft.KeyVault/vaults/secrets/purge/action\"]" more "}]}}"
#define ROLE_AT(name) SUB MA "roleDefinitions/" name

static void
test_custom_roles(void **state)
{
	const char *role = ROLE_AT(ID("0300"));
	view set = V("Microsoft.KeyVault/vaults/secrets/setSecret/action");

	(void)state;
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, role, ROLE("Keeper", VAULT, "")), 201);
	assert_true(replied("\"type\":\"CustomRole\""));
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, role, NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, ROLE_AT(ID("0301")), ROLE("kEEPER", SUB, "")),
	    409);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, AT(SUB, ID("0200")),
			     ASSIGN(ID("0300"), ID("0041"), "")),
	    400);
	assert_int_equal(world.err.code, ERR_ROLE_NOT_ASSIGNABLE);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, AT(VAULT, ID("0200")),
			     ASSIGN(ID("0300"), ID("0041"), "")),
	    201);
	assert_true(may(0x41, set, true, V(VAULT)));
	assert_false(
	    may(0x41, V("Microsoft.KeyVault/vaults/secrets/purge/action"), true, V(VAULT)));
	/* What is assigned stays, and stays within. */
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, role, NULL), 400);
	assert_int_equal(world.err.code, ERR_ROLE_DEFINITION_ASSIGNED);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, role, ROLE("Keeper", VAULT "/keys/a", "")),
	    400);
	assert_int_equal(world.err.code, ERR_ROLE_DEFINITION_ASSIGNED);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, role,
			     ROLE("Keeper", SUB,
				 ",\"notActions\":[\"Microsoft.KeyVault/vaults/read\"]")),
	    201);
	assert_false(may(0x41, V("Microsoft.KeyVault/vaults/read"), false, V(VAULT)));
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, AT(VAULT, ID("0200")), NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, role, NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, role, NULL), 204);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, role, NULL), 404);
}

static void
test_roles_refused(void **state)
{
	static const struct {
		const char *target, *body;
		enum error_code code;
	} rows[] = {
		{ ROLE_AT("x"), ROLE("A", SUB, ""), ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(OWNER), ROLE("A", SUB, ""), ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("", SUB, ""), ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("owner", SUB, ""), ERR_ROLE_DEFINITION_NAMED },
		{ ROLE_AT(ID("0300")), ROLE("A", "/", ""), ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("A", SUB "/*", ""), ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("A", OTHER_SUB, ""), ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("A", SUB, ",\"notActions\":[\"no action\"]"),
		    ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("A", SUB, ",\"notActions\":[\"/read\"]"),
		    ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")), ROLE("A", SUB, ",\"notActions\":[7]"), ERR_BAD_PARAMETER },
		{ ROLE_AT(ID("0300")),
		    "{\"properties\":{\"roleName\":\"A\",\"assignableScopes\":[],\"permissions\":[{}]}}",
		    ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")),
		    "{\"properties\":{\"roleName\":\"A\",\"assignableScopes\":[\"" SUB
		    "\"],\"permissions\":[]}}",
		    ERR_ROLE_DEFINITION_INVALID },
		{ ROLE_AT(ID("0300")),
		    "{\"properties\":{\"roleName\":\"A\",\"assignableScopes\":[\"" SUB
		    "\"],\"permissions\":[{}]}}",
		    ERR_ROLE_DEFINITION_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)ask(ADMINISTRATOR, HTTP_PUT, rows[i].target, rows[i].body);
		if (world.err.code != rows[i].code)
			fail_msg("%zu: %s", i, world.err.message);
	}
	/* Who may write roles at one scope may not write one for others. */
	grant(0x200, 0x50, "Owner", V(VAULT));
	assert_int_equal(ask(0x50, HTTP_PUT, VAULT MA "roleDefinitions/" ID("0300"),
			     ROLE("A", SUB, "")),
	    403);
	assert_int_equal(ask(0x50, HTTP_PUT, VAULT MA "roleDefinitions/" ID("0300"),
			     ROLE("A", VAULT, "")),
	    201);
}

static void
test_role_list(void **state)
{
#define ROLES(filter) SUB MA "roleDefinitions?$filter=" filter
	static const struct {
		const char *target;
		size_t count;
	} rows[] = {
		{ ROLES("roleName%20eq%20'key%20vault%20secrets%20user'"), 1 },
		{ ROLES("roleName%20eq%20'Bob''s'"), 1 },
		{ ROLES("roleName%20eq%20'none'"), 0 },
		{ ROLES("type%20eq%20'CustomRole'"), 1 },
		{ ROLES("atScopeAndBelow()%20and%20type%20eq%20'CustomRole'"), 2 },
		{ VAULT MA "roleDefinitions?$filter=type%20eq%20'CustomRole'", 2 },
		{ ROLES("type%20eq%20'BuiltInRole'"), 20 },
	};

	(void)state;
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, ROLE_AT(ID("0300")), ROLE("Bob's", SUB, "")),
	    201);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, ROLE_AT(ID("0301")), ROLE("V", VAULT, "")),
	    201);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, rows[i].target, NULL), 200);
		if (times("\"roleName\"") != rows[i].count)
			fail_msg("%s: %s", rows[i].target, reply.body.ptr);
	}
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, ROLES("type%20eq%20Custom"), NULL), 400);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET,
			     ROLE_AT("8b54135c-b56d-4d72-a534-26097cfdc8d8"), NULL),
	    200);
	assert_true(replied("\"conditionVersion\":\"2.0\""));
}

#define DENY(action, principals, more)                                      \
	"{\"properties\":{\"denyAssignmentName\":\"no\",\"permissions\":[{" \
	"\"dataActions\":[\"" action "\"]}],\"principals\":[" principals "]" more "}}"
#define EVERYBODY "{\"id\":\"" EVERYONE "\",\"type\":\"SystemDefined\"}"
#define DENY_AT(name) VAULT MA "denyAssignments/" name

static void
test_denies(void **state)
{
	view get = V("Microsoft.KeyVault/vaults/secrets/getSecret/action");
	const char *target = DENY_AT(ID("0400"));

	(void)state;
	grant(0x200, 0x41, "Key Vault Administrator", V(SUB));
	grant(0x201, 0x42, "Key Vault Administrator", V(SUB));
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, target,
			     DENY("Microsoft.KeyVault/vaults/secrets/*", EVERYBODY,
				 ",\"excludePrincipals\":[{\"id\":\"" ID("0042") "\"}]")),
	    201);
	assert_true(replied("\"type\":\"SystemDefined\""));
	assert_false(may(0x41, get, true, V(VAULT "/secrets/a")));
	assert_true(may(0x41, V("Microsoft.KeyVault/vaults/keys/read"), true, V(VAULT)));
	assert_true(may(0x42, get, true, V(VAULT "/secrets/a")));
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, target, NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, SUB MA "denyAssignments", NULL), 200);
	assert_int_equal(times("\"denyAssignmentName\""), 1);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, SUB MA "denyAssignments?$filter=atScope()",
			     NULL),
	    200);
	assert_int_equal(times("\"denyAssignmentName\""), 0);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, target,
			     DENY("x/*", EVERYBODY, ",\"doNotApplyToChildScopes\":true")),
	    200);
	assert_true(may(0x41, get, true, V(VAULT "/secrets/a")));
	assert_int_equal(ask(0x41, HTTP_PUT, target, DENY("x/*", EVERYBODY, "")), 403);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_PUT, SUB MA "denyAssignments/" ID("0400"),
			     DENY("x/*", EVERYBODY, "")),
	    409);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, target, NULL), 200);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_GET, target, NULL), 404);
	assert_int_equal(ask(ADMINISTRATOR, HTTP_DELETE, target, NULL), 204);
}

static void
test_denies_refused(void **state)
{
	static const struct {
		const char *target, *body;
		enum error_code code;
	} rows[] = {
		{ DENY_AT("x"), DENY("x/*", EVERYBODY, ""), ERR_BAD_REQUEST },
		{ DENY_AT(ID("0400")), DENY("x/*", "", ""), ERR_BAD_REQUEST },
		{ DENY_AT(ID("0400")), DENY("x y", EVERYBODY, ""), ERR_ROLE_DEFINITION_INVALID },
		{ DENY_AT(ID("0400")), DENY("x/*", "{\"id\":\"" ID("004f") "\"}", ""),
		    ERR_PRINCIPAL_NOT_FOUND },
		{ DENY_AT(ID("0400")), DENY("x/*", "{\"id\":\"" ID("004e") "\"}", ""),
		    ERR_PRINCIPAL_NOT_FOUND },
		{ DENY_AT(ID("0400")), "{\"properties\":{}}", ERR_BAD_PARAMETER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)ask(ADMINISTRATOR, HTTP_PUT, rows[i].target, rows[i].body);
		if (world.err.code != rows[i].code)
			fail_msg("%zu: %s", i, world.err.message);
	}
}

#define WHY(principal)                                                         \
	"{\"principalId\":\"" principal "\",\"isDataAction\":true,\"action\":" \
	"\"Microsoft.KeyVault/vaults/secrets/getSecret/action\"}"

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_given_shown_taken),
		FRESH(test_assignments_refused),
		FRESH(test_condition_and_description_change),
		FRESH(test_escalation),
		FRESH(test_list_filters),
		FRESH(test_pages),
		FRESH(test_custom_roles),
		FRESH(test_roles_refused),
		FRESH(test_role_list),
		FRESH(test_denies),
		FRESH(test_denies_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
