/*
 * User-assigned identities, their federated credentials, hosts, and the tokens that hosts get.
 */
#include "arm/group.h"
#include "arm/machine.h"
#include "arm/managed_identity.h"
#include "arm/testing.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/testing.h"
#include "crypto/random.h"
#include "identity/identity.h"
#include "identity/jwt.h"
#include "identity/managed.h"
#include "identity/principal.h"
#include "keyring/work.h"
#include "signin/sts_grant.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define G S "/resourceGroups/Group"
#define IDENTITIES G "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
#define MACHINES G "/providers/Microsoft.HybridCompute/machines"
#define CREDENTIALS IDENTITIES "/web/federatedIdentityCredentials"
#define HERE "{\"location\":\"westeurope\"}"
#define STRANGER "00000000-0000-4000-8000-0000000000ff"

static const struct provider *const providers[] = { &resources_provider, &machine_provider,
	&managed_identity_provider, NULL };
static const struct op *const tables[] = { group_ops, managed_identity_ops, machine_ops, NULL };

static EVP_PKEY *host_key;
static char host_key_text[400];

static bool
make_tenant(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	static const struct uuid tenant = { ESTATE_TENANT };

	(void)ctx, (void)journal;
	return tenant_create(tx, &tenant, V("Home"), err);
}

static void
key_to_text(EVP_PKEY *key, char out[400])
{
	AUTO(buf_free) struct buf text = { 0 };
	unsigned char der[300], *at = der;
	int len = i2d_PUBKEY(key, &at);

	assert_true(len > 0 && len <= (int)sizeof(der));
	base64_encode(BASE64, (view){ (char *)der, (size_t)len }, &text);
	assert_true(text.len < 400);
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
}

static int
setup(void **state)
{
	int status = estate_setup(state, providers, tables);

	host_key = EVP_EC_gen("P-256");
	key_to_text(host_key, host_key_text);
	return status;
}

static int
teardown(void **state)
{
	EVP_PKEY_free(host_key);
	return estate_teardown(state);
}

static struct uuid
uuid_member(struct estate *e, const char *name)
{
	struct uuid id = { "" };

	assert_true(uuid_parse(estate_member(e, name), &id));
	return id;
}

static void
test_an_identity_is_a_principal(void **state)
{
	struct estate *e = *state;
	struct principal principal;
	struct uuid object, client;

	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/Web", HERE), 201);
	object = uuid_member(e, "principalId");
	client = uuid_member(e, "clientId");
	assert_text(estate_member(e, "tenantId"), V(ESTATE_TENANT));
	assert_text(estate_member(e, "type"),
	    V("Microsoft.ManagedIdentity/userAssignedIdentities"));
	assert_true(directory_principal(e->directory, &object, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_IDENTITY);
	assert_string_equal(principal.application.text, client.text);
	/* Again, in another case, with tags: the same. */
	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/web",
			     "{\"location\":\"westeurope\",\"tags\":{\"a\":\"b\"},"
			     "\"properties\":{\"isolationScope\":\"Regional\"}}"),
	    200);
	assert_string_equal(uuid_member(e, "principalId").text, object.text);
	assert_text(estate_member(e, "isolationScope"), V("Regional"));
	assert_int_equal(estate_do(e, HTTP_PATCH, IDENTITIES "/web", "{\"tags\":{}}"), 200);
	assert_string_equal(uuid_member(e, "clientId").text, client.text);
	assert_int_equal(estate_do(e, HTTP_GET, IDENTITIES, NULL), 200);
	assert_int_equal(estate_times(e, "\"principalId\""), 1);
	assert_int_equal(estate_do(e, HTTP_DELETE, IDENTITIES "/web", NULL), 200);
	assert_false(directory_principal(e->directory, &object, &principal));
	assert_int_equal(estate_do(e, HTTP_DELETE, IDENTITIES "/web", NULL), 204);
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "ab", "-web", "_web", "we.b", "w%20eb" };
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char path[300];

		(void)snprintf(path, sizeof(path), IDENTITIES "/%s", bad[i]);
		assert_int_equal(estate_do(e, HTTP_PUT, path, HERE), 400);
	}
	assert_int_equal(
	    estate_do(e, HTTP_PUT, IDENTITIES "/web",
		"{\"location\":\"westeurope\",\"properties\":{\"isolationScope\":\"x\"}}"),
	    400);
	assert_int_equal(estate_count(e, "t/"), 0);
}

#define CREDENTIAL(issuer, subject, audiences)                              \
	"{\"properties\":{\"issuer\":\"" issuer "\",\"subject\":\"" subject \
	"\",\"audiences\":" audiences "}}"

