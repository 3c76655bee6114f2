#include "api/route.h"
#include "base/testing.h"

#include <stdio.h>

static bool
run(struct request *r, struct error *err)
{
	(void)r;
	(void)err;
	return true;
}

#define ROW .guard = GUARD_CALLER, .run = run
#define VAULT ROW, .plane = PLANE_VAULT
#define ARM ROW, .plane = PLANE_MANAGEMENT

static const struct op vault_ops[] = {
	{ "get", VAULT, .method = HTTP_GET, .path = "/secrets/{name}" },
	{ "put", VAULT, .method = HTTP_PUT, .path = "/secrets/{name}" },
	{ "versions", VAULT, .method = HTTP_GET, .path = "/secrets/{name}/versions" },
	{ "version", VAULT, .method = HTTP_GET, .path = "/secrets/{name}/{version}" },
	{ "backup", VAULT, .method = HTTP_POST, .path = "/secrets/{name}/backup" },
	{ "list", VAULT, .method = HTTP_GET, .path = "/secrets" },
	{ "key", VAULT, .method = HTTP_GET, .path = "/keys(name='{name}')/x" },
	{ "restore", VAULT, .method = HTTP_POST, .path = "/secrets/restore" },
	{ "root", VAULT, .method = HTTP_GET, .path = "/" },
	{ 0 },
};

static const struct op arm_ops[] = {
	{ "sub", ARM, .method = HTTP_GET, .path = "/subscriptions/{id}" },
	{ "files", ARM, .method = HTTP_GET, .path = "/files/{rest...}" },
	{ "role", ARM, .method = HTTP_PUT,
	    .path = "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}" },
	{ "roles", ARM, .method = HTTP_GET,
	    .path = "{scope}/providers/Microsoft.Authorization/roleAssignments" },
	{ "vault", ARM, .method = HTTP_GET,
	    .path = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.KeyVault/"
		    "vaults/{name}" },
	{ "vaults", ARM, .method = HTTP_GET,
	    .path = "/subscriptions/{id}/providers/Microsoft.KeyVault/vaults" },
	{ "provider", ARM, .method = HTTP_GET, .path = "/subscriptions/{id}/providers/{space}" },
	{ "register", ARM, .method = HTTP_POST,
	    .path = "/subscriptions/{id}/providers/{space}/register" },
	{ 0 },
};

static const struct op *const tables[] = { vault_ops, arm_ops, NULL };

struct row {
	enum plane plane;
	enum http_method method;
	const char *path;
	const char *op; /* NULL: ${code} */
	enum error_code code;
	const char *params; /* with a space behind each */
};

#define SCOPE "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"
#define ROLES "/providers/Microsoft.Authorization/roleAssignments"

