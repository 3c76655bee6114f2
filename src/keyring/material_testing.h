/*
 * For the tests of key materials: keys of OpenSSL's as a client would bring them, and materials
 * used the short way.
 */
#ifndef KEYRING_MATERIAL_TESTING_H
#define KEYRING_MATERIAL_TESTING_H

#include "crypto/openssl.h"
#include "keyring/material.h"
#include "keyring/testing.h"

struct bench {
	struct place place;
	struct vault_key *key; /* of VAULT */
	struct arena arena;
	struct error err;
};

#define VAULT "11111111-1111-4111-8111-111111111111"

int bench_setup(void **state);
int bench_teardown(void **state);

/* bench_numbers(bench, pkey): All numbers of an RSA or EC key. */
struct key_numbers bench_numbers(struct bench *bench, const EVP_PKEY *pkey);

/* A view of bytes written in hexadecimal. */
view bench_hex(struct bench *bench, const char *hex);

/* One new; one brought in, that must be fine; ${name}: of its version, for its path and head. */
struct material bench_make(struct bench *bench, struct key_spec spec, const char *name);
struct material bench_take(struct bench *bench, struct key_spec spec,
    const struct key_numbers *numbers);

/* material_use with a ticket of now; false: bench->err says why. */
bool bench_use(struct bench *bench, const struct material *material, const char *algorithm,
    enum key_use use, const struct key_message *in, struct key_result *out);

#endif
