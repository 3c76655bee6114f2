/*
 * Materials of the kind *-HSM: the private part lives in the keyring's token.  For keyring/ only.
 * Without a token all of it is ERR_BAD_PARAMETER.
 */
#ifndef KEYRING_MATERIAL_TOKEN_H
#define KEYRING_MATERIAL_TOKEN_H

#include "keyring/material.h"

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

#endif
