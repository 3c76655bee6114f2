/*
 * For whom a key is released: the public key that an attestation holds, of which only the attested
 * environment has the other half.
 */
#ifndef KEYS_RELEASE_TARGET_H
#define KEYS_RELEASE_TARGET_H

#include "base/arena.h"
#include "base/error.h"

struct release_target {
	view n, e; /* RSA, 2048 to 8192 bits; see public_key_from_rsa */
	view kid;  /* empty: it has no name */
};

/*
 * release_target_find(claims, arena, out, err):
 * Out of the claims of an attestation that was verified.  The keys are those of the claim
 * "x-ms-runtime" (its member "keys"), else what an enclave holds: "x-ms-sgx-ehd" or "maa-ehd", a
 * JWK or a set of them, base64url or as it is.  The one is taken that is named
 * "TpmEphemeralEncryptionKey", else the only one that says that it is for encryption, or that is
 * alone and does not say.  ERR_BAD_PARAMETER when there is none, or more than one.
 */
MUST_USE bool release_target_find(view claims, struct arena *arena, struct release_target *out,
    struct error *err);

#endif
