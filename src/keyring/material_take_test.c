/*
 * Keys from outside: what is taken, what is refused, and a second opinion on what is made of them:
 * the openssl command and published vectors.
 */
#include "base/testing.h"
#include "crypto/signature.h"
#include "crypto/testing.h"
#include "keyring/material_testing.h"

#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

static const char bytes[512] = "what is to be signed, or encrypted, or wrapped";
static EVP_PKEY *rsa_2048, *rsa_1024, *curve_keys[KEY_P521 + 1];

static int
make_keys(void **state)
{
	(void)state;
	rsa_2048 = EVP_RSA_gen(2048U);
	rsa_1024 = EVP_RSA_gen(1024U);
	curve_keys[KEY_P256] = EVP_EC_gen("P-256");
	curve_keys[KEY_P256K] = EVP_EC_gen("secp256k1");
	curve_keys[KEY_P384] = EVP_EC_gen("P-384");
	curve_keys[KEY_P521] = EVP_EC_gen("P-521");
	return rsa_2048 == NULL || rsa_1024 == NULL || curve_keys[KEY_P521] == NULL;
}

static int
free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa_2048);
	EVP_PKEY_free(rsa_1024);
	for (size_t i = 0; i < COUNT_OF(curve_keys); i++)
		EVP_PKEY_free(curve_keys[i]);
	return 0;
}

static struct key_spec
rsa_spec(unsigned bits)
{
	return (struct key_spec){ .kind = KEY_RSA, .bits = bits };
}

static struct key_spec
ec_spec(enum key_curve curve)
{
	return (struct key_spec){ .kind = KEY_EC, .curve = curve };
}

static void
refused(struct bench *bench, struct key_spec spec, const struct key_numbers *numbers)
{
	struct material out;

	assert_false(material_take(bench->place.keyring, bench->key, &spec, numbers, &bench->arena,
	    &out, &bench->err));
	assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	assert_string_equal(bench->err.message,
	    "The property \"key\" must be a valid JsonWebKey object.");
}

/* A number with one bit of its last byte turned, or with zeros in front. */
static view
turned(struct bench *bench, view number, char bit)
{
	view copy;

	assert_true(arena_copy(&bench->arena, number, &copy));
	((char *)(uintptr_t)copy.ptr)[copy.len - 1] ^= bit;
	return copy;
}

static view
with_zeros(struct bench *bench, view number)
{
	const view parts[] = { V("\0\0\0"), number };
	view out;

	assert_true(arena_join(&bench->arena, parts, 2, &out));
	return out;
}

static void
test_rsa_is_taken(void **state)
{
	struct bench *bench = *state;
	struct key_numbers numbers = bench_numbers(bench, rsa_2048), zeros = numbers;
	view *all[] = { &zeros.n, &zeros.e, &zeros.d, &zeros.p, &zeros.q, &zeros.dp, &zeros.dq,
		&zeros.qi };
	struct material taken = bench_take(bench, rsa_spec(0), &numbers);

	assert_int_equal(taken.spec.bits, 2048);
	assert_text(taken.public.n, numbers.n);
	assert_text(taken.public.e, V("\1\0\1"));
	for (size_t i = 0; i < COUNT_OF(all); i++)
		*all[i] = with_zeros(bench, *all[i]);
	taken = bench_take(bench, rsa_spec(2048), &zeros);
	assert_text(taken.public.n, numbers.n);
	assert_text(taken.public.e, V("\1\0\1"));
	refused(bench, rsa_spec(3072), &numbers);
	numbers = bench_numbers(bench, rsa_1024);
	refused(bench, rsa_spec(0), &numbers);
	refused(bench, rsa_spec(1024), &numbers);
}

