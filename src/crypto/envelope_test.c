#include "crypto/envelope.h"

#include "base/testing.h"
#include "crypto/openssl.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

/* A self-signed certificate and its key, both in PEM. */
struct recipient {
	struct buf certificate, key;
};

static void
take(BIO *bio, struct buf *out)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);

	buf_add(out, (view){ bytes, (size_t)len });
	BIO_free_all(bio);
}

static void
recipient_make(EVP_PKEY *key, struct recipient *out)
{
	X509 *certificate = X509_new();
	BIO *one = BIO_new(BIO_s_mem()), *other = BIO_new(BIO_s_mem());

	assert_non_null(key);
	*out = (struct recipient){ 0 };
	assert_int_equal(1, ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -20));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(certificate), -10)); /* over: no matter */
	assert_int_equal(1, X509_set_pubkey(certificate, key));
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(1, PEM_write_bio_X509(one, certificate));
	assert_int_equal(1, PEM_write_bio_PrivateKey(other, key, NULL, NULL, 0, NULL, NULL));
	take(one, &out->certificate);
	take(other, &out->key);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void
recipient_free(struct recipient *recipient)
{
	buf_free(&recipient->certificate);
	buf_free(&recipient->key);
}

static void
opens_for(EVP_PKEY *key, EVP_PKEY *other)
{
	AUTO(buf_free) struct buf sealed = { 0 };
	AUTO(plain_done) struct plain *plain = NULL;
	struct recipient mine, theirs;
	struct error err;

	recipient_make(key, &mine);
	recipient_make(other, &theirs);
	assert_true(envelope_seal(buf_view(&mine.certificate), V("a key"), &sealed, &err));
	assert_true(envelope_open(buf_view(&mine.key), buf_view(&sealed), &plain, &err));
	assert_true(view_eq(plain_view(plain), V("a key")));
	plain_free(plain);
	plain = NULL;
	assert_false(envelope_open(buf_view(&theirs.key), buf_view(&sealed), &plain, &err));
	assert_int_equal(ERR_CORRUPT, err.code);
	/* Each byte counts, or is of no consequence: never another text. */
	for (size_t i = 0; i < sealed.len; i += 3) {
		sealed.ptr[i] ^= 1;
		if (envelope_open(buf_view(&mine.key), buf_view(&sealed), &plain, &err))
			assert_true(view_eq(plain_view(plain), V("a key")));
		plain_free(plain);
		plain = NULL;
		sealed.ptr[i] ^= 1;
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_false(
		    envelope_open(buf_view(&mine.key), (view){ sealed.ptr, len }, &plain, &err));
	recipient_free(&mine);
	recipient_free(&theirs);
}

static void
test_rsa(void **state)
{
	(void)state;
	opens_for(EVP_RSA_gen(2048), EVP_RSA_gen(2048));
}

static void
test_ec(void **state)
{
	(void)state;
	opens_for(EVP_EC_gen("P-256"), EVP_EC_gen("P-256"));
	opens_for(EVP_EC_gen("P-384"), EVP_RSA_gen(2048));
}

static void
test_refusals(void **state)
{
	AUTO(buf_free) struct buf sealed = { 0 };
	AUTO(plain_done) struct plain *plain = NULL;
	struct recipient weak;
	struct error err;

	(void)state;
	assert_false(envelope_seal(V("no PEM"), V("a key"), &sealed, &err));
	assert_int_equal(ERR_BAD_REQUEST, err.code);
	recipient_make(EVP_RSA_gen(1024), &weak);
	assert_false(envelope_seal(buf_view(&weak.certificate), V("a key"), &sealed, &err));
	assert_int_equal(ERR_BAD_REQUEST, err.code);
	assert_false(envelope_seal(buf_view(&weak.key), V("a key"), &sealed, &err));
	assert_int_equal(0, sealed.len);
	assert_false(envelope_open(V("no PEM"), V(""), &plain, &err));
	assert_int_equal(ERR_BAD_REQUEST, err.code);
	assert_false(envelope_open(buf_view(&weak.key), V("no message"), &plain, &err));
	assert_int_equal(ERR_CORRUPT, err.code);
	recipient_free(&weak);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
