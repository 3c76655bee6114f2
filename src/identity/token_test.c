/*
 * Tokens, the keys they are signed with, and the directory that follows both.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "identity/tenant_store.h"
#include "identity/testing.h"
#include "identity/token_issue.h"

#include <stdio.h>
#include <string.h>

#define VAULT "https://vault.localhost:8443"
#define OID "11111111-1111-1111-1111-111111111111"
#define APPID "22222222-2222-2222-2222-222222222222"

static bool
ask(view token, const char *audience, struct caller *out)
{
	return token_authenticate(town.directory, 0, token, view_of(audience), NULL, out,
	    &town.err);
}

/* The tenant's key; held for the length of a test. */
static struct token_key *
current(void)
{
	struct token_key *key = directory_hold_current(town.directory, &town.tenant, clock_wall());

	assert_non_null(key);
	return key;
}

struct shape {
	const char *issuer, *issuer_tid, *tid, *aud, *rest;
	int from, until; /* seconds from now */
};

static const char *
payload(const struct shape *shape)
{
	int64_t now = clock_wall();
	view text;

	assert_true(arena_print(&town.arena, &text,
	    "{\"iss\":\"%s/%s/\",\"tid\":\"%s\",\"aud\":\"%s\",\"nbf\":%lld,\"exp\":%lld%s}",
	    shape->issuer != NULL ? shape->issuer : ISSUER,
	    shape->issuer_tid != NULL ? shape->issuer_tid : town.tenant.text,
	    shape->tid != NULL ? shape->tid : town.tenant.text,
	    shape->aud != NULL ? shape->aud : VAULT, (long long)now + shape->from,
	    (long long)now + shape->until,
	    shape->rest != NULL ? shape->rest : ",\"oid\":\"" OID "\",\"appid\":\"" APPID "\""));
	return text.ptr;
}

static const char *
header(const struct token_key *key)
{
	view text;

	assert_true(arena_print(&town.arena, &text,
	    "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"%.*s\"}", VIEW_ARG(key->kid)));
	return text.ptr;
}

static const struct {
	struct shape shape;
	const char *why; /* NULL: fine */
} claims[] = {
	{ { .until = 3600 }, NULL },
	{ { .from = 290, .until = 3600 }, NULL },
	{ { .from = 310, .until = 3600 }, "AKV10011" },
	{ { .from = -7200, .until = -290 }, NULL },
	{ { .from = -7200, .until = -310 }, "AKV10010" },
	{ { .aud = "https://vault.localhost", .until = 60 }, NULL },
	{ { .aud = VAULT "/", .until = 60 }, NULL },
	{ { .aud = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", .until = 60 }, NULL },
	{ { .aud = "https://management.localhost:8443", .until = 60 },
	    "AKV10022: Invalid audience. Expected " VAULT
	    ", found: https://management.localhost:8443." },
	{ { .aud = "a\\nb", .until = 60 }, "found: a?b." },
	{ { .aud = "", .until = 60 }, "AKV10001" },
	{ { .issuer = "https://login.example.org", .until = 60 }, "AKV10032" },
	{ { .issuer = ISSUER "/", .until = 60 }, "AKV10032" },
	{ { .issuer_tid = OID, .tid = OID, .until = 60 }, "AKV10032" },
	{ { .tid = OID, .until = 60 }, "AKV10032" },
	{ { .rest = ",\"oid\":\"" OID "\"", .until = 60 }, "AKV10001" },
	{ { .rest = ",\"oid\":\"me\",\"appid\":\"" APPID "\"", .until = 60 }, "AKV10001" },
	{ { .rest = ",\"exp\":1", .until = 60 }, "AKV10001" },
};

static void
test_claims(void **state)
{
	AUTO(token_key_done) struct token_key *key = current();
	struct caller caller;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(claims); i++) {
		view token = sign(key->private_key, header(key), payload(&claims[i].shape));

		if (claims[i].why != NULL) {
			REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, claims[i].why);
			continue;
		}
		REQUIRE(ask(token, VAULT, &caller));
		assert_true(caller.known);
		assert_string_equal(caller.object.text, OID);
		assert_string_equal(caller.application.text, APPID);
		assert_string_equal(caller.tenant.text, town.tenant.text);
		assert_true(view_starts(view_of(caller.issuer), V(ISSUER "/")));
	}
}