static void
test_rsa_is_refused(void **state)
{
	struct bench *bench = *state;
	const struct key_numbers good = bench_numbers(bench, rsa_2048);
	struct key_numbers bad = good;
	view *all[] = { &bad.n, &bad.e, &bad.d, &bad.p, &bad.q, &bad.dp, &bad.dq, &bad.qi };
	const view replacements[] = { V(""), V("\0"), V("\1"), V("\2"), V("\0\0\3"),
		{ bytes, 512 } };

	for (size_t i = 0; i < COUNT_OF(all); i++) {
		view was = *all[i];

		for (size_t with = 0; with < COUNT_OF(replacements); with++) {
			*all[i] = replacements[with];
			refused(bench, rsa_spec(0), &bad);
		}
		*all[i] = turned(bench, was, 1);
		refused(bench, rsa_spec(0), &bad);
		*all[i] = turned(bench, was, 4);
		refused(bench, rsa_spec(0), &bad);
		*all[i] = was;
	}
	bad.p = good.q;
	bad.q = good.p;
	refused(bench, rsa_spec(0), &bad); /* dp, dq and qi are the others' */
	bad = good;
	bad.e = V("\1\0\0\0\1");
	refused(bench, rsa_spec(0), &bad);
	bad.e = bad.n;
	refused(bench, rsa_spec(0), &bad);
}

/* d may also be what it is modulo (p - 1)(q - 1): OpenSSL's is modulo their least multiple. */
static void
test_larger_exponent(void **state)
{
	struct bench *bench = *state;
	struct key_numbers numbers = bench_numbers(bench, rsa_2048);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_bin2bn(octets(numbers.p), (int)numbers.p.len, NULL);
	BIGNUM *q = BN_bin2bn(octets(numbers.q), (int)numbers.q.len, NULL);
	BIGNUM *e = BN_bin2bn(octets(numbers.e), (int)numbers.e.len, NULL);
	BIGNUM *phi = BN_new();
	unsigned char d[256];

	assert_true(BN_sub_word(p, 1) && BN_sub_word(q, 1) && BN_mul(phi, p, q, ctx));
	assert_non_null(BN_mod_inverse(e, e, phi, ctx));
	assert_int_equal(BN_bn2binpad(e, d, sizeof(d)), sizeof(d));
	BN_free(p);
	BN_free(q);
	BN_free(e);
	BN_free(phi);
	BN_CTX_free(ctx);
	numbers.d = (view){ (const char *)d, sizeof(d) };
	(void)bench_take(bench, rsa_spec(0), &numbers);
}

static void
test_curves(void **state)
{
	struct bench *bench = *state;

	for (enum key_curve curve = KEY_P256; curve <= KEY_P521; curve++) {
		const struct key_numbers good = bench_numbers(bench, curve_keys[curve]);
		struct key_numbers bad = good;
		view *all[] = { &bad.x, &bad.y, &bad.d };
		struct material taken = bench_take(bench, ec_spec(curve), &good);

		assert_int_equal(taken.public.x.len, key_field_len(curve));
		for (size_t i = 0; i < COUNT_OF(all); i++) {
			view was = *all[i];
			const view wrong[] = { V(""), V("\0"), V("\1"), { bytes, 67 },
				turned(bench, was, 1) };

			for (size_t with = 0; with < COUNT_OF(wrong); with++) {
				*all[i] = wrong[with];
				refused(bench, ec_spec(curve), &bad);
			}
			*all[i] = with_zeros(bench, was);
			(void)bench_take(bench, ec_spec(curve), &bad);
			*all[i] = was;
		}
		refused(bench, ec_spec(curve == KEY_P256 ? KEY_P256K : KEY_P256), &good);
		refused(bench, ec_spec(0), &good);
	}
}

