/*
 * Outside issuers: what they publish, when it is fetched, what is believed of it.
 */
#include "base/base64.h"
#include "base/log.h"
#include "base/testing.h"
#include "identity/issuer_testing.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <unistd.h>

#define PAYLOAD "{\"iss\":\"" OUTSIDE "\"}"

static struct issuers *issuers;

static int
setup(void **state)
{
	(void)state;
	outside_make();
	issuers = outside_issuers(false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	issuers_free(issuers);
	outside_end();
	return 0;
}

static enum issuer_verdict
verify(view token, enum issuer_patience patience)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct error err;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	assert_fine(jwt_parse(token, ASSERTION_HEADER_MAX, &arena, &jwt, &err), &err);
	return issuers_verify(issuers, V(OUTSIDE), &jwt, patience);
}

/* Some publish a key by its certificate alone. */
static void
test_key_by_certificate(void **state)
{
	X509 *certificate = X509_new();
	AUTO(buf_free) struct buf keys = { 0 };
	unsigned char *der = NULL;
	int len;

	(void)state;
	assert_int_equal(X509_set_pubkey(certificate, outside.rsa), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), 0));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), 1));
	assert_true(X509_sign(certificate, outside.rsa, EVP_sha256()) > 0);
	len = i2d_X509(certificate, &der);
	assert_true(len > 0);
	buf_add(&keys, V("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r1\",\"x5c\":[\""));
	base64_encode(BASE64, (view){ (char *)der, (size_t)len }, &keys);
	buf_add(&keys, V("\"]},{\"kty\":\"RSA\",\"kid\":\"r2\",\"x5c\":[\"AAAA\"]}]}"));
	buf_add_char(&keys, '\0');
	outside_set_keys(keys.ptr);
	assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_MAY_FETCH), ISSUER_GOOD);
	assert_int_equal(verify(outside_sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"r2\"}",
				    PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_UNKNOWN_KEY);
	OPENSSL_free(der);
	X509_free(certificate);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *url;
		bool good;
	} cases[] = {
		{ "https://a", true },
		{ "https://a:8443/b/c", true },
		{ "https://a/b/", true },
		{ "https://[::1]:443/", true },
		{ "http://a", false },
		{ "HTTPS://a", false },
		{ "https://", false },
		{ "https:///path", false },
		{ "https://:443/", false },
		{ "https://user@a", false },
		{ "https://a@b/", false },
		{ "https://a?x=https://b", false },
		{ "https://a#b", false },
		{ "https://a\\@b", false },
		{ "https://a b", false },
		{ "https://a\r\nHost: b", false },
		{ "https://\xc3\xa4", false },
		{ "file:///etc/passwd", false },
		{ "", false },
	};
	char longest[ISSUER_URL_MAX + 2] = "https://a/";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (issuer_url_good(view_of(cases[i].url)) != cases[i].good)
			fail_msg("%s", cases[i].url);
	}
	memset(longest + 10, 'a', sizeof(longest) - 11);
	assert_false(issuer_url_good((view){ longest, ISSUER_URL_MAX + 1 }));
	assert_true(issuer_url_good((view){ longest, ISSUER_URL_MAX }));
}

static void
test_configuration(void **state)
{
	static const struct {
		const char *text;
		const char *keys; /* NULL: refused */
	} cases[] = {
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k/x\"}", "https://k/x" },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k/x?p=1\"}",
		    "https://k/x?p=1" },
		{ "{\"issuer\":\"https://i/\",\"jwks_uri\":\"https://k/x\"}", NULL },
		{ "{\"issuer\":\"https://I\",\"jwks_uri\":\"https://k/x\"}", NULL },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"http://k/x\"}", NULL },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://u:p@k/x\"}", NULL },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"file:///k\"}", NULL },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k/x\\u0000y\"}", NULL },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k/?a#b\"}", NULL },
		{ "{\"issuer\":\"https://i\",\"jwks_uri\":[\"https://k/x\"]}", NULL },
		{ "{\"issuer\":\"https://i\"}", NULL },
		{ "{\"issuer\":\"https://j\",\"issuer\":\"https://i\",\"jwks_uri\":\"https://k\"}",
		    NULL },
		{ "{\"jwks_uri\":\"https://k/x\"}", NULL },
		{ "[]", NULL },
		{ "", NULL },
		{ "<html>", NULL },
	};
	AUTO(arena_free) struct arena arena = { 0 };

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error err = { 0 };
		view keys = V("");
		bool fine =
		    discovery_read(view_of(cases[i].text), V("https://i"), &arena, &keys, &err);

		if (fine != (cases[i].keys != NULL) ||
		    (fine && !view_eq(keys, view_of(cases[i].keys))))
			fail_msg("%s", cases[i].text);
		if (!fine)
			assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

