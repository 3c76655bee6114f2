/*
 * Sign-in through the browser: authorization codes, devices, and the pages themselves.
 */
#include "signin/refresh.h"
#include "signin/testing.h"

#include <stdio.h>
#include <string.h>

#define AUTHORIZE "/{tenant}/oauth2/v2.0/authorize"
#define LOGIN "/{tenant}/login"
#define DEVICECODE "/{tenant}/oauth2/v2.0/devicecode"
#define ENTRY "/{tenant}/oauth2/deviceauth"
#define LOGOUT "/{tenant}/oauth2/v2.0/logout"

/* RFC 7636, appendix B. */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define PKCE "&code_challenge=" CHALLENGE "&code_challenge_method=S256"
#define BACK "&redirect_uri=http%3A%2F%2Flocalhost%3A8400%2F"
#define SCOPE "&scope=https%3A%2F%2Fvault.localhost%3A8443%2F.default+openid+offline_access"
#define GOOD "client_id=" AZ "&response_type=code" BACK SCOPE "&state=a%26b&nonce=n1"

#define CREDENTIALS "&answer=yes&username=ada%40example.org&password=lovelace"

/* The browser keeps its cookie; what the page hides in its form. */
static view
page_name(void)
{
	view cookie = village_field("Set-Cookie"), copy;

	assert_int_equal(village.reply.status, 200);
	if (cookie.len > 0) {
		assert_true(holds(cookie, "__Host-signin="));
		assert_true(holds(cookie, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
		cookie = view_cut(&cookie, ';');
		assert_true(arena_copy(&town.arena, cookie, &copy));
		village.cookie = copy.ptr;
	}
	return village_between("name=\"signin\" value=\"", "\"");
}

static view
visit(const char *query)
{
	REQUIRE(village_get(AUTHORIZE, query));
	return page_name();
}

static void
submit(view name, const char *more)
{
	view body;

	assert_true(arena_print(&town.arena, &body, "signin=%.*s%s", VIEW_ARG(name), more));
	REQUIRE(village_post(LOGIN, body.ptr));
}

/* The value of a parameter of the URL the browser is sent to. */
static view
sent(const char *name)
{
	view rest = village_field("Location");

	(void)view_cut(&rest, '?');
	while (rest.len > 0) {
		view value = view_cut(&rest, '&');

		if (view_eq(view_cut(&value, '='), view_of(name)))
			return value;
	}
	return V("");
}

static view
sign_in(const char *query)
{
	submit(visit(query), CREDENTIALS);
	assert_int_equal(village.reply.status, 303);
	assert_true(sent("code").len > 0);
	return sent("code");
}

static bool
redeem(view code, const char *more)
{
	view body;

	assert_true(arena_print(&town.arena, &body, "grant_type=authorization_code&code=%.*s%s",
	    VIEW_ARG(code), more));
	return village_token(body.ptr);
}

#define AS_AZ "&client_id=" AZ BACK "&code_verifier=" VERIFIER

static void
test_code(void **state)
{
	struct jwt_claims claims;
	view code;

	(void)state;
	code = sign_in(GOOD PKCE);
	assert_true(view_starts(village_field("Location"), V("http://localhost:8400/?code=")));
	assert_true(view_eq(sent("state"), V("a%26b")));
	assert_string_equal(village.who.object.text, village.ada.text);
	assert_string_equal(village.who.application.text, AZ);
	REQUIRE(redeem(code, AS_AZ "&client_info=1"));
	assert_true(village_has("\"foci\":\"1\""));
	assert_true(village_has("\"client_info\""));
	assert_true(holds(village_payload(village_member("id_token")), "\"nonce\":\"n1\""));
	REQUIRE(village_claims(village_member("access_token"), &claims));
	assert_true(view_eq(claims.aud, V(VAULT)));
	assert_true(view_eq(claims.upn, V("Ada@example.org")));
}

/* A code that comes a second time ends what the first one got. */
static void
test_code_twice(void **state)
{
	view code = sign_in(GOOD PKCE), token, body;

	(void)state;
	REQUIRE(redeem(code, AS_AZ));
	token = village_member("refresh_token");
	REQUIRE(redeem(code, AS_AZ));
	assert_int_equal(village.reply.status, 400);
	assert_true(village_has("AADSTS54005"));
	assert_string_equal(village.who.object.text, village.ada.text);
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=refresh_token&client_id=" AZ "&refresh_token=%.*s", VIEW_ARG(token)));
	REFUSED(village_token(body.ptr), ERR_STS_BAD_GRANT, "AADSTS50173");
}

static const struct {
	const char *more, *why;
} thieves[] = {
	{ "&client_id=" AZ BACK, "AADSTS501481" },
	{ "&client_id=" AZ BACK "&code_verifier=short", "AADSTS501481" },
	{ "&client_id=" AZ BACK "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX",
	    "AADSTS501481" },
	{ "&client_id=" AZ BACK "&code_verifier=" CHALLENGE, "AADSTS501481" },
	{ "&client_id=" AZ "&code_verifier=" VERIFIER, "AADSTS500112" },
	{ "&client_id=" AZ "&redirect_uri=http://localhost:8401/&code_verifier=" VERIFIER,
	    "AADSTS500112" },
	{ "&client_id=1950a258-227b-4e31-a9cf-717495945fc2" BACK "&code_verifier=" VERIFIER,
	    "AADSTS700005" },
};

static void
test_stolen_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(thieves); i++) {
		view code = sign_in(GOOD PKCE);

		REFUSED(redeem(code, thieves[i].more), ERR_STS_BAD_GRANT, thieves[i].why);
		/* There is one try. */
		REQUIRE(redeem(code, AS_AZ));
		assert_true(village_has("AADSTS54005"));
	}
	REFUSED(redeem(V("nonsense"), AS_AZ), ERR_STS_BAD_GRANT, "AADSTS70008");
	REFUSED(redeem(V(""), AS_AZ), ERR_STS_MALFORMED, "'code'");
}

