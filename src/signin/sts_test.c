/*
 * Sign-in: forms, secrets, assertions, lock-out, discovery.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "identity/assertion.h"
#include "identity/testing.h"
#include "signin/oidc.h"
#include "signin/signin.h"
#include "signin/sts_form.h"
#include "signin/sts_grant.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define AUTHORITY "login.localhost:8443"
#define VAULT "https://vault.localhost:8443"

/* An application with a client secret, and with a key whose certificate it registered. */
static struct application application;
static struct plain *secret;
static EVP_PKEY *pkey;
static view der;

static view
certificate_of(EVP_PKEY *key, long from, long until)
{
	X509 *x509 = X509_new();
	unsigned char *bytes = NULL;
	view copy;
	int len;

	(void)X509_set_version(x509, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x509), from);
	(void)X509_gmtime_adj(X509_getm_notAfter(x509), until);
	(void)X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	len = i2d_X509(x509, &bytes);
	assert_true(len > 0);
	assert_true(arena_copy(&town.arena, (view){ (char *)bytes, (size_t)len }, &copy));
	OPENSSL_free(bytes);
	X509_free(x509);
	return copy;
}

static void
register_certificate(view certificate)
{
	town_begin();
	REQUIRE(application_add_certificate(&town.tx, uuid_view(&town.tenant),
	    uuid_view(&application.id), certificate, &town.err));
	town_commit();
	town_begin();
}

static int
setup(void **state)
{
	(void)town_setup(state);
	secret = NULL;
	application = town_application("Client", &secret);
	pkey = EVP_RSA_gen(2048U);
	assert_non_null(pkey);
	der = certificate_of(pkey, -60, 3600);
	return 0;
}

static int
teardown(void **state)
{
	plain_free(secret);
	EVP_PKEY_free(pkey);
	return town_teardown(state);
}

static struct sts_place
place_of(const char *tenant)
{
	return (struct sts_place){
		.tenant = view_of(tenant),
		.authority = V(AUTHORITY),
		.domain = V("localhost:8443"),
		.peer = V("192.0.2.1"),
	};
}

static bool
grant(const struct sts_place *place, const struct sts_form *form, struct caller *who)
{
	AUTO(buf_free) struct buf token = { 0 };
	struct caller caller;

	*who = (struct caller){ 0 };
	if (!sts_grant(town.directory, &town.tx, place, form, who, &token, &town.err))
		return false;
	REQUIRE(token_authenticate(town.directory, 0, buf_view(&token), form->resource, NULL,
	    &caller, &town.err));
	assert_string_equal(caller.object.text, application.object.text);
	return true;
}

static struct sts_form
by_secret(view text)
{
	return (struct sts_form){
		.client = uuid_view(&application.id),
		.secret = text,
		.assertion = V(""),
		.resource = V(VAULT),
	};
}

static struct sts_form
by_assertion(view text)
{
	struct sts_form form = by_secret(V(""));

	form.assertion = text;
	return form;
}

static void
test_secrets(void **state)
{
	struct sts_form form = by_secret(plain_view(secret));
	struct sts_place place = place_of(town.tenant.text);
	struct plain *another = NULL;
	struct caller who;

	(void)state;
	REQUIRE(grant(&place, &form, &who));
	assert_string_equal(who.application.text, application.id.text);
	assert_string_equal(who.object.text, application.object.text);
	assert_false(who.known);
	place.tenant = V("ADFS");
	REQUIRE(grant(&place, &form, &who));
	place.tenant = V("common");
	form.resource = V("https://management.localhost:8443/");
	REQUIRE(grant(&place, &form, &who));
	/* Another one beside it. */
	REQUIRE(application_add_secret(&town.tx, uuid_view(&town.tenant),
	    uuid_view(&application.id), V("second"), 60, &another, &town.err));
	town_commit();
	town_begin();
	REQUIRE(grant(&place, &form, &who));
	form.secret = plain_view(another);
	REQUIRE(grant(&place, &form, &who));
	plain_free(another);
}