static const struct {
	const char *header, *why; /* %s is the kid */
} headers[] = {
	{ "{\"alg\":\"none\",\"kid\":\"%s\"}", "alg must be RS256" },
	{ "{\"alg\":\"HS256\",\"kid\":\"%s\"}", "alg must be RS256" },
	{ "{\"alg\":\"RS384\",\"kid\":\"%s\"}", "alg must be RS256" },
	{ "{\"alg\":\"PS256\",\"kid\":\"%s\"}", "alg must be RS256" },
	{ "{\"kid\":\"%s\"}", "alg must be RS256" },
	{ "{\"alg\":\"RS256\",\"kid\":\"%s\",\"crit\":[\"exp\"]}", "critical" },
	{ "{\"alg\":\"RS256\",\"k\":\"%s\"}", "AKV10046" },
	{ "{\"alg\":\"RS256\",\"kid\":\"%sx\"}", "AKV10046" },
	{ "{\"alg\":\"RS256\",\"kid\":\"../%s\"}", "AKV10046" },
};

static void
test_headers(void **state)
{
	AUTO(token_key_done) struct token_key *key = current();
	const struct shape good = { .until = 60 };
	char kid[64], text[256];
	struct caller caller;

	(void)state;
	(void)snprintf(kid, sizeof(kid), "%.*s", VIEW_ARG(key->kid));
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(text, sizeof(text), headers[i].header, kid);
#pragma GCC diagnostic pop
		REFUSED(ask(sign(key->private_key, text, payload(&good)), VAULT, &caller),
		    ERR_UNAUTHORIZED, headers[i].why);
	}
	REFUSED(ask(V(""), VAULT, &caller), ERR_UNAUTHORIZED, "AKV10000");
	REFUSED(ask(V("a.b"), VAULT, &caller), ERR_UNAUTHORIZED, "AKV10001");
}

/* A key that the token itself brings along is nobody's. */
static void
test_foreign_key(void **state)
{
	AUTO(token_key_done) struct token_key *ours = current();
	struct signing_key *theirs = NULL;
	const struct shape good = { .until = 60 };
	struct sealed sealed;
	struct caller caller;
	view spki, text;

	(void)state;
	REQUIRE(keyring_new_signing_key(town.keyring, SIGNING_RSA_2048, V("theirs"), &town.arena,
	    &sealed, &spki, &town.err));
	REQUIRE(keyring_load_signing_key(town.keyring, V("theirs"), &sealed, &theirs, &town.err));
	REFUSED(ask(sign(theirs, header(ours), payload(&good)), VAULT, &caller), ERR_UNAUTHORIZED,
	    "AKV10002");
	assert_true(arena_print(&town.arena, &text,
	    "{\"alg\":\"RS256\",\"kid\":\"%.*s\",\"jwk\":{\"kty\":\"RSA\",\"e\":\"AQAB\"},"
	    "\"jku\":\"https://evil/\",\"x5u\":\"https://evil/\"}",
	    VIEW_ARG(ours->kid)));
	REFUSED(ask(sign(theirs, text.ptr, payload(&good)), VAULT, &caller), ERR_UNAUTHORIZED,
	    "AKV10002");
	signing_key_free(theirs);
}

