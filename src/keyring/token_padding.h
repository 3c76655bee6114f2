/*
 * RSA's paddings for tokens that only compute with the bare key.  For keyring/ only.
 */
#ifndef KEYRING_TOKEN_PADDING_H
#define KEYRING_TOKEN_PADDING_H

#include "base/arena.h"
#include "base/error.h"
#include "keyring/key.h"

/*
 * padding_oaep(digest, block, arena, out, err):
 * What OAEP with an empty label hid in ${block}, as long as the modulus (RFC 8017, 7.1.2).  One
 * answer, after looking at all of it, for all that can be wrong.
 */
MUST_USE bool padding_oaep(enum key_digest digest, view block, struct arena *arena, view *out,
    struct error *err);

/* padding_pss(digest, hash, bits, arena, out, err): For a modulus of ${bits}, salt as ${hash}. */
MUST_USE bool padding_pss(enum key_digest digest, view hash, unsigned bits, struct arena *arena,
    view *out, struct error *err);

#endif
