/*
 * Key transfer blobs, taken apart.  What the token makes of them: keyring/token_take_test.c.
 */
#include "keys/transfer.h"

#include "base/base64.h"
#include "base/testing.h"

#define KID "https://a.vault.example/keys/exchange/0123456789abcdef0123456789abcdef"
#define HEADER(alg, enc) "\"header\":{\"kid\":\"" KID "\",\"alg\":\"" alg "\",\"enc\":\"" enc "\"}"
#define GOOD_HEADER HEADER("dir", "CKM_RSA_AES_KEY_WRAP")
#define BLOB(version, header, ciphertext)                                                   \
	"{\"schema_version\":\"" version "\"," header ",\"ciphertext\":\"" ciphertext "\"," \
	"\"generator\":\"a test\"}"

static struct arena arena;
static struct error err;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1024 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static bool
read_encoded(enum base64_kind kind, const char *json, struct transfer *out)
{
	AUTO(buf_free) struct buf text = { 0 };

	base64_encode(kind, view_of(json), &text);
	return transfer_read(buf_view(&text), &arena, out, &err);
}

static void
test_good(void **state)
{
	static const char *const blobs[] = {
		BLOB("1.0.0", GOOD_HEADER, "AAH_"),
		BLOB("1.0.0", GOOD_HEADER, "AAH/"),
		"{\"schema_version\":\"1.0.0\",\"more\":[1]," GOOD_HEADER
		",\"ciphertext\":\"AAH_\"}",
	};
	struct transfer transfer;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blobs); i++) {
		for (enum base64_kind kind = BASE64; kind <= BASE64URL; kind++) {
			assert_fine(read_encoded(kind, blobs[i], &transfer), &err);
			assert_true(view_eq(transfer.kid, V(KID)));
			assert_true(view_eq(transfer.wrapped, V("\x00\x01\xff")));
		}
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char *json, *says;
	} rows[] = {
		{ "", "JSON" },
		{ "[]", "JSON" },
		{ "{}", "JSON" },
		{ "{\"schema_version\":\"1.0.0\"", "JSON" },
		{ BLOB("1.0.0", "\"header\":{}", "AAH_"), "JSON" },
		{ BLOB("1.0.0", "\"header\":\"x\"", "AAH_"), "JSON" },
		{ BLOB("1.0.0", GOOD_HEADER "," GOOD_HEADER, "AAH_"), "JSON" },
		{ BLOB("1.0.0", GOOD_HEADER, "AAH_") "x", "JSON" },
		{ BLOB("1.0.1", GOOD_HEADER, "AAH_"), "schema_version" },
		{ BLOB("", GOOD_HEADER, "AAH_"), "schema_version" },
		{ BLOB("1.0.0", HEADER("RSA-OAEP", "CKM_RSA_AES_KEY_WRAP"), "AAH_"), "alg" },
		{ BLOB("1.0.0", HEADER("dir", "A256GCM"), "AAH_"), "enc" },
		{ BLOB("1.0.0", GOOD_HEADER, "A-H/"), "base64" },
		{ BLOB("1.0.0", GOOD_HEADER, "AAH_ "), "base64" },
	};
	struct transfer transfer;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_false(read_encoded(BASE64URL, rows[i].json, &transfer));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		if (strstr(err.message, rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, err.message);
	}
	assert_false(transfer_read(V("***"), &arena, &transfer, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_false(transfer_read(V(""), &arena, &transfer, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
