/*
 * A short text sealed to a recipient, as a CMS message (RFC 5083, RFC 5652) with AES-256-GCM: its
 * key goes to an RSA key by OAEP with SHA-256, to an EC key by ECDH.
 */
#ifndef CRYPTO_ENVELOPE_H
#define CRYPTO_ENVELOPE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/plain.h"

#define ENVELOPE_MAX ((size_t)64 * 1024)

/*
 * envelope_seal(recipient, plain, out, err):
 * ${recipient} is a certificate in PEM, of an RSA key of at least 2048 bits or an EC key, else
 * ERR_BAD_REQUEST; who issued it, and until when, is not looked at.  Appends DER.
 */
MUST_USE bool envelope_seal(view recipient, view plain, struct buf *out, struct error *err);

/*
 * envelope_open(key, envelope, out, err):
 * ${key} is the private key in PEM, else ERR_BAD_REQUEST; a password of it is asked for on the
 * terminal.  ERR_CORRUPT when ${envelope} is not sealed to it, or was changed.
 */
MUST_USE bool envelope_open(view key, view envelope, struct plain **out, struct error *err);

#endif