static void
test_refusals(void **state)
{
	struct sts_form form = by_secret(plain_view(secret));
	struct sts_place place = place_of("00000000-0000-0000-0000-000000000000");
	struct caller who;

	(void)state;
	REFUSED(grant(&place, &form, &who), ERR_STS_UNKNOWN_TENANT, "AADSTS90002");
	place = place_of("con\tsumers");
	REFUSED(grant(&place, &form, &who), ERR_STS_UNKNOWN_TENANT, "'con?sumers'");
	place = place_of("adfs");
	form.client = V("nobody");
	REFUSED(grant(&place, &form, &who), ERR_STS_UNKNOWN_APPLICATION, "AADSTS700016");
	assert_string_equal(who.application.text, "");
	form.client = uuid_view(&town.tenant);
	REFUSED(grant(&place, &form, &who), ERR_STS_UNKNOWN_APPLICATION, "AADSTS700016");
	form = by_secret(V("wrong"));
	REFUSED(grant(&place, &form, &who), ERR_STS_BAD_SECRET, "AADSTS7000215");
	/* Known by name though not by proof: the audit log wants to know. */
	assert_string_equal(who.application.text, application.id.text);
	form = by_secret(plain_view(secret));
	form.resource = V("https://vault.example.org");
	REFUSED(grant(&place, &form, &who), ERR_STS_UNKNOWN_RESOURCE, "AADSTS500011");
}

static void
test_lockout(void **state)
{
	struct sts_form good = by_secret(plain_view(secret)), bad = by_secret(V("wrong"));
	struct sts_place place = place_of("adfs"), elsewhere = place_of("adfs");
	struct caller who;

	(void)state;
	for (int i = 0; i < 10; i++)
		REFUSED(grant(&place, &bad, &who), ERR_STS_BAD_SECRET, "AADSTS7000215");
	REFUSED(grant(&place, &good, &who), ERR_STS_LOCKED, "AADSTS50053");
	elsewhere.peer = V("192.0.2.2");
	REQUIRE(grant(&elsewhere, &good, &who));
}

/* A client secret that is over is not a guess. */
static void
test_expired_secret(void **state)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct sts_form form = by_secret(plain_view(secret));
	struct sts_place place = place_of("adfs");
	struct registration registration;
	struct caller who;

	(void)state;
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(&application.id),
	    STORE_CHANGE, &document, &registration, &town.err));
	registration.secrets[0].end = clock_wall() - 1;
	REQUIRE(registration_put(&town.tx, &registration, &town.err));
	town_commit();
	town_begin();
	for (int i = 0; i < 12; i++)
		REFUSED(grant(&place, &form, &who), ERR_STS_EXPIRED_SECRET, "AADSTS7000222");
}

/* Assertions, as MSAL makes them: the header's names and padding differ by version. */
struct assertion {
	const char *alg, *header, *aud, *iss, *sub, *more;
	int from, until;
};

static view
thumbprint(bool strong, bool padded)
{
	uint8_t digest[SHA256_LEN];
	view text, copy;

	if (strong)
		REQUIRE(sha256(&der, 1, digest, &town.err));
	else
		REQUIRE(sha1(der, digest, &town.err));
	text = encode((view){ (char *)digest, strong ? SHA256_LEN : SHA1_LEN });
	assert_true(arena_print(&town.arena, &copy, "%.*s%s", VIEW_ARG(text), padded ? "=" : ""));
	return copy;
}

static view
signature(EVP_PKEY *key, bool pss, view input)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;
	unsigned char out[512];
	size_t len = sizeof(out);

	assert_true(EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, key) == 1);
	if (pss) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	assert_true(
	    EVP_DigestSign(ctx, out, &len, (const unsigned char *)input.ptr, input.len) == 1);
	EVP_MD_CTX_free(ctx);
	return encode((view){ (char *)out, len });
}

