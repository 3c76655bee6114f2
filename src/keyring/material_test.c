#include "keyring/material_testing.h"
#include "base/testing.h"
#include "keyring/keycache.h"
#include "keyring/ring.h"

#include <openssl/err.h>

static const struct key_spec rsa = { .kind = KEY_RSA, .bits = 2048 };
static const struct key_spec p256 = { .kind = KEY_EC, .curve = KEY_P256 };
static const struct key_spec oct = { .kind = KEY_OCT, .bits = 256 };

static const char bytes[512] = "what is to be signed, or encrypted, or wrapped";

static struct key_spec
ec(enum key_curve curve)
{
	return (struct key_spec){ .kind = KEY_EC, .curve = curve };
}

/* Signs, and verifies that and nothing else. */
static void
round_trip_signature(struct bench *bench, const struct material *material, const char *algorithm)
{
	size_t len = key_digest_len(key_algorithm_find(view_of(algorithm))->digest);
	struct key_message in = { .value = { bytes, len == 0 ? 100 : len } };
	struct key_result out;
	view signature, forged;

	assert_fine(bench_use(bench, material, algorithm, KEY_SIGN, &in, &out), &bench->err);
	signature = in.signature = out.value;
	assert_fine(bench_use(bench, material, algorithm, KEY_VERIFY, &in, &out), &bench->err);
	assert_true(out.verified);
	assert_true(arena_copy(&bench->arena, signature, &forged));
	((char *)(uintptr_t)forged.ptr)[forged.len - 1] ^= 1;
	for (size_t i = 0; i < 3; i++) {
		const view bad[] = { forged, { signature.ptr, signature.len - 1 }, V("") };

		in.signature = bad[i];
		assert_fine(bench_use(bench, material, algorithm, KEY_VERIFY, &in, &out),
		    &bench->err);
		assert_false(out.verified);
	}
	in.signature = signature;
	in.value.ptr++;
	assert_fine(bench_use(bench, material, algorithm, KEY_VERIFY, &in, &out), &bench->err);
	assert_false(out.verified);
	for (size_t i = 0; i < 2; i++) {
		in.value = (view){ bytes, i == 0 ? 0 : len + 250 };
		assert_false(bench_use(bench, material, algorithm, KEY_SIGN, &in, &out));
		assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
		assert_false(bench_use(bench, material, algorithm, KEY_VERIFY, &in, &out));
		assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	}
}

static void
undecryptable(struct bench *bench, const struct material *material, const char *algorithm,
    const struct key_message *in)
{
	struct key_result out;

	assert_false(bench_use(bench, material, algorithm, KEY_DECRYPT, in, &out));
	assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	assert_string_equal(bench->err.message, "The parameter is incorrect.\r\n");
}

/* CBC has no integrity: what was changed may decrypt to something else. */
static void
round_trip_cipher(struct bench *bench, const struct material *material, const char *algorithm,
    size_t len)
{
	struct key_message in = { .value = { bytes, len }, .iv = { bytes, 16 }, .aad = V("aad") };
	bool cbc = strstr(algorithm, "CBC") != NULL;
	struct key_result out;
	view sealed, changed;

	assert_fine(bench_use(bench, material, algorithm, KEY_ENCRYPT, &in, &out), &bench->err);
	sealed = in.value = out.value;
	if (out.iv.len > 0)
		in.iv = out.iv;
	in.tag = out.tag;
	assert_fine(bench_use(bench, material, algorithm, KEY_DECRYPT, &in, &out), &bench->err);
	assert_int_equal(out.value.len, len);
	assert_memory_equal(out.value.ptr, bytes, len);
	in.value.len--;
	undecryptable(bench, material, algorithm, &in);
	assert_true(arena_copy(&bench->arena, sealed, &changed));
	((char *)(uintptr_t)changed.ptr)[changed.len - 1] ^= 1;
	in.value = changed;
	if (!cbc)
		undecryptable(bench, material, algorithm, &in);
}

