/*
 * Keys on their way out of the token: what the target unwraps is the key, and nothing stays behind
 * that could go another way.
 */
#include "base/testing.h"
#include "keyring/material_testing.h"
#include "keyring/software.h"
#include "keyring/token_testing.h"

#include <openssl/rsa.h>
#include <stdlib.h>

struct yard {
	struct bench *bench;
	struct hsm *hsm;
	EVP_PKEY *target;
	struct public_key *public;
};

static int
setup(void **state)
{
	struct yard *yard = calloc(1, sizeof(*yard));
	AUTO(buf_free) struct buf spki = { 0 };
	void *part;

	assert_non_null(yard);
	assert_int_equal(bench_setup(&part), 0);
	yard->bench = part;
	assert_int_equal(hsm_setup(&part), 0);
	yard->hsm = part;
	keyring_set_token(yard->bench->place.keyring, yard->hsm->token);
	yard->target = EVP_RSA_gen(2048U);
	assert_true(spki_encode(yard->target, &spki, &yard->bench->err));
	assert_true(public_key_from_spki(buf_view(&spki), &yard->public, &yard->bench->err));
	*state = yard;
	return 0;
}

static int
teardown(void **state)
{
	struct yard *yard = *state;
	void *bench = yard->bench, *hsm = yard->hsm;

	public_key_free(yard->public);
	EVP_PKEY_free(yard->target);
	assert_int_equal(bench_teardown(&bench), 0);
	assert_int_equal(hsm_teardown(&hsm), 0);
	free(yard);
	return 0;
}

static bool
release(struct yard *yard, const struct material *material, enum oaep oaep, view *out)
{
	return material_release(yard->bench->place.keyring, yard->bench->key, material,
	    yard->public, oaep, &yard->bench->arena, out, &yard->bench->err);
}

/* The transport key, as the target gets it out. */
static void
open_transport(struct yard *yard, enum oaep oaep, view head, unsigned char out[256])
{
	const EVP_MD *mds[] = { EVP_sha1(), EVP_sha256(), EVP_sha384() };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(yard->target, NULL);
	size_t len = 256;

	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, mds[oaep]), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mds[oaep]), 1);
	assert_int_equal(EVP_PKEY_decrypt(ctx, out, &len, octets(head), head.len), 1);
	assert_int_equal(len, 32);
	EVP_PKEY_CTX_free(ctx);
}

/* RFC 5649, by OpenSSL alone: exactly the key, without anything behind it. */
static view
unwrap(struct yard *yard, const unsigned char transport[32], view wrapped)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *out = arena_alloc(&yard->bench->arena, wrapped.len + 16);
	int len, end;

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap_pad(), NULL, transport, NULL), 1);
	assert_int_equal(EVP_DecryptUpdate(ctx, out, &len, octets(wrapped), (int)wrapped.len), 1);
	assert_int_equal(EVP_DecryptFinal_ex(ctx, out + len, &end), 1);
	EVP_CIPHER_CTX_free(ctx);
	return (view){ (char *)out, (size_t)(len + end) };
}

static view
received(struct yard *yard, enum oaep oaep, view blob)
{
	unsigned char transport[256];

	assert_true(blob.len > 256);
	open_transport(yard, oaep, (view){ blob.ptr, 256 }, transport);
	return unwrap(yard, transport, view_from(blob, 256));
}

/* How many objects of the token's may leave it. */
static size_t
extractable(struct yard *yard)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	const CK_FUNCTION_LIST *calls = yard->hsm->token->calls;
	struct template template = { .count = 0 };
	CK_OBJECT_HANDLE found[4];
	CK_ULONG count;

	assert_fine(visit_begin(yard->hsm->token, &visit, &yard->bench->err), &yard->bench->err);
	template_add_bool(&template, CKA_EXTRACTABLE, true);
	assert_int_equal(calls->C_FindObjectsInit(visit.session, template.rows, template.count),
	    CKR_OK);
	assert_int_equal(calls->C_FindObjects(visit.session, found, 4, &count), CKR_OK);
	assert_int_equal(calls->C_FindObjectsFinal(visit.session), CKR_OK);
	return count;
}