static view
assert_by(EVP_PKEY *key, const struct assertion *wish)
{
	const char *alg = wish->alg != NULL ? wish->alg : "RS256";
	const char *id = application.id.text;
	int64_t now = clock_wall();
	view header, payload, input, token;

	if (wish->header != NULL)
		assert_true(
		    arena_print(&town.arena, &header, "{\"alg\":\"%s\"%s}", alg, wish->header));
	else
		assert_true(arena_print(&town.arena, &header, "{\"alg\":\"%s\",\"x5t\":\"%.*s\"}",
		    alg, VIEW_ARG(thumbprint(false, true))));
	assert_true(arena_print(&town.arena, &payload,
	    "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"nbf\":%lld,\"exp\":%lld.5%s}",
	    wish->iss != NULL ? wish->iss : id, wish->sub != NULL ? wish->sub : id,
	    wish->aud != NULL ? wish->aud : "https://" AUTHORITY "/adfs/oauth2/token",
	    (long long)now + wish->from, (long long)now + wish->until,
	    wish->more != NULL ? wish->more : ""));
	assert_true(
	    arena_print(&town.arena, &input, "%s.%s", encode(header).ptr, encode(payload).ptr));
	assert_true(arena_print(&town.arena, &token, "%s.%s", input.ptr,
	    signature(key, strcmp(alg, "PS256") == 0, input).ptr));
	return token;
}

static const struct {
	struct assertion assertion;
	enum error_code code; /* 0: fine */
	const char *why;
} assertions[] = {
	{ { .until = 600 }, ERR_NONE, NULL },
	{ { .alg = "PS256", .until = 600 }, ERR_NONE, NULL },
	{ { .from = 290, .until = 600 }, ERR_NONE, NULL },
	{ { .from = -700, .until = -100 }, ERR_NONE, NULL },
	{ { .aud = "https://LOGIN.localhost:8443/common/oauth2/v2.0/token", .until = 600 },
	    ERR_NONE, NULL },
	{ { .aud = "https://" AUTHORITY "/adfs", .until = 600 }, ERR_NONE, NULL },
	{ { .aud = "https://" AUTHORITY "/common/v2.0", .until = 600 }, ERR_NONE, NULL },
	{ { .from = 400, .until = 600 }, ERR_STS_EXPIRED_ASSERTION, "AADSTS700024" },
	{ { .more = ",\"iat\":99999999999", .until = 600 }, ERR_STS_EXPIRED_ASSERTION,
	    "AADSTS700024" },
	{ { .from = -700, .until = -310 }, ERR_STS_EXPIRED_ASSERTION, "AADSTS700024" },
	{ { .until = 87000 }, ERR_STS_BAD_ASSERTION, "more than a day" },
	{ { .aud = "https://login.example.org/adfs/oauth2/token", .until = 600 },
	    ERR_STS_BAD_ASSERTION, "AADSTS700023" },
	{ { .aud = "https://login.localhost/adfs/oauth2/token", .until = 600 },
	    ERR_STS_BAD_ASSERTION, "AADSTS700023" },
	{ { .aud = "http://" AUTHORITY "/adfs/oauth2/token", .until = 600 }, ERR_STS_BAD_ASSERTION,
	    "AADSTS700023" },
	{ { .aud = "https://" AUTHORITY "/nobody/oauth2/token", .until = 600 },
	    ERR_STS_BAD_ASSERTION, "AADSTS700023" },
	{ { .aud = "https://" AUTHORITY "/adfs/oauth2/token/x", .until = 600 },
	    ERR_STS_BAD_ASSERTION, "AADSTS700023" },
	{ { .iss = "someone", .until = 600 }, ERR_STS_BAD_ASSERTION, "AADSTS700021" },
	{ { .sub = "someone", .until = 600 }, ERR_STS_BAD_ASSERTION, "AADSTS700021" },
	{ { .alg = "none", .until = 600 }, ERR_STS_BAD_ASSERTION, "RS256 or PS256" },
	{ { .alg = "HS256", .until = 600 }, ERR_STS_BAD_ASSERTION, "RS256 or PS256" },
	{ { .alg = "ES256", .until = 600 }, ERR_STS_BAD_ASSERTION, "RS256 or PS256" },
	{ { .header = "", .until = 600 }, ERR_STS_BAD_ASSERTION, "names no certificate" },
	{ { .header = ",\"x5t\":\"AAAA\"", .until = 600 }, ERR_STS_BAD_ASSERTION,
	    "The key was not found. Thumbprint of key used by client: 'AAAA'" },
	{ { .header = ",\"x5t#S256\":\"\\u0001\"", .until = 600 }, ERR_STS_BAD_ASSERTION,
	    "used by client: '?'" },
	{ { .header = ",\"crit\":[]", .until = 600 }, ERR_STS_BAD_ASSERTION, "critical" },
};

