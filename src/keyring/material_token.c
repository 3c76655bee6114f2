#include "keyring/material_token.h"
#include "keyring/ring.h"
#include "keyring/token.h"

/* Whether there is one; keys made in a token that was taken away since can't be used either. */
static bool
has_token(const struct keyring *keyring, struct error *err)
{
	return keyring->token != NULL ||
	    error_set(err, ERR_BAD_PARAMETER,
		"This server has no HSM token: keys of type *-HSM can't be made.");
}

bool
material_token_make(struct keyring *keyring, const struct key_spec *spec, view id,
    struct arena *arena, struct key_numbers *public, view *wrapped, struct error *err)
{
	return has_token(keyring, err) &&
	    token_generate(keyring->token, spec, id, arena, public, wrapped, err);
}

bool
material_token_take(struct keyring *keyring, const struct key_spec *spec, view id,
    const struct key_numbers *numbers, struct arena *arena, view *wrapped, struct error *err)
{
	return has_token(keyring, err) &&
	    token_import(keyring->token, spec, id, numbers, arena, wrapped, err);
}

bool
material_token_take_wrapped(struct keyring *keyring, const struct material *exchange, view blob,
    struct key_spec *spec, view id, struct arena *arena, struct key_numbers *public, view *wrapped,
    struct error *err)
{
	return has_token(keyring, err) &&
	    token_take(keyring->token, &exchange->spec, exchange->id, blob, spec, id, arena, public,
		wrapped, err);
}

bool
material_token_restore(struct keyring *keyring, const struct key_spec *spec, view id, view wrapped,
    struct error *err)
{
	return has_token(keyring, err) && token_restore(keyring->token, spec, id, wrapped, err);
}

bool
material_token_use(struct keyring *keyring, const struct key_spec *spec, view id,
    const struct key_algorithm *algorithm, enum key_use use, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err)
{
	return has_token(keyring, err) &&
	    token_use(keyring->token, spec, id, algorithm, use, in, arena, out, err);
}
