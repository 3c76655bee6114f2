#include "pki/testing.h"

#include "pki/subject.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define ARENA (1 << 20)

static struct profile
full_profile(struct arena *arena)
{
	static view emails[] = { V_INIT("a@b.test") };
	static view names[] = { V_INIT("contoso.test"), V_INIT("*.contoso.test") };
	static view upns[] = { V_INIT("user@contoso.test") };
	static view uris[] = { V_INIT("https://contoso.test/x") };
	static view ips[] = { V_INIT("192.0.2.1"), V_INIT("2001:db8::1") };
	static view ekus[] = { V_INIT("1.3.6.1.5.5.7.3.1"), V_INIT("1.3.6.1.5.5.7.3.2") };

	return (struct profile){
		.subject = test_name(arena, "CN=contoso.test, O=Contoso, C=US"),
		.alt = { { [ALT_EMAIL] = { emails, 1 },
		    [ALT_DNS] = { names, 2 },
		    [ALT_UPN] = { upns, 1 },
		    [ALT_URI] = { uris, 1 },
		    [ALT_IP] = { ips, 2 } } },
		.usages = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT,
		.ekus = { ekus, 2 },
		.path_length = -1,
		.crl_url = V("http://ca.test/root.crl"),
		.ocsp_url = V("http://ca.test/ocsp"),
		.issuer_url = V("http://ca.test/root.cer"),
	};
}

static X509 *
decode(const struct buf *der)
{
	const unsigned char *at = octets(buf_view(der));
	X509 *certificate = d2i_X509(NULL, &at, (long)der->len);

	assert_non_null(certificate);
	assert_true(at == octets(buf_view(der)) + der->len);
	return certificate;
}

static const struct {
	const char *key;
	enum signature_alg alg;
} algs[] = {
	{ "RSA-2048", SIGNATURE_RS256 },
	{ "RSA-2048", SIGNATURE_RS384 },
	{ "RSA-2048", SIGNATURE_RS512 },
	{ "RSA-2048", SIGNATURE_PS256 },
	{ "RSA-2048", SIGNATURE_PS384 },
	{ "RSA-2048", SIGNATURE_PS512 },
	{ "P-256", SIGNATURE_ES256 },
	{ "P-256K", SIGNATURE_ES256K },
	{ "P-384", SIGNATURE_ES384 },
	{ "P-521", SIGNATURE_ES512 },
};

static void
test_self_signed_with_every_algorithm(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		AUTO(test_key_done) struct test_key *key = test_key_with(algs[i].key, algs[i].alg);
		AUTO(buf_free) struct buf der = { 0 };
		AUTO(certificate_done) X509 *certificate = NULL;
		struct profile profile = full_profile(&arena);
		const struct x509_wish wish = { .profile = &profile,
			.spki = buf_view(&key->spki),
			.not_before = NOON,
			.not_after = NOON + YEAR };
		struct error err;

		assert_fine(x509_issue(&wish, &key->signer, &der, &err), &err);
		certificate = decode(&der);
		assert_int_equal(X509_verify(certificate, key->pkey), 1);
		assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
		assert_int_equal(X509_check_host(certificate, "a.contoso.test", 0, 0, NULL), 1);
		assert_int_equal(X509_check_ip_asc(certificate, "2001:db8::1", 0), 1);
		assert_int_equal(X509_check_ip_asc(certificate, "192.0.2.1", 0), 1);
		assert_int_equal(X509_check_email(certificate, "a@b.test", 0, 0), 1);
		assert_int_equal(X509_get_key_usage(certificate),
		    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
		assert_int_equal(X509_get_extended_key_usage(certificate),
		    XKU_SSL_SERVER | XKU_SSL_CLIENT);
		assert_int_equal(X509_check_ca(certificate), 0);
		assert_int_equal(ERR_peek_error(), 0);
	}
	arena_free(&arena);
}