static void
test_rsa(void **state)
{
	static const char *const signatures[] = { "RS256", "RS384", "RS512", "PS256", "PS384",
		"PS512", "RSNULL" };
	static const struct {
		const char *name;
		size_t most;
	} ciphers[] = { { "RSA1_5", 245 }, { "RSA-OAEP", 214 }, { "RSA-OAEP-256", 190 } };
	struct bench *bench = *state;
	struct material material = bench_make(bench, rsa, "rsa");
	struct key_message in;
	struct key_result out;

	assert_int_equal(material.public.n.len, 256);
	assert_text(material.public.e, V("\1\0\1"));
	for (size_t i = 0; i < COUNT_OF(signatures); i++)
		round_trip_signature(bench, &material, signatures[i]);
	for (size_t i = 0; i < COUNT_OF(ciphers); i++) {
		round_trip_cipher(bench, &material, ciphers[i].name, 1);
		round_trip_cipher(bench, &material, ciphers[i].name, ciphers[i].most);
		in = (struct key_message){ .value = { bytes, ciphers[i].most + 1 } };
		assert_false(bench_use(bench, &material, ciphers[i].name, KEY_ENCRYPT, &in, &out));
		assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
		in.value.len = 0;
		assert_false(bench_use(bench, &material, ciphers[i].name, KEY_ENCRYPT, &in, &out));
		assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	}
}

/* An earlier call's, on the same thread. */
static void
test_lack_of_memory_of_others(void **state)
{
	struct bench *bench = *state;
	struct material material = bench_make(bench, rsa, "rsa");
	struct key_message in = { .value = { bytes, 32 } };
	struct key_result out;

	assert_fine(bench_use(bench, &material, "RSA-OAEP", KEY_ENCRYPT, &in, &out), &bench->err);
	in.value = out.value;
	ERR_raise(ERR_LIB_RSA, ERR_R_MALLOC_FAILURE);
	assert_fine(bench_use(bench, &material, "RSA-OAEP", KEY_DECRYPT, &in, &out), &bench->err);
	assert_text(out.value, ((view){ bytes, 32 }));
}

static void
test_curves(void **state)
{
	static const struct {
		enum key_curve curve;
		const char *algorithm;
	} rows[] = { { KEY_P256, "ES256" }, { KEY_P256K, "ES256K" }, { KEY_P384, "ES384" },
		{ KEY_P521, "ES512" } };
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct material material = bench_make(bench, ec(rows[i].curve), "ec");

		assert_int_equal(material.public.x.len, key_field_len(rows[i].curve));
		assert_int_equal(material.public.y.len, key_field_len(rows[i].curve));
		for (size_t again = 0; again < 20; again++)
			round_trip_signature(bench, &material, rows[i].algorithm);
	}
}

static void
test_oct(void **state)
{
	static const struct {
		unsigned bits;
		const char *name;
		size_t len; /* of a plaintext that is fine */
	} rows[] = {
		{ 128, "A128GCM", 33 },
		{ 192, "A192GCM", 1 },
		{ 256, "A256GCM", 400 },
		{ 128, "A128CBC", 16 },
		{ 192, "A192CBC", 32 },
		{ 256, "A256CBC", 48 },
		{ 128, "A128CBCPAD", 1 },
		{ 192, "A192CBCPAD", 16 },
		{ 256, "A256CBCPAD", 31 },
		{ 128, "A128KW", 16 },
		{ 192, "A192KW", 24 },
		{ 256, "A256KW", 32 },
		{ 128, "CKM_AES_KEY_WRAP", 64 },
		{ 256, "CKM_AES_KEY_WRAP_PAD", 1 },
		{ 128, "CKM_AES_KEY_WRAP_PAD", 33 },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_spec spec = { .kind = KEY_OCT, .bits = rows[i].bits };
		struct material material = bench_make(bench, spec, "oct");

		round_trip_cipher(bench, &material, rows[i].name, rows[i].len);
		round_trip_signature(bench, &material, "HS256");
		round_trip_signature(bench, &material, "HS384");
		round_trip_signature(bench, &material, "HS512");
	}
}

