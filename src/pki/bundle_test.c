#include "pki/bundle.h"

#include "base/base64.h"
#include "base/file.h"
#include "pki/pem.h"
#include "pki/testing.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#define ARENA (16 << 20)

/* What python's cryptography wrote: AES-256, HMAC with SHA-256 and a MAC with SHA-512; nothing. */
static const char python_aes[] =
    "MIIEFQIBAzCCA6sGCSqGSIb3DQEHAaCCA5wEggOYMIIDlDCCAioGCSqGSIb3DQEHBqCCAhswggIXAgEAMIICEAYJ"
    "KoZIhvcNAQcBMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBAdT7S1bvUhSe4bs+MH8K1XAgID6DAMBggq"
    "hkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQbAWnhQRfb1jiAviJuRZu1ICCAaCRzX3OJ1007W7I+RwxYtOCUCRrDmG9"
    "Jn751NeRIQWivCt0UnlFjQ/0MWGkUprrgnAZDmOK8MM0fwWFKehN6Xwb1AXjxDqpaEq7BsDqxJGQ4asYMaHuaKgG"
    "T+TkIwo2eisnWvsmy8NyPAvjGBYbKzPIf8xJAupUVaykKoaRM1SqHsJRLCWjf4TGMkGAzB6ON8XLn07tG23oZgWF"
    "F8KC8T7Pvwo77MW24qr299y1OEnYGwt0heArKEP5S4rValcnaim15la/Ebze+0kHNRbp3dUQrCEKZKIipd5sjy8q"
    "HbYZyqeDHQ3DQHtI7pCg2N1sWGpXSR5QlYRT/tueQOxCbCLWjEd4T7heR1B8aApozuYe8rGWq8qjeU6Ya0R2gQes"
    "26lOUQcH7nkYE20dKT+Ff/x2io+fQv0glpBUoH9oMCU928rjfe1YA2MlFMWbDigis1qR0mc+vNzKUWtRDaxYnmQb"
    "GkyK84t200gs/b518DRpUv/kOLbdPZ87Jwusyej66RgGG8wSxRZeAPrgFHd0r4OIP1O+ZUQIO30Cx//f0DXOIjCC"
    "AWIGCSqGSIb3DQEHAaCCAVMEggFPMIIBSzCCAUcGCyqGSIb3DQEMCgECoIH3MIH0MF8GCSqGSIb3DQEFDTBSMDEG"
    "CSqGSIb3DQEFDDAkBBDKPst7GZks8q5azwy1z13CAgID6DAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQXrI8"
    "N5goDZC45m9lHoh0fgSBkEtilrYKjt+MkbCJE9KLrwYcNOMOAXQ4kokOLyBuVz+yxm8wgIk1v7Gkm39n2oz2A2eV"
    "7+WuhEXT644RPVEOgwEaNkEdzBFMH7OmoZNwNNT0lphwTMx8hTinm2qB9S+pMonwPjIZpP4XGxeBXTnB8sPhNNVJ"
    "3f/jbvKizC5w7aF5VfdrFDjvDUh3Ju64nfK8ZTE+MBcGCSqGSIb3DQEJFDEKHggAbgBhAG0AZTAjBgkqhkiG9w0B"
    "CRUxFgQU4XDzi4DcnJ7x0F9+bdXUuwGXlg8wYTBRMA0GCWCGSAFlAwQCAwUABED4NwK7bk1JAq54X7txkN4BlkZf"
    "r/XiuUAptFqg6oXgbu/masNn9z2Ey18CTXkLbq7juNzRmUkrbohYykDR/JpsBAiqSvMoDW2rqQICCAA=";
