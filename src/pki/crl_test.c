/*
 * Revocation lists and OCSP, read by OpenSSL.
 */
#include "pki/crl.h"
#include "pki/ocsp.h"
#include "pki/read.h"
#include "pki/testing.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#define ARENA (1 << 20)

struct ca {
	struct arena arena;
	struct test_key *key;
	view der;
	struct x509 certificate;
};

static struct ca
ca_new(const char *kind)
{
	struct ca made = { .key = test_key_new(kind) };
	struct error err;

	arena_init(&made.arena, ARENA);
	made.der =
	    test_certificate(&made.arena, "CN=CA, O=a", made.key, "CN=CA, O=a", made.key, true);
	assert_fine(x509_read(made.der, &made.arena, &made.certificate, &err), &err);
	return made;
}

static void
ca_done(struct ca *ca)
{
	test_key_free(ca->key);
	arena_free(&ca->arena);
}

static X509 *
decode(view der)
{
	const unsigned char *at = octets(der);
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	assert_non_null(certificate);
	return certificate;
}

static const struct crl_entry entries[] = {
	{ V_INIT("\x01"), NOON - 10, CRL_UNSPECIFIED },
	{ V_INIT("\x80\x02"), NOON - 20, CRL_KEY_COMPROMISE },
	{ V_INIT("\x00\x03"), NOON - 30, CRL_SUPERSEDED },
};

static X509_CRL *
make_crl(struct ca *ca, size_t count)
{
	const struct crl_wish wish = { .issuer = ca->certificate.profile.subject,
		.issuer_key_id = ca->certificate.key_id,
		.number = 300,
		.this_update = NOON,
		.next_update = NOON + 86400,
		.entries = entries,
		.count = count };
	AUTO(buf_free) struct buf der = { 0 };
	const unsigned char *at;
	struct error err;
	X509_CRL *crl;

	assert_fine(crl_make(&wish, &ca->key->signer, &der, &err), &err);
	at = octets(buf_view(&der));
	crl = d2i_X509_CRL(NULL, &at, (long)der.len);
	assert_non_null(crl);
	assert_true(at == octets(buf_view(&der)) + der.len);
	return crl;
}

static void
test_crl(void **state)
{
	static const char *const kinds[] = { "RSA-2048", "P-256", "P-521" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(ca_done) struct ca ca = ca_new(kinds[i]);
		X509_CRL *crl = make_crl(&ca, COUNT_OF(entries));
		ASN1_INTEGER *serial = ASN1_INTEGER_new();
		ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
		ASN1_ENUMERATED *reason;
		X509_REVOKED *revoked;

		assert_int_equal(X509_CRL_verify(crl, ca.key->pkey), 1);
		assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
		assert_int_equal(ASN1_INTEGER_get(number), 300);
		for (size_t n = 0; n < 5; n++) {
			static const long serials[] = { 1, 0x8002, 3, 2, 0x80 };

			assert_int_equal(ASN1_INTEGER_set(serial, serials[n]), 1);
			assert_int_equal(X509_CRL_get0_by_serial(crl, &revoked, serial), n < 3);
			if (n >= 3)
				continue;
			reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
			assert_int_equal(reason == NULL ? 0 : ASN1_ENUMERATED_get(reason),
			    entries[n].reason);
			ASN1_ENUMERATED_free(reason);
		}
		ASN1_INTEGER_free(serial);
		ASN1_INTEGER_free(number);
		X509_CRL_free(crl);
	}
}

static void
test_an_empty_crl(void **state)
{
	AUTO(ca_done) struct ca ca = ca_new("P-256");
	X509_CRL *crl = make_crl(&ca, 0);

	(void)state;
	assert_int_equal(X509_CRL_verify(crl, ca.key->pkey), 1);
	assert_null(X509_CRL_get_REVOKED(crl));
	X509_CRL_free(crl);
}