/* Shown on a page: nothing is sent to a place that may be anybody's. */
static const struct {
	const char *query, *why;
} strangers[] = {
	{ "", "client_id" },
	{ "client_id=" AZ, "redirect_uri" },
	{ "client_id=x" BACK, "AADSTS700016" },
	{ "client_id=" AZ "&client_id=" AZ BACK, "more than once" },
	{ "client_id=%zz", "encoded" },
	{ "client_id=" AZ "&redirect_uri=https://evil.org", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=http://localhost@evil.org", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=http://localhost.evil.org", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=http://localhost%5c@evil.org", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=http://localhost/..%2f..%2fx%23y", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=javascript:alert(1)", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=urn:ietf:wg:oauth:2.0:oob", "AADSTS50011" },
	{ "client_id=" AZ "&redirect_uri=https://app.example.org/back", "AADSTS50011" },
};

static void
test_nothing_goes_to_strangers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(strangers); i++) {
		REQUIRE(village_get(AUTHORIZE, strangers[i].query));
		assert_int_equal(village_field("Location").len, 0);
		assert_true(village.reply.status == 400);
		if (!holds(view_of(village.said.message), strangers[i].why))
			fail_msg("%s: %s", strangers[i].query, village.said.message);
		assert_true(village_has("<!doctype html>"));
	}
}

/* Told to the client. */
static const struct {
	const char *query, *error;
} mistakes[] = {
	{ "client_id=" AZ BACK "&state=s", "unsupported_response_type" },
	{ "client_id=" AZ BACK "&state=s&response_type=token", "unsupported_response_type" },
	{ "client_id=" AZ BACK "&state=s&response_type=code%20id_token",
	    "unsupported_response_type" },
	{ "client_id=" AZ BACK SCOPE "&state=s&response_type=code", "invalid_request" },
	{ "client_id=" AZ BACK SCOPE "&state=s&response_type=code&code_challenge=" CHALLENGE,
	    "invalid_request" },
	{ "client_id=" AZ BACK SCOPE "&state=s&response_type=code&code_challenge=" CHALLENGE
	  "&code_challenge_method=plain",
	    "invalid_request" },
	{ "client_id=" AZ BACK SCOPE "&state=s&response_type=code&code_challenge=short"
	  "&code_challenge_method=S256",
	    "invalid_request" },
	{ "client_id=" AZ BACK "&state=s&response_type=code" PKCE, "invalid_request" },
	{ "client_id=" AZ BACK "&state=s&response_type=code&scope=x" PKCE, "invalid_scope" },
	{ "client_id=" AZ BACK "&state=s&response_type=code&scope=https://evil.org/.default" PKCE,
	    "invalid_resource" },
	{ "client_id=" AZ BACK SCOPE "&state=s&response_type=code&response_mode=web_message" PKCE,
	    "invalid_request" },
	{ "client_id=" AZ BACK SCOPE "&state=s&response_type=code&prompt=none" PKCE,
	    "interaction_required" },
};

