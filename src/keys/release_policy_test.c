#include "keys/release_policy.h"

#include "base/base64.h"
#include "base/testing.h"

#define ARENA_MAX ((size_t)256 * 1024)
#define URL "https://attest.example"
#define POLICY(conditions) \
	"{\"version\":\"1.0.0\",\"anyOf\":[{\"authority\":\"" URL "\",\"allOf\":[" conditions "]}]}"
#define IS(claim, value) "{\"claim\":\"" claim "\",\"equals\":" value "}"

static const struct release_policy none = { .type = V_INIT(""), .data = V_INIT("") };

static bool
fill(struct arena *arena, const char *data, const char *type, const bool *immutable,
    const struct release_policy *before, struct release_policy *out, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct release_policy_body body = { 0 };

	if (data != NULL) {
		base64_encode(BASE64URL, view_of(data), &text);
		body.data = (struct body_text){ true, buf_view(&text) };
	}
	if (type != NULL)
		body.type = (struct body_text){ true, view_of(type) };
	if (immutable != NULL)
		body.immutable = (struct body_flag){ true, *immutable };
	return release_policy_fill(&body, before, arena, out, err);
}

static void
test_takes_and_comes_back(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf packed = { 0 }, text = { 0 };
	struct json json = json_to(&text);
	struct release_policy policy, got;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	assert_fine(fill(&arena, POLICY(IS("a", "1")), NULL, NULL, &none, &policy, &err), &err);
	assert_text(policy.type, V("application/json; charset=utf-8"));
	assert_text(policy.data, V(POLICY(IS("a", "1"))));
	assert_false(policy.immutable);
	policy.immutable = true;
	release_policy_pack(&policy, &packed);
	assert_true(release_policy_unpack(buf_view(&packed), &got));
	assert_text(got.type, policy.type);
	assert_text(got.data, policy.data);
	assert_true(got.immutable);
	for (size_t len = 0; len < packed.len; len++)
		assert_false(release_policy_unpack((view){ packed.ptr, len }, &got));
	policy.data = V("{}");
	json_open(&json, '{');
	release_policy_write(&json, &policy);
	json_close(&json, '}');
	assert_text(buf_view(&text),
	    V("{\"release_policy\":{\"contentType\":\"application/json; charset=utf-8\","
	      "\"data\":\"e30\",\"immutable\":true}}"));
}

static void
test_changes(void **state)
{
	static const bool yes = true, no = false;
	static const struct release_policy fixed = { true,
		V_INIT("application/json; charset=utf-8"), V_INIT(POLICY(IS("a", "1"))) };
	const struct {
		const char *data, *type;
		const bool *immutable;
		bool fine;
	} rows[] = {
		{ POLICY(IS("a", "1")), NULL, NULL, true },
		{ POLICY(IS("a", "1")), NULL, &yes, true },
		{ NULL, NULL, &yes, true },
		{ NULL, NULL, NULL, true },
		{ NULL, NULL, &no, false },
		{ POLICY(IS("a", "1")), NULL, &no, false },
		{ POLICY(IS("a", "2")), NULL, NULL, false },
		{ "{", NULL, NULL, false },
		{ NULL, "application/json", NULL, false },
	};
	AUTO(arena_free) struct arena arena = { 0 };
	struct release_policy policy, open = fixed;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	open.immutable = false;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool fine = fill(&arena, rows[i].data, rows[i].type, rows[i].immutable, &fixed,
		    &policy, &err);

		if (fine != rows[i].fine)
			fail_msg("row %zu", i);
		if (!fine)
			assert_string_equal(err.message,
			    "AKV.SKR.1020: Immutable Key Release Policy cannot be modified.");
	}
	assert_fine(fill(&arena, POLICY(IS("b", "1")), NULL, &yes, &open, &policy, &err), &err);
	assert_true(policy.immutable);
	assert_false(fill(&arena, NULL, "text/plain", NULL, &open, &policy, &err));
	assert_false(fill(&arena, NULL, NULL, &yes, &none, &policy, &err));
}

static void
test_grammar(void **state)
{
	static const struct {
		const char *data;
		bool good;
	} rows[] = {
		{ POLICY(IS("a.b", "\"c\"") "," IS("d", "false") "," IS("e", "1.5")), true },
		{ "{\"anyOf\":[{\"authority\":\"" URL "\",\"anyOf\":[" IS("a", "1") "]}]}", true },
		{ "{\"version\":\"1.0\",\"anyOf\":[{\"authority\":\"" URL
		  "/\",\"anyOf\":[" IS("a", "1") "]}]}",
		    true },
		{ POLICY("{\"claim\":\"a\",\"condition\":\"equals\",\"value\":\"b\"}"), true },
		{ POLICY("{\"anyOf\":[" IS("a", "1") ",{\"allOf\":[" IS("b", "2") "]}]}"), true },
		{ "", false },
		{ "null", false },
		{ "{}", false },
		{ "{\"anyOf\":[]}", false },
		{ "{\"anyOf\":[{}]}", false },
		{ "{\"anyOf\":[null]}", false },
		{ POLICY(""), false },
		{ POLICY("{}"), false },
		{ POLICY("null"), false },
		{ POLICY("{\"allOf\":[]}"), false },
		{ POLICY("{\"anyOf\":{}}"), false },
		{ POLICY(IS("", "1")), false },
		{ POLICY(IS("a", "null")), false },
		{ POLICY(IS("a", "[]")), false },
		{ POLICY("{\"claim\":\"a\",\"condition\":\"equal\",\"value\":\"b\"}"), false },
		{ POLICY("{\"claim\":\"a\",\"equals\":1,\"value\":\"b\"}"), false },
		{ POLICY("{\"claim\":\"a\",\"claim\":\"b\",\"equals\":1}"), false },
		{ POLICY(IS("a", "1")) "x", false },
	};
	AUTO(arena_free) struct arena arena = { 0 };
	struct release_policy policy;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool good = fill(&arena, rows[i].data, NULL, NULL, &none, &policy, &err);

		if (good != rows[i].good)
			fail_msg("%s", rows[i].data);
		assert_true(good || err.code == ERR_BAD_PARAMETER);
	}
}

