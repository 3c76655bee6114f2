/*
 * Outside tokens as client assertions: which credential they fit, what is wrong with the others.
 */
#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "identity/federation.h"
#include "identity/issuer_testing.h"
#include "identity/testing.h"
#include "signin/sts_grant.h"

#include <stdlib.h>
#include <string.h>

#define AUDIENCE "api://AzureADTokenExchange"
#define SUBJECT "system:serviceaccount:shop:web"
#define VAULT "https://vault.localhost:8443"

static struct application application;
static struct plain *secret;

static void
register_credential(const char *issuer, const char *subject)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;
	struct federated_credential *credential;

	town_begin();
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(&application.id),
	    STORE_CHANGE, &document, &registration, &town.err));
	credential = &registration.federated[registration.federated_count++];
	*credential = (struct federated_credential){
		.name = V("cluster"),
		.issuer = view_of(issuer),
		.subject = view_of(subject),
		.audience = V(AUDIENCE),
		.description = V(""),
	};
	random_uuid(&credential->id);
	REQUIRE(registration_put(&town.tx, &registration, &town.err));
	town_commit();
	town_begin();
}

static int
setup(void **state)
{
	outside_make();
	(void)town_setup(state);
	secret = NULL;
	application = town_application("Web", &secret);
	register_credential("https://other.example.org", "x");
	register_credential(OUTSIDE, SUBJECT);
	town.directory->issuers = outside_issuers(false);
	return 0;
}

static int
teardown(void **state)
{
	plain_free(secret);
	(void)town_teardown(state);
	outside_end();
	return 0;
}

static bool
grant(view assertion, struct buf *token)
{
	const struct sts_place place = {
		.tenant = V("adfs"),
		.authority = V("login.localhost:8443"),
		.domain = V("localhost:8443"),
		.peer = V("127.0.0.1"),
	};
	const struct sts_form form = {
		.client = uuid_view(&application.id),
		.secret = V(""),
		.assertion = assertion,
		.resource = V(VAULT),
	};
	struct caller who;

	return sts_grant(town.directory, &town.tx, &place, &form, &who, token, &town.err);
}

/* A token's claims; NULL and 0 stand for what fits. */
struct wish {
	const char *alg, *iss, *sub, *aud, *more;
	int from, until;
	bool timeless;
};

static const char *
or_else(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static const char *
payload_of(const struct wish *wish)
{
	long long now = clock_wall();
	view payload, times = V("");

	if (!wish->timeless)
		assert_true(arena_print(&town.arena, &times, ",\"nbf\":%lld,\"exp\":%lld",
		    now + wish->from, now + (wish->until != 0 ? wish->until : 600)));
	assert_true(arena_print(&town.arena, &payload,
	    "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":%s%.*s%s}", or_else(wish->iss, OUTSIDE),
	    or_else(wish->sub, SUBJECT), or_else(wish->aud, "[\"x\",\"" AUDIENCE "\"]"),
	    VIEW_ARG(times), or_else(wish->more, "")));
	return payload.ptr;
}

static const struct {
	struct wish wish;
	enum error_code code; /* 0: fine */
	const char *why;
} cases[] = {
	{ { 0 }, ERR_NONE, NULL },
	{ { .alg = "PS512" }, ERR_NONE, NULL },
	{ { .alg = "ES384" }, ERR_NONE, NULL },
	{ { .aud = "\"" AUDIENCE "\"" }, ERR_NONE, NULL },
	{ { .aud = "[\"" AUDIENCE "\"]" }, ERR_NONE, NULL },
	{ { .more = ",\"kubernetes.io\":{\"namespace\":\"shop\",\"pod\":{\"name\":\"w\"}}" },
	    ERR_NONE, NULL },
	{ { .from = 290 }, ERR_NONE, NULL },
	{ { .from = -600, .until = -290 }, ERR_NONE, NULL },
	/* Long-lived ones are the issuer's business. */
	{ { .until = 365 * 86400 }, ERR_NONE, NULL },
	{ { .from = 310 }, ERR_STS_EXPIRED_ASSERTION, "AADSTS700024" },
	{ { .from = -600, .until = -310 }, ERR_STS_EXPIRED_ASSERTION, "AADSTS700024" },
	{ { .timeless = true }, ERR_STS_EXPIRED_ASSERTION, "AADSTS700024" },
	{ { .more = ",\"iat\":32503680000" }, ERR_STS_EXPIRED_ASSERTION, "AADSTS700024" },
	{ { .aud = "\"api://AzureADTokenExchange/\"" }, ERR_STS_NO_FEDERATED, "AADSTS700212" },
	{ { .aud = "[]" }, ERR_STS_NO_FEDERATED, "AADSTS700212" },
	{ { .aud = "[\"a\",\"b\"]" }, ERR_STS_NO_FEDERATED, "'a'" },
	{ { .aud = "[[\"" AUDIENCE "\"]]" }, ERR_STS_BAD_ASSERTION, NULL },
	{ { .aud = "{\"a\":\"" AUDIENCE "\"}" }, ERR_STS_BAD_ASSERTION, NULL },
	{ { .aud = "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"" AUDIENCE "\"]" },
	    ERR_STS_BAD_ASSERTION, NULL },
	{ { .sub = "system:serviceaccount:shop:WEB" }, ERR_STS_NO_FEDERATED, "AADSTS700213" },
	{ { .sub = SUBJECT " " }, ERR_STS_NO_FEDERATED, "AADSTS700213" },
	{ { .sub = SUBJECT "\\u0000x" }, ERR_STS_BAD_ASSERTION, NULL },
	{ { .sub = "" }, ERR_STS_NO_FEDERATED, "AADSTS700211" },
	{ { .iss = OUTSIDE "/" }, ERR_STS_NO_FEDERATED, "AADSTS700211" },
	{ { .iss = "https://issuer.example.org:443/realm" }, ERR_STS_NO_FEDERATED, "AADSTS700211" },
	{ { .iss = "https://issuer.example.org@evil.example/realm" }, ERR_STS_NO_FEDERATED,
	    "AADSTS700211" },
	{ { .iss = "https://ISSUER.example.org/realm" }, ERR_STS_NO_FEDERATED, "AADSTS700211" },
	{ { .iss = "http://issuer.example.org/realm" }, ERR_STS_BAD_ASSERTION, NULL },
	/* Another credential's issuer: it can't be reached, and this key is not its. */
	{ { .iss = "https://other.example.org", .sub = "x" }, ERR_STS_ISSUER_UNREACHABLE,
	    "AADSTS50166" },
	{ { .more = ",\"sub\":\"" SUBJECT "\"" }, ERR_STS_BAD_ASSERTION, NULL },
};

