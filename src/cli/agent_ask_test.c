#include "cli/agent_ask.h"

#include "base/testing.h"

#define APP "/msi/token"
#define IMDS "/metadata/identity/oauth2/token"
#define VERSION "api-version=2019-08-01"
#define VAULT "https://vault.example.org"
#define GOOD VERSION "&resource=" VAULT

static const struct http_field secret = { V_INIT("x-identity-header"), V_INIT("secret") };
static const struct http_field metadata = { V_INIT("metadata"), V_INIT("True") };
static const struct http_field not_metadata = { V_INIT("Metadata"), V_INIT("false") };
static const struct http_field forwarded = { V_INIT("X-Forwarded-For"), V_INIT("1.2.3.4") };

static bool
ask(view path, view query, const struct http_field *const fields[2], struct arena *arena,
    struct agent_ask *out, struct agent_refusal *refusal)
{
	struct http_field copies[2];
	struct http_request request = { .method = HTTP_GET,
		.path = path,
		.query = query,
		.fields = copies,
		.host = V("127.0.0.1:40380"),
		.peer = V("127.0.0.1") };

	while (request.field_count < 2 && fields[request.field_count] != NULL) {
		copies[request.field_count] = *fields[request.field_count];
		request.field_count++;
	}
	return agent_ask_read(&request, arena, out, refusal);
}