static const struct row rows[] = {
	{ PLANE_VAULT, HTTP_GET, "/secrets/a", "get", 0, "a " },
	{ PLANE_VAULT, HTTP_GET, "/SECRETS/A", "get", 0, "A " },
	{ PLANE_VAULT, HTTP_PUT, "/secrets/a", "put", 0, "a " },
	{ PLANE_VAULT, HTTP_GET, "/secrets", "list", 0, "" },
	{ PLANE_VAULT, HTTP_GET, "/", "root", 0, "" },
	{ PLANE_VAULT, HTTP_GET, "/secrets/a/b", "version", 0, "a b " },
	/* words that are reserved win over names */
	{ PLANE_VAULT, HTTP_GET, "/secrets/a/versions", "versions", 0, "a " },
	{ PLANE_VAULT, HTTP_GET, "/secrets/a/VERSIONS", "versions", 0, "a " },
	{ PLANE_VAULT, HTTP_POST, "/secrets/a/backup", "backup", 0, "a " },
	{ PLANE_VAULT, HTTP_POST, "/secrets/restore", "restore", 0, "" },
	{ PLANE_VAULT, HTTP_GET, "/secrets/restore", NULL, ERR_METHOD_NOT_ALLOWED, NULL },
	{ PLANE_VAULT, HTTP_GET, "/secrets/a/backup", NULL, ERR_METHOD_NOT_ALLOWED, NULL },
	/* no row */
	{ PLANE_VAULT, HTTP_DELETE, "/secrets/a", NULL, ERR_METHOD_NOT_ALLOWED, NULL },
	{ PLANE_VAULT, HTTP_OTHER, "/secrets/a", NULL, ERR_METHOD_NOT_ALLOWED, NULL },
	{ PLANE_VAULT, HTTP_GET, "/nothing", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_VAULT, HTTP_GET, "/secrets/a/b/c", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_VAULT, HTTP_GET, "/secret", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_VAULT, HTTP_GET, "/{name}", NULL, ERR_NOT_FOUND, NULL },
	/* a parameter inside of a segment */
	{ PLANE_VAULT, HTTP_GET, "/Keys(name='it''s')/x", "key", 0, "it''s " },
	{ PLANE_VAULT, HTTP_GET, "/keys(name='')/x", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_VAULT, HTTP_GET, "/keys(name='a'/x", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_VAULT, HTTP_GET, "/keys/x", NULL, ERR_NOT_FOUND, NULL },
	/* each plane has its own */
	{ PLANE_LOGIN, HTTP_GET, "/secrets/a", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_NONE, HTTP_GET, "/", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_MANAGEMENT, HTTP_GET, "/secrets/a", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_VAULT, HTTP_GET, "/subscriptions/s", NULL, ERR_NOT_FOUND, NULL },
	/* the rest of a path */
	{ PLANE_MANAGEMENT, HTTP_GET, "/files/a/b/c", "files", 0, "a/b/c " },
	{ PLANE_MANAGEMENT, HTTP_GET, "/files/a", "files", 0, "a " },
	{ PLANE_MANAGEMENT, HTTP_GET, "/files", NULL, ERR_NOT_FOUND, NULL },
	/* below any scope */
	{ PLANE_MANAGEMENT, HTTP_PUT, SCOPE ROLES "/n", "role", 0, SCOPE " n " },
	{ PLANE_MANAGEMENT, HTTP_GET, SCOPE ROLES, "roles", 0, SCOPE " " },
	{ PLANE_MANAGEMENT, HTTP_PUT, ROLES "/n", "role", 0, "/ n " },
	{ PLANE_MANAGEMENT, HTTP_PUT,
	    "/subscriptions/s/PROVIDERS/microsoft.authorization/ROLEASSIGNMENTS/n", "role", 0,
	    "/subscriptions/s n " },
	{ PLANE_MANAGEMENT, HTTP_DELETE, SCOPE ROLES "/n", NULL, ERR_METHOD_NOT_ALLOWED, NULL },
	{ PLANE_MANAGEMENT, HTTP_GET, SCOPE, "vault", 0, "s g v " },
	{ PLANE_MANAGEMENT, HTTP_GET, SCOPE "/providers/Other/things", NULL, ERR_NOT_FOUND, NULL },
	{ PLANE_MANAGEMENT, HTTP_GET, "/subscriptions/s", "sub", 0, "s " },
	/* a literal that leads nowhere does not hide the parameter beside it */
	{ PLANE_MANAGEMENT, HTTP_GET, "/subscriptions/s/providers/microsoft.keyvault/vaults",
	    "vaults", 0, "s " },
	{ PLANE_MANAGEMENT, HTTP_GET, "/subscriptions/s/providers/Microsoft.KeyVault", "provider",
	    0, "s Microsoft.KeyVault " },
	{ PLANE_MANAGEMENT, HTTP_POST, "/subscriptions/s/providers/Microsoft.KeyVault/register",
	    "register", 0, "s Microsoft.KeyVault " },
	{ PLANE_MANAGEMENT, HTTP_GET, "/subscriptions/s/providers/Microsoft.KeyVault/x", NULL,
	    ERR_NOT_FOUND, NULL },
	{ PLANE_MANAGEMENT, HTTP_GET, "/providers", NULL, ERR_NOT_FOUND, NULL },
};

