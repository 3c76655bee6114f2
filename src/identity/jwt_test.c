#include "identity/jwt.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static view
token(const char *header, const char *payload, const char *signature)
{
	AUTO(buf_free) struct buf out = { 0 };
	view copy;

	base64_encode(BASE64URL, view_of(header), &out);
	buf_add_char(&out, '.');
	base64_encode(BASE64URL, view_of(payload), &out);
	buf_add_char(&out, '.');
	base64_encode(BASE64URL, view_of(signature), &out);
	assert_true(arena_copy(&arena, buf_view(&out), &copy));
	return copy;
}

static void
test_takes_apart(void **state)
{
	view text = token("{\"alg\":\"PS256\",\"typ\":\"jwt\",\"kid\":\"k\",\"x5t\":\"a\","
			  "\"x5t#S256\":\"b\",\"x5c\":[\"c\"],\"jwk\":{},\"more\":null}",
	    "{\"iss\":\"i\",\"exp\":12.9,\"iat\":3,\"jti\":\"j\",\"aud\":\"a\",\"x\":[1]}", "sig");
	struct jwt_claims claims;
	struct error err;
	struct jwt jwt;
	size_t dot;

	(void)state;
	assert_true(jwt_parse(text, JWT_HEADER_MAX, &arena, &jwt, &err));
	assert_int_equal(jwt.alg, SIGNATURE_PS256);
	assert_true(view_eq(jwt.kid, V("k")));
	assert_true(view_eq(jwt.x5t, V("a")));
	assert_true(view_eq(jwt.x5t_s256, V("b")));
	assert_true(view_eq(jwt.signature, V("sig")));
	assert_true(view_find(text, '.', &dot));
	assert_int_equal(jwt.header.len, dot);
	assert_true(view_starts(text, jwt.signing_input));
	assert_int_equal(text.ptr[jwt.signing_input.len], '.');
	assert_true(jwt_claims_read(jwt.payload, &arena, &claims, &err));
	assert_true(view_eq(claims.iss, V("i")));
	assert_true(view_eq(claims.jti, V("j")));
	assert_int_equal(claims.sub.len, 0);
	assert_true(claims.exp.given);
	assert_int_equal(claims.exp.at, 12);
	assert_int_equal(claims.iat.at, 3);
	assert_false(claims.nbf.given);
}

static const struct {
	const char *text, *why;
} malformed[] = {
	{ "", "empty" }, { "e30", "empty" }, { "e30.e30", "empty" }, { "..", "empty" },
	{ "e30.e30.", "empty" }, { ".e30.e30", "empty" }, { "e30.e30.e30.e30", "base64url" },
	{ "e30..e30.e30", "empty" }, { "e30=.e30.e30", "padded" }, { "e30.e30.e30=", "padded" },
	{ "e+0.e30.e30", "base64url" }, { "e30.e/0.e30", "base64url" },
	{ "e 0.e30.e30", "base64url" }, { "e30.e30.e3\n", "base64url" },
	{ "e31.e30.e30", "base64url" },                                 /* bits beyond the end */
	{ "e.e30.e30", "base64url" }, { "W10.e30.e30", "object" },      /* [] */
	{ "ew.e30.e30", "object" },                                     /* { */
	{ "bnVsbA.e30.e30", "object" }, { "e30geA.e30.e30", "object" }, /* {} x */
};

static void
test_refuses_malformed(void **state)
{
	struct error err;
	struct jwt jwt;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(malformed); i++) {
		if (jwt_parse(view_of(malformed[i].text), JWT_HEADER_MAX, &arena, &jwt, &err))
			fail_msg("parsed: %s", malformed[i].text);
		assert_int_equal(err.code, ERR_BAD_REQUEST);
		if (strstr(err.message, malformed[i].why) == NULL)
			fail_msg("%s: %s", malformed[i].text, err.message);
	}
}

