/*
 * Keys in this process's memory, parsed and ready to be used by OpenSSL.  For keyring/ only.
 *
 * What a key is kept as: PKCS#8 in DER for RSA and EC, the bytes themselves for oct.
 */
#ifndef KEYRING_SOFTWARE_H
#define KEYRING_SOFTWARE_H

#include "base/arena.h"
#include "base/plain.h"
#include "crypto/openssl.h"
#include "keyring/key.h"

struct software_key; /* counted; any thread */

/*
 * software_generate(spec, out, err): A random key.
 * software_take(spec, numbers, out, err): One from outside; as material_take has it.
 * software_take_pkcs8(pkcs8, hsm, room, numbers, out, err): The same, out of a file; the numbers,
 * for the token, lie in ${room}, which is the caller's to free.
 * software_public(spec, numbers, out, err): Its public half alone, from our own numbers.
 * software_open(spec, kept, out, err): What software_save made; ERR_CORRUPT.
 * The caller releases ${out}.
 */
MUST_USE bool software_generate(const struct key_spec *spec, struct software_key **out,
    struct error *err);
MUST_USE bool software_take(const struct key_spec *spec, const struct key_numbers *numbers,
    struct software_key **out, struct error *err);
MUST_USE bool software_take_pkcs8(view pkcs8, bool hsm, struct plain **room,
    struct key_numbers *numbers, struct software_key **out, struct error *err);
MUST_USE bool software_public(const struct key_spec *spec, const struct key_numbers *numbers,
    struct software_key **out, struct error *err);
MUST_USE bool software_open(const struct key_spec *spec, view kept, struct software_key **out,
    struct error *err);

/* software_save(key, out, err): What it is kept as; the caller frees ${out}. */
MUST_USE bool software_save(const struct software_key *key, struct plain **out, struct error *err);

struct software_key *software_hold(struct software_key *key);
void software_release(struct software_key *key); /* the last one wipes; NULL is fine */
void software_done(struct software_key **key);   /* for AUTO */

const struct key_spec *software_spec(const struct software_key *key);

/* software_numbers(key, arena, out, err): The public ones: n, e or x, y. */
MUST_USE bool software_numbers(const struct software_key *key, struct arena *arena,
    struct key_numbers *out, struct error *err);

/* software_use(...): As material_use. */
MUST_USE bool software_use(struct software_key *key, const struct key_algorithm *algorithm,
    enum key_use use, const struct key_message *in, struct arena *arena, struct key_result *out,
    struct error *err);

#endif
