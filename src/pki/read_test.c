#include "pki/read.h"

#include "base/file.h"
#include "pki/subject.h"
#include "pki/testing.h"

#include <openssl/err.h>
#include <stdlib.h>

#define ARENA (16 << 20)

static view names[] = { V_INIT("contoso.test"), V_INIT("*.contoso.test") };
static view emails[] = { V_INIT("a@b.test") };
static view upns[] = { V_INIT("us\xc3\xa9r@contoso.test") };
static view uris[] = { V_INIT("https://contoso.test/x") };
static view ips[] = { V_INIT("192.0.2.1"), V_INIT("2001:db8::1") };
static view ekus[] = { V_INIT("1.3.6.1.5.5.7.3.1"), V_INIT("2.999.1") };

static struct profile
full_profile(struct arena *arena)
{
	return (struct profile){
		.subject = test_name(arena, "CN=contoso.test, O=Contoso, C=US"),
		.alt = { { [ALT_EMAIL] = { emails, 1 },
		    [ALT_DNS] = { names, 2 },
		    [ALT_UPN] = { upns, 1 },
		    [ALT_URI] = { uris, 1 },
		    [ALT_IP] = { ips, 2 } } },
		.usages = USAGE_DIGITAL_SIGNATURE | USAGE_DECIPHER_ONLY | USAGE_KEY_CERT_SIGN,
		.ekus = { ekus, 2 },
		.ca = true,
		.path_length = 3,
		.crl_url = V("http://ca.test/root.crl"),
	};
}

static view
issue(struct arena *arena, const struct test_key *key, const struct profile *profile)
{
	AUTO(buf_free) struct buf der = { 0 };
	const struct x509_wish wish = { .profile = profile,
		.spki = buf_view(&key->spki),
		.serial = V("\x80\x01"),
		.not_before = NOON - 70 * YEAR,
		.not_after = NOON + 40 * YEAR };
	struct error err;

	assert_fine(x509_issue(&wish, &key->signer, &der, &err), &err);
	return test_copy(arena, &der);
}

static void
assert_views(const struct views *got, const struct views *wanted)
{
	assert_int_equal(got->count, wanted->count);
	for (size_t i = 0; i < got->count; i++)
		assert_text(got->items[i], wanted->items[i]);
}

static void
assert_profile(const struct profile *got, const struct profile *wanted)
{
	assert_true(view_eq(got->subject, wanted->subject));
	for (size_t i = 0; i < ALT_KINDS; i++)
		assert_views(&got->alt.of[i], &wanted->alt.of[i]);
	assert_views(&got->ekus, &wanted->ekus);
	assert_int_equal(got->usages, wanted->usages);
	assert_int_equal(got->ca, wanted->ca);
	assert_int_equal(got->path_length, wanted->path_length);
}

static void
test_reads_what_was_issued(void **state)
{
	static const struct {
		const char *key;
		enum spki_kind kind;
		unsigned bits;
	} cases[] = {
		{ "RSA-2048", SPKI_RSA, 2048 },
		{ "RSA-1024", SPKI_RSA, 1024 },
		{ "P-256", SPKI_EC, 256 },
		{ "P-256K", SPKI_EC, 256 },
		{ "P-384", SPKI_EC, 384 },
		{ "P-521", SPKI_EC, 521 },
	};
	struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(test_key_done) struct test_key *key = test_key_new(cases[i].key);
		struct profile profile = full_profile(&arena);
		view der = issue(&arena, key, &profile);
		uint8_t id[KEY_ID_LEN];
		struct x509 found;

		assert_fine(x509_read(der, &arena, &found, &err), &err);
		assert_profile(&found.profile, &profile);
		assert_true(view_eq(found.issuer, profile.subject));
		assert_true(view_eq(found.serial, V("\x00\x80\x01")));
		assert_int_equal(found.not_before, NOON - 70 * YEAR);
		assert_int_equal(found.not_after, NOON + 40 * YEAR);
		assert_true(view_eq(found.spki, buf_view(&key->spki)));
		assert_int_equal(found.key.kind, cases[i].kind);
		assert_int_equal(found.key.bits, cases[i].bits);
		assert_int_equal(spki_is_vault(&found.key), cases[i].bits != 1024);
		if (cases[i].kind == SPKI_EC)
			assert_string_equal(found.key.curve, cases[i].key);
		assert_fine(spki_key_id(found.spki, id, &err), &err);
		assert_true(view_eq(found.key_id, (view){ (const char *)id, sizeof(id) }));
		assert_true(view_eq(found.issuer_key_id, found.key_id));
		assert_true(x509_signed_by(&found, &found));
		assert_int_equal(ERR_peek_error(), 0);
	}
	arena_free(&arena);
}