/* A verification that asks for the CRL finds the certificate good, or revoked. */
static void
test_openssl_checks_with_the_crl(void **state)
{
	AUTO(ca_done) struct ca ca = ca_new("P-256");
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	static const view serials[] = { V_INIT("\x01"), V_INIT("\x02") };
	struct profile profile = { .subject = test_name(&ca.arena, "CN=leaf"), .path_length = -1 };
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(serials); i++) {
		const struct x509_wish wish = { .profile = &profile,
			.spki = buf_view(&key->spki),
			.serial = serials[i],
			.not_before = NOON - 1,
			.not_after = NOON + 1,
			.issuer = ca.certificate.profile.subject,
			.issuer_key_id = ca.certificate.key_id };
		AUTO(buf_free) struct buf der = { 0 };
		AUTO(certificate_done) X509 *leaf = NULL;
		AUTO(certificate_done) X509 *root = decode(ca.der);
		X509_STORE *store = X509_STORE_new();
		X509_STORE_CTX *ctx = X509_STORE_CTX_new();
		X509_CRL *crl = make_crl(&ca, COUNT_OF(entries));

		assert_fine(x509_issue(&wish, &ca.key->signer, &der, &err), &err);
		leaf = decode(buf_view(&der));
		assert_int_equal(X509_STORE_add_cert(store, root), 1);
		assert_int_equal(X509_STORE_add_crl(store, crl), 1);
		assert_int_equal(X509_STORE_set_flags(store,
				     X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT),
		    1);
		assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
		X509_STORE_CTX_set_time(ctx, 0, NOON);
		assert_int_equal(X509_verify_cert(ctx), i == 1);
		assert_int_equal(X509_STORE_CTX_get_error(ctx),
		    i == 1 ? X509_V_OK : X509_V_ERR_CERT_REVOKED);
		X509_STORE_CTX_free(ctx);
		X509_STORE_free(store);
		X509_CRL_free(crl);
	}
}

/* A request by OpenSSL about serial numbers 1 and 2 of the CA, and 3 of nobody. */
static view
ask(struct ca *ca, const EVP_MD *digest, OCSP_REQUEST **request)
{
	AUTO(certificate_done) X509 *root = decode(ca->der);
	AUTO(test_key_done) struct test_key *nobody = test_key_new("P-256");
	unsigned char *der = NULL;
	view copy;
	int len;

	*request = OCSP_REQUEST_new();
	for (long serial = 1; serial <= 3; serial++) {
		ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(root);
		ASN1_INTEGER *number = ASN1_INTEGER_new();
		view bits;

		assert_int_equal(ASN1_INTEGER_set(number, serial), 1);
		assert_true(spki_key_bits(buf_view(&nobody->spki), &bits));
		if (serial == 3)
			assert_int_equal(ASN1_BIT_STRING_set(key,
					     (unsigned char *)(uintptr_t)bits.ptr, (int)bits.len),
			    1);
		assert_non_null(OCSP_request_add0_id(*request,
		    OCSP_cert_id_new(digest, X509_get_subject_name(root), key, number)));
		ASN1_INTEGER_free(number);
	}
	assert_int_equal(OCSP_request_add1_nonce(*request, NULL, -1), 1);
	len = i2d_OCSP_REQUEST(*request, &der);
	assert_true(len > 0 && arena_copy(&ca->arena, (view){ (char *)der, (size_t)len }, &copy));
	OPENSSL_free(der);
	return copy;
}

