/*
 * Materials of the kind *-HSM: the private part lives in the keyring's token.  For keyring/ only.
 * Without a token all of it is ERR_BAD_PARAMETER.
 */
#ifndef KEYRING_MATERIAL_TOKEN_H
#define KEYRING_MATERIAL_TOKEN_H

#include "keyring/material.h"

/*
 * material_token_announce(keyring, material, err):
 * Before anything is made, taken or restored under its id; see token_object.h.
 */
MUST_USE bool material_token_announce(struct keyring *keyring, struct material *material,
    struct error *err);

/* A new key under ${id}, or one from outside that was checked; ${wrapped}: for its backups. */
MUST_USE bool material_token_make(struct keyring *keyring, const struct key_spec *spec, view id,
    struct arena *arena, struct key_numbers *public, view *wrapped, struct error *err);
MUST_USE bool material_token_take(struct keyring *keyring, const struct key_spec *spec, view id,
    const struct key_numbers *numbers, struct arena *arena, view *wrapped, struct error *err);
MUST_USE bool material_token_take_wrapped(struct keyring *keyring, const struct material *exchange,
    view blob, struct key_spec *spec, view id, struct arena *arena, struct key_numbers *public,
    view *wrapped, struct error *err);
MUST_USE bool material_token_restore(struct keyring *keyring, const struct key_spec *spec, view id,
    view wrapped, struct error *err);

/* As token_use. */
MUST_USE bool material_token_use(struct keyring *keyring, const struct key_spec *spec, view id,
    const struct key_algorithm *algorithm, enum key_use use, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err);

/* As token_release. */
MUST_USE bool material_token_release(struct keyring *keyring, const struct key_spec *spec,
    view wrapped, view transport, struct arena *arena, view *out, struct error *err);

/* Of material.c: what was sealed, with the format byte in front; the caller frees it. */
MUST_USE bool material_open_private(struct vault_key *key, const struct material *material,
    struct plain **out, struct error *err);

#endif
