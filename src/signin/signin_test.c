/*
 * People's sign-in by password and refresh tokens, through the token endpoint's row.
 */
#include "api/form.h"
#include "base/base64.h"
#include "base/clock.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "identity/client_secret.h"
#include "identity/jwt.h"
#include "signin/testing.h"

#include <string.h>

static void
test_password(void **state)
{
	struct caller caller;
	struct jwt_claims claims;
	view access;

	(void)state;
	REQUIRE(village_token("grant_type=password&username=ADA@example.org&password=lovelace"
			      "&client_info=1&scope=" VAULT "/.default+openid+profile"
			      "+offline_access&client_id=" AZ));
	access = village_member("access_token");
	assert_true(village_has("\"token_type\":\"Bearer\""));
	assert_true(village_has("\"scope\":\"" VAULT "/user_impersonation " VAULT "/.default\""));
	assert_true(village_has("\"foci\":\"1\""));
	assert_true(village_has("\"expires_in\":3599"));
	REQUIRE(token_authenticate(town.directory, 0, access, V(VAULT), NULL, &caller, &town.err));
	assert_true(caller.known && caller.person);
	assert_string_equal(caller.upn, "Ada@example.org");
	assert_string_equal(caller.object.text, village.ada.text);
	assert_string_equal(caller.application.text, AZ);
	/* And once more, out of the cache. */
	caller = (struct caller){ 0 };
	REQUIRE(token_authenticate(town.directory, 0, access, V(VAULT), NULL, &caller, &town.err));
	assert_string_equal(caller.upn, "Ada@example.org");
	assert_true(caller.person);
	REQUIRE(village_claims(village_member("id_token"), &claims));
	assert_true(view_eq(claims.aud, V(AZ)));
	assert_true(view_eq(claims.oid, uuid_view(&village.ada)));
	assert_true(holds(village_payload(village_member("id_token")),
	    "\"preferred_username\":\"Ada@example.org\""));
	assert_true(holds(village_payload(access), "\"scp\":\"user_impersonation\""));
	assert_true(holds(village_payload(access), "\"amr\":[\"pwd\"]"));
	assert_true(holds(village_payload(access), "\"appidacr\":\"0\""));
	assert_true(holds(village_payload(access), "\"ipaddr\":\"192.0.2.1\""));
	assert_true(holds(village_payload(access), "\"given_name\":\"Ada\""));
	assert_true(holds(village_decoded(village_member("client_info")), village.ada.text));
	/* The row said who it was. */
	assert_string_equal(village.who.object.text, village.ada.text);
	assert_string_equal(village.who.upn, "Ada@example.org");
	assert_false(village.who.known);
}

/* What is not asked for is not given. */
static void
test_only_what_was_asked_for(void **state)
{
	(void)state;
	REQUIRE(village_token(PASSWORD "&scope=" VAULT "/.default"));
	assert_false(village_has("refresh_token"));
	assert_false(village_has("id_token"));
	assert_false(village_has("client_info"));
	REQUIRE(village_token(PASSWORD "&resource=" VAULT));
	assert_true(village_has("\"expires_in\":\"3599\""));
	assert_true(village_has("\"resource\":\"" VAULT "\""));
	assert_true(village_has("refresh_token"));
	REQUIRE(village_token(PASSWORD "&scope=openid"));
	assert_true(holds(village_payload(village_member("access_token")),
	    "\"aud\":\"https://graph.localhost:8443\""));
}