static const char python_none[] =
    "MIIC6wIBAzCCAqEGCSqGSIb3DQEHAaCCApIEggKOMIICijCCAoYGCSqGSIb3DQEHAaCCAncEggJzMIICbzCCAY4G"
    "CyqGSIb3DQEMCgEDoIIBPTCCATkGCiqGSIb3DQEJFgGgggEpBIIBJTCCASEwgcigAwIBAgIUJB+4o01euhwY4624"
    "8nOnqqtCTsgwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGcHl0aG9uMB4XDTI0MDEwMTAwMDAwMFoXDTQ0MDEwMTAw"
    "MDAwMFowETEPMA0GA1UEAwwGcHl0aG9uMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJdu4AAIe0gaBFXlTk+dv"
    "d5RJtKrY0tIv71hHzpD+qlGQed+gWrUoyRQiHo/VbyGBsu6Rx4L3sQKd6egckm+AcjAKBggqhkjOPQQDAgNIADBF"
    "AiEA5LyICMQSX8915KtClRtYaWNZCuiYnbAq6OD4x7iO678CIA1bErhrs79uxkVDDdXRrwzeR0Jlt1eapR3+zy/K"
    "cOJpMT4wFwYJKoZIhvcNAQkUMQoeCABuAGEAbQBlMCMGCSqGSIb3DQEJFTEWBBThcPOLgNycnvHQX35t1dS7AZeW"
    "DzCB2gYLKoZIhvcNAQwKAQGggYowgYcCAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEbTBrAgEBBCA6tiiERqQWJTEy"
    "iVr+Rb9ToxbSJRP76zwC5NPsJe5+66FEA0IABCXbuAACHtIGgRV5U5Pnb3eUSbSq2NLSL+9YR86Q/qpRkHnfoFq1"
    "KMkUIh6P1W8hgbLukceC97ECnenoHJJvgHIxPjAXBgkqhkiG9w0BCRQxCh4IAG4AYQBtAGUwIwYJKoZIhvcNAQkV"
    "MRYEFOFw84uA3Jye8dBffm3V1LsBl5YPMEEwMTANBglghkgBZQMEAgEFAAQgxgxhFWoDMH9k6Z/OgEsURPbLHNFj"
    "d9vZV6zZLN92ATMECIA5FGQkmoDbAgIIAA==";

static view
decode(struct arena *arena, const char *text)
{
	char *bytes = arena_alloc(arena, strlen(text));
	size_t len;

	assert_true(base64_decode(BASE64, view_of(text), bytes, &len));
	return (view){ bytes, len };
}

/* A key, its certificate, and who issued that. */
struct fixture {
	struct arena arena;
	struct test_key *key, *root;
	view pkcs8, leaf, issuer;
};

static void
fixture_done(struct fixture *fixture)
{
	test_key_free(fixture->key);
	test_key_free(fixture->root);
	arena_free(&fixture->arena);
}

static struct fixture
fixture_new(const char *kind)
{
	struct fixture made = { .key = test_key_new(kind), .root = test_key_new("P-256") };

	arena_init(&made.arena, ARENA);
	made.pkcs8 = test_key_pkcs8(made.key, &made.arena);
	made.leaf = test_certificate(&made.arena, "CN=Leaf", made.key, "CN=Root", made.root, false);
	made.issuer =
	    test_certificate(&made.arena, "CN=Root", made.root, "CN=Root", made.root, true);
	return made;
}

static void
assert_same_key(const struct plain *pkcs8, const struct test_key *key)
{
	const unsigned char *at = octets(plain_view(pkcs8));
	EVP_PKEY *found = d2i_AutoPrivateKey(NULL, &at, (long)plain_view(pkcs8).len);

	assert_non_null(found);
	assert_int_equal(EVP_PKEY_eq(found, key->pkey), 1);
	EVP_PKEY_free(found);
}

