#include "crypto/privatekey.h"

#include "base/testing.h"
#include "crypto/publickey.h"
#include "crypto/keypair.h"

static struct error err;

static void
key_done(struct private_key **key)
{
	private_key_free(*key);
}

static struct private_key *
new_key(struct buf *spki)
{
	AUTO(buf_free) struct buf pem = { 0 };
	struct private_key *key = NULL;

	assert_fine(keypair_new(&pem, spki, &err), &err);
	assert_fine(private_key_from_pem(buf_view(&pem), &key, &err), &err);
	return key;
}

static void
test_signs(void **state)
{
	AUTO(buf_free) struct buf spki = { 0 }, public = { 0 }, signature = { 0 };
	AUTO(key_done) struct private_key *key = new_key(&spki);
	struct public_key *verifier = NULL;

	(void)state;
	assert_fine(private_key_public(key, &public, &err), &err);
	assert_text(buf_view(&public), buf_view(&spki));
	assert_fine(public_key_from_spki(buf_view(&public), &verifier, &err), &err);
	assert_fine(private_key_sign(key, V("message"), &signature, &err), &err);
	assert_int_equal(signature.len, 64);
	assert_true(
	    public_key_verify(verifier, SIGNATURE_ES256, V("message"), buf_view(&signature)));
	assert_false(
	    public_key_verify(verifier, SIGNATURE_ES256, V("massage"), buf_view(&signature)));
	public_key_free(verifier);
}

static void
test_derives(void **state)
{
	AUTO(buf_free) struct buf spki = { 0 };
	AUTO(key_done) struct private_key *one = new_key(&spki);
	AUTO(key_done) struct private_key *other = new_key(&spki);
	uint8_t a[32], b[32], c[32], d[32];

	(void)state;
	assert_fine(private_key_derive(one, V("use"), a, &err), &err);
	assert_fine(private_key_derive(one, V("use"), b, &err), &err);
	assert_fine(private_key_derive(one, V("misuse"), c, &err), &err);
	assert_fine(private_key_derive(other, V("use"), d, &err), &err);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	assert_memory_not_equal(a, d, sizeof(a));
}

static void
test_refuses(void **state)
{
	static const view rows[] = {
		V_INIT(""),
		V_INIT("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		/* Ed25519 */
		V_INIT("-----BEGIN PRIVATE KEY-----\n"
		       "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		       "-----END PRIVATE KEY-----\n"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct private_key *key = NULL;

		assert_false(private_key_from_pem(rows[i], &key, &err));
		assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_derives),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests_name("privatekey", tests, NULL, NULL);
}
