#include "crypto/x509.h"
#include "crypto/openssl.h"
#include "crypto/publickey.h"
#include "crypto/testing.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOON 1900000000
#define YEAR 31536000

static const char *const names[] = { "vault.localhost", "*.vault.localhost", "127.0.0.1", "::1",
	NULL };

static bool
sign_with(void *ctx, view message, struct buf *out, struct error *err)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	char der[80];
	size_t len = sizeof(der);

	assert_int_equal(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, ctx), 1);
	assert_true(
	    EVP_DigestSign(digest, (unsigned char *)der, &len, octets(message), message.len) == 1);
	EVP_MD_CTX_free(digest);
	buf_add(out, (view){ der, len });
	return buf_ok(out) || error_memory(err);
}

static bool
sign_never(void *ctx, view message, struct buf *out, struct error *err)
{
	(void)ctx;
	(void)message;
	(void)out;
	return error_set(err, ERR_UNAVAILABLE, "no key");
}

/* An authority, and a server's certificate by it. */
struct chain {
	EVP_PKEY *authority_key;
	struct buf authority_spki, authority, leaf_pem, leaf_spki, leaf;
};

static struct x509_wish
authority_wish(const struct chain *chain)
{
	return (struct x509_wish){ .subject = "Authority",
		.issuer = "Authority",
		.authority = true,
		.not_before = NOON - YEAR,
		.not_after = NOON + YEAR,
		.public_key = buf_view(&chain->authority_spki),
		.issuer_key = buf_view(&chain->authority_spki) };
}

static struct x509_wish
leaf_wish(const struct chain *chain)
{
	return (struct x509_wish){ .subject = "vault.localhost",
		.issuer = "Authority",
		.not_before = NOON - 60,
		.not_after = NOON + 60,
		.dns = names,
		.public_key = buf_view(&chain->leaf_spki),
		.issuer_key = buf_view(&chain->authority_spki) };
}

static int
make_chain(void **state)
{
	struct chain *chain = calloc(1, sizeof(*chain));
	struct x509_wish wish;
	struct error err;

	assert_non_null(chain);
	chain->authority_key = EVP_EC_gen("P-256");
	assert_true(spki_encode(chain->authority_key, &chain->authority_spki, &err));
	wish = authority_wish(chain);
	assert_true(x509_make(&wish, sign_with, chain->authority_key, &chain->authority, &err));
	assert_true(x509_leaf_key(&chain->leaf_pem, &chain->leaf_spki, &err));
	wish = leaf_wish(chain);
	assert_true(x509_make(&wish, sign_with, chain->authority_key, &chain->leaf, &err));
	assert_int_equal(ERR_peek_error(), 0);
	*state = chain;
	return 0;
}

static int
free_chain(void **state)
{
	struct chain *chain = *state;

	EVP_PKEY_free(chain->authority_key);
	buf_free(&chain->authority_spki);
	buf_free(&chain->authority);
	buf_free(&chain->leaf_pem);
	buf_free(&chain->leaf_spki);
	buf_free(&chain->leaf);
	free(chain);
	return 0;
}

static void
save_pem(const char *folder, const char *name, const struct buf *der, char path[PATH_LEN])
{
	AUTO(buf_free) struct buf pem = { 0 };
	struct error err;

	assert_true(x509_pem(buf_view(der), &pem, &err));
	write_file(folder, name, buf_view(&pem), path);
}

static void
test_openssl_verifies_the_chain(void **state)
{
	static const struct {
		const char *time, *option, *value;
		bool good;
	} cases[] = {
		{ "1900000000", "-verify_hostname", "vault.localhost", true },
		{ "1900000000", "-verify_hostname", "contoso.vault.localhost", true },
		{ "1900000000", "-verify_ip", "127.0.0.1", true },
		{ "1900000000", "-verify_ip", "::1", true },
		{ "1900000000", "-purpose", "sslserver", true },
		{ "1900000000", "-purpose", "sslclient", false },
		{ "1900000000", "-verify_ip", "127.0.0.2", false },
		{ "1900000000", "-verify_hostname", "other.localhost", false },
		{ "1900000061", "-purpose", "sslserver", false },
		{ "1899999939", "-purpose", "sslserver", false },
	};
	char folder[] = "/tmp/x509_test_XXXXXX", authority[PATH_LEN], leaf[PATH_LEN];
	const struct chain *chain = *state;

	if (!has_openssl())
		skip();
	assert_non_null(mkdtemp(folder));
	save_pem(folder, "ca.pem", &chain->authority, authority);
	save_pem(folder, "leaf.pem", &chain->leaf, leaf);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *const command[] = { "openssl", "verify", "-x509_strict",
			"-check_ss_sig", "-attime", cases[i].time, cases[i].option, cases[i].value,
			"-CAfile", authority, leaf, NULL };

		if (runs(command) != cases[i].good)
			fail_msg("%s %s at %s", cases[i].option, cases[i].value, cases[i].time);
	}
	remove_folder(folder);
}