static void
test_every_flipped_character_is_noticed(void **state)
{
	AUTO(token_key_done) struct token_key *key = current();
	const struct shape good = { .until = 60 };
	view token = sign(key->private_key, header(key), payload(&good)), copy;
	struct caller caller;

	(void)state;
	for (size_t i = 0; i < token.len; i += 7) {
		assert_true(arena_copy(&town.arena, token, &copy));
		((char *)(uintptr_t)copy.ptr)[i] = token.ptr[i] == 'A' ? 'B' : 'A';
		assert_false(ask(copy, VAULT, &caller));
		assert_int_equal(town.err.code, ERR_UNAUTHORIZED);
	}
	REQUIRE(ask(token, VAULT, &caller));
}

/* A key of another tenant of ours speaks only for that one. */
static void
test_tenants_are_apart(void **state)
{
	AUTO(token_key_done) struct token_key *key = NULL;
	const struct shape other = { .until = 60 };
	struct uuid second, home;
	struct caller caller;

	(void)state;
	random_uuid(&second);
	REQUIRE(tenant_create(&town.tx, &second, V("Second"), &town.err));
	town_commit();
	assert_true(directory_has_tenant(town.directory, uuid_view(&second)));
	assert_true(directory_home_tenant(town.directory, &home));
	assert_string_equal(home.text, town.tenant.text);
	key = directory_hold_current(town.directory, &second, clock_wall());
	assert_non_null(key);
	REFUSED(ask(sign(key->private_key, header(key), payload(&other)), VAULT, &caller),
	    ERR_UNAUTHORIZED, "AKV10032");
	town_begin();
	REFUSED(tenant_create(&town.tx, &second, V("Again"), &town.err), ERR_CONFLICT, "exists");
}

static void
test_cache(void **state)
{
	AUTO(token_key_done) struct token_key *key = current();
	const struct shape good = { .until = 60 };
	view token = sign(key->private_key, header(key), payload(&good)), path;
	const struct token_facts *facts;
	uint8_t digest[SHA256_LEN];
	struct caller caller;

	(void)state;
	REQUIRE(sha256(&token, 1, digest, &town.err));
	assert_null(token_cache_find(town.directory->caches[0], digest, 0));
	REQUIRE(ask(token, VAULT, &caller));
	facts = token_cache_find(town.directory->caches[0], digest, 0);
	assert_non_null(facts);
	REQUIRE(ask(token, VAULT, &caller));
	assert_ptr_equal(token_cache_find(town.directory->caches[0], digest, 0), facts);
	/* Not for another audience, though, nor in another loop's. */
	REFUSED(ask(token, "https://management.localhost", &caller), ERR_UNAUTHORIZED, "AKV10022");
	assert_null(token_cache_find(town.directory->caches[1], digest, 0));

	REQUIRE(signing_path(&town.arena, &town.tenant, key->kid, &path, &town.err));
	REQUIRE(tx_delete(&town.tx, path, &town.err));
	town_commit();
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "AKV10046");
}

static void
test_cached_tokens_expire(void **state)
{
	struct token_facts facts = { .expires = 1, .audience_len = sizeof(VAULT) - 1 };
	struct caller caller;
	uint8_t digest[SHA256_LEN];
	view token = V("any");

	(void)state;
	memcpy(facts.audience, VAULT, sizeof(VAULT) - 1);
	REQUIRE(sha256(&token, 1, digest, &town.err));
	token_cache_put(town.directory->caches[0], digest, 0, &facts);
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "AKV10010");
}

static void
test_cache_is_bounded(void **state)
{
	struct token_cache *cache = town.directory->caches[0];
	struct token_facts facts = { .expires = 1 };
	uint8_t digest[SHA256_LEN] = { 0 };
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		digest[1] = (uint8_t)i;
		token_cache_put(cache, digest, 1, &facts);
		digest[1] = 0; /* in use all the time: stays */
		assert_non_null(token_cache_find(cache, digest, 1));
	}
	for (unsigned i = 0; i < 20; i++) {
		digest[1] = (uint8_t)i;
		kept += token_cache_find(cache, digest, 1) != NULL;
	}
	assert_int_equal(kept, 8);
	assert_null(token_cache_find(cache, digest, 2));
}