static void
test_assertions(void **state)
{
	struct sts_place place = place_of("adfs");
	struct caller who;

	(void)state;
	register_certificate(der);
	for (size_t i = 0; i < COUNT_OF(assertions); i++) {
		struct sts_form form = by_assertion(assert_by(pkey, &assertions[i].assertion));

		if (assertions[i].code == ERR_NONE) {
			REQUIRE(grant(&place, &form, &who));
			continue;
		}
		REFUSED(grant(&place, &form, &who), assertions[i].code, assertions[i].why);
		lockout_passed(town.directory->lockout, form.client, place.peer, 0);
	}
}

static void
test_assertion_keys(void **state)
{
	struct sts_place place = place_of("adfs");
	struct assertion good = { .alg = "PS256", .until = 600 };
	EVP_PKEY *other = EVP_RSA_gen(2048U);
	struct sts_form form;
	struct caller who;
	view header;

	(void)state;
	/* Not registered yet. */
	form = by_assertion(assert_by(pkey, &good));
	REFUSED(grant(&place, &form, &who), ERR_STS_BAD_ASSERTION, "The key was not found");
	register_certificate(certificate_of(other, -60, 3600));
	REFUSED(grant(&place, &form, &who), ERR_STS_BAD_ASSERTION, "The key was not found");
	register_certificate(der);
	REQUIRE(grant(&place, &form, &who));
	/* By its SHA-256, which goes before a SHA-1. */
	assert_true(arena_print(&town.arena, &header, ",\"x5t#S256\":\"%.*s\",\"x5t\":\"AAAA\"",
	    VIEW_ARG(thumbprint(true, false))));
	good.header = header.ptr;
	form = by_assertion(assert_by(pkey, &good));
	REQUIRE(grant(&place, &form, &who));
	/* A certificate that the header brings along proves nothing. */
	assert_true(arena_print(&town.arena, &header, ",\"x5t\":\"%.*s\",\"x5c\":[\"AAAA\"]",
	    VIEW_ARG(thumbprint(false, false))));
	good.header = header.ptr;
	form = by_assertion(assert_by(other, &good));
	REFUSED(grant(&place, &form, &who), ERR_STS_BAD_ASSERTION, "does not fit");
	EVP_PKEY_free(other);
}

static void
test_expired_certificate(void **state)
{
	struct sts_place place = place_of("adfs");
	struct assertion good = { .until = 600 };
	struct sts_form form;
	struct caller who;

	(void)state;
	der = certificate_of(pkey, -3600, -60);
	register_certificate(der);
	form = by_assertion(assert_by(pkey, &good));
	REFUSED(grant(&place, &form, &who), ERR_STS_BAD_ASSERTION, "expired");
}

static void
test_replay(void **state)
{
	struct sts_place place = place_of("adfs"), elsewhere = place_of("adfs");
	struct assertion one = { .more = ",\"jti\":\"one\"", .until = 600 };
	struct assertion again = { .more = ",\"jti\":\"one\",\"x\":1", .until = 600 };
	struct sts_form form;
	struct caller who;

	(void)state;
	register_certificate(der);
	elsewhere.peer = V("198.51.100.7");
	form = by_assertion(assert_by(pkey, &one));
	REQUIRE(grant(&place, &form, &who));
	REFUSED(grant(&elsewhere, &form, &who), ERR_STS_BAD_ASSERTION, "another address");
	form.resource = V("https://management.localhost:8443/");
	REQUIRE(grant(&place, &form, &who));
	form = by_assertion(assert_by(pkey, &again));
	REFUSED(grant(&elsewhere, &form, &who), ERR_STS_BAD_ASSERTION, "another address");
	one.more = ",\"jti\":\"two\"";
	form = by_assertion(assert_by(pkey, &one));
	REQUIRE(grant(&elsewhere, &form, &who));
}