static void
check_row(const struct router *router, const struct row *row)
{
	AUTO(buf_free) struct buf params = { 0 };
	struct request r = { .plane = row->plane, .path = view_of(row->path) };
	struct error err = { 0 };
	bool found = router_match(router, row->method, &r, &err);

	if (found != (row->op != NULL))
		fail_msg("%s", row->path);
	if (!found) {
		assert_int_equal(err.code, row->code);
		return;
	}
	assert_string_equal(r.op->name, row->op);
	for (size_t i = 0; i < r.param_count; i++) {
		buf_add(&params, r.params[i]);
		buf_add_char(&params, ' ');
	}
	assert_text(buf_view(&params), view_of(row->params));
}

static void
test_matches(void **state)
{
	struct router *router = NULL;
	struct error err;

	(void)state;
	assert_fine(router_new(tables, &router, &err), &err);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_row(router, &rows[i]);
	router_free(router);
}

/* More parameters than a request holds match nothing, and write nothing beyond it. */
static void
test_too_many_parameters(void **state)
{
	static const struct op long_ops[] = {
		{ "long", VAULT, .path = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}" },
		{ 0 },
	};
	static const struct op *const long_tables[] = { long_ops, NULL };
	struct request r = { .plane = PLANE_VAULT, .path = V("/1/2/3/4/5/6/7/8/9") };
	struct router *router = NULL;
	struct error err;

	(void)state;
	assert_fine(router_new(long_tables, &router, &err), &err);
	assert_false(router_match(router, HTTP_OTHER, &r, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	router_free(router);
}

static void
test_refuses_rows_that_are_not_complete(void **state)
{
	static const struct op bad[] = {
		{ "unguarded", PLANE_VAULT, HTTP_GET, "/a", .run = run },
		{ "empty", PLANE_VAULT, HTTP_GET, "/a", .guard = GUARD_CALLER },
		{ "data", PLANE_VAULT, HTTP_GET, "/a", GUARD_DATA, .run = run },
		{ "scope", PLANE_MANAGEMENT, HTTP_GET, "/a", GUARD_SCOPE, .run = run },
		{ "nowhere", PLANE_NONE, HTTP_GET, "/a", GUARD_CALLER, .run = run },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct op ops[] = { bad[i], { 0 } };
		const struct op *const bad_tables[] = { ops, NULL };
		struct router *router = NULL;
		struct error err;

		assert_false(router_new(bad_tables, &router, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_null(router);
	}
}

static void
test_refuses_two_rows_for_one_path(void **state)
{
	static const char *const paths[][2] = {
		{ "/a", "/a" },
		{ "/a", "/A" },
		{ "/a/{x}", "/a/{y}" },
		{ "{scope}/providers/p/{x}", "{scope}/providers/P/{y}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct op ops[] = { { "one", ARM, .path = paths[i][0] },
			{ "two", ARM, .path = paths[i][1] }, { 0 } };
		const struct op *const double_tables[] = { ops, NULL };
		struct router *router = NULL;
		struct error err;

		assert_false(router_new(double_tables, &router, &err));
		ops[1].method = HTTP_GET;
		assert_fine(router_new(double_tables, &router, &err), &err);
		router_free(router);
	}
	router_free(NULL);
}

/* "{rest...}" and "{name}" in one place: the one would be taken for the other. */
static void
test_refuses_two_kinds_of_parameter_in_one_place(void **state)
{
	static const char *const paths[][2] = {
		{ "/a/{x}", "/a/{rest...}" },
		{ "/a/{rest...}", "/a/{x}/b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		const struct op ops[] = { { "one", ARM, .path = paths[i][0] },
			{ "two", ARM, .method = HTTP_GET, .path = paths[i][1] }, { 0 } };
		const struct op *const mixed[] = { ops, NULL };
		struct router *router = NULL;
		struct error err;

		assert_false(router_new(mixed, &router, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_too_many_parameters),
		cmocka_unit_test(test_refuses_rows_that_are_not_complete),
		cmocka_unit_test(test_refuses_two_rows_for_one_path),
		cmocka_unit_test(test_refuses_two_kinds_of_parameter_in_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
