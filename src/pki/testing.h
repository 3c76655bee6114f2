/*
 * For tests: keys to sign with, and certificates made of them.
 */
#ifndef PKI_TESTING_H
#define PKI_TESTING_H

#include "base/testing.h"
#include "crypto/openssl.h"
#include "crypto/testing.h"
#include "pki/issue.h"

#define NOON INT64_C(1900000000)
#define YEAR INT64_C(31536000)

struct test_key {
	EVP_PKEY *pkey;
	struct buf spki;
	struct signer signer;
};

/* "RSA-2048", "P-256", "P-256K", "P-384", "P-521"; test_key_free frees it. */
struct test_key *test_key_new(const char *name);
struct test_key *test_key_with(const char *name, enum signature_alg alg);
void test_key_free(struct test_key *key);
void test_key_done(struct test_key **key);

/* The key as PKCS#8, in the arena. */
view test_key_pkcs8(const struct test_key *key, struct arena *arena);

view test_name(struct arena *arena, const char *text); /* subject_parse */
view test_copy(struct arena *arena, const struct buf *bytes);

/* A certificate for ${key} called ${subject}, by ${by} called ${issuer}; in the arena. */
view test_certificate(struct arena *arena, const char *subject, const struct test_key *key,
    const char *issuer, const struct test_key *by, bool ca);

#endif