/* d and d + n make the same point. */
static void
test_scalar_beyond_the_order(void **state)
{
	struct bench *bench = *state;
	struct key_numbers numbers;
	view one =
	    bench_hex(bench, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552");

	numbers = (struct key_numbers){
		.x = bench_hex(bench,
		    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
		.y = bench_hex(bench,
		    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
		.d = V("\1"),
	};
	(void)bench_take(bench, ec_spec(KEY_P256), &numbers);
	numbers.d = one;
	refused(bench, ec_spec(KEY_P256), &numbers);
}

static void
test_oct(void **state)
{
	static const struct {
		size_t len;
		unsigned bits;
		bool fine;
	} rows[] = { { 16, 0, true }, { 24, 192, true }, { 32, 256, true }, { 16, 256, false },
		{ 0, 0, false }, { 15, 0, false }, { 33, 0, false }, { 64, 0, false } };
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_spec spec = { .kind = KEY_OCT, .bits = rows[i].bits };
		struct key_numbers numbers = { .k = { bytes, rows[i].len } };

		if (rows[i].fine)
			assert_int_equal(bench_take(bench, spec, &numbers).spec.bits,
			    rows[i].len * 8);
		else
			refused(bench, spec, &numbers);
	}
}

static struct material
oct_of(struct bench *bench, const char *hex)
{
	struct key_spec spec = { .kind = KEY_OCT };
	struct key_numbers numbers = { .k = bench_hex(bench, hex) };

	return bench_take(bench, spec, &numbers);
}

/* RFC 3394 (4.1, 4.2, 4.6), RFC 5649 (6), SP 800-38A (F.2.1, F.2.5), GCM's specification (case 4).
 */
static void
test_vectors(void **state)
{
	static const struct {
		const char *algorithm, *key, *plain, *sealed, *iv, *aad, *tag;
	} rows[] = {
		{ "A128KW", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
		    "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", "", "", "" },
		{ "A192KW", "000102030405060708090a0b0c0d0e0f1011121314151617",
		    "00112233445566778899aabbccddeeff",
		    "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d", "", "", "" },
		{ "A256KW", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		    "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
		    "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd"
		    "21",
		    "", "", "" },
		{ "CKM_AES_KEY_WRAP_PAD", "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
		    "c37b7e6492584340bed12207808941155068f738",
		    "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a", "", "",
		    "" },
		{ "CKM_AES_KEY_WRAP_PAD", "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
		    "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f", "", "", "" },
		{ "A128CBC", "2b7e151628aed2a6abf7158809cf4f3c",
		    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
		    "000102030405060708090a0b0c0d0e0f", "", "" },
		{ "A256CBC", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
		    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		    "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
		    "000102030405060708090a0b0c0d0e0f", "", "" },
		{ "A128GCM", "feffe9928665731c6d6a8f9467308308",
		    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680"
		    "9532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b254669"
		    "31c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
		    "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
		    "5bc94fbc3221a5db94fae95ae7121a47" },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct material material = oct_of(bench, rows[i].key);
		view plain = bench_hex(bench, rows[i].plain);
		view sealed = bench_hex(bench, rows[i].sealed);
		struct key_message in = { .value = sealed,
			.iv = bench_hex(bench, rows[i].iv),
			.aad = bench_hex(bench, rows[i].aad),
			.tag = bench_hex(bench, rows[i].tag) };
		struct key_result out;

		assert_fine(bench_use(bench, &material, rows[i].algorithm, KEY_DECRYPT, &in, &out),
		    &bench->err);
		assert_true(view_eq(out.value, plain));
		in.value = plain;
		assert_fine(bench_use(bench, &material, rows[i].algorithm, KEY_ENCRYPT, &in, &out),
		    &bench->err);
		/* GCM's nonce is not the caller's to choose. */
		assert_int_equal(view_eq(out.value, sealed), in.tag.len == 0);
		assert_int_equal(view_eq(out.iv, in.iv), in.tag.len == 0);
	}
}

static void
test_hmac(void **state)
{
	struct bench *bench = *state;
	struct material material = oct_of(bench, "000102030405060708090a0b0c0d0e0f");
	view key = bench_hex(bench, "000102030405060708090a0b0c0d0e0f");
	struct key_message in = { .value = { bytes, 48 } };
	struct key_result out;
	unsigned char wanted[64];
	unsigned len;

	assert_fine(bench_use(bench, &material, "HS384", KEY_SIGN, &in, &out), &bench->err);
	assert_non_null(
	    HMAC(EVP_sha384(), key.ptr, (int)key.len, octets(in.value), 48, wanted, &len));
	assert_int_equal(out.value.len, len);
	assert_memory_equal(out.value.ptr, wanted, len);
}

/* Blocks of a chosen shape, raised to the public exponent: which are a padded message? */
static void
test_unpadding(void **state)
{
	static const struct {
		unsigned char first, second;
		size_t zero; /* where the first 0 behind them is; 0: nowhere */
		bool fine;
	} rows[] = {
		{ 0, 2, 10, true },
		{ 0, 2, 100, true },
		{ 0, 2, 255, true }, /* an empty message */
		{ 0, 2, 9, false },
		{ 0, 2, 2, false },
		{ 0, 2, 0, false },
		{ 0, 1, 10, false },
		{ 0, 3, 10, false },
		{ 0, 0, 10, false },
		{ 1, 2, 10, false },
	};
	struct bench *bench = *state;
	struct key_numbers numbers = bench_numbers(bench, rsa_2048);
	struct material material = bench_take(bench, rsa_spec(0), &numbers);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(pkey_ctx_done)
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, rsa_2048, NULL);
		unsigned char block[256], sealed[256];
		size_t len = sizeof(sealed);
		struct key_message in = { .value = { (const char *)sealed, sizeof(sealed) } };
		struct key_result out;

		memset(block, 7, sizeof(block));
		block[0] = rows[i].first;
		block[1] = rows[i].second;
		if (rows[i].zero > 0)
			block[rows[i].zero] = 0;
		assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
		assert_int_equal(EVP_PKEY_encrypt(ctx, sealed, &len, block, sizeof(block)), 1);
		assert_int_equal(bench_use(bench, &material, "RSA1_5", KEY_DECRYPT, &in, &out),
		    rows[i].fine);
		if (rows[i].fine)
			assert_int_equal(out.value.len, 255 - rows[i].zero);
		else
			assert_string_equal(bench->err.message, "The parameter is incorrect.\r\n");
	}
}

