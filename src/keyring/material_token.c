#include "keyring/material_token.h"

static bool
no_token(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "This server has no HSM token: keys of type *-HSM can't be made.");
}

bool
material_token_make(struct keyring *keyring, const struct key_spec *spec, view id,
    struct arena *arena, struct key_numbers *public, view *wrapped, struct error *err)
{
	(void)keyring;
	(void)spec;
	(void)id;
	(void)arena;
	(void)public;
	(void)wrapped;
	return no_token(err);
}

bool
material_token_take(struct keyring *keyring, const struct key_spec *spec, view id,
    const struct key_numbers *numbers, struct arena *arena, view *wrapped, struct error *err)
{
	(void)keyring;
	(void)spec;
	(void)id;
	(void)numbers;
	(void)arena;
	(void)wrapped;
	return no_token(err);
}

bool
material_token_restore(struct keyring *keyring, const struct key_spec *spec, view id, view wrapped,
    struct error *err)
{
	(void)keyring;
	(void)spec;
	(void)id;
	(void)wrapped;
	return no_token(err);
}

bool
material_token_use(struct keyring *keyring, const struct key_spec *spec, view id,
    const struct key_algorithm *algorithm, enum key_use use, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err)
{
	(void)keyring;
	(void)spec;
	(void)id;
	(void)algorithm;
	(void)use;
	(void)in;
	(void)arena;
	(void)out;
	return no_token(err);
}