static const struct {
	const char *body, *authorization;
	enum error_code code;
	const char *why, *client, *secret, *resource;
} forms[] = {
	{ "grant_type=client_credentials&client_id=a&client_secret=b%2Bc&scope=https%3A%2F%2Fv%2F."
	  "default",
	    NULL, ERR_NONE, NULL, "a", "b+c", "https://v" },
	{ "client_id=a&client_secret=b&scope=https%3A%2F%2Fv%2F%2F.default&grant_type=client_"
	  "credentials&client_info=1",
	    NULL, ERR_NONE, NULL, "a", "b", "https://v/" },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&scope=openid+https://v/.default+"
	  "profile+offline_access",
	    NULL, ERR_NONE, NULL, "a", "b", "https://v" },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&scope=a/.default+a/.default",
	    NULL, ERR_STS_MALFORMED, "AADSTS1002012", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&scope=openid+profile+/.default",
	    NULL, ERR_STS_MALFORMED, "AADSTS1002012", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&resource=https://v/", NULL,
	    ERR_NONE, NULL, "a", "b", "https://v/" },
	{ "grant_type=client_credentials&resource=r", "Basic YTpiJTJCYw==", ERR_NONE, NULL, "a",
	    "b+c", "r" },
	{ "grant_type=client_credentials&resource=r&client_id=A", "basic YTpi", ERR_NONE, NULL, "a",
	    "b", "r" },
	{ "client_id=a&client_id=b", NULL, ERR_STS_MALFORMED, "more than once", NULL, NULL, NULL },
	{ "client_id=%", NULL, ERR_STS_MALFORMED, "encoded", NULL, NULL, NULL },
	{ "grant_type=client_credentials", NULL, ERR_STS_MALFORMED, "'client_id'", NULL, NULL,
	    NULL },
	{ "grant_type=client_credentials&client_id=a", NULL, ERR_STS_NO_CREDENTIAL, "AADSTS7000216",
	    NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b", NULL, ERR_STS_MALFORMED,
	    "'scope'", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&scope=r/.default&resource=r",
	    NULL, ERR_STS_MALFORMED, "AADSTS901002", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&scope=openid", NULL,
	    ERR_STS_MALFORMED, "AADSTS1002012", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&scope=a/.default b/.default",
	    NULL, ERR_STS_MALFORMED, "AADSTS1002012", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_secret=b&client_assertion=c&client_"
	  "assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&resource=r",
	    NULL, ERR_STS_MALFORMED, "not both", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_assertion=c&resource=r", NULL,
	    ERR_STS_MALFORMED, "'client_assertion_type'", NULL, NULL, NULL },
	{ "grant_type=client_credentials&client_id=a&client_assertion=c&client_assertion_type=saml"
	  "&resource=r",
	    NULL, ERR_STS_MALFORMED, "AADSTS900023", NULL, NULL, NULL },
	{ "grant_type=client_credentials&resource=r&client_secret=b", "Basic YTpi",
	    ERR_STS_MALFORMED, "Authorization", NULL, NULL, NULL },
	{ "grant_type=client_credentials&resource=r&client_id=other", "Basic YTpi",
	    ERR_STS_MALFORMED, "Authorization", NULL, NULL, NULL },
	{ "grant_type=client_credentials&resource=r", "Basic ***", ERR_STS_MALFORMED,
	    "Authorization", NULL, NULL, NULL },
};

static bool
read_form(view body, view authorization, struct sts_form *out)
{
	struct form form;

	return sts_form(body, &town.arena, &form, &town.err) &&
	    sts_form_read(&form, authorization, &town.arena, out, &town.err);
}

static void
test_forms(void **state)
{
	struct sts_form form;
	view long_one;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		view body = view_of(forms[i].body), authorization = view_of(forms[i].authorization);

		if (forms[i].code != ERR_NONE) {
			REFUSED(read_form(body, authorization, &form), forms[i].code, forms[i].why);
			continue;
		}
		REQUIRE(read_form(body, authorization, &form));
		assert_true(view_eq(form.client, view_of(forms[i].client)));
		assert_true(view_eq(form.secret, view_of(forms[i].secret)));
		assert_true(view_eq(form.resource, view_of(forms[i].resource)));
	}
	long_one = (view){ arena_alloc(&town.arena, FORM_BYTES_MAX + 1), FORM_BYTES_MAX + 1 };
	REFUSED(read_form(long_one, V(""), &form), ERR_BODY_TOO_LARGE, "too large");
}