static void
test_ocsp(void **state)
{
	const EVP_MD *const digests[] = { EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512() };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(digests); i++) {
		AUTO(ca_done) struct ca ca = ca_new(i % 2 == 0 ? "RSA-2048" : "P-384");
		AUTO(buf_free) struct buf der = { 0 };
		OCSP_REQUEST *asked;
		view request = ask(&ca, digests[i], &asked);
		struct ocsp_single singles[3];
		struct ocsp_request found;
		struct ocsp_wish wish = { .issuer_spki = ca.certificate.spki,
			.certificate = i == 0 ? ca.der : V(""),
			.produced = NOON,
			.this_update = NOON,
			.next_update = NOON + 600,
			.singles = singles,
			.count = 3 };
		AUTO(certificate_done) X509 *root = decode(ca.der);
		X509_STORE *store = X509_STORE_new();
		OCSP_RESPONSE *response;
		OCSP_BASICRESP *basic;
		const unsigned char *at;
		struct error err;

		assert_fine(ocsp_read(request, &ca.arena, &found, &err), &err);
		assert_int_equal(found.count, 3);
		for (size_t n = 0; n < 3; n++) {
			assert_int_equal(found.ids[n].serial.ptr[0], n + 1);
			assert_int_equal(ocsp_id_is(&found.ids[n], ca.certificate.profile.subject,
					     ca.certificate.spki),
			    n < 2);
			singles[n] = (struct ocsp_single){ &found.ids[n], (enum ocsp_state)n,
				NOON - 5, CRL_KEY_COMPROMISE };
		}
		wish.nonce = found.nonce;
		assert_fine(ocsp_answer(&wish, &ca.key->signer, &der, &err), &err);
		at = octets(buf_view(&der));
		response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
		assert_non_null(response);
		assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
		basic = OCSP_response_get1_basic(response);
		assert_non_null(basic);
		assert_int_equal(OCSP_check_nonce(asked, basic), 1);
		assert_int_equal(X509_STORE_add_cert(store, root), 1);
		X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOON);
		{
			STACK_OF(X509) *certificates = sk_X509_new_null();

			assert_true(sk_X509_push(certificates, root) > 0);
			assert_int_equal(OCSP_basic_verify(basic, certificates, store,
					     OCSP_TRUSTOTHER),
			    1);
			sk_X509_free(certificates);
		}
		for (int n = 0; n < 3; n++) {
			int reason,
			    status = OCSP_single_get0_status(OCSP_resp_get0(basic, n), &reason,
				NULL, NULL, NULL);

			assert_int_equal(status, n);
			assert_true(n != 1 || reason == CRL_KEY_COMPROMISE);
		}
		OCSP_BASICRESP_free(basic);
		OCSP_RESPONSE_free(response);
		OCSP_REQUEST_free(asked);
		X509_STORE_free(store);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void
test_broken_requests(void **state)
{
	AUTO(ca_done) struct ca ca = ca_new("P-256");
	OCSP_REQUEST *asked;
	view request = ask(&ca, EVP_sha1(), &asked);
	char giant[OCSP_REQUEST_MAX + 1] = { 0x30 };
	struct arena scratch;
	struct ocsp_request found;
	struct error err;

	(void)state;
	arena_init(&scratch, ARENA);
	for (size_t len = 0; len < request.len; len++) {
		assert_false(ocsp_read((view){ request.ptr, len }, &scratch, &found, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		arena_wipe(&scratch);
	}
	for (size_t bit = 0; bit < 8 * request.len; bit++) {
		char *byte = (char *)(uintptr_t)request.ptr + bit / 8;

		*byte = (char)(*byte ^ 1 << bit % 8);
		if (!ocsp_read(request, &scratch, &found, &err))
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
		else
			for (size_t i = 0; i < found.count; i++)
				(void)ocsp_id_is(&found.ids[i], ca.certificate.profile.subject,
				    ca.certificate.spki);
		*byte = (char)(*byte ^ 1 << bit % 8);
		arena_wipe(&scratch);
	}
	assert_false(ocsp_read((view){ giant, sizeof(giant) }, &scratch, &found, &err));
	assert_false(ocsp_read(V("\x30\x04\x30\x02\x30\x00"), &scratch, &found, &err));
	OCSP_REQUEST_free(asked);
	arena_free(&scratch);
}

static void
test_refusals(void **state)
{
	AUTO(buf_free) struct buf der = { 0 };
	const unsigned char *at;
	OCSP_RESPONSE *response;

	(void)state;
	ocsp_refuse(OCSP_UNAUTHORIZED, &der);
	at = octets(buf_view(&der));
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
	assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	OCSP_RESPONSE_free(response);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crl),
		cmocka_unit_test(test_an_empty_crl),
		cmocka_unit_test(test_openssl_checks_with_the_crl),
		cmocka_unit_test(test_ocsp),
		cmocka_unit_test(test_broken_requests),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