static void
test_a_bare_certificate(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	struct profile profile;
	struct arena arena;
	struct x509 found;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	profile = (struct profile){ .subject = test_name(&arena, "CN=a"), .path_length = -1 };
	assert_fine(x509_read(issue(&arena, key, &profile), &arena, &found, &err), &err);
	assert_profile(&found.profile, &profile);
	arena_free(&arena);
}

/* Nothing that is cut or changed crashes the reader, and nothing cut is accepted. */
static void
test_broken_certificates(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	struct arena arena, scratch;
	struct profile profile;
	char *broken;
	view der;

	(void)state;
	arena_init(&arena, ARENA);
	arena_init(&scratch, ARENA);
	profile = full_profile(&arena);
	der = issue(&arena, key, &profile);
	for (size_t len = 0; len < der.len; len++) {
		struct x509 found;
		struct error err;
		/* Of its own, so that a sanitizer sees a byte read too much. */
		char *cut = malloc(len + 1);

		memcpy(cut, der.ptr, len);
		if (x509_read((view){ cut, len }, &scratch, &found, &err))
			fail_msg("accepted with %zu bytes", len);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		free(cut);
	}
	broken = malloc(der.len);
	for (size_t bit = 0; bit < 8 * der.len; bit++) {
		struct x509 found;
		struct error err;
		view text;

		memcpy(broken, der.ptr, der.len);
		broken[bit / 8] = (char)(broken[bit / 8] ^ 1 << bit % 8);
		if (x509_read((view){ broken, der.len }, &scratch, &found, &err))
			assert_fine(subject_text(found.profile.subject, &scratch, &text, &err),
			    &err);
		else
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
		arena_wipe(&scratch);
	}
	free(broken);
	arena_free(&scratch);
	arena_free(&arena);
}

/* Replace ${from} by ${to}, which is as long, wherever it is. */
static view
with(struct arena *arena, view der, view from, view to)
{
	view copy;
	bool found = false;

	assert_int_equal(from.len, to.len);
	assert_true(arena_copy(arena, der, &copy));
	for (size_t i = 0; i + from.len <= copy.len; i++) {
		if (memcmp(copy.ptr + i, from.ptr, from.len) == 0) {
			memcpy((char *)(uintptr_t)copy.ptr + i, to.ptr, to.len);
			found = true;
		}
	}
	assert_true(found);
	return copy;
}

static void
test_what_others_wrote(void **state)
{
	static const struct {
		view from, to;
		bool good;
	} cases[] = {
		/* Serial numbers may be negative: the original's own tests import one. */
		{ V_INIT("\x02\x03\x00\x80\x01"), V_INIT("\x02\x03\x80\x80\x01"), true },
		{ V_INIT("\x02\x03\x00\x80\x01"), V_INIT("\x04\x03\x00\x80\x01"), false },
		/* NUL and other control characters, in the subject and in alternative names. */
		{ V_INIT("Contoso"), V_INIT("Cont\0so"), false },
		{ V_INIT("*.contoso.test"), V_INIT("*.contoso\0test"), false },
		{ V_INIT("*.contoso.test"), V_INIT("*.contoso\ntest"), false },
		{ V_INIT("*.contoso.test"), V_INIT("*.contoso\xfctest"), false },
		{ V_INIT("a@b.test"), V_INIT("a@b\0test"), false },
		{ V_INIT("r@contoso"), V_INIT("r\0contoso"), false },
		{ V_INIT("https://"), V_INIT("https\0//"), false },
		/* Dates that never were: 1960 was a leap year. */
		{ V_INIT("\x17\x0d"), V_INIT("\x18\x0d"), false },
		/* The same extension twice: an EKU that became a key usage. */
		{ V_INIT("\x06\x03\x55\x1d\x25"), V_INIT("\x06\x03\x55\x1d\x0f"), false },
		/* Unknown extensions are passed over. */
		{ V_INIT("\x06\x03\x55\x1d\x25"), V_INIT("\x06\x03\x55\x1d\x7f"), true },
	};
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	struct arena arena;
	struct profile profile;
	view der;

	(void)state;
	arena_init(&arena, ARENA);
	profile = full_profile(&arena);
	der = issue(&arena, key, &profile);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct x509 found;
		struct error err;

		if (x509_read(with(&arena, der, cases[i].from, cases[i].to), &arena, &found,
			&err) != cases[i].good)
			fail_msg("case %zu", i);
		assert_true(cases[i].good || err.code == ERR_BAD_PARAMETER);
	}
	arena_free(&arena);
}