static void
test_credentials(void **state)
{
	static const char *const bad[] = {
		"{}",
		CREDENTIAL("http://i", "s", "[\"a\"]"),
		CREDENTIAL("https://u@i", "s", "[\"a\"]"),
		CREDENTIAL("https://i", "", "[\"a\"]"),
		CREDENTIAL("https://i", "s", "[]"),
		CREDENTIAL("https://i", "s", "[\"a\",\"b\"]"),
		CREDENTIAL("https://i", "s", "[1]"),
		CREDENTIAL("https://i", "s", "\"a\""),
	};
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PUT, CREDENTIALS "/one",
			     CREDENTIAL("https://i", "s", "[\"a\"]")),
	    404);
	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/web", HERE), 201);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (estate_do(e, HTTP_PUT, CREDENTIALS "/one", bad[i]) != 400)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(estate_do(e, HTTP_PUT, CREDENTIALS "/one",
			     CREDENTIAL("https://i", "s", "[\"a\"]")),
	    201);
	assert_true(estate_replied(e, "\"audiences\":[\"a\"]"));
	/* The same of another name, and another of the same name. */
	assert_int_equal(estate_do(e, HTTP_PUT, CREDENTIALS "/two",
			     CREDENTIAL("https://i", "s", "[\"b\"]")),
	    400);
	assert_int_equal(estate_do(e, HTTP_PUT, CREDENTIALS "/ONE",
			     CREDENTIAL("https://i", "t", "[\"a\"]")),
	    200);
	assert_text(estate_member(e, "subject"), V("t"));
	assert_int_equal(estate_do(e, HTTP_PUT, CREDENTIALS "/two",
			     CREDENTIAL("https://i", "s", "[\"b\"]")),
	    201);
	assert_int_equal(estate_do(e, HTTP_GET, CREDENTIALS, NULL), 200);
	assert_int_equal(estate_times(e, "\"issuer\""), 2);
	assert_int_equal(estate_do(e, HTTP_DELETE, CREDENTIALS "/one", NULL), 200);
	assert_int_equal(estate_do(e, HTTP_PUT, CREDENTIALS "/three",
			     CREDENTIAL("https://i", "t", "[\"a\"]")),
	    201);
	assert_int_equal(estate_do(e, HTTP_DELETE, IDENTITIES "/web", NULL), 200);
	assert_int_equal(estate_count(e, "t/"), 0);
	assert_int_equal(estate_count(e, "oid/"), 0);
}

static void
test_credentials_are_bounded(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/web", HERE), 201);
	for (int i = 0; i <= 20; i++) {
		char path[300], body[200];

		(void)snprintf(path, sizeof(path), CREDENTIALS "/number%d", i);
		(void)snprintf(body, sizeof(body),
		    "{\"properties\":{\"issuer\":\"https://i\",\"subject\":\"s%d\","
		    "\"audiences\":[\"a\"]}}",
		    i);
		assert_int_equal(estate_do(e, HTTP_PUT, path, body), i < 20 ? 201 : 400);
	}
}

/* A machine with the host's key; ${identity} is JSON. */
static int
put_machine(struct estate *e, const char *name, const char *identity)
{
	char path[300], body[3000];

	(void)snprintf(path, sizeof(path), MACHINES "/%s", name);
	(void)snprintf(body, sizeof(body),
	    "{\"location\":\"westeurope\",\"identity\":%s,\"properties\":{"
	    "\"clientPublicKey\":\"%s\",\"osName\":\"linux\"}}",
	    identity, host_key_text);
	return estate_do(e, HTTP_PUT, path, body);
}

#define BOTH(id) \
	"{\"type\":\"SystemAssigned,UserAssigned\",\"userAssignedIdentities\":{\"" id "\":{}}}"

static void
test_machines(void **state)
{
	struct estate *e = *state;
	struct principal principal;
	struct uuid object;

	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/web", HERE), 201);
	assert_int_equal(put_machine(e, "host", "{\"type\":\"SystemAssigned\"}"), 201);
	object = uuid_member(e, "principalId");
	assert_true(directory_principal(e->directory, &object, &principal));
	assert_string_equal(uuid_member(e, "clientId").text, principal.application.text);
	assert_text(estate_member(e, "osName"), V("linux"));
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/WEB")), 200);
	assert_true(estate_replied(e, "\"" IDENTITIES "/web\":{\"principalId\":"));
	assert_string_equal(uuid_member(e, "principalId").text, object.text);
	/* A patch adds and takes away; what it does not name stays. */
	assert_int_equal(estate_do(e, HTTP_PATCH, MACHINES "/host",
			     "{\"properties\":{\"osName\":\"bsd\"}}"),
	    200);
	assert_true(estate_replied(e, "userAssignedIdentities"));
	assert_text(estate_member(e, "osName"), V("bsd"));
	assert_int_equal(estate_do(e, HTTP_PATCH, MACHINES "/host",
			     "{\"identity\":{\"userAssignedIdentities\":{\"" IDENTITIES
			     "/web\":null}}}"),
	    200);
	assert_false(estate_replied(e, "userAssignedIdentities"));
	/* An identity that was deleted is attached to nothing. */
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, IDENTITIES "/web", NULL), 200);
	assert_int_equal(estate_do(e, HTTP_PATCH, MACHINES "/host", "{\"tags\":{}}"), 200);
	assert_false(estate_replied(e, "userAssignedIdentities"));
	assert_int_equal(estate_do(e, HTTP_DELETE, MACHINES "/host", NULL), 200);
	assert_false(directory_principal(e->directory, &object, &principal));
	assert_int_equal(estate_count(e, "oid/"), 0);
}