static void
test_every_algorithm(void **state)
{
	static const char *const algs[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
		"ES384" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(algs); i++)
		assert_int_equal(verify(outside_token(algs[i], PAYLOAD), ISSUER_MAY_FETCH),
		    ISSUER_GOOD);
	assert_int_equal(outside.asked, 1);
}

/* What an attacker without the key can make of a token. */
static void
test_hostile_tokens(void **state)
{
	AUTO(buf_free) struct buf spki = { 0 };
	view good = outside_token("RS256", PAYLOAD), changed, secret;
	int len = i2d_PUBKEY(outside.rsa, NULL);
	unsigned char *room = (unsigned char *)buf_room(&spki, (size_t)len);
	char *character;

	(void)state;
	assert_int_equal(i2d_PUBKEY(outside.rsa, &room), len);
	spki.len = (size_t)len;
	secret = buf_view(&spki);
	/* The public key as an HMAC's secret, under the names of both. */
	assert_int_equal(verify(outside_hmac(secret, "{\"alg\":\"HS256\",\"kid\":\"r1\"}", PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_BAD_SIGNATURE);
	assert_int_equal(verify(outside_hmac(secret, "{\"alg\":\"RS256\",\"kid\":\"r1\"}", PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_BAD_SIGNATURE);
	assert_int_equal(verify(outside_hmac(secret, "{\"alg\":\"none\",\"kid\":\"r1\"}", PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_BAD_SIGNATURE);
	/* A key of another kind, an algorithm that is not the key's, keys in the header. */
	assert_int_equal(verify(outside_sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"e1\"}",
				    PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_BAD_SIGNATURE);
	assert_int_equal(verify(outside_sign("RS256", "{\"alg\":\"RS512\",\"kid\":\"r1\"}",
				    PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_BAD_SIGNATURE);
	assert_int_equal(verify(outside_sign("RS256",
				    "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\","
				    "\"jku\":\"https://evil/\",\"jwk\":{\"kty\":\"RSA\"}}",
				    PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_UNKNOWN_KEY);
	assert_true(arena_copy(&outside.arena, good, &changed));
	character = (char *)(uintptr_t)changed.ptr + changed.len - 40;
	*character = *character == 'A' ? 'B' : 'A';
	assert_int_equal(verify(changed, ISSUER_MAY_FETCH), ISSUER_BAD_SIGNATURE);
	assert_int_equal(verify(good, ISSUER_MAY_FETCH), ISSUER_GOOD);
	assert_int_equal(outside.asked, 1);
}

static void
test_tokens_without_a_key_name(void **state)
{
	(void)state;
	assert_int_equal(verify(outside_sign("ES384", "{\"alg\":\"ES384\"}", PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_GOOD);
	assert_int_equal(verify(outside_sign("RS256", "{\"alg\":\"RS512\"}", PAYLOAD),
			     ISSUER_MAY_FETCH),
	    ISSUER_BAD_SIGNATURE);
}

static void
test_keys_of_one_name(void **state)
{
	AUTO(buf_free) struct buf twice = { 0 };
	view one = buf_view(&outside.keys);

	(void)state;
	/* [a,b] to [a,b,a,b] */
	buf_add(&twice, (view){ one.ptr, one.len - 2 });
	buf_add_char(&twice, ',');
	buf_add(&twice, view_from(one, sizeof("{\"keys\":[") - 1));
	buf_add_char(&twice, '\0');
	outside_set_keys(twice.ptr);
	assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_MAY_FETCH),
	    ISSUER_UNKNOWN_KEY);
}

static void
test_unusable_key_sets(void **state)
{
	static const char *const sets[] = {
		"",
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[]}",
		"{\"keys\":[1,null,\"x\",{}]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"r1\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\",\"kid\":\"r1\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		outside_set_keys(sets[i]);
		outside.now += 3600;
		assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_MAY_FETCH),
		    ISSUER_UNREACHABLE);
	}
	assert_int_equal(outside.asked, COUNT_OF(sets));
	outside_set_keys(NULL);
	outside.now += 3600;
	assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_MAY_FETCH), ISSUER_GOOD);
}

static void
test_a_failure_is_remembered(void **state)
{
	view token = outside_token("RS256", PAYLOAD);

	(void)state;
	outside.down = true;
	for (int i = 0; i < 10; i++)
		assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_UNREACHABLE);
	assert_int_equal(outside.asked, 1);
	/* Asked again after a minute, then after two, and so on to eight. */
	for (unsigned round = 0; round < 6; round++) {
		int64_t pause = round < 4 ? (int64_t)60 << round : 480;

		outside.now += pause - 1;
		assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_UNREACHABLE);
		assert_int_equal(outside.asked, round + 1);
		outside.now += 1;
		assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_UNREACHABLE);
		assert_int_equal(outside.asked, round + 2);
	}
	outside.down = false;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_UNREACHABLE);
	outside.now += 480;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_GOOD);
}

static void
test_unknown_keys_are_asked_for_once_a_minute(void **state)
{
	view other = outside_sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"r2\"}", PAYLOAD);

	(void)state;
	assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_MAY_FETCH), ISSUER_GOOD);
	outside.now += 59;
	for (int i = 0; i < 10; i++)
		assert_int_equal(verify(other, ISSUER_MAY_FETCH), ISSUER_UNKNOWN_KEY);
	assert_int_equal(outside.asked, 1);
	outside.now += 1;
	for (int i = 0; i < 10; i++)
		assert_int_equal(verify(other, ISSUER_MAY_FETCH), ISSUER_UNKNOWN_KEY);
	assert_int_equal(outside.asked, 2);
}

