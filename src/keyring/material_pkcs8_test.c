/*
 * Private keys in files: taken in, used, and put out again.
 */
#include "base/testing.h"
#include "crypto/pkcs8.h"
#include "keyring/material_testing.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>

static const struct {
	const char *group; /* NULL: RSA */
	struct key_spec spec;
	const char *algorithm;
	size_t digest;
} kinds[] = {
	{ NULL, { .kind = KEY_RSA, .bits = 2048 }, "RS256", 32 },
	{ NULL, { .kind = KEY_RSA, .bits = 4096 }, "PS512", 64 },
	{ "P-256", { .kind = KEY_EC, .curve = KEY_P256, .bits = 256 }, "ES256", 32 },
	{ "secp256k1", { .kind = KEY_EC, .curve = KEY_P256K, .bits = 256 }, "ES256K", 32 },
	{ "P-384", { .kind = KEY_EC, .curve = KEY_P384, .bits = 384 }, "ES384", 48 },
	{ "P-521", { .kind = KEY_EC, .curve = KEY_P521, .bits = 521 }, "ES512", 64 },
};

static EVP_PKEY *
generate(size_t kind)
{
	EVP_PKEY *pkey = kinds[kind].group == NULL ? EVP_RSA_gen(kinds[kind].spec.bits)
						   : EVP_EC_gen(kinds[kind].group);

	assert_non_null(pkey);
	return pkey;
}

static void
test_in_used_and_out(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(pkey_done) EVP_PKEY *pkey = generate(i);
		AUTO(pkey_done) EVP_PKEY *again = NULL;
		AUTO(plain_done) struct plain *in = NULL;
		AUTO(plain_done) struct plain *out = NULL;
		struct key_numbers wanted = bench_numbers(bench, pkey);
		static const char digest[64] = "a digest";
		struct key_message message = { .value = { digest, kinds[i].digest } };
		struct material material;
		struct key_result result;

		assert_fine(pkcs8_encode(pkey, &in, &bench->err), &bench->err);
		assert_fine(material_take_pkcs8(bench->place.keyring, bench->key, plain_view(in),
				false, &bench->arena, &material, &bench->err),
		    &bench->err);
		assert_int_equal(material.spec.kind, kinds[i].spec.kind);
		assert_int_equal(material.spec.curve, kinds[i].spec.curve);
		assert_int_equal(material.spec.bits, kinds[i].spec.bits);
		assert_true(view_eq(material.public.n, wanted.n));
		material.path = V("v/x");
		material.head = V("k/x");
		assert_fine(bench_use(bench, &material, kinds[i].algorithm, KEY_SIGN, &message,
				&result),
		    &bench->err);
		message.signature = result.value;
		assert_fine(bench_use(bench, &material, kinds[i].algorithm, KEY_VERIFY, &message,
				&result),
		    &bench->err);
		assert_true(result.verified);
		assert_fine(material_put_pkcs8(bench->key, &material, &out, &bench->err),
		    &bench->err);
		assert_fine(pkcs8_decode(plain_view(out), &again, &bench->err), &bench->err);
		assert_int_equal(EVP_PKEY_eq(pkey, again), 1);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void
refused(struct bench *bench, view pkcs8)
{
	struct material material;

	assert_false(material_take_pkcs8(bench->place.keyring, bench->key, pkcs8, false,
	    &bench->arena, &material, &bench->err));
	assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	assert_non_null(strstr(bench->err.message, "private key is malformed"));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_refuses(void **state)
{
	struct bench *bench = *state;
	EVP_PKEY *keys[] = { EVP_RSA_gen(1024U), EVP_EC_gen("P-224"), EVP_EC_gen("brainpoolP256r1"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	AUTO(plain_done) struct plain *good = NULL;
	AUTO(pkey_done) EVP_PKEY *pkey = generate(2);

	refused(bench, V(""));
	refused(bench, V("no key"));
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		AUTO(plain_done) struct plain *in = NULL;

		assert_fine(pkcs8_encode(keys[i], &in, &bench->err), &bench->err);
		refused(bench, plain_view(in));
	}
	assert_fine(pkcs8_encode(pkey, &good, &bench->err), &bench->err);
	for (size_t len = 0; len < plain_view(good).len; len++)
		refused(bench, (view){ plain_view(good).ptr, len });
	/* Another public point than the one of the private number: its last byte is the file's. */
	plain_bytes(good)[plain_view(good).len - 1] ^= 1;
	refused(bench, plain_view(good));
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		EVP_PKEY_free(keys[i]);
}

/* A modulus that is not the product of the factors. */
static void
test_refuses_numbers_that_do_not_belong(void **state)
{
	struct bench *bench = *state;
	AUTO(pkey_done) EVP_PKEY *pkey = generate(0);
	AUTO(plain_done) struct plain *in = NULL;
	struct key_numbers numbers = bench_numbers(bench, pkey);
	char *at;

	assert_fine(pkcs8_encode(pkey, &in, &bench->err), &bench->err);
	at = memmem(plain_bytes(in), plain_view(in).len, numbers.q.ptr, numbers.q.len);
	assert_non_null(at);
	at[100] = (char)(at[100] ^ 1);
	refused(bench, plain_view(in));
}

static void
test_puts_out_no_symmetric_key(void **state)
{
	struct bench *bench = *state;
	struct material material =
	    bench_make(bench, (struct key_spec){ .kind = KEY_OCT, .bits = 256 }, "a");
	struct plain *out;

	assert_false(material_put_pkcs8(bench->key, &material, &out, &bench->err));
	assert_int_equal(bench->err.code, ERR_FORBIDDEN);
	material.spec.hsm = true;
	material.spec.kind = KEY_RSA;
	assert_false(material_put_pkcs8(bench->key, &material, &out, &bench->err));
	assert_int_equal(bench->err.code, ERR_FORBIDDEN);
}

/* Under another vault's key, or another material's id, it does not open. */
static void
test_puts_out_only_what_opens(void **state)
{
	struct bench *bench = *state;
	struct material material =
	    bench_make(bench, (struct key_spec){ .kind = KEY_EC, .curve = KEY_P256 }, "a");
	struct plain *out;

	material.id = V("00000000000000000000000000000000");
	assert_false(material_put_pkcs8(bench->key, &material, &out, &bench->err));
	assert_int_equal(bench->err.code, ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_used_and_out, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_refuses, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_refuses_numbers_that_do_not_belong,
		    bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_puts_out_no_symmetric_key, bench_setup,
		    bench_teardown),
		cmocka_unit_test_setup_teardown(test_puts_out_only_what_opens, bench_setup,
		    bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