static void
write_public(const char *folder, EVP_PKEY *pkey, char path[PATH_LEN])
{
	AUTO(buf_free) struct buf spki = { 0 };
	struct error err;

	assert_true(spki_encode(pkey, &spki, &err));
	write_file(folder, "public.der", buf_view(&spki), path);
}

/* Does the openssl command verify what we signed? */
static void
test_openssl_verifies(void **state)
{
	static const struct {
		const char *algorithm;
		enum key_curve curve; /* 0: RSA */
		const char *digest, *padding, *salt;
	} rows[] = {
		{ "RS256", 0, "digest:sha256", "rsa_padding_mode:pkcs1", NULL },
		{ "RS512", 0, "digest:sha512", "rsa_padding_mode:pkcs1", NULL },
		{ "RSNULL", 0, NULL, "rsa_padding_mode:pkcs1", NULL },
		{ "PS256", 0, "digest:sha256", "rsa_padding_mode:pss", "rsa_pss_saltlen:32" },
		{ "PS384", 0, "digest:sha384", "rsa_padding_mode:pss", "rsa_pss_saltlen:48" },
		{ "ES256", KEY_P256, "digest:sha256", NULL, NULL },
		{ "ES256K", KEY_P256K, "digest:sha256", NULL, NULL },
		{ "ES384", KEY_P384, "digest:sha384", NULL, NULL },
		{ "ES512", KEY_P521, "digest:sha512", NULL, NULL },
	};
	struct bench *bench = *state;
	const char *folder = bench->place.folder;

	if (!has_openssl())
		skip();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		EVP_PKEY *pkey = rows[i].curve == 0 ? rsa_2048 : curve_keys[rows[i].curve];
		struct key_numbers numbers = bench_numbers(bench, pkey);
		struct material material = bench_take(bench,
		    rows[i].curve == 0 ? rsa_spec(0) : ec_spec(rows[i].curve), &numbers);
		size_t len = key_digest_len(key_algorithm_find(view_of(rows[i].algorithm))->digest);
		struct key_message in = { .value = { bytes, len == 0 ? 51 : len } };
		struct key_result out;
		char key[PATH_LEN], digest[PATH_LEN], signature[PATH_LEN];
		unsigned char der[ECDSA_DER_MAX];

		assert_fine(bench_use(bench, &material, rows[i].algorithm, KEY_SIGN, &in, &out),
		    &bench->err);
		if (rows[i].curve != 0) {
			assert_true(ecdsa_to_der(out.value, der, &len));
			out.value = (view){ (const char *)der, len };
		}
		write_public(folder, pkey, key);
		write_file(folder, "digest", in.value, digest);
		write_file(folder, "signature", out.value, signature);
		const char *arguments[24] = { "openssl", "pkeyutl", "-verify", "-pubin", "-keyform",
			"DER", "-inkey", key, "-in", digest, "-sigfile", signature };
		const char *options[] = { rows[i].padding, rows[i].digest, rows[i].salt };
		for (size_t option = 0, at = 12; option < COUNT_OF(options); option++) {
			if (options[option] != NULL) {
				arguments[at++] = "-pkeyopt";
				arguments[at++] = options[option];
			}
		}
		assert_true(runs(arguments));
		write_file(folder, "digest", (view){ bytes + 1, in.value.len }, digest);
		assert_false(runs(arguments));
	}
}

