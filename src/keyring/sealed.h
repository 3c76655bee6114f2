/*
 * The format of what the keyring seals, and what each purpose is sealed under.  A label stands in
 * front of all additional data and all derivations, so that nothing made for one purpose opens for
 * another:
 *
 *	what         key                                           additional data
 *	vault key    root key                                      strongroom:root:<store path>
 *	document     vault key, or "system"                        strongroom:document:<store path>
 *	signing key  "system"                                      strongroom:signing-key:<name>
 *	key          vault key                                     strongroom:key:<material id>
 *	backup       HKDF("backup", strongroom:backup:<binding>)   strongroom:backup:<binding>
 *	MAC          HKDF("system", strongroom:mac:<purpose>)      -
 *
 * A sealed thing is a format byte (1), then AES-256-GCM's nonce, ciphertext and tag.
 */
#ifndef KEYRING_SEALED_H
#define KEYRING_SEALED_H

#include "base/error.h"
#include "base/plain.h"
#include "crypto/aead.h"

#define SEALED_OVERHEAD (1 + AEAD_OVERHEAD)
#define SEALED_AAD_MAX 1024

enum purpose {
	PURPOSE_ROOT,
	PURPOSE_DOCUMENT,
	PURPOSE_SIGNING_KEY,
	PURPOSE_BACKUP,
	PURPOSE_MAC,
	PURPOSE_KEY,
};

/* sealed_make(...): plain.len + SEALED_OVERHEAD bytes to ${out}. */
MUST_USE bool sealed_make(struct aead *aead, enum purpose purpose, view plain, view aad, char *out,
    struct error *err);

/* sealed_open(...): ERR_CORRUPT when it was not made so; the caller frees ${out}. */
MUST_USE bool sealed_open(struct aead *aead, enum purpose purpose, view sealed, view aad,
    struct plain **out, struct error *err);

/* sealed_derive(key, purpose, name, out, err): A key of 32 bytes; the caller frees it. */
MUST_USE bool sealed_derive(view key, enum purpose purpose, view name, struct plain **out,
    struct error *err);

#endif