static void
test_giants(void **state)
{
	char *giant = calloc(1, CERTIFICATE_MAX + 1);
	struct arena arena;
	struct x509 found;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	memcpy(giant, "\x30\x82\xff\xff", 4);
	assert_false(x509_read((view){ giant, CERTIFICATE_MAX }, &arena, &found, &err));
	assert_false(x509_read((view){ giant, CERTIFICATE_MAX + 1 }, &arena, &found, &err));
	assert_false(x509_read(V("\x30\x84\x7f\xff\xff\xff"), &arena, &found, &err));
	assert_false(x509_read(V("\x30\x80\x00\x00"), &arena, &found, &err));
	arena_free(&arena);
	free(giant);
}

static void
test_signed_by(void **state)
{
	AUTO(test_key_done) struct test_key *root = test_key_new("P-384");
	AUTO(test_key_done) struct test_key *other = test_key_new("P-384");
	AUTO(test_key_done) struct test_key *key = test_key_new("RSA-2048");
	struct x509 ca, not_ca, other_ca, other_name, leaf;
	struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	assert_true(x509_read(test_certificate(&arena, "CN=R", root, "CN=R", root, true), &arena,
	    &ca, &err));
	assert_true(x509_read(test_certificate(&arena, "CN=R", root, "CN=R", root, false), &arena,
	    &not_ca, &err));
	assert_true(x509_read(test_certificate(&arena, "CN=R", other, "CN=R", other, true), &arena,
	    &other_ca, &err));
	assert_true(x509_read(test_certificate(&arena, "CN=S", root, "CN=S", root, true), &arena,
	    &other_name, &err));
	assert_true(x509_read(test_certificate(&arena, "CN=L", key, "CN=R", root, false), &arena,
	    &leaf, &err));
	assert_true(x509_signed_by(&leaf, &ca));
	assert_false(x509_signed_by(&leaf, &not_ca));
	assert_false(x509_signed_by(&leaf, &other_ca));
	assert_false(x509_signed_by(&leaf, &other_name));
	assert_false(x509_signed_by(&ca, &leaf));
	assert_int_equal(ERR_peek_error(), 0);
	arena_free(&arena);
}