static void
test_bad_machines(void **state)
{
	static const char *const identities[] = {
		"{\"type\":\"None\"}",
		"{\"type\":\"UserAssigned\"}",
		"{\"type\":\"SystemAssigned,UserAssigned\",\"userAssignedIdentities\":[]}",
		"{\"type\":\"SystemAssigned,UserAssigned\",\"userAssignedIdentities\":{\"x\":{}}}",
		BOTH(IDENTITIES "/nobody"),
		BOTH(MACHINES "/host"),
		BOTH(G),
	};
	static const char *const keys[] = { "", "AAAA", "not base64", "MFkwEwYHKoZIzj0CAQ==" };
	struct estate *e = *state;

	for (size_t i = 0; i < COUNT_OF(identities); i++) {
		if (put_machine(e, "host", identities[i]) != 400)
			fail_msg("%s", identities[i]);
	}
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		(void)snprintf(host_key_text, sizeof(host_key_text), "%s", keys[i]);
		assert_int_equal(put_machine(e, "host", "{\"type\":\"SystemAssigned\"}"), 400);
	}
	assert_int_equal(estate_count(e, "oid/"), 0);
}

/* Who may write machines may not thereby take what an identity may do. */
static void
test_attaching_needs_a_right_at_the_identity(void **state)
{
	struct estate *e = *state;

	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/web", HERE), 201);
	(void)uuid_parse(V(STRANGER), &e->caller.object);
	estate_grant(e, STRANGER, "Reader", S);
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 403);
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/nobody")), 403);
	assert_int_equal(put_machine(e, "host", "{\"type\":\"SystemAssigned\"}"), 201);
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 403);
	estate_grant(e, STRANGER, "Owner", IDENTITIES "/web");
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 200);
	/* What is attached already may stay, whoever writes the machine. */
	(void)uuid_parse(V("00000000-0000-4000-8000-0000000000fe"), &e->caller.object);
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 200);
}

static view
part(struct estate *e, const char *text)
{
	AUTO(buf_free) struct buf out = { 0 };
	view copy;

	base64_encode(BASE64URL, view_of(text), &out);
	assert_true(arena_copy(&e->arena, buf_view(&out), &copy));
	return copy;
}

/* An assertion as the agent makes it, good for ${seconds}. */
static view
assertion(struct estate *e, EVP_PKEY *key, const char *host, int seconds)
{
	AUTO(buf_free) struct buf signature = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[100], raw[64];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	struct uuid jti;
	long long now = clock_wall();
	view payload, input, token;
	ECDSA_SIG *sig;

	random_uuid(&jti);
	assert_true(arena_print(&e->arena, &payload,
	    "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"https://login.localhost/" ESTATE_TENANT
	    "/oauth2/v2.0/token\",\"jti\":\"%s\",\"nbf\":%lld,\"exp\":%lld}",
	    host, host, jti.text, now, now + seconds));
	assert_true(arena_print(&e->arena, &input, "%s.%s",
	    part(e, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}").ptr, part(e, payload.ptr).ptr));
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, (const unsigned char *)input.ptr,
			     input.len),
	    1);
	EVP_MD_CTX_free(ctx);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32), 32);
	ECDSA_SIG_free(sig);
	base64_encode(BASE64URL, (view){ (char *)raw, sizeof(raw) }, &signature);
	assert_true(arena_print(&e->arena, &token, "%.*s.%.*s", VIEW_ARG(input),
	    VIEW_ARG(buf_view(&signature))));
	return token;
}