static void
test_keys_age(void **state)
{
	view token = outside_token("RS256", PAYLOAD);
	uint64_t generation;

	(void)state;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_GOOD);
	generation = issuers_generation(issuers);
	outside.now += 86399;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_GOOD);
	assert_int_equal(outside.asked, 1);
	/* Stale ones are good for a day, if there are no others to be had. */
	outside.down = true;
	outside.now += 2;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_GOOD);
	assert_int_equal(outside.asked, 2);
	outside.now += 86400;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_UNREACHABLE);
	outside.down = false;
	outside.now += 120;
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_GOOD);
	assert_int_equal(issuers_generation(issuers), generation);
	/* A withdrawn key is. */
	outside.now += 86401;
	outside_set_keys("{\"keys\":[]}");
	EVP_PKEY_free(outside.rsa);
	outside.rsa = EVP_RSA_gen(2048U);
	outside_set_keys(NULL);
	assert_int_equal(verify(token, ISSUER_MAY_FETCH), ISSUER_BAD_SIGNATURE);
	assert_true(issuers_generation(issuers) > generation);
}

/* On a loop nothing is fetched: it is done meanwhile, for the next request. */
static void
test_at_once(void **state)
{
	view token = outside_token("RS256", PAYLOAD);

	(void)state;
	assert_int_equal(verify(token, ISSUER_AT_ONCE), ISSUER_UNREACHABLE);
	assert_int_equal(outside.asked, 0);
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 1);
	assert_int_equal(verify(token, ISSUER_AT_ONCE), ISSUER_GOOD);
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 1);
}

static void
test_kept_issuers_are_at_hand(void **state)
{
	(void)state;
	assert_true(issuers_keep(issuers, V(OUTSIDE), true));
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 1);
	assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_AT_ONCE), ISSUER_GOOD);
	outside.now += 3601;
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 2);
	assert_true(issuers_keep(issuers, V(OUTSIDE), false));
	outside.now += 3601;
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 2);
}