static void
test_mistakes_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		REQUIRE(village_get(AUTHORIZE, mistakes[i].query));
		assert_int_equal(village.reply.status, 302);
		if (!view_eq(sent("error"), view_of(mistakes[i].error)))
			fail_msg("%s: %.*s", mistakes[i].query, VIEW_ARG(sent("error")));
		assert_true(view_eq(sent("state"), V("s")));
		assert_true(sent("error_description").len > 0);
	}
}

static void
test_modes(void **state)
{
	view name;

	(void)state;
	submit(visit(GOOD PKCE "&response_mode=fragment"), CREDENTIALS);
	assert_true(view_starts(village_field("Location"), V("http://localhost:8400/#code=")));
	name = visit(GOOD PKCE "&response_mode=form_post");
	assert_true(holds(village_field("Content-Security-Policy"),
	    "form-action 'self' http://localhost:8400;"));
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 200);
	assert_true(village_has("<form method=\"post\" action=\"http://localhost:8400/\">"));
	assert_true(village_has("<input type=\"hidden\" name=\"state\" value=\"a&amp;b\">"));
	assert_true(holds(village_field("Content-Security-Policy"), "script-src 'sha256-"));
	REQUIRE(redeem(village_between("name=\"code\" value=\"", "\""), AS_AZ));
	submit(visit(GOOD PKCE), "&answer=no");
	assert_true(view_eq(sent("error"), V("access_denied")));
	assert_true(view_eq(sent("state"), V("a%26b")));
}

static void
test_confidential_client(void **state)
{
	view query, more, code;

	(void)state;
	assert_true(arena_print(&town.arena, &query,
	    "client_id=%s&response_type=code&redirect_uri=https%%3A%%2F%%2Fapp.example.org%%2Fback"
	    "&scope=openid",
	    village.web.id.text));
	code = sign_in(query.ptr);
	assert_true(
	    view_starts(village_field("Location"), V("https://app.example.org/back?code=")));
	assert_true(arena_print(&town.arena, &more,
	    "&client_id=%s&redirect_uri=https://app.example.org/back", village.web.id.text));
	REFUSED(redeem(code, more.ptr), ERR_STS_CLIENT_KIND, "AADSTS7000218");
	assert_true(arena_print(&town.arena, &more,
	    "&client_id=%s&redirect_uri=https://app.example.org/back&client_secret=%.*s",
	    village.web.id.text, VIEW_ARG(plain_view(village.secret))));
	/* It was asked for without a challenge: a verifier was put in by somebody else. */
	assert_true(arena_print(&town.arena, &query, "%s&code_verifier=" VERIFIER, more.ptr));
	REFUSED(redeem(code, query.ptr), ERR_STS_BAD_GRANT, "AADSTS501481");
	assert_true(arena_print(&town.arena, &query,
	    "client_id=%s&response_type=code&redirect_uri=https%%3A%%2F%%2Fapp.example.org%%2Fback"
	    "&scope=openid",
	    village.web.id.text));
	REQUIRE(redeem(sign_in(query.ptr), more.ptr));
	assert_false(village_has("refresh_token"));
	assert_true(village_has("id_token"));
}

/* Without a challenge and without a secret a code is anybody's. */
static void
test_code_of_a_disarmed_client(void **state)
{
	view query, more, code;

	(void)state;
	assert_true(arena_print(&town.arena, &query,
	    "client_id=%s&response_type=code&redirect_uri=https%%3A%%2F%%2Fapp.example.org%%2Fback"
	    "&scope=openid",
	    village.web.id.text));
	code = sign_in(query.ptr);
	village_disarm();
	assert_true(arena_print(&town.arena, &more,
	    "&client_id=%s&redirect_uri=https://app.example.org/back", village.web.id.text));
	REFUSED(redeem(code, more.ptr), ERR_STS_BAD_GRANT, "AADSTS501481");
}