static void
test_requests(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	AUTO(test_key_done) struct test_key *other = test_key_new("P-256");
	AUTO(buf_free) struct buf der = { 0 }, foreign = { 0 };
	struct arena arena;
	struct profile profile;
	struct csr found;
	struct error err;
	view copy;

	(void)state;
	arena_init(&arena, ARENA);
	profile = full_profile(&arena);
	assert_fine(csr_make(&profile, buf_view(&key->spki), &key->signer, &der, &err), &err);
	assert_fine(csr_read(buf_view(&der), &arena, &found, &err), &err);
	assert_profile(&found.profile, &profile);
	assert_true(view_eq(found.spki, buf_view(&key->spki)));
	assert_string_equal(found.key.curve, "P-256");

	/* About one key, signed by another. */
	assert_true(csr_make(&profile, buf_view(&key->spki), &other->signer, &foreign, &err));
	assert_false(csr_read(buf_view(&foreign), &arena, &found, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);

	assert_true(arena_copy(&arena, buf_view(&der), &copy));
	for (size_t bit = 0; bit < 8 * copy.len; bit++) {
		char *byte = (char *)(uintptr_t)copy.ptr + bit / 8;
		struct arena_mark mark = arena_mark(&arena);

		*byte = (char)(*byte ^ 1 << bit % 8);
		if (csr_read(copy, &arena, &found, &err))
			fail_msg("accepted with bit %zu changed", bit);
		*byte = (char)(*byte ^ 1 << bit % 8);
		assert_false(csr_read((view){ copy.ptr, bit / 8 }, &arena, &found, &err));
		arena_rewind(&arena, mark);
	}
	arena_free(&arena);
}

/* What the openssl command makes, and what python's cryptography makes, is in the client tests. */
static void
test_openssl_reads_a_request(void **state)
{
	AUTO(test_key_done) struct test_key *key = test_key_with("RSA-2048", SIGNATURE_PS384);
	AUTO(buf_free) struct buf der = { 0 };
	char folder[] = "/tmp/read_test_XXXXXX", path[PATH_LEN];
	struct arena arena;
	struct profile profile;
	struct error err;

	(void)state;
	if (!has_openssl())
		skip();
	arena_init(&arena, ARENA);
	profile = full_profile(&arena);
	assert_fine(csr_make(&profile, buf_view(&key->spki), &key->signer, &der, &err), &err);
	assert_non_null(mkdtemp(folder));
	write_file(folder, "request.der", buf_view(&der), path);
	assert_true(runs((const char *const[]){ "openssl", "req", "-inform", "der", "-in", path,
	    "-noout", "-verify", "-text", NULL }));
	remove_folder(folder);
	arena_free(&arena);
}

static void
test_reads_what_openssl_makes(void **state)
{
	static const struct {
		const char *key, *option, *pkeyopt;
		enum spki_kind kind;
		unsigned bits;
	} cases[] = {
		{ "rsa:2048", "-sha256", "rsa_keygen_bits:2048", SPKI_RSA, 2048 },
		{ "ec", "-sha384", "ec_paramgen_curve:secp384r1", SPKI_EC, 384 },
		{ "ec", "-sha256", "ec_paramgen_curve:brainpoolP256r1", SPKI_OTHER, 0 },
	};
	char folder[] = "/tmp/read_test_XXXXXX", path[PATH_LEN], certificate[PATH_LEN];
	struct arena arena;

	(void)state;
	if (!has_openssl())
		skip();
	arena_init(&arena, ARENA);
	assert_non_null(mkdtemp(folder));
	write_file(folder, "key.pem", V(""), path);
	write_file(folder, "certificate.der", V(""), certificate);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(buf_free) struct buf der = { 0 };
		struct x509 found;
		struct error err;
		view text;

		assert_true(runs((const char *const[]){ "openssl", "req", "-x509", "-newkey",
		    cases[i].key, "-pkeyopt", cases[i].pkeyopt, cases[i].option, "-nodes",
		    "-keyout", path, "-outform", "der", "-out", certificate, "-subj",
		    "/C=US/ST=WA/L=Redmond/CN=a b", "-addext",
		    "subjectAltName=DNS:a.test,IP:::1,otherName:1.2.3;UTF8:x", NULL }));
		assert_fine(file_read(certificate, CERTIFICATE_MAX, &der, &err), &err);
		assert_fine(x509_read(buf_view(&der), &arena, &found, &err), &err);
		assert_fine(subject_text(found.profile.subject, &arena, &text, &err), &err);
		assert_text(text, V("C=US, S=WA, L=Redmond, CN=a b"));
		assert_int_equal(found.key.kind, cases[i].kind);
		assert_int_equal(found.key.bits, cases[i].bits);
		assert_text(found.profile.alt.of[ALT_IP].items[0], V("::1"));
		assert_int_equal(found.profile.alt.of[ALT_UPN].count, 0);
		assert_true(found.profile.ca);
	}
	remove_folder(folder);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_was_issued),
		cmocka_unit_test(test_a_bare_certificate),
		cmocka_unit_test(test_broken_certificates),
		cmocka_unit_test(test_what_others_wrote),
		cmocka_unit_test(test_giants),
		cmocka_unit_test(test_signed_by),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_openssl_reads_a_request),
		cmocka_unit_test(test_reads_what_openssl_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
