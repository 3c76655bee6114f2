/*
 * Keys that were wrapped for a key of the token's.  What else may be wrong with them, and every
 * kind of key, is tried by tests/clients/test_byok.py.
 */
#include "keyring/token_testing.h"
#include "base/testing.h"

#define SECRET V("fedcba9876543210fedcba9876543210")

static const struct key_spec exchange_spec = { .kind = KEY_RSA,
	.bits = 2048,
	.hsm = true,
	.exchange = true };

static bool
take(struct hsm *hsm, const struct hsm_key *exchange, view blob, struct hsm_key *out)
{
	*out = (struct hsm_key){ .spec = { .kind = KEY_OCT, .hsm = true }, .id = hsm_id(hsm) };
	return token_take(hsm->token, &exchange->spec, exchange->id, blob, &out->spec, out->id,
	    &hsm->arena, &out->public, &out->wrapped, &hsm->err);
}

static void
assert_refused(struct hsm *hsm, const struct hsm_key *exchange, view blob, enum error_code code)
{
	struct key_message in = { .value = V("0123456789abcdef"), .iv = V("0123456789abcdef") };
	struct key_result out;
	struct hsm_key key;

	assert_false(take(hsm, exchange, blob, &key));
	assert_int_equal(hsm->err.code, code);
	if (code == ERR_BAD_PARAMETER) { /* nothing of that name is there */
		key.spec.bits = 256;
		assert_false(hsm_use(hsm, &key, "A256CBC", KEY_ENCRYPT, &in, &out));
	}
}

static void
test_take(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key exchange = hsm_make(hsm, exchange_spec), key;
	struct key_message in = { .value = V("0123456789abcdef"), .iv = V("0123456789abcdef") };
	struct key_result ours, again;

	assert_fine(take(hsm, &exchange, hsm_wrap(hsm, &exchange, SECRET), &key), &hsm->err);
	assert_int_equal(key.spec.bits, 256);
	assert_true(hsm_use(hsm, &key, "A256CBC", KEY_ENCRYPT, &in, &ours));
	/* What was kept for backups is the same key. */
	key.id = hsm_id(hsm);
	assert_fine(token_restore(hsm->token, &key.spec, key.id, key.wrapped, &hsm->err),
	    &hsm->err);
	assert_true(hsm_use(hsm, &key, "A256CBC", KEY_ENCRYPT, &in, &again));
	assert_true(view_eq(ours.value, again.value));
}

/* Every byte of it matters, and so does where it ends. */
static void
test_damaged(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key exchange = hsm_make(hsm, exchange_spec), other;
	view good = hsm_wrap(hsm, &exchange, SECRET), bad;
	char *bytes;

	for (size_t at = 0; at < good.len; at += at < 256 ? 37 : 5) {
		assert_true(arena_copy(&hsm->arena, good, &bad));
		bytes = (char *)(uintptr_t)bad.ptr;
		bytes[at] ^= 4;
		assert_refused(hsm, &exchange, bad, ERR_BAD_PARAMETER);
		assert_refused(hsm, &exchange, (view){ good.ptr, at }, ERR_BAD_PARAMETER);
	}
	other = hsm_make(hsm, exchange_spec);
	assert_refused(hsm, &other, good, ERR_BAD_PARAMETER);
}

/* An ordinary key unwraps nothing, and an exchange key does nothing else. */
static void
test_purpose(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key exchange = hsm_make(hsm, exchange_spec), ordinary;
	struct key_message in = { .value = V("0123456789abcdef0123456789abcdef") };
	struct key_spec spec = exchange_spec;
	struct key_result out;

	spec.exchange = false;
	ordinary = hsm_make(hsm, spec);
	assert_refused(hsm, &ordinary, hsm_wrap(hsm, &ordinary, SECRET), ERR_BAD_PARAMETER);
	assert_true(hsm_use(hsm, &ordinary, "RS256", KEY_SIGN, &in, &out));
	assert_false(hsm_use(hsm, &exchange, "RS256", KEY_SIGN, &in, &out));
	in.value = hsm_wrap(hsm, &exchange, SECRET);
	in.value.len = 256;
	assert_false(hsm_use(hsm, &exchange, "RSA-OAEP", KEY_DECRYPT, &in, &out));
}

static void
test_away(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key exchange = hsm_make(hsm, exchange_spec);
	view blob = hsm_wrap(hsm, &exchange, SECRET);

	hsm_move(hsm, true);
	assert_refused(hsm, &exchange, blob, ERR_UNAVAILABLE);
	hsm_move(hsm, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_take, hsm_setup, hsm_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, hsm_setup, hsm_teardown),
		cmocka_unit_test_setup_teardown(test_purpose, hsm_setup, hsm_teardown),
		cmocka_unit_test_setup_teardown(test_away, hsm_setup, hsm_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
