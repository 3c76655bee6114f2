/*
 * Key material: what a vault's keys are made of.  It is made, taken in and used here, and leaves
 * only sealed; the calls are message-shaped, so nobody above the keyring sees a private byte.  The
 * one exception is a certificate's key that may be exported: it is part of the secret.
 *
 * Hot keys are kept parsed, at most MATERIAL_CACHE_MAX of them; one is wiped when it is the coldest
 * of too many, and by the commit that changes or deletes its document, or its vault.
 */
#ifndef KEYRING_MATERIAL_H
#define KEYRING_MATERIAL_H

#include "keyring/key.h"
#include "keyring/keyring.h"
#include "keyring/tx.h"

#define MATERIAL_CACHE_MAX 1024

/* What a key's document keeps. */
struct material {
	struct key_spec spec;
	view id;                   /* 32 hex digits: names it in the cache and in the token */
	struct sealed private;     /* bound to ${id} */
	struct key_numbers public; /* n, e or x, y */
	/* Where it is kept, for the cache: the version's store key, and its object's head. */
	view path, head;
	uint64_t announced; /* of a new one in the token: for material_keep */
};

/*
 * material_make(keyring, key, spec, arena, out, err):
 * A new random key, sealed under the vault's ${key}.  RSA takes its time: 0.2 to 5 seconds.
 * ${out}'s path and head are the caller's to fill in.  Any thread.
 */
MUST_USE bool material_make(struct keyring *keyring, struct vault_key *key,
    const struct key_spec *spec, struct arena *arena, struct material *out, struct error *err);

/*
 * material_take(keyring, key, spec, numbers, arena, out, err):
 * Take in a key from outside, whole: every number is there and they belong together, else
 * ERR_BAD_PARAMETER.  RSA: 2048, 3072 or 4096 bits (spec->bits 0: as the modulus is), odd, two
 * primes half as long, e odd and from 3 to 2^32; EC: the point is on the curve and is d's; oct: 16,
 * 24 or 32 bytes.  Leading zeros are accepted, but for oct.  ${out}->spec says what it turned out
 * to be.
 */
MUST_USE bool material_take(struct keyring *keyring, struct vault_key *key,
    const struct key_spec *spec, const struct key_numbers *numbers, struct arena *arena,
    struct material *out, struct error *err);

/*
 * material_take_pkcs8(keyring, key, pkcs8, hsm, arena, out, err):
 * The same for a private key out of a file: PKCS#8 in DER, RSA or EC; what kind it is it says
 * itself.  ${hsm}: it goes into the token.
 *
 * material_put_pkcs8(key, material, out, err):
 * Out again, for the secret of a certificate whose key may be exported, which is for the caller to
 * know; the caller frees ${out}.  ERR_FORBIDDEN: a key in the token, or oct.  Any thread, both.
 */
MUST_USE bool material_take_pkcs8(struct keyring *keyring, struct vault_key *key, view pkcs8,
    bool hsm, struct arena *arena, struct material *out, struct error *err);
MUST_USE bool material_put_pkcs8(struct vault_key *key, const struct material *material,
    struct plain **out, struct error *err);

/*
 * material_take_wrapped(keyring, key, exchange, blob, spec, arena, out, err):
 * Take in a key that was wrapped for the token's key ${exchange}, as token_take has it; ${spec}:
 * its kind and curve.  ERR_BAD_PARAMETER, with one message, for all that is wrong with ${blob}.
 */
MUST_USE bool material_take_wrapped(struct keyring *keyring, struct vault_key *key,
    const struct material *exchange, view blob, const struct key_spec *spec, struct arena *arena,
    struct material *out, struct error *err);

/*
 * material_keep(tx, vault, object, material, err):
 * With the commit of the version that a new material is of: a token destroys within an hour or so
 * what was made, taken or restored and not kept, and the commit is refused then.
 */
MUST_USE bool material_keep(struct tx *tx, view vault, view object, const struct material *material,
    struct error *err);

/* material_drop(tx, vault, object, material, err): What was kept so is of no version after all. */
MUST_USE bool material_drop(struct tx *tx, view vault, view object, const struct material *material,
    struct error *err);

/* material_burns(material, algorithm, use): Does it take so long that it would hold up a loop? */
bool material_burns(const struct material *material, const struct key_algorithm *algorithm,
    enum key_use use);

/*
 * material_use(keyring, key, ticket, material, algorithm, use, in, arena, out, err):
 * The algorithm fits the key and the use.  ${ticket}: material_ticket from before the snapshot in
 * which ${material} was read.  ERR_BAD_PARAMETER, with one message for every cause, when what is to
 * be decrypted does not decrypt; other messages for lengths that can't be.  A signature that is not
 * one is no error: out->verified is false.  Any thread.  MATERIAL_ONCE as the ticket: it is not
 * kept, because it is no key's document yet.
 */
#define MATERIAL_ONCE UINT64_MAX
MUST_USE bool material_use(struct keyring *keyring, struct vault_key *key, uint64_t ticket,
    const struct material *material, const struct key_algorithm *algorithm, enum key_use use,
    const struct key_message *in, struct arena *arena, struct key_result *out, struct error *err);

/*
 * material_release(keyring, key, material, target, oaep, arena, out, err):
 * The key of a token, wrapped for ${target} (RSA), of whose other half this server knows nothing: a
 * fresh AES-256 key by RSA-OAEP, and behind it the private part under that key with AES-KWP (RFC
 * 5649): RSA and EC as PKCS#8, AES as it is.  Whether it may be released is the caller's to know.
 * Any thread; blocks.
 */
MUST_USE bool material_release(struct keyring *keyring, struct vault_key *key,
    const struct material *material, const struct public_key *target, enum oaep oaep,
    struct arena *arena, view *out, struct error *err);

/*
 * A ticket says from when on the cache has to be told of changes: what was read in a snapshot that
 * began behind the ticket is cached only if no key changed since.
 */
uint64_t material_ticket(struct keyring *keyring);

/*
 * material_backup, material_restore:
 * The private part for a backup, sealed for ${binding} and the material's id as keyring_seal_backup
 * has it (a token's key: wrapped inside the token before); and back, under the key of the vault it
 * comes to.  restore takes ${material}'s spec, id and public, and ${wrapped}, and fills in its
 * private part and a new id; what does not open, or is not that spec's and public's, is
 * ERR_MALFORMED_BACKUP.
 */
MUST_USE bool material_backup(struct keyring *keyring, struct vault_key *key,
    const struct material *material, view binding, struct arena *arena, view *wrapped,
    struct error *err);
MUST_USE bool material_restore(struct keyring *keyring, struct vault_key *key, view wrapped,
    view binding, struct arena *arena, struct material *material, struct error *err);

#endif