static void
test_assertion_form(void **state)
{
	struct sts_form form;

	(void)state;
	REQUIRE(read_form(V("grant_type=client_credentials&client_id=a&client_assertion=x.y.z%0A"
			    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-"
			    "type%3Ajwt-bearer&scope=r/.default"),
	    V(""), &form));
	assert_true(view_eq(form.assertion, V("x.y.z")));
	assert_int_equal(form.secret.len, 0);
	assert_false(form.v1);
}

/* The authority's rows by their paths. */
static const struct op *
row_of(const char *path)
{
	for (const struct op *op = sts_ops; op->name != NULL; op++) {
		if (strcmp(op->path, path) == 0)
			return op;
	}
	fail_msg("no row %s", path);
	return NULL;
}

struct asked {
	const char *path, *param, *param2, *query;
	view body;
};

static bool
ask(const struct asked *asked, struct http_reply *out)
{
	struct services services = { .directory = town.directory, .keyring = town.keyring };
	struct http_request in = {
		.query = view_of(asked->query),
		.body = asked->body,
		.peer = V("192.0.2.1"),
	};
	struct request r = {
		.in = &in,
		.out = out,
		.arena = &town.arena,
		.services = &services,
		.plane = PLANE_LOGIN,
		.authority = V(AUTHORITY),
		.domain = V("localhost:8443"),
		.params = { view_of(asked->param), view_of(asked->param2) },
		.param_count = 2,
		.tx = town.tx,
	};

	buf_reset(&out->body);
	return row_of(asked->path)->run(&r, &town.err);
}

#define V2 "/{tenant}/v2.0/.well-known/openid-configuration"
#define V1 "/{tenant}/.well-known/openid-configuration"

static void
test_every_row_is_public(void **state)
{
	(void)state;
	for (const struct op *op = sts_ops; op->name != NULL; op++) {
		assert_int_equal(op->guard, GUARD_PUBLIC);
		assert_int_equal(op->plane, PLANE_LOGIN);
	}
}

static void
test_discovery(void **state)
{
	AUTO(buf_free) struct buf wanted = { 0 };
	struct http_reply reply = { 0 };
	struct asked asked = { .path = V2, .param = "common" };

	(void)state;
	REQUIRE(ask(&asked, &reply));
	assert_int_equal(reply.status, 200);
	buf_print(&wanted, "\"token_endpoint\":\"https://" AUTHORITY "/%s/oauth2/v2.0/token\"",
	    town.tenant.text);
	buf_add_char(&wanted, '\0');
	assert_true(holds(buf_view(&reply.body), wanted.ptr));
	assert_true(holds(buf_view(&reply.body), "/v2.0\","));
	asked.path = V1;
	REQUIRE(ask(&asked, &reply));
	assert_true(holds(buf_view(&reply.body), "{\"issuer\":\"" ISSUER "/"));
	asked.param = "adfs";
	REQUIRE(ask(&asked, &reply));
	assert_true(holds(buf_view(&reply.body), "{\"issuer\":\"https://" AUTHORITY "/adfs\","));
	assert_true(holds(buf_view(&reply.body),
	    "\"token_endpoint\":\"https://" AUTHORITY "/adfs/oauth2/token\""));
	assert_true(holds(buf_view(&reply.body),
	    "\"jwks_uri\":\"https://" AUTHORITY "/adfs/discovery/keys\""));
	assert_true(holds(buf_view(&reply.body), "\"msgraph_host\":\"graph.localhost:8443\""));
	asked.param = "nobody";
	REFUSED(ask(&asked, &reply), ERR_STS_UNKNOWN_TENANT, "AADSTS90002");
	buf_free(&reply.body);
}

#define INSTANCE "/{tenant}/discovery/instance"

