/*
 * The private key of a client: a P-256 key in a PEM file, which signs assertions (ES256).  The
 * server's own keys are in keyring/, not here.
 */
#ifndef CRYPTO_PRIVATEKEY_H
#define CRYPTO_PRIVATEKEY_H

#include "base/buf.h"
#include "base/error.h"

struct private_key;

/* private_key_from_pem(pem, out, err): An unencrypted PKCS#8 P-256 key, else ERR_BAD_REQUEST. */
MUST_USE bool private_key_from_pem(view pem, struct private_key **out, struct error *err);
void private_key_free(struct private_key *key); /* NULL is fine */

/* private_key_sign(key, message, out, err): Append r || s, 64 bytes.  Any thread. */
MUST_USE bool private_key_sign(const struct private_key *key, view message, struct buf *out,
    struct error *err);

/* private_key_public(key, out, err): Append the public half: SubjectPublicKeyInfo, DER. */
MUST_USE bool private_key_public(const struct private_key *key, struct buf *out, struct error *err);

/* private_key_derive(key, use, out, err): 32 bytes that depend on the key and ${use} alone. */
MUST_USE bool private_key_derive(const struct private_key *key, view use, uint8_t out[32],
    struct error *err);

#endif