static void
test_issued_tokens(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };
	struct registration application = { .tenant = town.tenant };
	struct token_wish wish = {
		.application = &application,
		.resource = V(VAULT "/"),
		.proof = V("1"),
		.tenant_created = 1600000000,
		.now = clock_wall(),
	};
	struct caller caller;
	char json[2048];
	view rest;
	size_t len;

	(void)state;
	random_uuid(&application.id);
	random_uuid(&application.object);
	REQUIRE(token_issue(town.directory, &wish, &token, &town.err));
	REQUIRE(ask(buf_view(&token), VAULT, &caller));
	assert_string_equal(caller.application.text, application.id.text);
	assert_string_equal(caller.object.text, application.object.text);
	rest = buf_view(&token);
	(void)view_cut(&rest, '.');
	rest = view_cut(&rest, '.');
	assert_true(rest.len < sizeof(json));
	assert_true(base64_decode(BASE64URL, rest, json, &len));
	assert_true(
	    view_starts((view){ json, len }, V("{\"aud\":\"" VAULT "/\",\"iss\":\"" ISSUER "/")));
	assert_true(holds((view){ json, len }, "\"appidacr\":\"1\",\"idp\":\"" ISSUER "/"));
	assert_true(holds((view){ json, len }, "\"idtyp\":\"app\""));
	assert_true(holds((view){ json, len }, "\"ver\":\"1.0\",\"xms_tcdt\":1600000000}"));
	random_uuid(&application.tenant);
	REFUSED(token_issue(town.directory, &wish, &token, &town.err), ERR_UNAVAILABLE,
	    "no signing");
}

static size_t
rotate(int64_t days)
{
	struct token_key *keys[TENANT_KEYS_MAX];
	size_t count;

	town_begin();
	REQUIRE(
	    directory_rotate_at(town.directory, &town.tx, clock_wall() + days * 86400, &town.err));
	town_commit();
	count = directory_hold_keys(town.directory, &town.tenant, keys);
	for (size_t i = 0; i < count; i++)
		token_key_done(&keys[i]);
	return count;
}

static view
kid_at(int64_t days)
{
	AUTO(token_key_done)
	struct token_key *key =
	    directory_hold_current(town.directory, &town.tenant, clock_wall() + days * 86400);
	view copy;

	assert_true(arena_copy(&town.arena, key->kid, &copy));
	return copy;
}

static void
test_keys_rotate(void **state)
{
	const struct shape good = { .until = 60 };
	view first = kid_at(0), second, token;
	struct caller caller;

	(void)state;
	{
		AUTO(token_key_done) struct token_key *key = current();

		token = sign(key->private_key, header(key), payload(&good));
	}
	assert_int_equal(rotate(44), 1);
	assert_int_equal(rotate(46), 2);
	assert_int_equal(rotate(46), 2);
	/* Published, not used yet; then used; the old one still verifies. */
	assert_true(view_eq(kid_at(46), first));
	second = kid_at(48);
	assert_false(view_eq(second, first));
	REQUIRE(ask(token, VAULT, &caller));
	assert_int_equal(rotate(89), 2);
	assert_int_equal(rotate(91), 2); /* a third key, and the first is gone */
	REFUSED(ask(token, VAULT, &caller), ERR_UNAUTHORIZED, "AKV10046");
	assert_true(view_eq(kid_at(91), second));
}

/* After a year without a scheduler nothing is removed before its successor has signed. */
static void
test_late_rotation(void **state)
{
	view first = kid_at(0);

	(void)state;
	assert_int_equal(rotate(365), 2);
	assert_true(view_eq(kid_at(365), first));
	assert_false(view_eq(kid_at(367), first));
	assert_int_equal(rotate(366), 2);
	assert_int_equal(rotate(368), 1);
	assert_false(view_eq(kid_at(368), first));
}