/* Lengths of what goes into AES that can't be. */
static void
test_lengths(void **state)
{
	static const struct {
		const char *name;
		enum key_use use;
		size_t value, iv, tag;
	} rows[] = {
		{ "A256CBC", KEY_ENCRYPT, 0, 16, 0 },
		{ "A256CBC", KEY_ENCRYPT, 15, 16, 0 },
		{ "A256CBC", KEY_ENCRYPT, 16, 12, 0 },
		{ "A256CBC", KEY_DECRYPT, 16, 0, 0 },
		{ "A256CBC", KEY_DECRYPT, 0, 16, 0 },
		{ "A256CBCPAD", KEY_DECRYPT, 0, 16, 0 },
		{ "A256CBCPAD", KEY_ENCRYPT, 5, 17, 0 },
		{ "A256GCM", KEY_DECRYPT, 5, 16, 16 },
		{ "A256GCM", KEY_DECRYPT, 5, 12, 12 },
		{ "A256GCM", KEY_DECRYPT, 5, 12, 0 },
		{ "A256KW", KEY_ENCRYPT, 8, 0, 0 },
		{ "A256KW", KEY_ENCRYPT, 17, 0, 0 },
		{ "A256KW", KEY_DECRYPT, 16, 0, 0 },
		{ "A256KW", KEY_DECRYPT, 0, 0, 0 },
		{ "CKM_AES_KEY_WRAP_PAD", KEY_ENCRYPT, 0, 0, 0 },
		{ "CKM_AES_KEY_WRAP_PAD", KEY_DECRYPT, 8, 0, 0 },
	};
	struct bench *bench = *state;
	struct material material = bench_make(bench, oct, "oct");

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_message in = { .value = { bytes, rows[i].value },
			.iv = { bytes, rows[i].iv },
			.tag = { bytes, rows[i].tag } };
		struct key_result out;

		assert_false(bench_use(bench, &material, rows[i].name, rows[i].use, &in, &out));
		assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	}
}

static size_t
cached(const struct bench *bench)
{
	return keycache_count(bench->place.keyring->keycache);
}

static void
use_once(struct bench *bench, const struct material *material)
{
	struct key_message in = { .value = { bytes, 32 } };
	struct key_result out;

	assert_fine(bench_use(bench, material, "HS256", KEY_SIGN, &in, &out), &bench->err);
}

static void
commit(struct bench *bench, enum change_kind kind, view path)
{
	struct change change = { .kind = kind, .key = path, .value = { V_INIT("new") } };

	assert_fine(store_commit_wait(bench->place.store, &change, 1, V(""), &bench->err),
	    &bench->err);
}

/* What drops a key from the cache, and what does not. */
static void
test_eviction(void **state)
{
	static const struct {
		enum change_kind kind;
		const char *path;
		size_t left;
	} rows[] = {
		{ CHANGE_PUT, "v/" VAULT "/vk/a/1", 1 },
		{ CHANGE_DELETE, "v/" VAULT "/vk/a/1", 1 },
		{ CHANGE_DELETE, "v/" VAULT "/k/a", 1 },
		{ CHANGE_PUT, "v/" VAULT "/k/a", 2 },
		{ CHANGE_PUT, "v/" VAULT "/vk/a/10", 2 },
		{ CHANGE_PUT, "v/" VAULT "/vk/c/1", 2 },
		{ CHANGE_PUT, "v/" VAULT "/s/a", 2 },
		{ CHANGE_DELETE, "v/" VAULT "/s/a", 2 },
		{ CHANGE_PUT, "vault/x", 2 },
		{ CHANGE_DELETE, "vault/x", 0 },
	};
	struct bench *bench = *state;
	struct material a = bench_make(bench, oct, "a"), b = bench_make(bench, oct, "b");

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		use_once(bench, &a);
		use_once(bench, &b);
		assert_int_equal(cached(bench), 2);
		commit(bench, rows[i].kind, view_of(rows[i].path));
		assert_int_equal(cached(bench), rows[i].left);
	}
}

static void
test_old_ticket(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, oct, "a");
	uint64_t ticket = material_ticket(bench->place.keyring);
	const struct key_algorithm *hs256 = key_algorithm_find(V("HS256"));
	struct key_message in = { .value = { bytes, 32 } };
	struct key_result out;

	commit(bench, CHANGE_PUT, a.path);
	assert_fine(material_use(bench->place.keyring, bench->key, ticket, &a, hs256, KEY_SIGN, &in,
			&bench->arena, &out, &bench->err),
	    &bench->err);
	assert_int_equal(cached(bench), 0);
	use_once(bench, &a);
	assert_int_equal(cached(bench), 1);
}

static void
test_bound(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, oct, "a"), first;

	for (size_t i = 0; i < MATERIAL_CACHE_MAX + 10; i++) {
		struct material more = bench_make(bench, oct, "b");

		use_once(bench, &more);
		use_once(bench, &a); /* keeps it warm */
		if (i == 0)
			first = more;
	}
	assert_int_equal(cached(bench), MATERIAL_CACHE_MAX);
	assert_null(keycache_get(bench->place.keyring->keycache, &first));
	struct software_key *warm = keycache_get(bench->place.keyring->keycache, &a);
	assert_non_null(warm);
	software_release(warm);
}