/* A page is good once, and in the browser it was shown to. */
static void
test_forgery(void **state)
{
	const char *cookie;
	view name;

	(void)state;
	name = visit(GOOD PKCE);
	cookie = village.cookie;
	submit(V("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), CREDENTIALS);
	assert_int_equal(village.reply.status, 400);
	submit(V(""), CREDENTIALS);
	assert_int_equal(village.reply.status, 400);
	village.cookie = NULL;
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 400);
	assert_true(village_has("does not keep cookies"));
	village.cookie = "__Host-signin=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 400);
	/* The other browser's try has used it up. */
	village.cookie = cookie;
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 400);
	name = visit(GOOD PKCE);
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 303);
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 400);
	/* Two windows of one browser do not disturb each other. */
	name = visit(GOOD PKCE);
	(void)visit(GOOD PKCE);
	assert_int_equal(village_field("Set-Cookie").len, 0);
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 303);
}

static void
test_wrong_password(void **state)
{
	view name = visit(GOOD PKCE), told;

	(void)state;
	submit(name, "&answer=yes&username=ada%40example.org&password=wrong");
	assert_int_equal(village.reply.status, 400);
	assert_true(village_has("role=\"alert\">The user name or the password is not right.</p>"));
	assert_true(village_has("<title>Error: Sign in - Strongroom</title>"));
	assert_true(village_has("aria-describedby=\"error\""));
	assert_true(village_has("value=\"ada@example.org\""));
	assert_false(village_has("wrong"));
	assert_int_equal(village.said.code, ERR_STS_BAD_PASSWORD);
	assert_string_equal(village.who.object.text, village.ada.text);
	/* The same page to the letter for somebody who does not exist. */
	assert_true(arena_copy(&town.arena, buf_view(&village.reply.body), &told));
	name = village_between("name=\"signin\" value=\"", "\"");
	submit(name, "&answer=yes&username=adb%40example.org&password=wrong");
	assert_int_equal(village.reply.status, 400);
	assert_int_equal(village.reply.body.len, told.len);
	assert_string_equal(village.who.object.text, "");
	name = village_between("name=\"signin\" value=\"", "\"");
	submit(name, CREDENTIALS);
	assert_int_equal(village.reply.status, 303);
	submit(visit(GOOD PKCE), "&answer=yes&username=eve%40example.org&password=disabled");
	assert_int_equal(village.reply.status, 400);
	assert_true(village_has("The user account is disabled."));
}

#define EVIL "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"