static void
test_instance_and_realm(void **state)
{
	struct http_reply reply = { 0 };
	struct asked asked = { .path = INSTANCE,
		.param = "common",
		.query = "api-version=1.1&authorization_endpoint=https://login.localhost/common/"
			 "oauth2/v2.0/authorize" };

	(void)state;
	REQUIRE(ask(&asked, &reply));
	assert_true(holds(buf_view(&reply.body), town.tenant.text));
	assert_true(holds(buf_view(&reply.body), "\"api-version\":\"1.1\",\"metadata\":[{"));
	assert_true(holds(buf_view(&reply.body),
	    "\"aliases\":[\"login.localhost:8443\",\"login.localhost\"]"));
	asked.query = "authorization_endpoint=https://login.example.org/common/x";
	REFUSED(ask(&asked, &reply), ERR_STS_UNKNOWN_INSTANCE, "AADSTS50049");
	asked.query = "";
	REFUSED(ask(&asked, &reply), ERR_STS_UNKNOWN_INSTANCE, "AADSTS50049");
	asked = (struct asked){ .path = "/{tenant}/userrealm/{user}",
		.param = "common",
		.param2 = "me@example.org" };
	REQUIRE(ask(&asked, &reply));
	assert_true(holds(buf_view(&reply.body),
	    "\"account_type\":\"Managed\",\"domain_name\":\"example.org\""));
	asked.param2 = "\xff";
	REFUSED(ask(&asked, &reply), ERR_STS_MALFORMED, "AADSTS90014");
	buf_free(&reply.body);
}

static void
test_key_set(void **state)
{
	AUTO(token_key_done)
	struct token_key *key = directory_hold_current(town.directory, &town.tenant, clock_wall());
	struct http_reply reply = { 0 };
	struct asked asked = { .path = "/{tenant}/discovery/v2.0/keys", .param = "adfs" };
	char kid[64];

	(void)state;
	REQUIRE(ask(&asked, &reply));
	assert_true(view_starts(buf_view(&reply.body), V("{\"keys\":[{\"kty\":\"RSA\"")));
	memcpy(kid, key->kid.ptr, key->kid.len);
	kid[key->kid.len] = '\0';
	assert_true(holds(buf_view(&reply.body), kid));
	assert_true(holds(buf_view(&reply.body), "\"e\":\"AQAB\"}]}"));
	buf_free(&reply.body);
}

static void
test_token_row(void **state)
{
	struct http_reply reply = { 0 };
	struct asked asked = { .path = "/{tenant}/oauth2/v2.0/token", .param = "adfs" };

	(void)state;
	assert_true(arena_print(&town.arena, &asked.body,
	    "grant_type=client_credentials&client_id=%s&client_secret=%.*s&client_info=1&"
	    "scope=" VAULT "/.default",
	    application.id.text, VIEW_ARG(plain_view(secret))));
	REQUIRE(ask(&asked, &reply));
	assert_true(view_starts(buf_view(&reply.body),
	    V("{\"token_type\":\"Bearer\",\"expires_in\":3599,\"ext_expires_in\":3599,"
	      "\"access_token\":\"ey")));
	assert_false(holds(buf_view(&reply.body), "client_info"));
	assert_true(arena_print(&town.arena, &asked.body,
	    "grant_type=client_credentials&client_id=%s&client_secret=%.*s&resource=" VAULT,
	    application.id.text, VIEW_ARG(plain_view(secret))));
	asked.path = "/{tenant}/oauth2/token";
	REQUIRE(ask(&asked, &reply));
	assert_true(holds(buf_view(&reply.body), "\"expires_in\":\"3599\""));
	assert_true(holds(buf_view(&reply.body), "\"resource\":\"" VAULT "\",\"access_token\""));
	buf_free(&reply.body);
	buf_free(&reply.fields);
}

#define STS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STS_TEST(test_secrets),
		STS_TEST(test_refusals),
		STS_TEST(test_lockout),
		STS_TEST(test_expired_secret),
		STS_TEST(test_assertions),
		STS_TEST(test_assertion_keys),
		STS_TEST(test_expired_certificate),
		STS_TEST(test_replay),
		STS_TEST(test_forms),
		STS_TEST(test_assertion_form),
		cmocka_unit_test(test_every_row_is_public),
		STS_TEST(test_discovery),
		STS_TEST(test_instance_and_realm),
		STS_TEST(test_key_set),
		STS_TEST(test_token_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