static void
test_forgotten_vault(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, oct, "a");
	struct key_message in = { .value = { bytes, 32 } };
	struct key_result out;

	use_once(bench, &a);
	keyring_forget(bench->place.keyring, V("other"));
	assert_int_equal(cached(bench), 1);
	keyring_forget(bench->place.keyring, V(VAULT));
	assert_int_equal(cached(bench), 0);
	assert_false(bench_use(bench, &a, "HS256", KEY_SIGN, &in, &out));
	assert_int_equal(bench->err.code, ERR_STORE_CONFLICT);
}

/* A keyring that was closed hears no more of its store. */
static void
test_reopened(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, oct, "a");

	use_once(bench, &a);
	place_close(&bench->place);
	place_open(&bench->place);
	assert_fine(keyring_key(bench->place.keyring, V(VAULT), &bench->key, &bench->err),
	    &bench->err);
	use_once(bench, &a);
	assert_int_equal(cached(bench), 1);
	commit(bench, CHANGE_PUT, a.path);
	assert_int_equal(cached(bench), 0);
}

/* The sealed part opens for its id and its vault alone. */
static void
test_sealed(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, oct, "a"), b = bench_make(bench, oct, "b");
	struct key_message in = { .value = { bytes, 32 } };
	struct key_result out;

	a.id = b.id;
	assert_false(bench_use(bench, &a, "HS256", KEY_SIGN, &in, &out));
	assert_int_equal(bench->err.code, ERR_CORRUPT);
	bench->key = new_vault(&bench->place, "22222222-2222-4222-8222-222222222222");
	assert_false(bench_use(bench, &b, "HS256", KEY_SIGN, &in, &out));
	assert_int_equal(bench->err.code, ERR_CORRUPT);
}

static bool
restore(struct bench *bench, struct vault_key *key, view blob, view binding,
    struct material *material)
{
	if (material_restore(bench->place.keyring, key, blob, binding, &bench->arena, material,
		&bench->err))
		return true;
	assert_int_equal(bench->err.code, ERR_MALFORMED_BACKUP);
	return false;
}

static void
test_backup(void **state)
{
	const struct key_spec specs[] = { rsa, p256, oct };
	struct bench *bench = *state;
	struct vault_key *other = new_vault(&bench->place, "22222222-2222-4222-8222-222222222222");

	for (size_t i = 0; i < COUNT_OF(specs); i++) {
		struct material a = bench_make(bench, specs[i], "a");
		struct material b = bench_make(bench, specs[i], "b"), back;
		AUTO(software_done) struct software_key *key = NULL;
		view blob;

		assert_fine(material_backup(bench->place.keyring, bench->key, &a, V("here"),
				&bench->arena, &blob, &bench->err),
		    &bench->err);
		back = (struct material){ .spec = a.spec, .id = a.id, .public = a.public };
		assert_false(restore(bench, other, blob, V("there"), &back));
		assert_fine(restore(bench, other, blob, V("here"), &back), &bench->err);
		assert_false(view_eq(back.private.bytes, a.private.bytes));
		back.id = b.id;
		assert_false(restore(bench, other, blob, V("here"), &back));
		back.id = a.id;
		if (specs[i].kind != KEY_OCT) {
			back.public = b.public;
			assert_false(restore(bench, other, blob, V("here"), &back));
		}
		back.public = a.public;
		back.spec.bits = 128;
		back.spec.curve = KEY_P256K;
		assert_false(restore(bench, other, blob, V("here"), &back));
		assert_false(
		    restore(bench, other, (view){ blob.ptr, blob.len - 1 }, V("here"), &back));
	}
}