/* OpenSSL writes what it read: the same bytes, if those were DER. */
static void
test_is_der(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	AUTO(buf_free) struct buf der = { 0 };
	AUTO(certificate_done) X509 *certificate = NULL;
	struct arena arena;
	struct profile profile;
	struct x509_wish wish = { .profile = &profile, .spki = buf_view(&key->spki) };
	unsigned char *again = NULL;
	struct error err;
	int len;

	(void)state;
	arena_init(&arena, ARENA);
	profile = full_profile(&arena);
	wish.not_before = NOON;
	wish.not_after = INT64_C(253402300799); /* the end of the year 9999 */
	assert_fine(x509_issue(&wish, &key->signer, &der, &err), &err);
	certificate = decode(&der);
	len = i2d_re_X509_tbs(certificate, &again);
	assert_true(len > 0 && (size_t)len < der.len);
	OPENSSL_free(again);
	again = NULL;
	len = i2d_X509(certificate, &again);
	assert_true(view_eq((view){ (const char *)again, (size_t)len }, buf_view(&der)));
	OPENSSL_free(again);
	for (int i = 0; i < X509_get_ext_count(certificate); i++) {
		X509_EXTENSION *extension = X509_get_ext(certificate, i);
		void *value = X509V3_EXT_d2i(extension);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
		X509_EXTENSION *same;

		assert_non_null(value);
		same = X509V3_EXT_i2d(nid, X509_EXTENSION_get_critical(extension), value);
		assert_int_equal(ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(extension),
				     X509_EXTENSION_get_data(same)),
		    0);
		X509_EXTENSION_free(same);
		if (X509V3_EXT_get(extension)->it != NULL)
			ASN1_item_free(value, ASN1_ITEM_ptr(X509V3_EXT_get(extension)->it));
		else
			X509V3_EXT_get(extension)->ext_free(value);
	}
	arena_free(&arena);
}

static void
test_requests_with_every_algorithm(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		AUTO(test_key_done) struct test_key *key = test_key_with(algs[i].key, algs[i].alg);
		AUTO(buf_free) struct buf der = { 0 };
		struct profile profile = full_profile(&arena);
		STACK_OF(X509_EXTENSION) * extensions;
		const unsigned char *at;
		X509_REQ *request;
		struct error err;

		assert_fine(csr_make(&profile, buf_view(&key->spki), &key->signer, &der, &err),
		    &err);
		at = octets(buf_view(&der));
		request = d2i_X509_REQ(NULL, &at, (long)der.len);
		assert_non_null(request);
		assert_int_equal(X509_REQ_verify(request, key->pkey), 1);
		extensions = X509_REQ_get_extensions(request);
		assert_int_equal(sk_X509_EXTENSION_num(extensions), 6);
		sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
		X509_REQ_free(request);
	}
	arena_free(&arena);
}

static void
save(const char *folder, const char *name, view der, char path[PATH_LEN])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_true(PEM_write_bio(bio, PEM_STRING_X509, "", octets(der), (long)der.len) > 0);
	len = BIO_get_mem_data(bio, &text);
	write_file(folder, name, (view){ text, (size_t)len }, path);
	BIO_free(bio);
}

static void
test_openssl_verifies_a_chain(void **state)
{
	AUTO(test_key_done) struct test_key *root = test_key_new("P-384");
	AUTO(test_key_done) struct test_key *leaf = test_key_new("RSA-2048");
	char folder[] = "/tmp/issue_test_XXXXXX", root_path[PATH_LEN], leaf_path[PATH_LEN];
	struct arena arena;

	(void)state;
	if (!has_openssl())
		skip();
	arena_init(&arena, ARENA);
	assert_non_null(mkdtemp(folder));
	save(folder, "root.pem", test_certificate(&arena, "CN=Root", root, "CN=Root", root, true),
	    root_path);
	save(folder, "leaf.pem", test_certificate(&arena, "CN=Leaf", leaf, "CN=Root", root, false),
	    leaf_path);
	assert_true(runs((const char *const[]){ "openssl", "verify", "-x509_strict",
	    "-check_ss_sig", "-attime", "1900000000", "-CAfile", root_path, leaf_path, NULL }));
	assert_false(runs((const char *const[]){ "openssl", "verify", "-x509_strict", "-attime",
	    "1900000000", "-CAfile", leaf_path, root_path, NULL }));
	remove_folder(folder);
	arena_free(&arena);
}

static void
test_serials_are_positive_and_random(void **state)
{
	uint8_t seen[8][SERIAL_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(seen); i++) {
		x509_serial(seen[i]);
		assert_int_equal(seen[i][0] >> 6, 1);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], SERIAL_LEN);
	}
}

