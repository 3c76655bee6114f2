/*
 * How long what is signed, encrypted and decrypted may be: the same for keys in software and in the
 * token.  For keyring/ only.
 */
#ifndef KEYRING_LENGTHS_H
#define KEYRING_LENGTHS_H

#include "base/attr.h"
#include "keyring/key.h"

/*
 * lengths_fit(spec, algorithm, use, in, err):
 * ERR_BAD_PARAMETER for lengths that can't be; of a ciphertext, with undecryptable's message.
 */
MUST_USE bool lengths_fit(const struct key_spec *spec, const struct key_algorithm *algorithm,
    enum key_use use, const struct key_message *in, struct error *err);

/* undecryptable(err): What does not decrypt, for whatever reason.  Always false. */
bool undecryptable(struct error *err);

#endif
