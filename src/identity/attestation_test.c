/*
 * Whose attestations are believed, and which.
 */
#include "identity/attestation.h"

#include "base/clock.h"
#include "identity/directory.h"
#include "identity/issuer_testing.h"
#include "identity/testing.h"

#include <string.h>

static const char *const authorities[] = { "https://first.example", OUTSIDE, NULL };

static int
setup(void **state)
{
	assert_int_equal(town_setup(state), 0);
	outside_make();
	town.directory->issuers = outside_issuers(false);
	directory_attest(town.directory, authorities);
	issuers_tick(town.directory->issuers);
	return 0;
}

static int
teardown(void **state)
{
	int result = town_teardown(state);

	outside_end();
	return result;
}

static bool
verify(view token)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view authority, claims;

	arena_init(&arena, JWT_ARENA_MAX);
	if (!attestation_verify(town.directory, token, &arena, &authority, &claims, &town.err)) {
		assert_int_equal(town.err.code, ERR_ATTESTATION);
		assert_string_equal(town.err.message,
		    "Target environment attestation statement cannot be verified.");
		return false;
	}
	assert_true(attestation_same_authority(authority, V(OUTSIDE)));
	assert_true(holds(claims, "\"secureboot\":true"));
	return true;
}

static const char *
said(const char *issuer, int64_t nbf, int64_t exp)
{
	view out;

	assert_true(arena_print(&outside.arena, &out,
	    "{\"iss\":\"%s\",\"nbf\":%lld,\"exp\":%lld,\"secureboot\":true}", issuer,
	    (long long)(clock_wall() + nbf), (long long)(clock_wall() + exp)));
	return out.ptr;
}

static void
test_believes(void **state)
{
	(void)state;
	assert_true(verify(outside_token("RS256", said(OUTSIDE, 0, 600))));
	assert_true(verify(outside_token("PS256", said(OUTSIDE, 0, 600))));
	assert_true(verify(outside_token("ES384", said(OUTSIDE, 0, 600))));
	assert_true(verify(outside_token("RS256", said(OUTSIDE "/", -600, 600))));
}

static void
test_times(void **state)
{
	(void)state;
	assert_false(verify(outside_token("RS256", said(OUTSIDE, -7200, -3600))));
	assert_false(verify(outside_token("RS256", said(OUTSIDE, 3600, 7200))));
	assert_false(
	    verify(outside_token("RS256", "{\"iss\":\"" OUTSIDE "\",\"secureboot\":true}")));
}

static void
test_other_issuers(void **state)
{
	static const char *const others[] = { "", "https://first.example", "https://second.example",
		OUTSIDE "//", OUTSIDE "/more", "https://issuer.example.org" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(verify(outside_token("RS256", said(others[i], 0, 600))));
}

static void
test_signatures(void **state)
{
	static const struct {
		const char *alg, *header;
	} rows[] = {
		{ "RS256", "{\"alg\":\"RS256\"}" }, /* which key? */
		{ "RS256", "{\"alg\":\"RS256\",\"kid\":\"r2\"}" },
		{ "RS256", "{\"alg\":\"RS256\",\"kid\":\"e1\"}" },
		{ "RS256", "{\"alg\":\"none\",\"kid\":\"r1\"}" },
		{ "RS256", "{\"alg\":\"HS256\",\"kid\":\"r1\"}" },
		{ "RS256", "{\"alg\":\"RS384\",\"kid\":\"r1\"}" },
		{ "RS256", "{\"alg\":\"RS256\",\"kid\":\"r1\",\"crit\":[\"exp\"]}" },
	};
	const char *payload = said(OUTSIDE, 0, 600);
	view good = outside_token("RS256", payload), bad;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_false(verify(outside_sign(rows[i].alg, rows[i].header, payload)));
	assert_false(
	    verify(outside_hmac(V("secret"), "{\"alg\":\"HS256\",\"kid\":\"r1\"}", payload)));
	assert_true(arena_copy(&outside.arena, good, &bad));
	((char *)(uintptr_t)bad.ptr)[bad.len - 20] ^= 1;
	assert_false(verify(bad));
	assert_false(verify(V("")));
	assert_false(verify((view){ good.ptr, good.len / 2 }));
}

static void
test_nobody_is_believed_unless_set(void **state)
{
	static const char *const nobody[] = { NULL };
	view token = outside_token("RS256", said(OUTSIDE, 0, 600));

	(void)state;
	assert_true(verify(token));
	directory_attest(town.directory, nobody);
	assert_false(verify(token));
	town.directory->attesters = NULL;
	assert_false(verify(token));
	directory_attest(town.directory, authorities);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_believes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_other_issuers),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_nobody_is_believed_unless_set),
	};

	return cmocka_run_group_tests_name("attestation", tests, setup, teardown);
}
