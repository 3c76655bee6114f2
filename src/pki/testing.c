#include "pki/testing.h"

#include "crypto/signature.h"
#include "pki/subject.h"

#include <openssl/x509.h>
#include <stdlib.h>

static bool
sign(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	struct test_key *key = ctx;
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *prepared = NULL;
	unsigned char signature[512], raw[ECDSA_RAW_MAX];
	size_t len = sizeof(signature), raw_len;

	(void)message;
	if (!signature_ctx(key->pkey, key->signer.alg, SIGNATURE_SIGN, &prepared, err))
		return false;
	assert_int_equal(EVP_PKEY_sign(prepared, signature, &len, octets(digest), digest.len), 1);
	if (ecdsa_raw_len(key->signer.alg, &raw_len)) {
		assert_true(ecdsa_to_raw((view){ (const char *)signature, len }, raw, raw_len));
		buf_add(out, (view){ (const char *)raw, raw_len });
	} else {
		buf_add(out, (view){ (const char *)signature, len });
	}
	return buf_ok(out) || error_memory(err);
}

struct test_key *
test_key_with(const char *name, enum signature_alg alg)
{
	struct test_key *key = calloc(1, sizeof(*key));
	struct error err;

	assert_non_null(key);
	if (view_starts(view_of(name), V("RSA-")))
		key->pkey = EVP_RSA_gen((unsigned)strtoul(name + 4, NULL, 10));
	else
		key->pkey = EVP_EC_gen(strcmp(name, "P-256K") == 0 ? "secp256k1" : name);
	assert_non_null(key->pkey);
	assert_true(spki_encode(key->pkey, &key->spki, &err));
	key->signer = (struct signer){ alg, sign, key };
	return key;
}

struct test_key *
test_key_new(const char *name)
{
	return test_key_with(name,
	    signer_alg(view_starts(view_of(name), V("RSA-")), view_of(name)));
}

void
test_key_free(struct test_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	buf_free(&key->spki);
	free(key);
}

void
test_key_done(struct test_key **key)
{
	test_key_free(*key);
}

view
test_key_pkcs8(const struct test_key *key, struct arena *arena)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
	unsigned char *der = NULL;
	int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	view copy;

	assert_true(len > 0);
	assert_true(arena_copy(arena, (view){ (const char *)der, (size_t)len }, &copy));
	PKCS8_PRIV_KEY_INFO_free(info);
	OPENSSL_clear_free(der, (size_t)len);
	return copy;
}

view
test_name(struct arena *arena, const char *text)
{
	struct error err;
	view name;

	assert_fine(subject_parse(view_of(text), arena, &name, &err), &err);
	return name;
}

view
test_copy(struct arena *arena, const struct buf *bytes)
{
	view copy;

	assert_true(buf_ok(bytes) && arena_copy(arena, buf_view(bytes), &copy));
	return copy;
}

view
test_certificate(struct arena *arena, const char *subject, const struct test_key *key,
    const char *issuer, const struct test_key *by, bool ca)
{
	AUTO(buf_free) struct buf der = { 0 };
	uint8_t id[KEY_ID_LEN];
	struct profile profile = { .subject = test_name(arena, subject),
		.usages = ca ? USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN : USAGE_DIGITAL_SIGNATURE,
		.ca = ca,
		.path_length = -1 };
	struct x509_wish wish = { .profile = &profile,
		.spki = buf_view(&key->spki),
		.not_before = NOON - YEAR,
		.not_after = NOON + YEAR,
		.issuer = test_name(arena, issuer),
		.issuer_key_id = { (const char *)id, sizeof(id) } };
	struct error err;

	assert_fine(spki_key_id(buf_view(&by->spki), id, &err), &err);
	assert_fine(x509_issue(&wish, &by->signer, &der, &err), &err);
	return test_copy(arena, &der);
}