static void
test_restored_works(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, p256, "a"), back;
	struct key_message in = { .value = { bytes, 32 } };
	struct key_result out;
	view blob;

	assert_fine(material_backup(bench->place.keyring, bench->key, &a, V("here"), &bench->arena,
			&blob, &bench->err),
	    &bench->err);
	back = (struct material){ .spec = a.spec, .id = a.id, .public = a.public };
	assert_fine(bench_use(bench, &a, "ES256", KEY_SIGN, &in, &out), &bench->err);
	in.signature = out.value;
	keyring_forget(bench->place.keyring, V(VAULT));
	bench->key = new_vault(&bench->place, "22222222-2222-4222-8222-222222222222");
	assert_true(restore(bench, bench->key, blob, V("here"), &back));
	assert_fine(bench_use(bench, &back, "ES256", KEY_VERIFY, &in, &out), &bench->err);
	assert_true(out.verified);
	assert_fine(bench_use(bench, &back, "ES256", KEY_SIGN, &in, &out), &bench->err);
}

struct worker {
	struct bench *bench;
	const struct material *material;
	pthread_t thread;
	bool fine;
};

static void *
work(void *argument)
{
	struct worker *worker = argument;
	struct keyring *keyring = worker->bench->place.keyring;
	const struct key_algorithm *ps256 = key_algorithm_find(V("PS256"));
	AUTO(arena_free) struct arena arena;
	struct error err;

	arena_init(&arena, 1 << 20);
	worker->fine = true;
	for (size_t i = 0; i < 50 && worker->fine; i++) {
		struct key_message in = { .value = { bytes, 32 } };
		struct key_result out = { 0 };

		worker->fine = material_use(keyring, worker->bench->key, material_ticket(keyring),
		    worker->material, ps256, KEY_SIGN, &in, &arena, &out, &err);
		in.signature = out.value;
		worker->fine = worker->fine &&
		    material_use(keyring, worker->bench->key, material_ticket(keyring),
			worker->material, ps256, KEY_VERIFY, &in, &arena, &out, &err) &&
		    out.verified;
	}
	return NULL;
}

/* Many use one key, while it is dropped again and again. */
static void
test_threads(void **state)
{
	struct bench *bench = *state;
	struct material a = bench_make(bench, rsa, "a");
	struct worker workers[4];

	for (size_t i = 0; i < COUNT_OF(workers); i++) {
		workers[i] = (struct worker){ .bench = bench, .material = &a };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < 20; i++)
		commit(bench, CHANGE_PUT, a.path);
	for (size_t i = 0; i < COUNT_OF(workers); i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		assert_true(workers[i].fine);
	}
}

static void
test_burns(void **state)
{
	static const struct {
		struct key_spec spec;
		const char *algorithm;
		bool burns[4]; /* by use */
	} rows[] = {
		{ { KEY_RSA, 0, 2048, false, false }, "RS256", { false, true, true, false } },
		{ { KEY_EC, KEY_P256, 256, false, false }, "ES256",
		    { false, false, false, false } },
		{ { KEY_EC, KEY_P256K, 256, false, false }, "ES256K",
		    { false, true, true, false } },
		{ { KEY_EC, KEY_P384, 384, false, false }, "ES384", { true, true, true, true } },
		{ { KEY_EC, KEY_P521, 521, false, false }, "ES512", { true, true, true, true } },
		{ { KEY_OCT, 0, 256, false, false }, "HS256", { false, false, false, false } },
		{ { KEY_OCT, 0, 256, true, false }, "HS256", { true, true, true, true } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct material material = { .spec = rows[i].spec };

		for (int use = KEY_ENCRYPT; use <= KEY_VERIFY; use++)
			assert_int_equal(material_burns(&material,
					     key_algorithm_find(view_of(rows[i].algorithm)),
					     (enum key_use)use),
			    rows[i].burns[use]);
	}
}

static void
test_no_token(void **state)
{
	struct bench *bench = *state;
	struct key_spec spec = { .kind = KEY_RSA, .bits = 2048, .hsm = true };
	struct material out;

	assert_false(material_make(bench->place.keyring, bench->key, &spec, &bench->arena, &out,
	    &bench->err));
	assert_int_equal(bench->err.code, ERR_BAD_PARAMETER);
	assert_string_equal(bench->err.message,
	    "This server has no HSM token: keys of type *-HSM can't be made.");
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rsa),
		TEST(test_lack_of_memory_of_others),
		TEST(test_curves),
		TEST(test_oct),
		TEST(test_lengths),
		TEST(test_eviction),
		TEST(test_old_ticket),
		TEST(test_bound),
		TEST(test_forgotten_vault),
		TEST(test_reopened),
		TEST(test_threads),
		TEST(test_sealed),
		TEST(test_backup),
		TEST(test_restored_works),
		TEST(test_burns),
		TEST(test_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