static void
test_reads(void **state)
{
	static const struct {
		view path, query;
		const struct http_field *field;
		enum agent_shape shape;
		enum identity_key key;
		view resource, identity;
	} rows[] = {
		{ V_INIT(APP), V_INIT(GOOD), &secret, SHAPE_APP_SERVICE, IDENTITY_DEFAULT,
		    V_INIT(VAULT), V_INIT("") },
		{ V_INIT(APP "/"), V_INIT(GOOD "&client_id=i"), &secret, SHAPE_APP_SERVICE,
		    IDENTITY_CLIENT_ID, V_INIT(VAULT), V_INIT("i") },
		{ V_INIT(APP), V_INIT(GOOD "&principal_id=i"), &secret, SHAPE_APP_SERVICE,
		    IDENTITY_OBJECT_ID, V_INIT(VAULT), V_INIT("i") },
		{ V_INIT(APP), V_INIT(GOOD "&mi_res_id=%2Fsubscriptions%2fx"), &secret,
		    SHAPE_APP_SERVICE, IDENTITY_RESOURCE_ID, V_INIT(VAULT),
		    V_INIT("/subscriptions/x") },
		{ V_INIT(IMDS), V_INIT("api-version=2018-02-01&resource=https%3A%2F%2Fv.x%2F"),
		    &metadata, SHAPE_IMDS, IDENTITY_DEFAULT, V_INIT("https://v.x/"), V_INIT("") },
		{ V_INIT(IMDS "/"), V_INIT(GOOD "&object_id=i"), &metadata, SHAPE_IMDS,
		    IDENTITY_OBJECT_ID, V_INIT(VAULT), V_INIT("i") },
		{ V_INIT("/oauth2/token"), V_INIT(GOOD "&msi_res_id=i"), &metadata, SHAPE_IMDS,
		    IDENTITY_RESOURCE_ID, V_INIT(VAULT), V_INIT("i") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct http_field *fields[2] = { rows[i].field };
		AUTO(arena_free) struct arena arena = { 0 };
		struct agent_refusal refusal;
		struct agent_ask got;

		arena_init(&arena, 65536);
		if (!ask(rows[i].path, rows[i].query, fields, &arena, &got, &refusal))
			fail_msg("row %zu: %.*s", i, VIEW_ARG(refusal.description));
		assert_int_equal(got.shape, rows[i].shape);
		assert_int_equal(got.key, rows[i].key);
		assert_text(got.resource, rows[i].resource);
		assert_text(got.identity, rows[i].identity);
	}
}

static void
test_refuses(void **state)
{
	static const struct {
		view path, query;
		const struct http_field *fields[2];
		int status;
		const char *why;
	} rows[] = {
		{ V_INIT("/"), V_INIT(GOOD), { &metadata }, 404, "nothing" },
		{ V_INIT("/msi"), V_INIT(GOOD), { &secret }, 404, "nothing" },
		{ V_INIT(APP "//"), V_INIT(GOOD), { &secret }, 404, "nothing" },
		{ V_INIT("/environment"), V_INIT(""), { &metadata }, 404, "nothing" },
		{ V_INIT(APP), V_INIT(GOOD), { NULL }, 401, "X-IDENTITY-HEADER" },
		{ V_INIT(APP), V_INIT(GOOD), { &metadata }, 401, "X-IDENTITY-HEADER" },
		{ V_INIT(IMDS), V_INIT(GOOD), { NULL }, 400,
		    "Required metadata header not specified" },
		{ V_INIT(IMDS), V_INIT(GOOD), { &not_metadata }, 400, "metadata header" },
		{ V_INIT(IMDS), V_INIT(GOOD), { &metadata, &forwarded }, 400, "forwarded" },
		{ V_INIT(APP), V_INIT(GOOD), { &secret, &forwarded }, 400, "forwarded" },
		{ V_INIT(IMDS), V_INIT(""), { &metadata }, 400, "api-version" },
		{ V_INIT(IMDS), V_INIT("resource=" VAULT), { &metadata }, 400, "api-version" },
		{ V_INIT(IMDS), V_INIT("api-version=1.0&resource=" VAULT), { &metadata }, 400,
		    "api-version" },
		{ V_INIT(IMDS), V_INIT("api-version=2017-01-01&resource=" VAULT), { &metadata },
		    400, "api-version" },
		{ V_INIT(IMDS), V_INIT("api-version=9999&resource=" VAULT), { &metadata }, 400,
		    "api-version" },
		{ V_INIT(APP), V_INIT("api-version=2017-09-01&resource=" VAULT), { &secret }, 400,
		    "api-version" },
		{ V_INIT(IMDS), V_INIT(VERSION), { &metadata }, 400, "'resource' is missing" },
		{ V_INIT(IMDS), V_INIT(VERSION "&resource="), { &metadata }, 400, "not a valid" },
		{ V_INIT(IMDS), V_INIT(VERSION "&resource=a%20b"), { &metadata }, 400,
		    "not a valid" },
		{ V_INIT(IMDS), V_INIT(VERSION "&resource=a+b"), { &metadata }, 400,
		    "not a valid" },
		{ V_INIT(IMDS), V_INIT(VERSION "&resource=a%0Ab"), { &metadata }, 400,
		    "not a valid" },
		{ V_INIT(IMDS), V_INIT(VERSION "&resource=%c3%a4"), { &metadata }, 400,
		    "not a valid" },
		{ V_INIT(IMDS), V_INIT(VERSION "&resource=%zz"), { &metadata }, 400, "resource" },
		{ V_INIT(IMDS), V_INIT(GOOD "&client_id=a&object_id=b"), { &metadata }, 400,
		    "Only one" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		struct agent_refusal refusal = { 0 };
		struct agent_ask got;

		arena_init(&arena, 65536);
		if (ask(rows[i].path, rows[i].query, rows[i].fields, &arena, &got, &refusal))
			fail_msg("row %zu was taken", i);
		if (refusal.status != rows[i].status ||
		    strstr(refusal.description.ptr, rows[i].why) == NULL)
			fail_msg("row %zu: %d %.*s", i, refusal.status,
			    VIEW_ARG(refusal.description));
	}
}

static void
test_bounds(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf query = { 0 };
	const struct http_field *fields[2] = { &metadata };
	struct agent_refusal refusal;
	struct agent_ask got;

	(void)state;
	arena_init(&arena, 65536);
	buf_add(&query, V(VERSION "&resource="));
	for (int i = 0; i < 512; i++)
		buf_add_char(&query, 'r');
	assert_true(ask(V(IMDS), buf_view(&query), fields, &arena, &got, &refusal));
	buf_add_char(&query, 'r');
	assert_false(ask(V(IMDS), buf_view(&query), fields, &arena, &got, &refusal));
}

/* A name that DNS answers may be the name of a page in a browser on this host. */
static void
test_hosts(void **state)
{
	static const struct {
		view host, peer;
		bool fine;
	} rows[] = {
		{ V_INIT("127.0.0.1"), V_INIT("127.0.0.1"), true },
		{ V_INIT("169.254.169.254"), V_INIT("127.0.0.1"), true },
		{ V_INIT("[::1]:40380"), V_INIT("::1"), true },
		{ V_INIT("LocalHost:40380"), V_INIT("127.0.0.1"), true },
		{ V_INIT("rebound.example:40380"), V_INIT("127.0.0.1"), false },
		{ V_INIT("localhost.evil.example"), V_INIT("127.0.0.1"), false },
		{ V_INIT("127.0.0.1.evil.example"), V_INIT("127.0.0.1"), false },
		{ V_INIT("localhost."), V_INIT("127.0.0.1"), false },
		{ V_INIT("[::1"), V_INIT("::1"), false }, { V_INIT("[]"), V_INIT("::1"), false },
		{ V_INIT(""), V_INIT("127.0.0.1"), false },
		{ V_INIT("any.example"), V_INIT(""), true }, /* a Unix socket */
	};
	struct http_field fields[] = { metadata };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		struct http_request request = { .method = HTTP_GET,
			.path = V(IMDS),
			.query = V(GOOD),
			.host = rows[i].host,
			.peer = rows[i].peer,
			.fields = fields,
			.field_count = 1 };
		struct agent_refusal refusal;
		struct agent_ask got;

		arena_init(&arena, 65536);
		if (agent_ask_read(&request, &arena, &got, &refusal) != rows[i].fine)
			fail_msg("row %zu", i);
	}
}

static void
test_methods(void **state)
{
	static const enum http_method methods[] = { HTTP_POST, HTTP_HEAD, HTTP_OPTIONS,
		HTTP_OTHER };
	struct agent_refusal refusal;
	struct agent_ask got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		struct http_request request = { .method = methods[i], .path = V(IMDS) };

		assert_false(agent_ask_read(&request, NULL, &got, &refusal));
		assert_int_equal(refusal.status, 405);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_methods),
	};

	return cmocka_run_group_tests_name("agent ask", tests, NULL, NULL);
}
