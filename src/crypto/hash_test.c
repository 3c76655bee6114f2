#include "crypto/hash.h"
#include "crypto/random.h"
#include "base/uuid.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Digits to bytes, in memory that lives as long as the test's call. */
#define HEX_MAX 128
struct bytes {
	uint8_t bytes[HEX_MAX];
	view view;
};

static view
unhex(const char *digits, struct bytes *out)
{
	assert_true(strlen(digits) <= (size_t)2 * HEX_MAX);
	assert_true(hex_decode(view_of(digits), out->bytes));
	out->view = (view){ (const char *)out->bytes, strlen(digits) / 2 };
	return out->view;
}

static void
test_digests(void **state)
{
	/* FIPS 180-4's examples. */
	static const struct {
		const char *parts[3], *sha256, *sha1;
	} cases[] = {
		{ { "", "", "" },
		    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		    "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ { "a", "", "bc" },
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		    "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ { "abcdbcdecdefdefgefghfghi", "ghijhijkijkljklmklmnlmnomnopnopq", "" },
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		    "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		view parts[3];
		char whole[128] = "";
		size_t len = 0;
		uint8_t out[SHA256_LEN];
		struct bytes want;
		struct error err;

		for (size_t j = 0; j < 3; j++) {
			parts[j] = view_of(cases[i].parts[j]);
			memcpy(whole + len, parts[j].ptr, parts[j].len);
			len += parts[j].len;
		}
		assert_true(sha256(parts, 3, out, &err));
		assert_memory_equal(out, unhex(cases[i].sha256, &want).ptr, SHA256_LEN);
		assert_true(sha1((view){ whole, len }, out, &err));
		assert_memory_equal(out, unhex(cases[i].sha1, &want).ptr, SHA1_LEN);
	}
}

static void
test_hmac(void **state)
{
	/* RFC 4231, cases 1 to 3; the last one's key is empty. */
	static const struct {
		const char *key, *message, *mac;
	} cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
		    "dddddddddddddddddddddddddddddddddddd",
		    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct bytes key, message, want;
		uint8_t out[SHA256_LEN];
		struct error err;

		assert_true(hmac_sha256(unhex(cases[i].key, &key),
		    unhex(cases[i].message, &message), out, &err));
		assert_memory_equal(out, unhex(cases[i].mac, &want).ptr, SHA256_LEN);
	}
}

static void
test_hkdf(void **state)
{
	/* RFC 5869, appendix A.1 to A.3. */
	static const struct {
		const char *key, *salt, *info, *okm;
	} cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		    "f0f1f2f3f4f5f6f7f8f9",
		    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		    "34007208d5b887185865" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		  "404142434445464748494a4b4c4d4e4f",
		    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		    "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		    "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		    "9d201395faa4b61a96c8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct bytes key, salt, info, want;
		uint8_t out[HEX_MAX];
		struct error err;

		unhex(cases[i].okm, &want);
		assert_true(hkdf_sha256(unhex(cases[i].key, &key), unhex(cases[i].salt, &salt),
		    unhex(cases[i].info, &info), out, want.view.len, &err));
		assert_memory_equal(out, want.bytes, want.view.len);
	}
}

static void
test_hkdf_has_a_limit(void **state)
{
	static uint8_t out[255 * SHA256_LEN + 1];
	struct error err;

	(void)state;
	assert_true(hkdf_sha256(V("key"), V(""), V(""), out, sizeof(out) - 1, &err));
	assert_false(hkdf_sha256(V("key"), V(""), V(""), out, sizeof(out), &err));
	assert_false(hkdf_sha256(V("key"), V(""), V(""), out, 0, &err));
}

#define IDS 1000 /* more than a thread's buffer holds */

static void
test_ids_differ(void **state)
{
	static uint8_t ids[IDS][16];

	(void)state;
	for (size_t i = 0; i < IDS; i++)
		random_id(ids[i]);
	for (size_t i = 0; i < IDS; i++) {
		for (size_t j = i + 1; j < IDS; j++)
			assert_memory_not_equal(ids[i], ids[j], 16);
	}
}

/* A child that went on with its parent's buffer would repeat the parent's nonces. */
static void
test_a_child_draws_its_own(void **state)
{
	uint8_t mine[16], theirs[16];
	int pipes[2];
	pid_t child;

	(void)state;
	random_id(mine); /* the buffer is filled */
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		random_id(mine);
		_exit(write(pipes[1], mine, sizeof(mine)) == sizeof(mine) ? 0 : 1);
	}
	random_id(mine);
	assert_int_equal(read(pipes[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_memory_not_equal(mine, theirs, sizeof(mine));
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_names(void **state)
{
	struct uuid uuid, again;
	char version[HEX16_LEN + 1];
	uint8_t bytes[16];

	(void)state;
	random_uuid(&uuid);
	assert_true(uuid_parse(uuid_view(&uuid), &again));
	assert_int_equal(uuid.text[14], '4');
	random_version(version);
	assert_int_equal(strlen(version), HEX16_LEN);
	assert_true(hex_decode(view_of(version), bytes));
	random_bytes(bytes, 0);
}

static void *
hash_a_lot(void *arg)
{
	uint8_t out[SHA256_LEN];
	struct error err;

	for (int i = 0; i < 200; i++) {
		if (!sha256(&V("abc"), 1, out, &err) || out[0] != 0xba || out[31] != 0xad)
			return arg;
	}
	return NULL;
}

static void
test_threads_have_their_own_context(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_a_lot, threads), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
test_pieces_are_one(void **state)
{
	AUTO(hash_done) struct hash *hash = NULL;
	const view whole = V("one two three");
	uint8_t once[SHA256_LEN], pieces[SHA256_LEN];
	struct error err;

	(void)state;
	assert_true(sha256(&whole, 1, once, &err));
	assert_true(hash_new(&hash, &err));
	hash_add(hash, V("one "));
	hash_add(hash, V(""));
	hash_add(hash, V("two three"));
	assert_true(hash_end(hash, pieces, &err));
	assert_memory_equal(once, pieces, sizeof(once));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_pieces_are_one),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hkdf),
		cmocka_unit_test(test_hkdf_has_a_limit),
		cmocka_unit_test(test_ids_differ),
		cmocka_unit_test(test_a_child_draws_its_own),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_threads_have_their_own_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
