#include "crypto/signature.h"
#include "crypto/testing.h"
#include "keyring/testing.h"
#include "pki/issue.h"
#include "pki/pem.h"
#include "pki/subject.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct place place;
static struct arena arena;

struct made {
	struct sealed private_key;
	view spki;
	struct signing_key *key;
};
static struct made rsa, ec;

static void
make_one(enum signing_kind kind, view name, struct made *out)
{
	struct error err = { 0 };

	if (!keyring_new_signing_key(place.keyring, kind, name, &arena, &out->private_key,
		&out->spki, &err) ||
	    !keyring_load_signing_key(place.keyring, name, &out->private_key, &out->key, &err))
		fail_msg("%s", err.message);
}

static int
setup(void **state)
{
	(void)state;
	place_make(&place, false);
	arena_init(&arena, (size_t)1 << 20);
	make_one(SIGNING_RSA_2048, V("rsa"), &rsa);
	make_one(SIGNING_P256, V("ec"), &ec);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signing_key_free(rsa.key);
	signing_key_free(ec.key);
	arena_free(&arena);
	place_remove(&place);
	return 0;
}

/* The second opinion: the openssl command. */
static bool
openssl_verifies(view spki, const char *padding, view message, view signature)
{
	char key[PATH_LEN], text[PATH_LEN], sig[PATH_LEN];
	const char *const plain[] = { "openssl", "dgst", "-sha256", "-keyform", "DER", "-verify",
		key, "-signature", sig, text, NULL };
	const char *const pss[] = { "openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", key,
		"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sigopt",
		"rsa_mgf1_md:sha256", "-signature", sig, text, NULL };

	write_file(place.folder, "key.der", spki, key);
	write_file(place.folder, "message", message, text);
	write_file(place.folder, "signature", signature, sig);
	return runs(strcmp(padding, "pss") == 0 ? pss : plain);
}

static const struct {
	const struct made *made;
	enum signature_alg alg;
	size_t len;
	const char *padding; /* NULL: the openssl command does not know this encoding */
} uses[] = {
	{ &rsa, SIGNATURE_RS256, 256, "pkcs1" },
	{ &rsa, SIGNATURE_PS256, 256, "pss" },
	{ &ec, SIGNATURE_ES256, 64, NULL },
};

static void
test_signatures_verify(void **state)
{
	bool second_opinion = has_openssl();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		AUTO(buf_free) struct buf signature = { 0 };
		struct public_key *key = NULL;
		struct error err;
		view bytes;

		assert_true(public_key_from_spki(uses[i].made->spki, &key, &err));
		buf_add(&signature, V("head."));
		assert_true(signing_key_sign(uses[i].made->key, uses[i].alg, V("message"),
		    &signature, &err));
		assert_true(view_starts(buf_view(&signature), V("head."))); /* appended */
		bytes = view_from(buf_view(&signature), 5);
		assert_int_equal(bytes.len, uses[i].len);
		assert_true(public_key_verify(key, uses[i].alg, V("message"), bytes));
		assert_false(public_key_verify(key, uses[i].alg, V("massage"), bytes));
		if (uses[i].padding != NULL && second_opinion) {
			assert_true(openssl_verifies(uses[i].made->spki, uses[i].padding,
			    V("message"), bytes));
			assert_false(openssl_verifies(uses[i].made->spki, uses[i].padding,
			    V("massage"), bytes));
		}
		public_key_free(key);
	}
}

static void
test_openssl_verifies_ecdsa(void **state)
{
	AUTO(buf_free) struct buf signature = { 0 };
	unsigned char bytes[ECDSA_DER_MAX];
	struct error err;
	size_t len;
	view der;

	(void)state;
	if (!has_openssl())
		skip();
	assert_true(signing_key_sign(ec.key, SIGNATURE_ES256, V("message"), &signature, &err));
	assert_true(ecdsa_to_der(buf_view(&signature), bytes, &len));
	der = (view){ (const char *)bytes, len };
	assert_true(openssl_verifies(ec.spki, "none", V("message"), der));
	assert_false(openssl_verifies(ec.spki, "none", V("massage"), der));
}