static void
test_page_escapes(void **state)
{
	view query, name;

	(void)state;
	assert_true(arena_print(&town.arena, &query, "%s&login_hint=%s&state=%s%s",
	    "response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fback" SCOPE PKCE, EVIL,
	    EVIL, village.native_client));
	name = visit(query.ptr);
	assert_false(village_has("<script"));
	assert_true(village_has("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""));
	assert_true(village_has("<strong>Native &lt;b&gt;&amp;amp;</strong>"));
	submit(name, "&answer=yes&username=" EVIL "&password=" EVIL);
	assert_false(village_has("<script"));
	name = village_between("name=\"signin\" value=\"", "\"");
	submit(name, CREDENTIALS);
	assert_true(view_eq(sent("state"), V("%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E")));
	REQUIRE(village_get(AUTHORIZE, "client_id=" EVIL BACK));
	assert_false(village_has("<script"));
	village.path = "\"><script>";
	REQUIRE(village_get(AUTHORIZE, GOOD PKCE));
	assert_false(village_has("<script"));
	REQUIRE(village_get(ENTRY, ""));
	assert_false(village_has("<script"));
}

static void
test_page_is_strict_and_accessible(void **state)
{
	static const char *const wanted[] = { "<html lang=\"en\">", "<title>Sign in",
		"width=device-width, initial-scale=1", "<h1>Sign in</h1>",
		"<label for=\"username\">", "id=\"username\"", "<label for=\"password\">",
		"id=\"password\"", "autocomplete=\"username\"", "autocomplete=\"current-password\"",
		"<button", "Microsoft Azure CLI" };
	view policy;

	(void)state;
	(void)visit(GOOD PKCE);
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		if (!village_has(wanted[i]))
			fail_msg("%s", wanted[i]);
	}
	policy = village_field("Content-Security-Policy");
	assert_true(view_starts(policy,
	    V("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "
	      "http://localhost:8400; style-src 'sha256-")));
	assert_false(holds(policy, "script-src"));
	assert_false(holds(policy, "unsafe"));
	assert_true(view_eq(village_field("Referrer-Policy"), V("no-referrer")));
	assert_true(view_eq(village_field("X-Frame-Options"), V("DENY")));
}

/* Devices. */

#define DEVICE "client_id=" AZ "&scope=" VAULT "/.default+offline_access+openid"

static view device, user_code;

static void
device_begin(void)
{
	REQUIRE(village_post(DEVICECODE, DEVICE));
	device = village_member("device_code");
	user_code = village_member("user_code");
	assert_int_equal(user_code.len, 9);
	assert_true(view_eq(village_member("verification_uri"),
	    V("https://" AUTHORITY "/common/oauth2/deviceauth")));
	assert_true(village_has("\"expires_in\":900,\"interval\":5"));
	assert_true(holds(village_member("message"), "enter the code"));
}

static bool
poll(const char *grant, const char *field)
{
	view body;

	assert_true(arena_print(&town.arena, &body, "grant_type=%s&%s=%.*s&client_id=" AZ, grant,
	    field, VIEW_ARG(device)));
	return village_token(body.ptr);
}

#define GRANT "urn:ietf:params:oauth:grant-type:device_code"

/* As far as to the page that asks whether it is them. */
static view
to_confirm(void)
{
	view name, more;

	REQUIRE(village_get(ENTRY, ""));
	name = page_name();
	assert_true(village_has("<label for=\"code\">"));
	assert_true(arena_print(&town.arena, &more, "&answer=yes&code=%c%c%c%c+%.*s",
	    user_code.ptr[0] | 0x20, user_code.ptr[1], user_code.ptr[2], user_code.ptr[3], 4,
	    user_code.ptr + 5));
	submit(name, more.ptr);
	assert_int_equal(village.reply.status, 200);
	assert_true(village_has("Microsoft Azure CLI"));
	submit(village_between("name=\"signin\" value=\"", "\""), CREDENTIALS);
	assert_int_equal(village.reply.status, 200);
	assert_true(village_has("Only continue if you started this yourself"));
	assert_true(village_has("as <strong>Ada@example.org</strong>"));
	return village_between("name=\"signin\" value=\"", "\"");
}

static void
test_device(void **state)
{
	view name;

	(void)state;
	device_begin();
	REFUSED(poll(GRANT, "device_code"), ERR_STS_PENDING, "AADSTS70016");
	REFUSED(poll(GRANT, "device_code"), ERR_STS_SLOW_DOWN, "too often");
	name = to_confirm();
	REFUSED(poll(GRANT, "device_code"), ERR_STS_SLOW_DOWN, "too often");
	submit(name, "&answer=yes");
	assert_true(village_has("You are signed in"));
	assert_string_equal(village.who.object.text, village.ada.text);
	REQUIRE(poll("device_code", "device_code"));
	assert_true(village_has("refresh_token"));
	assert_true(village_has("id_token"));
	REFUSED(poll(GRANT, "device_code"), ERR_STS_EXPIRED_CODE, "AADSTS70020");
	device_begin();
	submit(to_confirm(), "&answer=yes");
	REQUIRE(poll(GRANT, "code"));
}

static void
test_device_declined(void **state)
{
	view name, more;

	(void)state;
	device_begin();
	submit(to_confirm(), "&answer=no");
	assert_true(village_has("Cancelled"));
	REFUSED(poll(GRANT, "device_code"), ERR_STS_DECLINED, "AADSTS70018");
	/* Already at the password. */
	device_begin();
	REQUIRE(village_get(ENTRY, ""));
	name = page_name();
	assert_true(arena_print(&town.arena, &more, "&answer=yes&code=%.*s", VIEW_ARG(user_code)));
	submit(name, more.ptr);
	submit(village_between("name=\"signin\" value=\"", "\""), "&answer=no");
	assert_true(village_has("Cancelled"));
	REFUSED(poll(GRANT, "device_code"), ERR_STS_DECLINED, "AADSTS70018");
}

static void
test_device_refusals(void **state)
{
	view body;

	(void)state;
	REFUSED(village_post(DEVICECODE, ""), ERR_STS_MALFORMED, "'client_id'");
	REFUSED(village_post(DEVICECODE, "client_id=" AZ), ERR_STS_MALFORMED, "'scope'");
	REFUSED(village_post(DEVICECODE, "client_id=x&scope=openid"), ERR_STS_UNKNOWN_APPLICATION,
	    "AADSTS700016");
	device_begin();
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=device_code&device_code=%.*s"
	    "&client_id=1950a258-227b-4e31-a9cf-717495945fc2",
	    VIEW_ARG(device)));
	REFUSED(village_token(body.ptr), ERR_STS_BAD_GRANT, "AADSTS700005");
	device = V("nonsense");
	REFUSED(poll(GRANT, "device_code"), ERR_STS_EXPIRED_CODE, "AADSTS70020");
	REFUSED(village_token("grant_type=device_code&client_id=" AZ), ERR_STS_MALFORMED,
	    "'device_code'");
	/* Version 1 of the protocol. */
	REQUIRE(village_post("/{tenant}/oauth2/devicecode", "client_id=" AZ "&resource=" VAULT));
	assert_true(village_has("\"verification_url\":"));
}