static void
test_given_serials(void **state)
{
	static const struct {
		view given;
		const char *shown; /* NULL: refused */
	} cases[] = {
		{ V_INIT("\x01"), "1" },
		{ V_INIT("\x00\x00\x80"), "128" },
		{ V_INIT("\xff\xff"), "65535" },
		{ V_INIT("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			 "\xff\xff"),
		    "0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
		{ V_INIT("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			 "\xff\xff"),
		    NULL },
	};
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(buf_free) struct buf der = { 0 };
		AUTO(certificate_done) X509 *certificate = NULL;
		struct profile profile = full_profile(&arena);
		const struct x509_wish wish = { .profile = &profile,
			.spki = buf_view(&key->spki),
			.serial = cases[i].given,
			.not_before = NOON,
			.not_after = NOON };
		char *text;

		assert_int_equal(x509_issue(&wish, &key->signer, &der, &err),
		    cases[i].shown != NULL);
		if (cases[i].shown == NULL)
			continue;
		certificate = decode(&der);
		text = i2s_ASN1_INTEGER(NULL, X509_get0_serialNumber(certificate));
		assert_string_equal(text, cases[i].shown);
		OPENSSL_free(text);
	}
	arena_free(&arena);
}

static void
test_alternative_names(void **state)
{
	static const struct {
		enum alt_kind kind;
		const char *text;
		bool good;
	} cases[] = {
		{ ALT_DNS, "a", true },
		{ ALT_DNS, "a_b.test", true },
		{ ALT_DNS, "*.a.test", true },
		{ ALT_DNS, "xn--mller-kva.test", true },
		{ ALT_DNS, "", false },
		{ ALT_DNS, "*", false },
		{ ALT_DNS, "a.*.test", false },
		{ ALT_DNS, "a..b", false },
		{ ALT_DNS, "a.", false },
		{ ALT_DNS, ".a", false },
		{ ALT_DNS, "a b", false },
		{ ALT_DNS, "a.test,DNS:b.test", false },
		{ ALT_DNS, "m\xc3\xbcller.test", false },
		{ ALT_DNS, "-a.test", false },
		{ ALT_EMAIL, "a@b", true },
		{ ALT_EMAIL, "a", false },
		{ ALT_EMAIL, "@b", false },
		{ ALT_EMAIL, "a@", false },
		{ ALT_EMAIL, "a@b@c", false },
		{ ALT_EMAIL, "a b@c", false },
		{ ALT_EMAIL, "\xc3\xbc@b", false },
		{ ALT_UPN, "\xc3\xbc@b", true },
		{ ALT_UPN, "", false },
		{ ALT_UPN, "a\n@b", false },
		{ ALT_UPN, "a\xff@b", false },
		{ ALT_URI, "urn:x:y", true },
		{ ALT_URI, "spiffe://a/b", true },
		{ ALT_URI, "a", false },
		{ ALT_URI, ":a", false },
		{ ALT_URI, "a:", false },
		{ ALT_URI, "1a:b", false },
		{ ALT_URI, "http://a b", false },
		{ ALT_IP, "::1", true },
		{ ALT_IP, "10.0.0.1", true },
		{ ALT_IP, "10.0.0.256", false },
		{ ALT_IP, "10.0.0.0/8", false },
		{ ALT_IP, "a", false },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		view item = view_of(cases[i].text);
		struct profile profile = { .subject = SUBJECT_EMPTY };

		profile.alt.of[cases[i].kind] = (struct views){ &item, 1 };
		if (profile_check(&profile, &err) != cases[i].good)
			fail_msg("\"%s\"", cases[i].text);
		assert_true(cases[i].good || err.code == ERR_BAD_PARAMETER);
	}
}

static void
test_refuses_profiles(void **state)
{
	static view oids[] = { V_INIT("1.2.3"), V_INIT(""), V_INIT("1"), V_INIT("1."),
		V_INIT("3.1"), V_INIT("1.40"), V_INIT("1.2.x"), V_INIT("1..2"), V_INIT("1.02"),
		V_INIT("1.2.99999999999999999999") };
	view many[ALT_NAMES_MAX + 1];
	struct profile profile = { .subject = SUBJECT_EMPTY };
	struct error err;

	(void)state;
	assert_false(profile_check(&profile, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = V("a.test");
	profile.alt.of[ALT_DNS] = (struct views){ many, ALT_NAMES_MAX };
	assert_true(profile_check(&profile, &err));
	profile.alt.of[ALT_DNS].count++;
	assert_false(profile_check(&profile, &err));
	profile.alt.of[ALT_DNS].count = 1;
	for (size_t i = 0; i < COUNT_OF(oids); i++) {
		profile.ekus = (struct views){ &oids[i], 1 };
		assert_int_equal(profile_check(&profile, &err), i == 0);
	}
}

static bool
sign_never(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	(void)ctx;
	(void)message;
	(void)digest;
	buf_add_char(out, 'x');
	return error_set(err, ERR_UNAVAILABLE, "no key");
}

static void
test_a_failure_leaves_nothing(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	const struct signer never = { SIGNATURE_ES256, sign_never, NULL };
	AUTO(buf_free) struct buf der = { 0 };
	struct arena arena;
	struct profile profile;
	struct x509_wish wish = { .profile = &profile,
		.spki = buf_view(&key->spki),
		.not_before = NOON,
		.not_after = NOON + 1 };
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	profile = full_profile(&arena);
	assert_false(x509_issue(&wish, &never, &der, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	wish.not_after = NOON - 1;
	assert_false(x509_issue(&wish, &key->signer, &der, &err));
	wish.not_after = INT64_C(253402300800);
	assert_false(x509_issue(&wish, &key->signer, &der, &err));
	wish.not_after = NOON;
	wish.spki = V("no key");
	assert_false(x509_issue(&wish, &key->signer, &der, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_int_equal(der.len, 0);
	assert_int_equal(ERR_peek_error(), 0);
	arena_free(&arena);
}

static void
test_usage_names(void **state)
{
	unsigned all = 0;

	(void)state;
	for (size_t i = 0; i < USAGES; i++) {
		all |= usage_find(view_of(usage_names[i].name));
		assert_true(i == 0 || strcmp(usage_names[i - 1].name, usage_names[i].name) < 0);
	}
	assert_int_equal(all, 0x1ff);
	assert_int_equal(usage_find(V("DigitalSignature")), 0);
}

/* What a JWK's numbers make is what OpenSSL makes of the key. */
static void
test_keys_of_numbers(void **state)
{
	static const char *const names[] = { "P-256", "P-256K", "P-384", "P-521", "RSA-2048" };
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		AUTO(test_key_done) struct test_key *key = test_key_new(names[i]);
		AUTO(buf_free) struct buf made = { 0 };
		BIGNUM *a = NULL, *b = NULL;
		unsigned char first[256], second[256];
		struct spki kind;
		bool rsa = i == 4;
		int len;

		assert_true(spki_read(buf_view(&key->spki), &kind, &err));
		assert_true(spki_is_vault(&kind));
		assert_int_equal(EVP_PKEY_get_bn_param(key->pkey, rsa ? "n" : "qx", &a), 1);
		assert_int_equal(EVP_PKEY_get_bn_param(key->pkey, rsa ? "e" : "qy", &b), 1);
		len = rsa ? 256 : (int)(kind.bits + 7) / 8;
		assert_int_equal(BN_bn2binpad(a, first, len), len);
		assert_int_equal(BN_bn2binpad(b, second, len), len);
		if (rsa)
			assert_true(spki_from_rsa((view){ (char *)first, (size_t)len },
			    (view){ (char *)second, (size_t)len }, &made));
		else
			assert_true(
			    spki_from_ec(view_of(names[i]), (view){ (char *)first, (size_t)len },
				(view){ (char *)second, (size_t)len }, &made));
		assert_true(view_eq(buf_view(&made), buf_view(&key->spki)));
		BN_free(a);
		BN_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self_signed_with_every_algorithm),
		cmocka_unit_test(test_is_der),
		cmocka_unit_test(test_requests_with_every_algorithm),
		cmocka_unit_test(test_openssl_verifies_a_chain),
		cmocka_unit_test(test_serials_are_positive_and_random),
		cmocka_unit_test(test_given_serials),
		cmocka_unit_test(test_alternative_names),
		cmocka_unit_test(test_refuses_profiles),
		cmocka_unit_test(test_a_failure_leaves_nothing),
		cmocka_unit_test(test_usage_names),
		cmocka_unit_test(test_keys_of_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