/* What is stored is all that a second one needs. */
static void
test_reopens(void **state)
{
	AUTO(token_key_done) struct token_key *key = current();
	const struct shape good = { .until = 60 };
	view token = sign(key->private_key, header(key), payload(&good));
	struct directory *second = NULL;
	struct plain *secret = NULL;
	struct uuid other, home;
	struct caller caller;

	(void)state;
	(void)town_application("One", &secret);
	plain_free(secret);
	random_uuid(&other);
	REQUIRE(tenant_create(&town.tx, &other, V("Other"), &town.err));
	town_commit();
	REQUIRE(directory_open(town.store, town.keyring, V(ISSUER), 1, &second, &town.err));
	assert_true(directory_home_tenant(second, &home));
	assert_string_equal(home.text, town.tenant.text);
	assert_true(directory_has_tenant(second, uuid_view(&other)));
	assert_false(directory_has_tenant(second, V("common")));
	REQUIRE(token_authenticate(second, 0, token, V(VAULT), NULL, &caller, &town.err));
	directory_close(second);
}

struct asker {
	pthread_t thread;
	unsigned loop;
	view token;
	atomic_bool *stop;
	unsigned long good, unknown;
};

/* A loop that asks all the time: a fresh token, so to say, each time the keys have changed. */
static void *
keep_asking(void *ctx)
{
	struct asker *asker = ctx;
	struct caller caller;
	struct error err;

	while (!atomic_load(asker->stop)) {
		if (token_authenticate(town.directory, asker->loop, asker->token, V(VAULT), NULL,
			&caller, &err))
			asker->good++;
		else
			asker->unknown += view_starts(view_of(err.message), V("AKV10046"));
		(void)directory_has_tenant(town.directory, uuid_view(&town.tenant));
	}
	return NULL;
}

static void
test_keys_change_under_way(void **state)
{
	const struct shape good = { .until = 3600 };
	atomic_bool stop = false;
	struct asker askers[2];
	struct token_key *key = current();
	view token = sign(key->private_key, header(key), payload(&good));

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(askers); i++) {
		askers[i] = (struct asker){ .loop = i, .token = token, .stop = &stop };
		assert_int_equal(pthread_create(&askers[i].thread, NULL, keep_asking, &askers[i]),
		    0);
	}
	for (int64_t days = 46; days < 140; days += 46)
		(void)rotate(days);
	atomic_store(&stop, true);
	for (size_t i = 0; i < COUNT_OF(askers); i++) {
		(void)pthread_join(askers[i].thread, NULL);
		assert_true(askers[i].good > 0);
	}
	/* A key that is held outlives its removal. */
	assert_null(directory_hold_key(town.directory, key->kid));
	(void)sign(key->private_key, header(key), payload(&good));
	token_key_done(&key);
}

static void
test_long_issuers(void **state)
{
	struct directory *directory = NULL;
	char issuer[ISSUER_MAX + 1];

	(void)state;
	memset(issuer, 'a', sizeof(issuer));
	REFUSED(directory_open(town.store, town.keyring, (view){ issuer, sizeof(issuer) }, 1,
		    &directory, &town.err),
	    ERR_BAD_REQUEST, "longer");
	directory_close(NULL);
}

#define TOWN_TEST(test) cmocka_unit_test_setup_teardown(test, town_setup, town_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN_TEST(test_claims),
		TOWN_TEST(test_headers),
		TOWN_TEST(test_foreign_key),
		TOWN_TEST(test_every_flipped_character_is_noticed),
		TOWN_TEST(test_tenants_are_apart),
		TOWN_TEST(test_cache),
		TOWN_TEST(test_cached_tokens_expire),
		TOWN_TEST(test_cache_is_bounded),
		TOWN_TEST(test_issued_tokens),
		TOWN_TEST(test_keys_rotate),
		TOWN_TEST(test_late_rotation),
		TOWN_TEST(test_reopens),
		TOWN_TEST(test_keys_change_under_way),
		TOWN_TEST(test_long_issuers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