/* Whoever guesses codes is slowed down, also with a right one of their own in between. */
static void
test_codes_are_not_guessed(void **state)
{
	view name, more;

	(void)state;
	device_begin();
	assert_true(arena_print(&town.arena, &more, "&answer=yes&code=%.*s", VIEW_ARG(user_code)));
	for (int i = 0; i < 10; i++) {
		REQUIRE(village_get(ENTRY, ""));
		name = page_name();
		submit(name, i == 5 ? more.ptr : "&answer=yes&code=BCDF-GHJK");
		assert_int_equal(village.reply.status, i == 5 ? 200 : 400);
	}
	REQUIRE(village_get(ENTRY, ""));
	submit(page_name(), "&answer=yes&code=ZZZ");
	REQUIRE(village_get(ENTRY, ""));
	submit(page_name(), more.ptr);
	assert_int_equal(village.said.code, ERR_STS_LOCKED);
}

static void
test_logout(void **state)
{
	(void)state;
	REQUIRE(village_get(LOGOUT, ""));
	assert_int_equal(village.reply.status, 200);
	assert_true(village_has("<h1>Signed out</h1>"));
	REQUIRE(village_get(LOGOUT, "post_logout_redirect_uri=https://evil.org/&state=x"));
	assert_int_equal(village.reply.status, 200);
	assert_int_equal(village_field("Location").len, 0);
	REQUIRE(village_get(LOGOUT, "post_logout_redirect_uri=http://localhost:1/x&state=y"));
	assert_true(view_eq(village_field("Location"), V("http://localhost:1/x?state=y")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		VILLAGE_TEST(test_code),
		VILLAGE_TEST(test_code_twice),
		VILLAGE_TEST(test_stolen_codes),
		VILLAGE_TEST(test_nothing_goes_to_strangers),
		VILLAGE_TEST(test_mistakes_are_told),
		VILLAGE_TEST(test_modes),
		VILLAGE_TEST(test_confidential_client),
		VILLAGE_TEST(test_code_of_a_disarmed_client),
		VILLAGE_TEST(test_forgery),
		VILLAGE_TEST(test_wrong_password),
		VILLAGE_TEST(test_page_escapes),
		VILLAGE_TEST(test_page_is_strict_and_accessible),
		VILLAGE_TEST(test_device),
		VILLAGE_TEST(test_device_declined),
		VILLAGE_TEST(test_device_refusals),
		VILLAGE_TEST(test_codes_are_not_guessed),
		VILLAGE_TEST(test_logout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
