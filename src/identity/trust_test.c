/*
 * Issuers that a tenant trusts whole: whose tokens are taken, as whom, and until when.
 */
#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "identity/issuer_testing.h"
#include "identity/principal.h"
#include "identity/testing.h"
#include "identity/token_issue.h"
#include "identity/trust.h"

#include <openssl/rsa.h>
#include <string.h>

#define VAULT "https://vault.localhost:8443"
#define MANAGEMENT "https://management.localhost:8443"
#define GRAPH "https://graph.localhost:8443"
#define AUDIENCE "api://strongroom"

static struct application first, second;
static struct plain *secrets[2];

static void
trust_issuer(const char *claim)
{
	const struct trusted_issuer issuer = {
		.tenant = town.tenant,
		.name = V("Outside"),
		.issuer = V(OUTSIDE),
		.claim = view_of(claim),
		.audiences = { V(AUDIENCE), V("other") },
		.audience_count = 2,
	};

	town_begin();
	REQUIRE(trusted_issuer_put(&town.tx, &issuer, &town.err));
	town_commit();
	town_begin();
}

/* The application's only credential from now on; NULL: none. */
static void
set_credential(const struct application *application, const char *subject, const char *audience)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	town_begin();
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(&application->id),
	    STORE_CHANGE, &document, &registration, &town.err));
	registration.federated_count = subject != NULL;
	registration.federated[0] = (struct federated_credential){
		.name = V("outside"),
		.issuer = V(OUTSIDE),
		.subject = view_of(subject),
		.audience = view_of(audience),
		.description = V(""),
	};
	random_uuid(&registration.federated[0].id);
	REQUIRE(registration_put(&town.tx, &registration, &town.err));
	town_commit();
	town_begin();
}

static int
setup(void **state)
{
	outside_make();
	(void)town_setup(state);
	first = town_application("First", &secrets[0]);
	second = town_application("Second", &secrets[1]);
	set_credential(&first, "alice", AUDIENCE);
	set_credential(&second, "bob", AUDIENCE);
	town.directory->issuers = outside_issuers(false);
	trust_issuer("sub");
	issuers_tick(town.directory->issuers);
	return 0;
}

static int
teardown(void **state)
{
	plain_free(secrets[0]);
	plain_free(secrets[1]);
	(void)town_teardown(state);
	outside_end();
	return 0;
}

static view
token_with(const char *subject, const char *audience, int from, int until, const char *more)
{
	long long now = clock_wall();
	view payload;

	assert_true(arena_print(&town.arena, &payload,
	    "{\"iss\":\"" OUTSIDE "\",\"sub\":\"%s\",\"aud\":%s,\"nbf\":%lld,\"exp\":%lld%s}",
	    subject, audience, now + from, now + until, more));
	return outside_token("RS256", payload.ptr);
}

static view
token_of(const char *subject)
{
	return token_with(subject, "\"" AUDIENCE "\"", 0, 600, "");
}

static bool
ask(view token, const char *audience, struct caller *out)
{
	*out = (struct caller){ .known = false };
	return token_authenticate(town.directory, 0, token, view_of(audience), NULL, out,
	    &town.err);
}

static void
test_tokens_act_as_applications(void **state)
{
	struct caller caller;

	(void)state;
	for (int i = 0; i < 2; i++) {
		REQUIRE(ask(token_of("alice"), VAULT, &caller));
		assert_true(caller.known && !caller.person);
		assert_string_equal(caller.object.text, first.object.text);
		assert_string_equal(caller.application.text, first.id.text);
		assert_string_equal(caller.tenant.text, town.tenant.text);
		assert_string_equal(caller.issuer, OUTSIDE);
	}
	REQUIRE(ask(token_of("bob"), MANAGEMENT, &caller));
	assert_string_equal(caller.object.text, second.object.text);
	/* From the cache too: not for the directory. */
	REFUSED(ask(token_of("bob"), GRAPH, &caller), ERR_UNAUTHORIZED, "AKV10022");
	assert_false(caller.known);
}