static void
test_the_algorithm_must_fit(void **state)
{
	static const struct {
		const struct made *made;
		enum signature_alg alg;
	} cases[] = {
		{ &rsa, SIGNATURE_ES256 },
		{ &rsa, SIGNATURE_NONE },
		{ &rsa, (enum signature_alg)99 },
		{ &ec, SIGNATURE_RS256 },
		{ &ec, SIGNATURE_PS256 },
		{ &ec, SIGNATURE_NONE },
	};
	AUTO(buf_free) struct buf signature = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error err;

		assert_false(signing_key_sign(cases[i].made->key, cases[i].alg, V("message"),
		    &signature, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_int_equal(signature.len, 0);
	}
}

static void
refuses(view name, const struct sealed *private_key)
{
	struct signing_key *key = NULL;
	struct error err;

	assert_false(keyring_load_signing_key(place.keyring, name, private_key, &key, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_null(key);
}

static void
test_private_keys_are_bound(void **state)
{
	struct vault_key *system_key = keyring_system(place.keyring);
	struct sealed as_document;
	struct error err;

	(void)state;
	refuses(V("rsb"), &rsa.private_key);
	refuses(V("ec"), &rsa.private_key);
	refuses(V(""), &rsa.private_key);
	assert_false(opens(system_key, &rsa.private_key, V("rsa"), V("")));
	assert_true(keyring_seal(system_key, V("not a key"), V("rsa"), &arena, &as_document, &err));
	refuses(V("rsa"), &as_document);
}

static void
test_signing_keys_outlive_the_keyring(void **state)
{
	AUTO(buf_free) struct buf signature = { 0 };
	struct signing_key *key = NULL;
	struct public_key *public = NULL;
	struct error err;

	(void)state;
	place_close(&place);
	place_open(&place);
	assert_true(keyring_rekey(place.keyring, NULL, &err));
	assert_true(keyring_load_signing_key(place.keyring, V("ec"), &ec.private_key, &key, &err));
	assert_true(signing_key_sign(key, SIGNATURE_ES256, V("message"), &signature, &err));
	assert_true(public_key_from_spki(ec.spki, &public, &err));
	assert_true(public_key_verify(public, SIGNATURE_ES256, V("message"), buf_view(&signature)));
	public_key_free(public);
	signing_key_free(key);
	signing_key_free(NULL);
}

static bool
sign_raw(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	(void)digest;
	return signing_key_sign(ctx, SIGNATURE_ES256, message, out, err);
}

static void
test_makes_certificates(void **state)
{
	const struct signer signer = { SIGNATURE_ES256, sign_raw, ec.key };
	struct profile profile = { .usages = USAGE_KEY_CERT_SIGN, .ca = true, .path_length = 0 };
	const struct x509_wish wish = { .profile = &profile,
		.spki = ec.spki,
		.not_before = 1700000000,
		.not_after = 2000000000 };
	AUTO(buf_free) struct buf der = { 0 };
	AUTO(buf_free) struct buf pem = { 0 };
	char path[PATH_LEN];
	struct error err = { 0 };

	(void)state;
	assert_true(subject_parse(V("CN=Authority"), &arena, &profile.subject, &err));
	if (!x509_issue(&wish, &signer, &der, &err))
		fail_msg("%s", err.message);
	if (!has_openssl())
		skip();
	pem_write(PEM_CERTIFICATE, buf_view(&der), &pem);
	write_file(place.folder, "ca.pem", buf_view(&pem), path);
	assert_true(runs((const char *const[]){ "openssl", "verify", "-attime", "1800000000",
	    "-x509_strict", "-check_ss_sig", "-CAfile", path, path, NULL }));
}

#define THREADS 3
#define TURNS 20

static void *
sign_a_lot(void *arg)
{
	const struct public_key *const *keys = arg;

	for (size_t i = 0; i < TURNS * COUNT_OF(uses); i++) {
		AUTO(buf_free) struct buf signature = { 0 };
		enum signature_alg alg = uses[i % COUNT_OF(uses)].alg;
		struct error err;

		if (!signing_key_sign(uses[i % COUNT_OF(uses)].made->key, alg, V("message"),
			&signature, &err) ||
		    !public_key_verify(keys[i % COUNT_OF(uses)], alg, V("message"),
			buf_view(&signature)))
			return NULL;
	}
	return arg;
}

static void
test_threads_share_signing_keys(void **state)
{
	struct public_key *keys[COUNT_OF(uses)];
	pthread_t threads[THREADS];
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(uses); i++)
		assert_true(public_key_from_spki(uses[i].made->spki, &keys[i], &err));
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_a_lot, keys), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
	for (size_t i = 0; i < COUNT_OF(uses); i++)
		public_key_free(keys[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_verify),
		cmocka_unit_test(test_openssl_verifies_ecdsa),
		cmocka_unit_test(test_the_algorithm_must_fit),
		cmocka_unit_test(test_private_keys_are_bound),
		cmocka_unit_test(test_signing_keys_outlive_the_keyring),
		cmocka_unit_test(test_makes_certificates),
		cmocka_unit_test(test_threads_share_signing_keys),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
