#include "keys/release_target.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/testing.h"

#include <stdio.h>

#define ARENA_MAX ((size_t)64 * 1024)
#define N(digit) "\"n\":\"" digit "%s\",\"e\":\"AQAB\""
#define RSA(more) "{\"kty\":\"RSA\"," more "}"

/* "%s" stands for the rest of a modulus of 2048 bits: odd, and beginning with what the row says. */
static const char rest[] =
    "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAQ";

#define A N("g")
#define B N("w")
#define RUNTIME(keys) "{\"x-ms-runtime\":{\"keys\":" keys "}}"
#define VTPM "\"kid\":\"TpmEphemeralEncryptionKey\""

static bool
find(const char *format, struct arena *arena, struct release_target *out)
{
	AUTO(buf_free) struct buf claims = { 0 };
	struct error err;

	for (const char *at = format; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 's') {
			buf_add(&claims, view_of(rest));
			at++;
		} else {
			buf_add_char(&claims, *at);
		}
	}
	assert_true(buf_ok(&claims));
	if (release_target_find(buf_view(&claims), arena, out, &err))
		return true;
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	return false;
}

/* ${kid}: of the one that is found; NULL: none is. */
static void
test_finds(void **state)
{
	static const struct {
		const char *claims, *kid;
	} rows[] = {
		{ RUNTIME("[" RSA(A) "]"), "" },
		{ RUNTIME("[" RSA(VTPM "," A) "]"), "TpmEphemeralEncryptionKey" },
		{ RUNTIME("[" RSA("\"use\":\"enc\"," A) "," RSA(VTPM "," B) "]"),
		    "TpmEphemeralEncryptionKey" },
		{ RUNTIME("[" RSA("\"use\":\"sig\"," A) "," RSA(
		      "\"kid\":\"k\",\"key_ops\":[\"encrypt\"]," B) "]"),
		    "k" },
		{ RUNTIME("[" RSA("\"kid\":\"k\",\"key_ops\":[\"sign\",\"wrapKey\"]," B) "]"),
		    "k" },
		{ RUNTIME("[" RSA("\"key_ops\":[\"verify\"]," A) "]"), NULL },
		{ RUNTIME("[" RSA("\"use\":\"enc\"," A) "," RSA("\"use\":\"enc\"," B) "]"), NULL },
		{ RUNTIME("[" RSA(VTPM "," A) "," RSA(VTPM "," B) "]"), NULL },
		{ RUNTIME("[" RSA(A) "," RSA(B) "]"), NULL },
		{ RUNTIME("[]"), NULL },
		{ RUNTIME("{}"), NULL },
		{ RUNTIME("[null]"), NULL },
		{ RUNTIME("[\"RSA\"]"), NULL },
		{ RUNTIME("[{" A "}]"), NULL },
		{ RUNTIME("[{\"kty\":\"EC\"," A "}]"), NULL },
		{ RUNTIME("[" RSA("\"n\":\"gAE\",\"e\":\"AQAB\"") "]"), NULL },
		{ RUNTIME("[" RSA("\"n\":\"!\",\"e\":\"AQAB\"") "]"), NULL },
		{ RUNTIME("[" RSA("\"n\":\"g%s\",\"e\":\"AQ\"") "]"), NULL },
		{ RUNTIME("[" RSA("\"n\":\"g%s\",\"e\":\"Ag\"") "]"), NULL },
		{ RUNTIME("[" RSA("\"n\":\"g%s\"") "]"), NULL },
		{ "{\"maa-ehd\":" RSA("\"kid\":\"e\"," A) "}", "e" },
		{ "{\"x-ms-sgx-ehd\":{\"keys\":[" RSA("\"kid\":\"e\"," A) "]}}", "e" },
		{ "{\"x-ms-sgx-ehd\":" RSA("\"use\":\"sig\"," A) "}", NULL },
		{ "{\"x-ms-sgx-ehd\":\"e30\"}", NULL },
		{ "{\"x-ms-sgx-ehd\":\"!\"}", NULL },
		{ "{\"x-ms-runtime\":[],\"maa-ehd\":1}", NULL },
		{ "{}", NULL },
		{ "[]", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		struct release_target target;
		bool found;

		arena_init(&arena, ARENA_MAX);
		found = find(rows[i].claims, &arena, &target);
		if (found != (rows[i].kid != NULL))
			fail_msg("row %zu: %s", i, rows[i].claims);
		if (found) {
			assert_text(target.kid, view_of(rows[i].kid));
			assert_int_equal(target.n.len, 256);
		}
	}
}

static void
test_too_many_keys(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf claims = { 0 };
	struct release_target target;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	buf_print(&claims, "{\"x-ms-runtime\":{\"keys\":[");
	for (int i = 0; i < 64; i++)
		buf_print(&claims, "{},");
	buf_add(&claims, V(RSA(VTPM "," A) "]}}"));
	buf_add_char(&claims, '\0');
	assert_false(find(claims.ptr, &arena, &target));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_too_many_keys),
	};

	return cmocka_run_group_tests_name("release_target", tests, NULL, NULL);
}