static const struct {
	const char *body;
	enum error_code code;
	const char *why;
} refusals[] = {
	{ "", ERR_STS_MALFORMED, "'grant_type'" },
	{ "grant_type=magic", ERR_STS_UNKNOWN_GRANT, "AADSTS70003" },
	{ "grant_type=password&grant_type=password", ERR_STS_MALFORMED, "more than once" },
	{ "grant_type=password", ERR_STS_MALFORMED, "'username'" },
	{ "grant_type=password&username=a", ERR_STS_MALFORMED, "'password'" },
	{ "grant_type=password&username=a&password=b", ERR_STS_MALFORMED, "'client_id'" },
	{ PASSWORD, ERR_STS_MALFORMED, "'scope'" },
	{ PASSWORD "&scope=nonsense", ERR_STS_BAD_SCOPE, "AADSTS70011" },
	{ PASSWORD "&scope=" VAULT "/.default+https://graph.localhost:8443/.default",
	    ERR_STS_BAD_SCOPE, "AADSTS28000" },
	{ PASSWORD "&scope=https://vault.example.org/.default", ERR_STS_UNKNOWN_RESOURCE,
	    "AADSTS500011" },
	{ PASSWORD "&client_secret=x&scope=" VAULT "/.default", ERR_STS_CLIENT_KIND,
	    "AADSTS700025" },
	{ "grant_type=password&username=Ada@example.org&password=lovelace&client_id=11111111-1111-"
	  "1111-1111-111111111111&scope=" VAULT "/.default",
	    ERR_STS_UNKNOWN_APPLICATION, "AADSTS700016" },
	{ "grant_type=password&username=ada@example.org&password=babbage&client_id=" AZ
	  "&scope=" VAULT "/.default",
	    ERR_STS_BAD_PASSWORD, "AADSTS50126" },
	{ "grant_type=password&username=nobody@example.org&password=lovelace&client_id=" AZ
	  "&scope=" VAULT "/.default",
	    ERR_STS_BAD_PASSWORD, "AADSTS50126" },
	{ "grant_type=password&username=eve@example.org&password=wrong&client_id=" AZ
	  "&scope=" VAULT "/.default",
	    ERR_STS_BAD_PASSWORD, "AADSTS50126" },
	{ "grant_type=password&username=eve@example.org&password=disabled&client_id=" AZ
	  "&scope=" VAULT "/.default",
	    ERR_STS_BAD_GRANT, "AADSTS50057" },
	{ "grant_type=password&username=new@example.org&password=initial&client_id=" AZ
	  "&scope=" VAULT "/.default",
	    ERR_STS_BAD_GRANT, "AADSTS50055" },
	{ "grant_type=password&username=none@example.org&password=x&client_id=" AZ "&scope=" VAULT
	  "/.default",
	    ERR_STS_BAD_PASSWORD, "AADSTS50126" },
	{ "grant_type=refresh_token&client_id=" AZ, ERR_STS_MALFORMED, "'refresh_token'" },
	{ "grant_type=refresh_token&refresh_token=1.x&client_id=" AZ, ERR_STS_BAD_GRANT,
	    "AADSTS700082" },
};

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		REFUSED(village_token(refusals[i].body), refusals[i].code, refusals[i].why);
	/* Known by name though not by proof. */
	assert_string_equal(village.who.application.text, AZ);
	village.path = "nowhere";
	REFUSED(village_token(PASSWORD "&scope=" VAULT "/.default"), ERR_STS_UNKNOWN_TENANT,
	    "AADSTS90002");
}

static void
test_guessing_is_locked_out(void **state)
{
	static const char *const names[] = { "ada@example.org", "nobody@example.org" };

	(void)state;
	for (size_t n = 0; n < COUNT_OF(names); n++) {
		view body;

		assert_true(arena_print(&town.arena, &body,
		    "grant_type=password&username=%s&password=guess&client_id=" AZ "&scope=" VAULT
		    "/.default",
		    names[n]));
		for (int i = 0; i < 10; i++)
			REFUSED(village_token(body.ptr), ERR_STS_BAD_PASSWORD, "AADSTS50126");
		REFUSED(village_token(body.ptr), ERR_STS_LOCKED, "AADSTS50053");
	}
	/* The right one, too, but not from elsewhere. */
	REFUSED(village_token(PASSWORD "&scope=" VAULT "/.default"), ERR_STS_LOCKED, "AADSTS50053");
	village.peer = "198.51.100.1";
	REQUIRE(village_token(PASSWORD "&scope=" VAULT "/.default"));
}

#define SIGN_IN PASSWORD "&scope=" VAULT "/.default+offline_access+openid"

static bool
refresh_by(view token, const char *more)
{
	view body;

	assert_true(arena_print(&town.arena, &body, "grant_type=refresh_token&refresh_token=%.*s%s",
	    VIEW_ARG(token), more));
	return village_token(body.ptr);
}

#define AS_AZ "&client_id=" AZ

static void
test_refresh(void **state)
{
	view first, second;

	(void)state;
	REQUIRE(village_token(SIGN_IN));
	first = village_member("refresh_token");
	REQUIRE(refresh_by(first, AS_AZ "&scope=https://management.localhost:8443//.default"));
	assert_true(holds(village_payload(village_member("access_token")),
	    "\"aud\":\"https://management.localhost:8443/\""));
	second = village_member("refresh_token");
	assert_false(view_eq(first, second));
	/* Another process of the same tool comes with the first one: it ends up with the same. */
	REQUIRE(refresh_by(first, AS_AZ));
	assert_true(view_eq(village_member("refresh_token"), second));
	/* No scope: what it was for at first. */
	assert_true(
	    holds(village_payload(village_member("access_token")), "\"aud\":\"" VAULT "\""));
	village.path = town.tenant.text;
	REQUIRE(refresh_by(second, AS_AZ));
	village.path = "organizations";
	/* The tools share theirs; nobody else does. */
	REQUIRE(refresh_by(village_member("refresh_token"),
	    "&client_id=1950a258-227b-4e31-a9cf-717495945fc2"));
	second = village_member("refresh_token");
	REFUSED(refresh_by(second, village.native_client), ERR_STS_BAD_GRANT, "AADSTS700005");
	REQUIRE(refresh_by(second, AS_AZ));
}

static void
change_user(void (*change)(struct user *user))
{
	AUTO(plain_done) struct plain *document = NULL;
	struct user before, after;

	town_begin();
	REQUIRE(user_get(&town.tx, &village.ada, STORE_CHANGE, &document, &before, &town.err));
	after = before;
	change(&after);
	REQUIRE(user_put(&town.tx, &before, &after, &town.err));
	town_commit();
	town_begin();
}

static void
disable(struct user *user)
{
	user->enabled = false;
}

static void
revoke_sessions(struct user *user)
{
	user_end_sessions(user);
}