static void
test_refusals(void **state)
{
	struct caller caller;

	(void)state;
	REFUSED(ask(token_of("carol"), VAULT, &caller), ERR_UNAUTHORIZED, "No principal");
	REFUSED(ask(token_of("Alice"), VAULT, &caller), ERR_UNAUTHORIZED, "No principal");
	REFUSED(ask(token_with("alice", "\"x\"", 0, 600, ""), VAULT, &caller), ERR_UNAUTHORIZED,
	    "AKV10022");
	/* For the trust, but not for the credential. */
	REFUSED(ask(token_with("alice", "\"other\"", 0, 600, ""), VAULT, &caller), ERR_UNAUTHORIZED,
	    "No principal");
	REQUIRE(ask(token_with("alice", "[\"x\",\"" AUDIENCE "\"]", 0, 600, ""), VAULT, &caller));
	REFUSED(ask(token_with("alice", "\"" AUDIENCE "\"", -900, -301, ""), VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10010");
	REFUSED(ask(token_with("alice", "\"" AUDIENCE "\"", 400, 900, ""), VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10011");
	REFUSED(ask(outside_token("RS256",
			"{\"iss\":\"" OUTSIDE "\",\"sub\":\"alice\",\"aud\":\"" AUDIENCE "\"}"),
		    VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10001");
	REFUSED(ask(outside_token("RS256",
			"{\"iss\":\"" OUTSIDE "/\",\"sub\":\"alice\",\"aud\":\"" AUDIENCE "\"}"),
		    VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10046");
}

static void
test_signatures(void **state)
{
	static const char payload[] =
	    "{\"iss\":\"" OUTSIDE "\",\"sub\":\"alice\",\"aud\":\"" AUDIENCE
	    "\",\"exp\":32503680000}";
	struct caller caller;

	(void)state;
	REQUIRE(ask(outside_token("ES384", payload), VAULT, &caller));
	REFUSED(ask(outside_hmac(buf_view(&outside.keys), "{\"alg\":\"HS256\",\"kid\":\"r1\"}",
			payload),
		    VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10002");
	REFUSED(ask(outside_sign("RS256", "{\"alg\":\"none\",\"kid\":\"r1\"}", payload), VAULT,
		    &caller),
	    ERR_UNAUTHORIZED, "AKV10002");
	REFUSED(ask(outside_sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"e1\"}", payload), VAULT,
		    &caller),
	    ERR_UNAUTHORIZED, "AKV10002");
	REFUSED(ask(outside_sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"r9\"}", payload), VAULT,
		    &caller),
	    ERR_UNAUTHORIZED, "AKV10046");
	/* What is not good says nothing of who is registered. */
	REFUSED(ask(outside_sign("RS256", "{\"alg\":\"RS512\",\"kid\":\"r1\"}",
			"{\"iss\":\"" OUTSIDE "\",\"sub\":\"nobody\",\"aud\":\"x\"}"),
		    VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10002");
}

/* Changes count from the next request on, also for tokens that were verified before. */
static void
test_changes_count_at_once(void **state)
{
	view token = token_of("alice");
	struct caller caller;

	(void)state;
	REQUIRE(ask(token, VAULT, &caller));
	set_credential(&first, NULL, "");
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "No principal");
	set_credential(&second, "alice", AUDIENCE);
	REQUIRE(ask(token, VAULT, &caller));
	assert_string_equal(caller.object.text, second.object.text);
	/* Two of one name: nobody. */
	set_credential(&first, "alice", AUDIENCE);
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "More than one");
	set_credential(&second, "alice", "other");
	REQUIRE(ask(token, VAULT, &caller));
	assert_string_equal(caller.object.text, first.object.text);
	town_begin();
	REQUIRE(trusted_issuer_delete(&town.tx, &town.tenant, V("OUTSIDE"), &town.err));
	town_commit();
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "AKV10046");
	trust_issuer("sub");
	REQUIRE(ask(token, VAULT, &caller));
}

static void
test_disabled_and_deleted_principals(void **state)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;
	view token = token_of("alice");
	struct caller caller;

	(void)state;
	REQUIRE(ask(token, VAULT, &caller));
	town_begin();
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(&first.id),
	    STORE_CHANGE, &document, &registration, &town.err));
	REQUIRE(registration_enable(&town.tx, &registration, false, &town.err) &&
	    registration_put(&town.tx, &registration, &town.err));
	town_commit();
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "No principal");
	town_begin();
	REQUIRE(registration_delete(&town.tx, &registration, &town.err));
	town_commit();
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "No principal");
}

static void
test_the_subject_may_be_another_claim(void **state)
{
	struct caller caller;

	(void)state;
	trust_issuer("appid");
	REFUSED(ask(token_of("alice"), VAULT, &caller), ERR_UNAUTHORIZED, "No principal");
	REQUIRE(
	    ask(token_with("x", "\"" AUDIENCE "\"", 0, 600, ",\"appid\":\"bob\""), VAULT, &caller));
	assert_string_equal(caller.object.text, second.object.text);
	REFUSED(ask(token_with("x", "\"" AUDIENCE "\"", 0, 600, ",\"appid\":[\"bob\"]"), VAULT,
		    &caller),
	    ERR_UNAUTHORIZED, "AKV10046");
}

/* A key that was withdrawn takes its tokens along, though they were verified before. */
static void
test_withdrawn_keys(void **state)
{
	view token = token_of("alice");
	struct caller caller;

	(void)state;
	REQUIRE(ask(token, VAULT, &caller));
	EVP_PKEY_free(outside.rsa);
	outside.rsa = EVP_RSA_gen(2048U);
	outside_set_keys(NULL);
	outside.now += 3601;
	issuers_tick(town.directory->issuers);
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "AKV10002");
}

static bool
ask_in(view token, const struct uuid *tenant, struct caller *out)
{
	return token_authenticate(town.directory, 0, token, V(VAULT), tenant, out, &town.err);
}

/* Another tenant that trusts the same can't make this one's tokens mean two. */
static void
test_two_tenants(void **state)
{
	struct uuid home = town.tenant, other;
	view token = token_of("alice");
	struct plain *secret = NULL;
	struct application third;
	struct caller caller;

	(void)state;
	random_uuid(&other);
	town_begin();
	REQUIRE(tenant_create(&town.tx, &other, V("Other"), &town.err));
	town_commit();
	town.tenant = other;
	third = town_application("Third", &secret);
	plain_free(secret);
	set_credential(&third, "alice", AUDIENCE);
	trust_issuer("sub");
	town.tenant = home;
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "More than one");
	for (int i = 0; i < 2; i++) {
		REQUIRE(ask_in(token, &home, &caller));
		assert_string_equal(caller.object.text, first.object.text);
		REQUIRE(ask_in(token, &other, &caller));
		assert_string_equal(caller.object.text, third.object.text);
	}
	random_uuid(&other);
	REFUSED(ask_in(token, &other, &caller), ERR_UNAUTHORIZED, "AKV10022");
}