/* Does the openssl command decrypt what we encrypted? */
static void
test_openssl_decrypts(void **state)
{
	static const struct {
		const char *algorithm, *padding, *digest;
	} rows[] = {
		{ "RSA1_5", "rsa_padding_mode:pkcs1", NULL },
		{ "RSA-OAEP", "rsa_padding_mode:oaep", "rsa_oaep_md:sha1" },
		{ "RSA-OAEP-256", "rsa_padding_mode:oaep", "rsa_oaep_md:sha256" },
	};
	struct bench *bench = *state;
	struct key_numbers numbers = bench_numbers(bench, rsa_2048);
	struct material material = bench_take(bench, rsa_spec(0), &numbers);
	const char *folder = bench->place.folder;
	unsigned char der[2048], *end = der;
	char key[PATH_LEN], sealed[PATH_LEN], wanted[PATH_LEN], opened[PATH_LEN];

	if (!has_openssl())
		skip();
	assert_true(i2d_PrivateKey(rsa_2048, NULL) <= (int)sizeof(der));
	(void)i2d_PrivateKey(rsa_2048, &end);
	write_file(folder, "private.der", (view){ (const char *)der, (size_t)(end - der) }, key);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_message in = { .value = { bytes, 32 } };
		struct key_result out;

		assert_fine(bench_use(bench, &material, rows[i].algorithm, KEY_ENCRYPT, &in, &out),
		    &bench->err);
		write_file(folder, "sealed", out.value, sealed);
		write_file(folder, "wanted", in.value, wanted);
		write_file(folder, "opened", V("-"), opened);
		assert_true(
		    runs((const char *const[]){ "openssl", "pkeyutl", "-decrypt", "-keyform", "DER",
			"-inkey", key, "-in", sealed, "-out", opened, "-pkeyopt", rows[i].padding,
			rows[i].digest == NULL ? NULL : "-pkeyopt", rows[i].digest, NULL }));
		assert_true(runs((const char *const[]){ "cmp", wanted, opened, NULL }));
	}
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rsa_is_taken),
		TEST(test_rsa_is_refused),
		TEST(test_larger_exponent),
		TEST(test_curves),
		TEST(test_scalar_beyond_the_order),
		TEST(test_oct),
		TEST(test_vectors),
		TEST(test_hmac),
		TEST(test_unpadding),
		TEST(test_openssl_verifies),
		TEST(test_openssl_decrypts),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