/* One thread for all: those that answer late or never hold up the others only for a turn. */
static void
test_dead_issuers_hold_up_none(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };

	(void)state;
	arena_init(&arena, 65536);
	outside.takes = 10;
	for (int i = 0; i < 31; i++) {
		view url;

		assert_true(arena_print(&arena, &url, "https://dead%d", i));
		assert_true(issuers_keep(issuers, url, true));
	}
	assert_true(issuers_keep(issuers, V(OUTSIDE), true));
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 1);
	assert_int_equal(verify(outside_token("RS256", PAYLOAD), ISSUER_AT_ONCE), ISSUER_GOOD);
	/* An hour later it is its turn again, long before the dead ones have had theirs. */
	outside.now += 3601;
	issuers_tick(issuers);
	assert_int_equal(outside.asked, 2);
}

static void
test_issuers_are_bounded(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct error err;
	struct jwt jwt;

	(void)state;
	arena_init(&arena, JWT_ARENA_MAX + 1000000);
	assert_fine(jwt_parse(outside_token("RS256", PAYLOAD), 1024, &arena, &jwt, &err), &err);
	assert_int_equal(issuers_verify(issuers, V(OUTSIDE), &jwt, ISSUER_MAY_FETCH), ISSUER_GOOD);
	for (int i = 0; i < 2 * ISSUERS_MAX; i++) {
		view url;

		assert_true(arena_print(&arena, &url, "https://other%d", i));
		assert_int_equal(issuers_verify(issuers, url, &jwt, ISSUER_MAY_FETCH),
		    ISSUER_UNREACHABLE);
	}
	/* It went, and comes again. */
	assert_int_equal(issuers_verify(issuers, V(OUTSIDE), &jwt, ISSUER_MAY_FETCH), ISSUER_GOOD);
	assert_int_equal(outside.asked, 2);
	assert_int_equal(issuers_verify(issuers, V("http://plain"), &jwt, ISSUER_MAY_FETCH),
	    ISSUER_BUSY);
}

static view shared;

static void *
ask(void *ctx)
{
	*(enum issuer_verdict *)ctx = verify(shared, ISSUER_MAY_FETCH);
	return NULL;
}

/* Many at once: one fetches, one waits, the others are sent away instead of filling the pool. */
static void
test_one_fetch_for_all(void **state)
{
	static enum issuer_verdict verdicts[8];
	pthread_t threads[COUNT_OF(verdicts)] = { 0 };
	unsigned good = 0;

	(void)state;
	shared = outside_token("RS256", PAYLOAD);
	outside.pause = 150;
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		verdicts[i] = ISSUER_UNREACHABLE;
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &verdicts[i]), 0);
	}
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(verdicts[i] == ISSUER_GOOD || verdicts[i] == ISSUER_BUSY);
		good += verdicts[i] == ISSUER_GOOD;
	}
	assert_true(good >= 2);
	assert_int_equal(outside.asked, 1);
}

static void
test_the_thread_fetches(void **state)
{
	struct issuers *own = issuers;
	enum issuer_verdict verdict = ISSUER_UNREACHABLE;
	view token = outside_token("RS256", PAYLOAD);

	(void)state;
	issuers = outside_issuers(true);
	for (int i = 0; i < 500 && verdict != ISSUER_GOOD; i++) {
		verdict = verify(token, ISSUER_AT_ONCE);
		(void)usleep(10000);
	}
	issuers_free(issuers);
	issuers = own;
	assert_int_equal(verdict, ISSUER_GOOD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_configuration),
		TEST(test_key_by_certificate),
		TEST(test_every_algorithm),
		TEST(test_hostile_tokens),
		TEST(test_tokens_without_a_key_name),
		TEST(test_keys_of_one_name),
		TEST(test_unusable_key_sets),
		TEST(test_a_failure_is_remembered),
		TEST(test_unknown_keys_are_asked_for_once_a_minute),
		TEST(test_keys_age),
		TEST(test_at_once),
		TEST(test_kept_issuers_are_at_hand),
		TEST(test_dead_issuers_hold_up_none),
		TEST(test_issuers_are_bounded),
		TEST(test_one_fetch_for_all),
		TEST(test_the_thread_fetches),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