static void
assert_bundle(const struct bundle *bundle, const struct fixture *fixture)
{
	assert_same_key(bundle->key, fixture->key);
	assert_true(view_eq(bundle->spki, buf_view(&fixture->key->spki)));
	assert_int_equal(bundle->certificates.count, 2);
	assert_true(view_eq(bundle->certificates.items[0], fixture->leaf));
	assert_true(view_eq(bundle->certificates.items[1], fixture->issuer));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_out_and_in(void **state)
{
	static const char *const kinds[] = { "RSA-2048", "RSA-3072", "P-256", "P-256K", "P-384",
		"P-521" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(fixture_done) struct fixture fixture = fixture_new(kinds[i]);
		view items[] = { fixture.leaf, fixture.issuer };
		const struct views certificates = { items, 2 };
		AUTO(plain_done) struct plain *pfx = NULL;
		AUTO(plain_done) struct plain *pem = NULL;
		struct bundle bundle;
		struct error err;

		assert_fine(bundle_to_pfx(fixture.pkcs8, &certificates, &pfx, &err), &err);
		assert_fine(bundle_from_pfx(plain_view(pfx), V(""), &fixture.arena, &bundle, &err),
		    &err);
		assert_bundle(&bundle, &fixture);
		bundle_free(&bundle);
		assert_fine(bundle_to_pem(fixture.pkcs8, &certificates, &pem, &err), &err);
		assert_fine(bundle_from_pem(plain_view(pem), &fixture.arena, &bundle, &err), &err);
		assert_bundle(&bundle, &fixture);
		bundle_free(&bundle);
	}
}

static void
test_openssl_reads_ours(void **state)
{
	AUTO(fixture_done) struct fixture fixture = fixture_new("P-256");
	view items[] = { fixture.leaf, fixture.issuer };
	const struct views certificates = { items, 2 };
	char folder[] = "/tmp/bundle_test_XXXXXX", path[PATH_LEN];
	struct plain *out;
	struct error err;

	(void)state;
	if (!has_openssl())
		skip();
	assert_non_null(mkdtemp(folder));
	assert_fine(bundle_to_pfx(fixture.pkcs8, &certificates, &out, &err), &err);
	write_file(folder, "a.pfx", plain_view(out), path);
	plain_free(out);
	assert_true(runs((const char *const[]){ "openssl", "pkcs12", "-in", path, "-nodes",
	    "-passin", "pass:", NULL }));
	assert_false(runs((const char *const[]){ "openssl", "pkcs12", "-in", path, "-nodes",
	    "-passin", "pass:x", NULL }));
	assert_fine(bundle_to_pfx(V(""), &certificates, &out, &err), &err);
	write_file(folder, "b.pfx", plain_view(out), path);
	plain_free(out);
	assert_true(runs((const char *const[]){ "openssl", "pkcs12", "-in", path, "-nodes",
	    "-passin", "pass:", NULL }));
	assert_fine(bundle_to_pem(fixture.pkcs8, &certificates, &out, &err), &err);
	write_file(folder, "a.pem", plain_view(out), path);
	plain_free(out);
	assert_true(runs(
	    (const char *const[]){ "openssl", "pkey", "-in", path, "-check", "-noout", NULL }));
	assert_true(runs((const char *const[]){ "openssl", "x509", "-in", path, "-noout", NULL }));
	remove_folder(folder);
}

/* The PFX of a fixture as openssl makes it with a few more options, read. */
static void
with_openssl(const struct fixture *fixture, const char *const *options, const char *password,
    bool good)
{
	AUTO(buf_free) struct buf pem = { 0 }, pfx = { 0 };
	char folder[] = "/tmp/bundle_test_XXXXXX", in[PATH_LEN], out[PATH_LEN], given[64];
	const char *command[20] = { "openssl", "pkcs12", "-export", "-in", in, "-out", out,
		"-passout", given };
	size_t words = 9;
	struct arena arena;
	struct bundle bundle;
	struct error err;

	assert_true(snprintf(given, sizeof(given), "pass:%s", password) > 0);
	while (*options != NULL)
		command[words++] = *options++;
	pem_write(PEM_PRIVATE_KEY, fixture->pkcs8, &pem);
	pem_write(PEM_CERTIFICATE, fixture->leaf, &pem);
	pem_write(PEM_CERTIFICATE, fixture->issuer, &pem);
	arena_init(&arena, ARENA);
	assert_non_null(mkdtemp(folder));
	write_file(folder, "in.pem", buf_view(&pem), in);
	write_file(folder, "out.pfx", V(""), out);
	assert_true(runs(command));
	assert_fine(file_read(out, BUNDLE_MAX, &pfx, &err), &err);
	if (bundle_from_pfx(buf_view(&pfx), view_of(password), &arena, &bundle, &err)) {
		assert_true(good);
		assert_bundle(&bundle, fixture);
		bundle_free(&bundle);
	} else {
		if (good)
			fail_msg("%s: %s", command[9] == NULL ? "" : command[9], err.message);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
	assert_false(bundle_from_pfx(buf_view(&pfx), V("wrong"), &arena, &bundle, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_int_equal(ERR_peek_error(), 0);
	remove_folder(folder);
	arena_free(&arena);
}

static void
test_reads_what_openssl_makes(void **state)
{
	static const struct {
		const char *kind, *password;
		const char *options[6];
		bool good;
	} cases[] = {
		{ "RSA-2048", "secret", { NULL }, true },
		{ "P-384", "", { NULL }, true },
		{ "RSA-2048", "p\xc3\xa4ss \xe2\x82\xac", { NULL }, true },
		{ "RSA-2048", "secret", { "-legacy" }, true },
		{ "P-256", "", { "-legacy" }, true },
		{ "P-256", "p\xc3\xa4ss", { "-legacy" }, true },
		{ "P-256K", "secret", { "-certpbe", "NONE", "-keypbe", "NONE" }, true },
		{ "P-521", "secret", { "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1" }, true },
		{ "P-256", "secret", { "-keypbe", "AES-128-CBC", "-macalg", "sha512" }, true },
		{ "P-256", "secret", { "-noiter", "-nomaciter" }, true },
		{ "P-256", "secret", { "-iter", "100000" }, true },
		{ "P-256", "secret", { "-name", "friendly", "-CSP", "Some Provider" }, true },
		/* Nothing says that it is as it was written. */
		{ "P-256", "secret", { "-nomac" }, false },
		{ "P-256", "secret", { "-legacy", "-keypbe", "PBE-MD5-DES" }, false },
		{ "P-256", "secret", { "-macalg", "md5" }, false },
		{ "RSA-1024", "secret", { NULL }, false },
	};

	(void)state;
	if (!has_openssl())
		skip();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(fixture_done) struct fixture fixture = fixture_new(cases[i].kind);

		with_openssl(&fixture, cases[i].options, cases[i].password, cases[i].good);
	}
}

static void
test_reads_what_python_makes(void **state)
{
	struct arena arena;
	struct bundle bundle;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	assert_fine(bundle_from_pfx(decode(&arena, python_aes), V("p\xc3\xa4ss"), &arena, &bundle,
			&err),
	    &err);
	assert_int_equal(bundle.certificates.count, 1);
	bundle_free(&bundle);
	assert_false(bundle_from_pfx(decode(&arena, python_aes), V("pass"), &arena, &bundle, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	assert_fine(bundle_from_pfx(decode(&arena, python_none), V(""), &arena, &bundle, &err),
	    &err);
	bundle_free(&bundle);
	arena_free(&arena);
}

/* Replace occurrence ${nth} of ${from} by ${to}, which is as long. */
static bool
patch(view bytes, view from, view to, size_t nth)
{
	for (size_t i = 0; i + from.len <= bytes.len; i++) {
		if (memcmp(bytes.ptr + i, from.ptr, from.len) == 0 && nth-- == 0) {
			memcpy((char *)(uintptr_t)bytes.ptr + i, to.ptr, to.len);
			return true;
		}
	}
	return false;
}

/* With a MAC that is right, so that only the iterations can be what is wrong. */
static view
with_mac(struct arena *arena, view pfx)
{
	const unsigned char *at = octets(pfx);
	PKCS12 *decoded = d2i_PKCS12(NULL, &at, (long)pfx.len);
	unsigned char *der = NULL;
	view copy;
	int len;

	assert_non_null(decoded);
	assert_int_equal(PKCS12_set_mac(decoded, "", 0, NULL, 0, 1, EVP_sha1()), 1);
	len = i2d_PKCS12(decoded, &der);
	assert_true(len > 0 && arena_copy(arena, (view){ (char *)der, (size_t)len }, &copy));
	OPENSSL_free(der);
	PKCS12_free(decoded);
	return copy;
}

/* A PFX of which each key is derived with ${iterations}. */
static view
derived(const struct fixture *fixture, struct arena *arena, int cipher, int iterations)
{
	const unsigned char *at = octets(fixture->leaf);
	X509 *leaf = d2i_X509(NULL, &at, (long)fixture->leaf.len);
	PKCS12 *pfx = PKCS12_create("", NULL, fixture->key->pkey, leaf, NULL, cipher, cipher,
	    iterations, -1, 0);
	unsigned char *der = NULL;
	view copy;
	int len;

	assert_non_null(pfx);
	len = i2d_PKCS12(pfx, &der);
	assert_true(len > 0 && arena_copy(arena, (view){ (char *)der, (size_t)len }, &copy));
	OPENSSL_free(der);
	PKCS12_free(pfx);
	X509_free(leaf);
	return with_mac(arena, copy);
}

static void
test_broken_pfx(void **state)
{
	AUTO(fixture_done) struct fixture fixture = fixture_new("P-256");
	struct arena scratch;
	struct bundle bundle;
	struct error err;
	view pfx;
	char *copy;

	(void)state;
	arena_init(&scratch, ARENA);
	pfx = derived(&fixture, &fixture.arena, NID_aes_256_cbc, 1);
	for (size_t len = 0; len < pfx.len; len++) {
		copy = malloc(len + 1);
		memcpy(copy, pfx.ptr, len);
		assert_false(bundle_from_pfx((view){ copy, len }, V(""), &scratch, &bundle, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		free(copy);
	}
	copy = malloc(pfx.len + 1);
	memcpy(copy, pfx.ptr, pfx.len);
	copy[pfx.len] = 0;
	assert_false(bundle_from_pfx((view){ copy, pfx.len + 1 }, V(""), &scratch, &bundle, &err));
	for (size_t bit = 0; bit < 8 * pfx.len; bit++) {
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		if (bundle_from_pfx((view){ copy, pfx.len }, V(""), &scratch, &bundle, &err))
			bundle_free(&bundle); /* a version, an attribute of the file */
		else
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		arena_wipe(&scratch);
	}
	assert_int_equal(ERR_peek_error(), 0);
	free(copy);
	arena_free(&scratch);
}

/* Numbers that would take minutes: they are looked at before anything is computed. */
static void
test_iterations_are_bounded_first(void **state)
{
	static const view made = V_INIT("\x02\x03\x01\x02\x03");
	static const view numbers[] = {
		V_INIT("\x02\x03\x7f\xff\xff"), /* 8 million */
		V_INIT("\x02\x03\x0f\x42\x41"), /* one more than BUNDLE_ITERATIONS_MAX */
		V_INIT("\x02\x03\x80\x00\x00"), /* less than none */
	};
	static const int ciphers[] = { NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_aes_256_cbc };
	AUTO(fixture_done) struct fixture fixture = fixture_new("P-256");
	struct bundle bundle;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ciphers); i++) {
		view pfx = derived(&fixture, &fixture.arena, ciphers[i], 0x010203), changed;

		assert_fine(bundle_from_pfx(pfx, V(""), &fixture.arena, &bundle, &err), &err);
		bundle_free(&bundle);
		for (size_t n = 0; n < COUNT_OF(numbers); n++) {
			assert_true(arena_copy(&fixture.arena, pfx, &changed));
			assert_true(patch(changed, made, numbers[n], 0));
			changed = with_mac(&fixture.arena, changed);
			assert_false(
			    bundle_from_pfx(changed, V(""), &fixture.arena, &bundle, &err));
			assert_non_null(strstr(err.message, "too many iterations"));
		}
	}
}

static void
test_iterations_of_the_mac_are_bounded(void **state)
{
	struct arena arena;
	struct bundle bundle;
	struct error err;
	view pfx;

	(void)state;
	arena_init(&arena, ARENA);
	pfx = decode(&arena, python_none);
	assert_true(patch(pfx, V("\x02\x02\x08\x00"), V("\x02\x02\x80\x00"), 0)); /* negative */
	assert_false(bundle_from_pfx(pfx, V(""), &arena, &bundle, &err));
	assert_non_null(strstr(err.message, "too many iterations"));
	arena_free(&arena);
}

static void
test_passwords_are_bounded(void **state)
{
	char password[4 * BUNDLE_PASSWORD_MAX + 4];
	struct arena arena;
	struct bundle bundle;
	struct error err;

	(void)state;
	memset(password, 'x', sizeof(password));
	arena_init(&arena, ARENA);
	assert_false(bundle_from_pfx(decode(&arena, python_none),
	    (view){ password, BUNDLE_PASSWORD_MAX + 1 }, &arena, &bundle, &err));
	assert_non_null(strstr(err.message, "200 characters"));
	assert_false(bundle_from_pfx(decode(&arena, python_none),
	    (view){ password, BUNDLE_PASSWORD_MAX }, &arena, &bundle, &err));
	assert_non_null(strstr(err.message, "password is correct"));
	arena_free(&arena);
}

/* A PFX that holds what it should not: made of the keys and certificates of two fixtures. */
static void
test_pfx_that_does_not_fit(void **state)
{
	AUTO(fixture_done) struct fixture fixture = fixture_new("P-256");
	AUTO(fixture_done) struct fixture other = fixture_new("P-256");
	view items[BUNDLE_CERTIFICATES_MAX + 1];
	struct views certificates = { items, 1 };
	struct bundle bundle;
	struct plain *pfx;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(items); i++)
		items[i] = fixture.leaf;
	/* No key. */
	assert_fine(bundle_to_pfx(V(""), &certificates, &pfx, &err), &err);
	assert_false(bundle_from_pfx(plain_view(pfx), V(""), &fixture.arena, &bundle, &err));
	assert_non_null(strstr(err.message, "Private key is not specified"));
	plain_free(pfx);
	/* Too many certificates. */
	certificates.count = COUNT_OF(items);
	assert_fine(bundle_to_pfx(fixture.pkcs8, &certificates, &pfx, &err), &err);
	assert_false(bundle_from_pfx(plain_view(pfx), V(""), &fixture.arena, &bundle, &err));
	assert_non_null(strstr(err.message, "more than 32"));
	plain_free(pfx);
	/* The certificate of another key is not written in the first place. */
	assert_false(bundle_to_pfx(other.pkcs8, &certificates, &pfx, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(ERR_peek_error(), 0);
}

/* PEM text out of a list of blocks: "key", "rsa", "ec", "leaf", "issuer", or the text itself. */
static void
compose(const struct fixture *fixture, const char *const *blocks, struct buf *out)
{
	for (; *blocks != NULL; blocks++) {
		const char *block = *blocks;
		unsigned char *der = NULL;

		if (strcmp(block, "key") == 0) {
			pem_write(PEM_PRIVATE_KEY, fixture->pkcs8, out);
		} else if (strcmp(block, "typed") == 0) {
			int len = i2d_PrivateKey(fixture->key->pkey, &der);
			bool rsa = EVP_PKEY_is_a(fixture->key->pkey, "RSA");

			pem_write(rsa ? V("RSA PRIVATE KEY") : V("EC PRIVATE KEY"),
			    (view){ (char *)der, (size_t)len }, out);
			OPENSSL_free(der);
		} else if (strcmp(block, "leaf") == 0) {
			pem_write(PEM_CERTIFICATE, fixture->leaf, out);
		} else if (strcmp(block, "issuer") == 0) {
			pem_write(PEM_CERTIFICATE, fixture->issuer, out);
		} else {
			buf_add(out, view_of(block));
		}
	}
}

static void
try_pem(struct fixture *fixture, const char *const *blocks, const char *message)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct bundle bundle;
	struct error err;
	bool good;

	compose(fixture, blocks, &text);
	good = bundle_from_pem(buf_view(&text), &fixture->arena, &bundle, &err);
	if (good != (message == NULL))
		fail_msg("%s ...: %s", blocks[0], good ? "accepted" : err.message);
	if (good) {
		assert_bundle(&bundle, fixture);
		bundle_free(&bundle);
	} else {
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_non_null(strstr(err.message, message));
	}
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_pem(void **state)
{
	static const struct {
		const char *blocks[8];
		const char *message; /* NULL: it is good */
	} cases[] = {
		{ { "key", "leaf", "issuer" }, NULL },
		{ { "leaf", "issuer", "key" }, NULL },
		{ { "leaf", "key", "issuer" }, NULL },
		{ { "typed", "leaf", "issuer" }, NULL },
		{ { "Bag Attributes\n    localKeyID: 01\nsubject=CN = x\n", "key", "\n\n", "leaf",
		      "what else\n", "issuer", "\n" },
		    NULL },
		{ { "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
		      "key", "leaf", "issuer" },
		    NULL },
		{ { "" }, "unexpected format" },
		{ { "key" }, "unexpected format" },
		{ { "leaf", "issuer" }, "Private key is not specified" },
		{ { "issuer", "key" }, "does not belong" },
		{ { "key", "key", "leaf" }, "more than one" },
		{ { "key", "typed", "leaf" }, "more than one" },
		{ { "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
		    "-----END ENCRYPTED PRIVATE KEY-----\n",
		      "leaf" },
		    "encrypted" },
		{ { "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
		    "-----END RSA PRIVATE KEY-----\n",
		      "leaf" },
		    "encrypted" },
		{ { "key", "leaf", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" },
		    "unexpected format" },
		{ { "key", "leaf", "-----BEGIN CERTIFICATE-----\nAAAA\n" }, "unexpected format" },
		{ { "key", "leaf",
		      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----\n" },
		    "unexpected format" },
		{ { "key", "leaf",
		      "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n" },
		    "unexpected format" },
		{ { "key", "leaf",
		      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
		    "malformed" },
		{ { "leaf", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" },
		    "unexpected format" },
		{ { "leaf",
		      "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n" },
		    "unexpected format" },
	};
	static const char *const kinds[] = { "RSA-2048", "P-384" };

	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		AUTO(fixture_done) struct fixture fixture = fixture_new(kinds[kind]);

		for (size_t i = 0; i < COUNT_OF(cases); i++)
			try_pem(&fixture, cases[i].blocks, cases[i].message);
	}
}

static void
test_pem_of_windows(void **state)
{
	static const char *const blocks[] = { "key", "leaf", "issuer", NULL };
	AUTO(fixture_done) struct fixture fixture = fixture_new("P-256");
	AUTO(buf_free) struct buf text = { 0 }, lines = { 0 };
	struct bundle bundle;
	struct error err;

	(void)state;
	compose(&fixture, blocks, &text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n')
			buf_add_char(&lines, '\r');
		buf_add_char(&lines, text.ptr[i]);
	}
	assert_fine(bundle_from_pem(buf_view(&lines), &fixture.arena, &bundle, &err), &err);
	assert_bundle(&bundle, &fixture);
	bundle_free(&bundle);
	lines.len -= 2; /* the last line does not have to end */
	assert_fine(bundle_from_pem(buf_view(&lines), &fixture.arena, &bundle, &err), &err);
	bundle_free(&bundle);
}

static void
test_weak_and_strange_keys(void **state)
{
	static const char *const blocks[] = { "key", "leaf", NULL };
	static const char *const kinds[] = { "RSA-1024", "RSA-2056", "P-224", "brainpoolP256r1" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(test_key_done) struct test_key *root = test_key_new("P-256");
		struct fixture fixture = { .root = NULL };
		AUTO(buf_free) struct buf text = { 0 };
		struct bundle bundle;
		struct error err;

		fixture.key = test_key_with(kinds[i], i < 2 ? SIGNATURE_RS256 : SIGNATURE_ES256);
		arena_init(&fixture.arena, ARENA);
		fixture.pkcs8 = test_key_pkcs8(fixture.key, &fixture.arena);
		fixture.leaf =
		    test_certificate(&fixture.arena, "CN=a", fixture.key, "CN=R", root, false);
		compose(&fixture, blocks, &text);
		assert_false(bundle_from_pem(buf_view(&text), &fixture.arena, &bundle, &err));
		assert_non_null(strstr(err.message, "2048, 3072 or 4096"));
		fixture_done(&fixture);
	}
}

static void
test_broken_pem(void **state)
{
	static const char *const blocks[] = { "key", "leaf", NULL };
	AUTO(fixture_done) struct fixture fixture = fixture_new("P-256");
	AUTO(buf_free) struct buf text = { 0 };
	struct arena scratch;
	struct bundle bundle;
	struct error err;

	(void)state;
	arena_init(&scratch, ARENA);
	compose(&fixture, blocks, &text);
	for (size_t len = 0; len + 1 < text.len; len++) {
		if (bundle_from_pem((view){ text.ptr, len }, &scratch, &bundle, &err))
			fail_msg("accepted with %zu bytes", len);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		arena_wipe(&scratch);
	}
	for (size_t bit = 0; bit < 8 * text.len; bit++) {
		text.ptr[bit / 8] = (char)(text.ptr[bit / 8] ^ 1 << bit % 8);
		if (bundle_from_pem(buf_view(&text), &scratch, &bundle, &err))
			bundle_free(&bundle);
		else
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
		text.ptr[bit / 8] = (char)(text.ptr[bit / 8] ^ 1 << bit % 8);
		arena_wipe(&scratch);
	}
	arena_free(&scratch);
}

static void
test_giants(void **state)
{
	char *giant = malloc(BUNDLE_MAX + 1);
	struct arena arena;
	struct bundle bundle;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	memset(giant, '\n', BUNDLE_MAX + 1);
	assert_false(bundle_from_pem((view){ giant, BUNDLE_MAX + 1 }, &arena, &bundle, &err));
	assert_false(bundle_from_pem((view){ giant, BUNDLE_MAX }, &arena, &bundle, &err));
	assert_false(
	    bundle_from_pfx((view){ giant, BUNDLE_MAX + 1 }, V(""), &arena, &bundle, &err));
	/* Blocks without end. */
	for (size_t i = 0; i + 64 <= BUNDLE_MAX; i += 64)
		memcpy(giant + i,
		    "-----BEGIN EC PARAMETERS-----\n-----END EC PARAMETERS-----\n\n\n\n\n\n", 64);
	assert_false(bundle_from_pem((view){ giant, BUNDLE_MAX }, &arena, &bundle, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	arena_free(&arena);
	free(giant);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_and_in),
		cmocka_unit_test(test_openssl_reads_ours),
		cmocka_unit_test(test_reads_what_openssl_makes),
		cmocka_unit_test(test_reads_what_python_makes),
		cmocka_unit_test(test_broken_pfx),
		cmocka_unit_test(test_iterations_are_bounded_first),
		cmocka_unit_test(test_iterations_of_the_mac_are_bounded),
		cmocka_unit_test(test_passwords_are_bounded),
		cmocka_unit_test(test_pfx_that_does_not_fit),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_pem_of_windows),
		cmocka_unit_test(test_weak_and_strange_keys),
		cmocka_unit_test(test_broken_pem),
		cmocka_unit_test(test_giants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