/* A policy of ${count} conditions, ${depth} lists deep. */
static void
make(struct buf *out, unsigned count, unsigned depth)
{
	buf_reset(out);
	buf_print(out, "{\"anyOf\":[{\"authority\":\"" URL "\",\"allOf\":[");
	for (unsigned i = 1; i < depth; i++)
		buf_print(out, "{\"anyOf\":[");
	for (unsigned i = 0; i < count; i++)
		buf_print(out, "%s" IS("a", "1"), i == 0 ? "" : ",");
	for (unsigned i = 1; i < depth; i++)
		buf_print(out, "]}");
	buf_print(out, "]}]}%c", '\0');
}

static void
test_bounds(void **state)
{
	static const struct {
		unsigned count, depth;
		bool good;
	} rows[] = {
		{ RELEASE_CONDITIONS_MAX, 1, true },
		{ RELEASE_CONDITIONS_MAX + 1, 1, false },
		{ 1, RELEASE_DEPTH_MAX, true },
		{ 1, RELEASE_DEPTH_MAX + 1, false },
	};
	AUTO(buf_free) struct buf text = { 0 };
	AUTO(arena_free) struct arena arena = { 0 };
	struct release_policy policy;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		make(&text, rows[i].count, rows[i].depth);
		assert_int_equal(fill(&arena, text.ptr, NULL, NULL, &none, &policy, &err),
		    rows[i].good);
		if (rows[i].good)
			assert_true(release_policy_allows(policy.data, V(URL), V("{\"a\":1}")));
	}
}

static void
test_judges(void **state)
{
	static const char nested[] = POLICY("{\"anyOf\":[" IS("a.b", "1") ",{\"allOf\":[" IS("c",
	    "\"x\"") "," IS("d", "true") "]}]}");
	static const struct {
		const char *authority, *claims;
		bool allowed;
	} rows[] = {
		{ URL, "{\"a\":{\"b\":1}}", true },
		{ URL "/", "{\"a\":{\"b\":1}}", true },
		{ URL, "{\"a.b\":1}", true },
		{ URL, "{\"a.b\":2,\"a\":{\"b\":1}}", false },
		{ URL, "{\"a\":{\"b\":\"1\"}}", false },
		{ URL, "{\"a\":{\"b\":1.0}}", false },
		{ URL, "{\"a\":[{\"b\":1}]}", false },
		{ URL, "{\"c\":\"x\",\"d\":true}", true },
		{ URL, "{\"c\":\"x\",\"d\":\"true\"}", true },
		{ URL, "{\"c\":\"x\",\"d\":\"True\"}", false },
		{ URL, "{\"c\":\"x\",\"d\":1}", false },
		{ URL, "{\"c\":\"x\"}", false },
		{ URL, "{\"c\":\"X\",\"d\":true}", false },
		{ URL, "{}", false },
		{ URL, "[]", false },
		{ URL, "", false },
		{ URL "//", "{\"a\":{\"b\":1}}", false },
		{ "https://other.example", "{\"a\":{\"b\":1}}", false },
		{ "", "{\"a\":{\"b\":1}}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (release_policy_allows(view_of(nested), view_of(rows[i].authority),
			view_of(rows[i].claims)) != rows[i].allowed)
			fail_msg("%s %s", rows[i].authority, rows[i].claims);
	}
}

/* What could only come out of a damaged document. */
static void
test_what_is_not_understood_allows_nothing(void **state)
{
	static const char *const policies[] = { "", "{", "{}", "[]", POLICY(""), POLICY("{}"),
		POLICY("{\"allOf\":[]}"), POLICY("{\"claim\":\"a\"}"),
		POLICY("{\"claim\":\"a\",\"equals\":1,\"not\":true}"),
		POLICY("{\"claim\":\"a\",\"condition\":\"notEquals\",\"value\":2}") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(policies); i++)
		assert_false(release_policy_allows(view_of(policies[i]), V(URL), V("{\"a\":1}")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_and_comes_back),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_judges),
		cmocka_unit_test(test_what_is_not_understood_allows_nothing),
	};

	return cmocka_run_group_tests_name("release_policy", tests, NULL, NULL);
}