static void
test_the_target_gets_the_key(void **state)
{
	static const struct key_spec specs[] = {
		{ .kind = KEY_RSA, .bits = 2048, .hsm = true },
		{ .kind = KEY_EC, .curve = KEY_P256, .bits = 256, .hsm = true },
		{ .kind = KEY_EC, .curve = KEY_P256K, .bits = 256, .hsm = true },
		{ .kind = KEY_EC, .curve = KEY_P384, .bits = 384, .hsm = true },
		{ .kind = KEY_EC, .curve = KEY_P521, .bits = 521, .hsm = true },
		{ .kind = KEY_OCT, .bits = 128, .hsm = true },
		{ .kind = KEY_OCT, .bits = 192, .hsm = true },
		{ .kind = KEY_OCT, .bits = 256, .hsm = true },
	};
	struct yard *yard = *state;

	for (size_t i = 0; i < COUNT_OF(specs); i++) {
		struct material material = bench_make(yard->bench, specs[i], "k");
		enum oaep oaep = i % 3;
		AUTO(software_done) struct software_key *key = NULL;
		struct key_numbers numbers;
		view blob, got;

		assert_fine(release(yard, &material, oaep, &blob), &yard->bench->err);
		got = received(yard, oaep, blob);
		/* Strict: nothing may stand behind the key. */
		assert_fine(software_open(&specs[i], got, &key, &yard->bench->err),
		    &yard->bench->err);
		assert_true(
		    software_numbers(key, &yard->bench->arena, &numbers, &yard->bench->err));
		assert_text(numbers.n, material.public.n);
		assert_text(numbers.x, material.public.x);
		assert_text(numbers.y, material.public.y);
		assert_int_equal(extractable(yard), 0);
	}
}

/* It is used in the token as before, and what comes out is what is in there. */
static void
test_symmetric_keys_are_the_same(void **state)
{
	struct yard *yard = *state;
	const struct key_spec spec = { .kind = KEY_OCT, .bits = 256, .hsm = true };
	struct material material = bench_make(yard->bench, spec, "oct");
	const struct key_message in = { .value = V("0123456789abcdef") };
	AUTO(software_done) struct software_key *key = NULL;
	struct key_result there, here;
	view blob;

	assert_fine(release(yard, &material, OAEP_SHA256, &blob), &yard->bench->err);
	assert_true(
	    software_open(&spec, received(yard, OAEP_SHA256, blob), &key, &yard->bench->err));
	assert_fine(bench_use(yard->bench, &material, "A256KW", KEY_ENCRYPT, &in, &there),
	    &yard->bench->err);
	assert_true(software_use(key, key_algorithm_find(V("A256KW")), KEY_ENCRYPT, &in,
	    &yard->bench->arena, &here, &yard->bench->err));
	assert_text(there.value, here.value);
}

static void
test_two_releases_share_nothing(void **state)
{
	struct yard *yard = *state;
	const struct key_spec spec = { .kind = KEY_OCT, .bits = 128, .hsm = true };
	struct material material = bench_make(yard->bench, spec, "twice");
	view first, second;

	assert_fine(release(yard, &material, OAEP_SHA1, &first), &yard->bench->err);
	assert_fine(release(yard, &material, OAEP_SHA1, &second), &yard->bench->err);
	assert_false(view_eq((view){ first.ptr, 256 }, (view){ second.ptr, 256 }));
	assert_false(view_eq(view_from(first, 256), view_from(second, 256)));
}

static void
test_refuses(void **state)
{
	struct yard *yard = *state;
	const struct key_spec soft = { .kind = KEY_OCT, .bits = 256 };
	const struct key_spec hard = { .kind = KEY_OCT, .bits = 256, .hsm = true };
	struct material material = bench_make(yard->bench, soft, "soft");
	view blob;

	assert_false(release(yard, &material, OAEP_SHA1, &blob));
	assert_int_equal(yard->bench->err.code, ERR_INTERNAL);
	/* Another one's private part does not open under its name. */
	material = bench_make(yard->bench, hard, "one");
	material.private = bench_make(yard->bench, hard, "two").private;
	assert_false(release(yard, &material, OAEP_SHA1, &blob));
	assert_int_equal(yard->bench->err.code, ERR_CORRUPT);
	material = bench_make(yard->bench, hard, "three");
	hsm_move(yard->hsm, true);
	assert_false(release(yard, &material, OAEP_SHA1, &blob));
	assert_int_equal(yard->bench->err.code, ERR_UNAVAILABLE);
	hsm_move(yard->hsm, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_target_gets_the_key),
		cmocka_unit_test(test_symmetric_keys_are_the_same),
		cmocka_unit_test(test_two_releases_share_nothing),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests_name("release", tests, setup, teardown);
}