static void
test_refresh_ends_with_the_account(void **state)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct user user;
	view token;

	(void)state;
	REQUIRE(village_token(SIGN_IN));
	token = village_member("refresh_token");
	change_user(revoke_sessions);
	REFUSED(refresh_by(token, AS_AZ), ERR_STS_BAD_GRANT, "AADSTS50173");
	REQUIRE(village_token(SIGN_IN));
	token = village_member("refresh_token");
	REQUIRE(refresh_by(token, AS_AZ));
	change_user(disable);
	REFUSED(refresh_by(token, AS_AZ), ERR_STS_BAD_GRANT, "AADSTS50057");
	REQUIRE(user_get(&town.tx, &village.ada, STORE_CHANGE, &document, &user, &town.err));
	REQUIRE(user_delete(&town.tx, &user, &town.err));
	town_commit();
	town_begin();
	REFUSED(refresh_by(token, AS_AZ), ERR_STS_BAD_GRANT, "AADSTS50034");
	assert_string_equal(village.who.application.text, AZ);
}

/* The confidential client has to prove itself, at the sign-in and at every refresh. */
static void
test_confidential_client(void **state)
{
	view with, body, token;

	(void)state;
	assert_true(arena_print(&town.arena, &with, "&client_id=%s&client_secret=%.*s",
	    village.web.id.text, VIEW_ARG(plain_view(village.secret))));
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=password&username=ada@example.org&password=lovelace"
	    "&scope=offline_access+" VAULT "/.default&client_id=%s",
	    village.web.id.text));
	REFUSED(village_token(body.ptr), ERR_STS_CLIENT_KIND, "AADSTS7000218");
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=password&username=ada@example.org&password=lovelace"
	    "&scope=offline_access+" VAULT "/.default%s",
	    with.ptr));
	REQUIRE(village_token(body.ptr));
	assert_true(holds(village_payload(village_member("access_token")), "\"appidacr\":\"1\""));
	assert_false(village_has("foci"));
	assert_string_equal(village.who.object.text, village.ada.text);
	token = village_member("refresh_token");
	assert_true(arena_print(&town.arena, &body, "&client_id=%s", village.web.id.text));
	REFUSED(refresh_by(token, body.ptr), ERR_STS_CLIENT_KIND, "AADSTS7000218");
	assert_true(
	    arena_print(&town.arena, &body, "&client_id=%s&client_secret=x", village.web.id.text));
	REFUSED(refresh_by(token, body.ptr), ERR_STS_BAD_SECRET, "AADSTS7000215");
	REFUSED(refresh_by(token, AS_AZ), ERR_STS_BAD_GRANT, "AADSTS700005");
	REQUIRE(refresh_by(token, with.ptr));
}

/* What leaked beside a secret is not good without it once the secret is removed. */
static void
test_removed_secret(void **state)
{
	view body, token;

	(void)state;
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=password&username=ada@example.org&password=lovelace"
	    "&scope=offline_access+" VAULT "/.default&client_id=%s&client_secret=%.*s",
	    village.web.id.text, VIEW_ARG(plain_view(village.secret))));
	REQUIRE(village_token(body.ptr));
	token = village_member("refresh_token");
	village_disarm();
	assert_true(arena_print(&town.arena, &body, "&client_id=%s", village.web.id.text));
	REFUSED(refresh_by(token, body.ptr), ERR_STS_CLIENT_KIND, "AADSTS7000218");
}

/* A refusal that ends the family is also committed. */
static void
test_reuse_ends_the_family(void **state)
{
	view tokens[4];
	char *character;

	(void)state;
	REQUIRE(village_token(SIGN_IN));
	tokens[0] = village_member("refresh_token");
	for (int i = 0; i < 3; i++) {
		REQUIRE(refresh_by(tokens[i], AS_AZ));
		tokens[i + 1] = village_member("refresh_token");
	}
	/* One that never was: as good as an old one. */
	assert_true(arena_copy(&town.arena, tokens[3], &tokens[0]));
	character = (char *)(uintptr_t)tokens[0].ptr + tokens[0].len - 5;
	*character = *character == 'A' ? 'B' : 'A';
	REQUIRE(refresh_by(tokens[0], AS_AZ));
	assert_int_equal(village.reply.status, 400);
	assert_true(village_has("\"error\":\"invalid_grant\""));
	assert_true(village_has("AADSTS50173: The provided refresh token was used before."));
	assert_string_equal(village.who.object.text, village.ada.text);
	REFUSED(refresh_by(tokens[3], AS_AZ), ERR_STS_BAD_GRANT, "AADSTS50173");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		VILLAGE_TEST(test_password),
		VILLAGE_TEST(test_only_what_was_asked_for),
		VILLAGE_TEST(test_refusals),
		VILLAGE_TEST(test_guessing_is_locked_out),
		VILLAGE_TEST(test_refresh),
		VILLAGE_TEST(test_refresh_ends_with_the_account),
		VILLAGE_TEST(test_confidential_client),
		VILLAGE_TEST(test_removed_secret),
		VILLAGE_TEST(test_reuse_ends_the_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