static const struct {
	const char *header;
	bool parses;
	enum signature_alg alg;
} headers[] = {
	{ "{\"alg\":\"RS256\"}", true, SIGNATURE_RS256 },
	{ "{\"alg\":\"none\"}", true, SIGNATURE_NONE },
	{ "{\"alg\":\"rs256\"}", true, SIGNATURE_NONE },
	{ "{\"alg\":\"HS256\"}", true, SIGNATURE_NONE },
	{ "{\"alg\":\"RS384\"}", true, SIGNATURE_RS384 },
	{ "{\"alg\":\"HS384\"}", true, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", true, SIGNATURE_RS256 },
	{ "{}", true, SIGNATURE_NONE },
	{ "{\"alg\":1}", false, SIGNATURE_NONE },
	{ "{\"alg\":null}", false, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"alg\":\"none\"}", false, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"kid\":7}", false, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}", false, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"crit\":[]}", false, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", false, SIGNATURE_NONE },
	{ "{\"alg\":\"RS256\",\"typ\":\"JWE\"}", false, SIGNATURE_NONE },
};

static void
test_headers(void **state)
{
	struct error err;
	struct jwt jwt;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		view text = token(headers[i].header, "{}", "s");

		if (jwt_parse(text, JWT_HEADER_MAX, &arena, &jwt, &err) != headers[i].parses)
			fail_msg("%s", headers[i].header);
		if (headers[i].parses)
			assert_int_equal(jwt.alg, headers[i].alg);
	}
}

static const struct {
	const char *payload;
	bool reads;
} payloads[] = {
	{ "{}", true },
	{ "{\"exp\":0}", true },
	{ "{\"exp\":253402300799}", true },
	{ "{\"exp\":253402300800}", false },
	{ "{\"exp\":1e300}", false },
	{ "{\"exp\":-1}", false },
	{ "{\"exp\":\"1\"}", false },
	{ "{\"nbf\":true}", false },
	{ "{\"iat\":null}", false },
	{ "{\"aud\":[\"a\"]}", true },
	{ "{\"aud\":[\"a\",1]}", false },
	{ "{\"aud\":{\"a\":1}}", false },
	{ "{\"iss\":\"a\",\"iss\":\"b\"}", false },
	{ "{\"sub\":\"\xff\"}", false },
	{ "[]", false },
	{ "", false },
};

static void
test_claims(void **state)
{
	struct jwt_claims claims;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(payloads); i++) {
		if (jwt_claims_read(view_of(payloads[i].payload), &arena, &claims, &err) !=
		    payloads[i].reads)
			fail_msg("%s", payloads[i].payload);
	}
}

static void
test_bounds(void **state)
{
	static char huge[JWT_MAX + 2], header[JWT_HEADER_MAX + 8];
	struct error err;
	struct jwt jwt;

	(void)state;
	memset(huge, 'A', sizeof(huge) - 1);
	assert_false(jwt_parse(view_of(huge), JWT_MAX, &arena, &jwt, &err));
	assert_non_null(strstr(err.message, "too long"));
	memset(header, 'A', sizeof(header) - 1);
	memcpy(header + JWT_HEADER_MAX + 1, ".e30.e", 6);
	assert_false(jwt_parse(view_of(header), JWT_HEADER_MAX, &arena, &jwt, &err));
	assert_non_null(strstr(err.message, "header is too long"));
	/* Nested as deeply as fits: refused without harm. */
	memset(huge, '[', sizeof(huge) - 1);
	assert_false(jwt_claims_read(view_of(huge), &arena, &(struct jwt_claims){ 0 }, &err));
}

static void
test_no_memory(void **state)
{
	view text = token("{\"alg\":\"RS256\",\"kid\":\"k\"}", "{}", "s");
	struct error err;
	struct jwt jwt;

	(void)state;
	/* The arena gives in at every place in turn. */
	for (size_t limit = 0;; limit += 16) {
		AUTO(arena_free) struct arena small = { 0 };

		arena_init(&small, limit);
		if (jwt_parse(text, JWT_HEADER_MAX, &small, &jwt, &err)) {
			assert_true(limit > 0);
			break;
		}
		assert_int_equal(err.code, ERR_UNAVAILABLE);
	}
}

static void
test_printable(void **state)
{
	char out[PRINTABLE_MAX + 1], text[300];

	(void)state;
	assert_string_equal(printable(V("a\r\n\x7f\xc3 b"), out),
	    "a????"
	    "?b");
	memset(text, 'x', sizeof(text));
	assert_int_equal(strlen(printable((view){ text, sizeof(text) }, out)), PRINTABLE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_apart),
		cmocka_unit_test(test_refuses_malformed),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