static void
test_claims(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(buf_free) struct buf token = { 0 };
		view assertion =
		    outside_token(or_else(cases[i].wish.alg, "RS256"), payload_of(&cases[i].wish));
		bool fine;

		/* The lock-out is tried elsewhere. */
		lockout_passed(town.directory->lockout, uuid_view(&application.id), V("127.0.0.1"),
		    clock_mono() / 1000000000);
		fine = grant(assertion, &token);
		if (fine != (cases[i].code == ERR_NONE) ||
		    (!fine && town.err.code != cases[i].code) ||
		    (!fine && cases[i].why != NULL &&
			!holds(view_of(town.err.message), cases[i].why)))
			fail_msg("case %zu: %d %s", i, town.err.code, town.err.message);
	}
}

/* A token that was used is good for as long as it lives; that of another issuer's key is not. */
static void
test_signatures(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };
	const char *payload = payload_of(&(struct wish){ 0 });
	view good = outside_token("RS256", payload);

	(void)state;
	for (int i = 0; i < 3; i++)
		REQUIRE(grant(good, &token));
	assert_int_equal(outside.asked, 1);
	REFUSED(grant(outside_sign("RS256", "{\"alg\":\"none\",\"kid\":\"r1\"}", payload), &token),
	    ERR_STS_BAD_ASSERTION, "AADSTS700027");
	REFUSED(grant(outside_hmac(buf_view(&outside.keys), "{\"alg\":\"HS256\",\"kid\":\"r1\"}",
			  payload),
		    &token),
	    ERR_STS_BAD_ASSERTION, "AADSTS700027");
	REFUSED(grant(outside_sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"zz\"}", payload), &token),
	    ERR_STS_BAD_ASSERTION, "key was not found");
	REFUSED(grant((view){ good.ptr, good.len - 2 }, &token), ERR_STS_BAD_ASSERTION, "");
	/* What is no token of an issuer's is looked at as one of the application's own. */
	REFUSED(grant(V("a.b.c"), &token), ERR_STS_BAD_ASSERTION, "AADSTS50027");
}

static view
huge(size_t len)
{
	char *text = arena_alloc(&town.arena, len + 1);

	assert_non_null(text);
	memset(text, 'a', len);
	return (view){ text, len };
}

static void
test_huge_tokens(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };
	view more;

	(void)state;
	REFUSED(grant(huge(JWT_MAX + 1), &token), ERR_STS_BAD_ASSERTION, "too long");
	assert_true(arena_print(&town.arena, &more, ",\"x\":\"%.*s\"", VIEW_ARG(huge(JWT_MAX))));
	REFUSED(grant(outside_token("RS256", payload_of(&(struct wish){ .more = more.ptr })),
		    &token),
	    ERR_STS_BAD_ASSERTION, "too long");
	assert_int_equal(outside.asked, 0);
}

/* Nobody makes the server fetch anything without naming an issuer that is registered. */
static void
test_strangers_cause_no_fetches(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };

	(void)state;
	(void)grant(outside_token("RS256", payload_of(&(struct wish){ .sub = "other" })), &token);
	(void)grant(outside_token("RS256", payload_of(&(struct wish){ .aud = "\"other\"" })),
	    &token);
	(void)grant(outside_token("RS256", payload_of(&(struct wish){ .iss = "https://evil" })),
	    &token);
	assert_int_equal(outside.asked, 0);
}

static void
test_the_token_says_how_it_was_proven(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };
	struct jwt_claims claims;
	struct caller caller;
	struct jwt jwt;

	(void)state;
	REQUIRE(grant(outside_token("RS256", payload_of(&(struct wish){ 0 })), &token));
	REQUIRE(jwt_parse(buf_view(&token), JWT_HEADER_MAX, &town.arena, &jwt, &town.err));
	REQUIRE(jwt_claims_read(jwt.payload, &town.arena, &claims, &town.err));
	assert_true(view_eq(claims.appid, uuid_view(&application.id)));
	assert_true(view_eq(claims.oid, uuid_view(&application.object)));
	assert_true(holds(jwt.payload, "\"appidacr\":\"2\""));
	REQUIRE(token_authenticate(town.directory, 0, buf_view(&token), V(VAULT), NULL, &caller,
	    &town.err));
	assert_string_equal(caller.object.text, application.object.text);
}

static void
test_without_outside_issuers(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };

	(void)state;
	issuers_free(town.directory->issuers);
	town.directory->issuers = NULL;
	REFUSED(grant(outside_token("RS256", payload_of(&(struct wish){ 0 })), &token),
	    ERR_STS_BAD_ASSERTION, "AADSTS700027");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_claims),
		TEST(test_signatures),
		TEST(test_huge_tokens),
		TEST(test_strangers_cause_no_fetches),
		TEST(test_the_token_says_how_it_was_proven),
		TEST(test_without_outside_issuers),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