static bool
grant(struct estate *e, const char *client, view by, struct buf *token)
{
	const struct sts_place place = {
		.tenant = V(ESTATE_TENANT),
		.authority = V("login.localhost"),
		.domain = V("localhost"),
		.peer = V("127.0.0.1"),
	};
	const struct sts_form form = {
		.client = view_of(client),
		.secret = V(""),
		.assertion = by,
		.resource = V("https://vault.localhost"),
	};
	struct tx tx = { .reader = e->reader, .keyring = e->place.keyring, .arena = &e->arena };
	struct caller who;
	bool fine;

	buf_reset(token);
	e->err = (struct error){ 0 };
	assert_fine(store_begin(e->reader, &e->err), &e->err);
	fine = sts_grant(e->directory, &tx, &place, &form, &who, token, &e->err);
	store_end(e->reader);
	return fine;
}

static bool
claims(struct estate *e, const struct buf *token, const char *text)
{
	struct error err;
	struct jwt jwt;
	view copy;

	assert_fine(jwt_parse(buf_view(token), JWT_HEADER_MAX, &e->arena, &jwt, &err), &err);
	assert_true(arena_copy(&e->arena, jwt.payload, &copy));
	return strstr(copy.ptr, text) != NULL;
}

static void
test_tokens_for_hosts(void **state)
{
	struct estate *e = *state;
	AUTO(buf_free) struct buf token = { 0 };
	struct uuid host, web, web_object;
	EVP_PKEY *other = EVP_EC_gen("P-256");

	assert_fine(work_run(e->place.store, e->place.keyring, make_tenant, e, &e->err), &e->err);
	assert_int_equal(estate_do(e, HTTP_PUT, IDENTITIES "/web", HERE), 201);
	web = uuid_member(e, "clientId");
	web_object = uuid_member(e, "principalId");
	assert_int_equal(put_machine(e, "host", "{\"type\":\"SystemAssigned\"}"), 201);
	host = uuid_member(e, "clientId");

	assert_fine(grant(e, host.text, assertion(e, host_key, host.text, 300), &token), &e->err);
	assert_true(claims(e, &token, "\"xms_mirid\":\"" MACHINES "/host\""));
	assert_true(claims(e, &token, "\"xms_az_rid\":\"" MACHINES "/host\""));
	assert_true(claims(e, &token, "\"appidacr\":\"2\""));
	assert_true(claims(e, &token, "\"idtyp\":\"app\""));

	/* An identity that is not attached, another's key, no key, too long a life. */
	assert_false(grant(e, web.text, assertion(e, host_key, host.text, 300), &token));
	assert_int_equal(e->err.code, ERR_STS_UNKNOWN_APPLICATION);
	assert_false(grant(e, host.text, assertion(e, other, host.text, 300), &token));
	assert_int_equal(e->err.code, ERR_STS_BAD_ASSERTION);
	assert_false(grant(e, web.text, assertion(e, host_key, web.text, 300), &token));
	assert_int_equal(e->err.code, ERR_STS_BAD_ASSERTION);
	assert_false(grant(e, host.text, assertion(e, host_key, host.text, 1000), &token));
	assert_int_equal(e->err.code, ERR_STS_BAD_ASSERTION);
	EVP_PKEY_free(other);

	/* Attached, by any of its names. */
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 200);
	assert_fine(grant(e, web.text, assertion(e, host_key, host.text, 300), &token), &e->err);
	assert_fine(grant(e, web_object.text, assertion(e, host_key, host.text, 300), &token),
	    &e->err);
	assert_fine(grant(e, IDENTITIES "/WEB", assertion(e, host_key, host.text, 300), &token),
	    &e->err);
	assert_true(claims(e, &token, "\"xms_mirid\":\"" IDENTITIES "/web\""));
	assert_true(claims(e, &token, "\"xms_az_rid\":\"" MACHINES "/host\""));
	assert_true(claims(e, &token, web_object.text));
	assert_false(grant(e, IDENTITIES, assertion(e, host_key, host.text, 300), &token));

	/* Detached and deleted it gets none. */
	assert_int_equal(put_machine(e, "host", "{\"type\":\"SystemAssigned\"}"), 200);
	assert_false(grant(e, web.text, assertion(e, host_key, host.text, 300), &token));
	assert_int_equal(put_machine(e, "host", BOTH(IDENTITIES "/web")), 200);
	assert_int_equal(estate_do(e, HTTP_DELETE, IDENTITIES "/web", NULL), 200);
	assert_false(grant(e, web.text, assertion(e, host_key, host.text, 300), &token));
	assert_int_equal(estate_do(e, HTTP_DELETE, MACHINES "/host", NULL), 200);
	assert_false(grant(e, host.text, assertion(e, host_key, host.text, 300), &token));
	assert_int_equal(e->err.code, ERR_STS_UNKNOWN_APPLICATION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_identity_is_a_principal),
		TEST(test_names),
		TEST(test_credentials),
		TEST(test_credentials_are_bounded),
		TEST(test_machines),
		TEST(test_bad_machines),
		TEST(test_attaching_needs_a_right_at_the_identity),
		TEST(test_tokens_for_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