static void
test_a_leaf_signs_nothing(void **state)
{
	struct chain *chain = *state;
	AUTO(certificate_done) X509 *leaf = NULL;
	AUTO(certificate_done) X509 *authority = NULL;
	const unsigned char *at = octets(buf_view(&chain->leaf));

	leaf = d2i_X509(NULL, &at, (long)chain->leaf.len);
	at = octets(buf_view(&chain->authority));
	authority = d2i_X509(NULL, &at, (long)chain->authority.len);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(X509_check_ca(authority), 1);
	assert_int_equal(X509_get_pathlen(authority), 0);
	assert_int_equal(X509_get_version(leaf), X509_VERSION_3);
	assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
	assert_int_equal(X509_get_key_usage(authority), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
}

/* OpenSSL reads any octet but 0 as true; Go's parser refuses what is not DER. */
static void
test_an_authority_says_so_in_der(void **state)
{
	static const char der[] = "\x30\x06\x01\x01\xff\x02\x01\x00";
	const struct chain *chain = *state;
	AUTO(certificate_done) X509 *authority = NULL;
	const unsigned char *at = octets(buf_view(&chain->authority));
	const ASN1_OCTET_STRING *value;
	int index;

	authority = d2i_X509(NULL, &at, (long)chain->authority.len);
	index = X509_get_ext_by_NID(authority, NID_basic_constraints, -1);
	assert_true(index >= 0);
	value = X509_EXTENSION_get_data(X509_get_ext(authority, index));
	assert_int_equal(ASN1_STRING_length(value), sizeof(der) - 1);
	assert_memory_equal(ASN1_STRING_get0_data(value), der, sizeof(der) - 1);
}

static void
test_serials_are_long_positive_and_random(void **state)
{
	struct chain *chain = *state;
	struct x509_wish wish = leaf_wish(chain);
	unsigned char seen[8][20];

	for (size_t i = 0; i < COUNT_OF(seen); i++) {
		AUTO(buf_free) struct buf der = { 0 };
		AUTO(certificate_done) X509 *leaf = NULL;
		AUTO(bn_done) BIGNUM *serial = NULL;
		const unsigned char *at;
		struct error err;

		assert_true(x509_make(&wish, sign_with, chain->authority_key, &der, &err));
		at = octets(buf_view(&der));
		leaf = d2i_X509(NULL, &at, (long)der.len);
		serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
		assert_int_equal(BN_num_bits(serial), 128);
		assert_false(BN_is_negative(serial));
		assert_int_equal(BN_bn2binpad(serial, seen[i], 20), 20);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 20);
	}
}

static void
test_the_leaf_key_is_its_own(void **state)
{
	const struct chain *chain = *state;
	BIO *bio = BIO_new_mem_buf(chain->leaf_pem.ptr, (int)chain->leaf_pem.len);
	AUTO(pkey_done) EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	AUTO(buf_free) struct buf spki = { 0 };
	struct public_key *key = NULL;
	int64_t from, to;
	struct error err;

	BIO_free(bio);
	assert_non_null(pkey);
	assert_true(view_starts(buf_view(&chain->leaf_pem), V("-----BEGIN PRIVATE KEY-----\n")));
	assert_true(spki_encode(pkey, &spki, &err));
	assert_true(view_eq(buf_view(&spki), buf_view(&chain->leaf_spki)));
	assert_true(public_key_from_certificate(buf_view(&chain->leaf), &key, &err));
	public_key_free(key);
	assert_true(certificate_validity(buf_view(&chain->leaf), &from, &to, &err));
	assert_int_equal(from, NOON - 60);
	assert_int_equal(to, NOON + 60);
}

/* A name is a name: no second one can be smuggled in, as in OpenSSL's configuration syntax. */
static void
test_a_name_stays_one_name(void **state)
{
	static const char *const sly[] = { "a.test,DNS:b.test", NULL };
	struct chain *chain = *state;
	struct x509_wish wish = leaf_wish(chain);
	AUTO(buf_free) struct buf der = { 0 };
	AUTO(certificate_done) X509 *leaf = NULL;
	const unsigned char *at;
	struct error err;

	wish.dns = sly;
	assert_true(x509_make(&wish, sign_with, chain->authority_key, &der, &err));
	at = octets(buf_view(&der));
	leaf = d2i_X509(NULL, &at, (long)der.len);
	assert_int_equal(X509_check_host(leaf, "b.test", 0, 0, NULL), 0);
}

static void
test_refuses_what_makes_no_certificate(void **state)
{
	struct chain *chain = *state;
	struct x509_wish wishes[] = { leaf_wish(chain), leaf_wish(chain), leaf_wish(chain) };
	AUTO(buf_free) struct buf der = { 0 };
	struct error err;

	wishes[0].public_key = V("no key");
	wishes[1].issuer_key = V("");
	wishes[2].subject =
	    "a common name of more than sixty-four characters is too long for X.520";
	for (size_t i = 0; i < COUNT_OF(wishes); i++) {
		assert_false(x509_make(&wishes[i], sign_with, chain->authority_key, &der, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_int_equal(ERR_peek_error(), 0);
	}
	wishes[0] = leaf_wish(chain);
	assert_false(x509_make(&wishes[0], sign_never, NULL, &der, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_int_equal(der.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_verifies_the_chain),
		cmocka_unit_test(test_a_leaf_signs_nothing),
		cmocka_unit_test(test_an_authority_says_so_in_der),
		cmocka_unit_test(test_serials_are_long_positive_and_random),
		cmocka_unit_test(test_the_leaf_key_is_its_own),
		cmocka_unit_test(test_a_name_stays_one_name),
		cmocka_unit_test(test_refuses_what_makes_no_certificate),
	};

	return cmocka_run_group_tests(tests, make_chain, free_chain);
}