/* Whatever a tenant trusts: the authority's own tokens stay its own. */
static void
test_own_tokens(void **state)
{
	const struct registration registration = {
		.tenant = town.tenant,
		.id = second.id,
		.object = second.object,
	};
	const struct token_wish wish = { .application = &registration,
		.resource = V(VAULT),
		.proof = V("1"),
		.now = clock_wall() };
	struct trusted_issuer issuer = { .tenant = town.tenant,
		.name = V("Own"),
		.claim = V("sub"),
		.audiences = { V(VAULT) },
		.audience_count = 1 };
	AUTO(buf_free) struct buf token = { 0 };
	struct caller caller;

	(void)state;
	town_begin();
	assert_true(arena_print(&town.arena, &issuer.issuer, ISSUER "/%s/", town.tenant.text));
	REQUIRE(trusted_issuer_put(&town.tx, &issuer, &town.err));
	town_commit();
	town_begin();
	REQUIRE(token_issue(town.directory, &wish, &token, &town.err));
	REQUIRE(ask(buf_view(&token), VAULT, &caller));
	assert_string_equal(caller.object.text, second.object.text);
}

/* A server that starts finds everything that was stored. */
static void
test_loading(void **state)
{
	struct directory *fresh = NULL, *own = town.directory;
	struct caller caller;

	(void)state;
	REQUIRE(directory_open(town.store, town.keyring, V(ISSUER), 1, &fresh, &town.err));
	fresh->issuers = outside_issuers(false);
	assert_true(trust_keep(fresh->trust, &town.err));
	issuers_tick(fresh->issuers);
	town.directory = fresh;
	REQUIRE(ask(token_of("bob"), VAULT, &caller));
	assert_string_equal(caller.object.text, second.object.text);
	town.directory = own;
	directory_close(fresh);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tokens_act_as_applications),
		TEST(test_refusals),
		TEST(test_signatures),
		TEST(test_changes_count_at_once),
		TEST(test_disabled_and_deleted_principals),
		TEST(test_the_subject_may_be_another_claim),
		TEST(test_withdrawn_keys),
		TEST(test_two_tenants),
		TEST(test_own_tokens),
		TEST(test_loading),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
