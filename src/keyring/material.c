#include "keyring/material.h"
#include "crypto/random.h"
#include "keyring/keycache.h"
#include "keyring/material_token.h"
#include "keyring/token_object.h"
#include "keyring/ring.h"
#include "keyring/software.h"

#include <string.h>

/*
 * The private part before it is sealed: a format byte, then what software_save made, or what the
 * token wrapped.
 */
#define FORMAT_SOFTWARE 1
#define FORMAT_TOKEN 2

static bool
new_id(struct arena *arena, view *out, struct error *err)
{
	char id[HEX16_LEN + 1];

	random_version(id);
	return arena_copy(arena, (view){ id, HEX16_LEN }, out) || error_memory(err);
}

static bool
with_format(char format, view body, struct plain **out, struct error *err)
{
	struct plain *plain = plain_new(body.len + 1);

	if (plain == NULL)
		return error_memory(err);
	plain_bytes(plain)[0] = format;
	if (body.len > 0)
		memcpy(plain_bytes(plain) + 1, body.ptr, body.len);
	*out = plain;
	return true;
}

static bool
seal(struct vault_key *key, view id, view plain, struct arena *arena, struct sealed *out,
    struct error *err)
{
	size_t len = plain.len + SEALED_OVERHEAD;
	char *bytes = arena_alloc(arena, len);

	if (bytes == NULL)
		return error_memory(err);
	if (!vault_key_seal(key, PURPOSE_KEY, plain, id, bytes, err))
		return false;
	out->bytes = (view){ bytes, len };
	return true;
}

static bool
seal_body(struct vault_key *key, view id, char format, view body, struct arena *arena,
    struct sealed *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;

	return with_format(format, body, &plain, err) &&
	    seal(key, id, plain_view(plain), arena, out, err);
}

/* ${out}: spec, id and public; private is to be sealed by the caller. */
static bool
describe(const struct software_key *key, struct arena *arena, struct material *out,
    struct error *err)
{
	*out = (struct material){ .spec = *software_spec(key) };
	return new_id(arena, &out->id, err) && software_numbers(key, arena, &out->public, err);
}

static bool
keep(struct vault_key *key, const struct software_key *made, struct arena *arena,
    struct material *out, struct error *err)
{
	AUTO(plain_done) struct plain *kept = NULL;
	struct material material;

	if (!describe(made, arena, &material, err) || !software_save(made, &kept, err) ||
	    !seal_body(key, material.id, FORMAT_SOFTWARE, plain_view(kept), arena,
		&material.private, err))
		return false;
	*out = material;
	return true;
}

static bool
make_in_token(struct keyring *keyring, struct vault_key *key, const struct key_spec *spec,
    struct arena *arena, struct material *out, struct error *err)
{
	struct material material = { .spec = *spec };
	view wrapped;

	if (!new_id(arena, &material.id, err) ||
	    !material_token_announce(keyring, &material, err) ||
	    !material_token_make(keyring, spec, material.id, arena, &material.public, &wrapped,
		err) ||
	    !seal_body(key, material.id, FORMAT_TOKEN, wrapped, arena, &material.private, err))
		return false;
	*out = material;
	return true;
}

/* What callers name by its curve, or by its size, has both. */
static bool
complete(const struct key_spec *spec, struct key_spec *out, struct error *err)
{
	bool good = false;

	*out = *spec;
	if (spec->kind == KEY_EC && key_curve_name(spec->curve) != NULL) {
		out->bits = key_field_bits(spec->curve);
		good = true;
	} else if (spec->kind == KEY_RSA) {
		good = spec->bits == 2048 || spec->bits == 3072 || spec->bits == 4096;
	} else if (spec->kind == KEY_OCT) {
		good = spec->bits == 128 || spec->bits == 192 || spec->bits == 256;
	}
	return good || error_set(err, ERR_INTERNAL, "There are no keys like that.");
}

bool
material_make(struct keyring *keyring, struct vault_key *key, const struct key_spec *spec,
    struct arena *arena, struct material *out, struct error *err)
{
	AUTO(software_done) struct software_key *made = NULL;
	struct key_spec whole;

	if (!complete(spec, &whole, err))
		return false;
	if (spec->hsm)
		return make_in_token(keyring, key, &whole, arena, out, err);
	return software_generate(&whole, &made, err) && keep(key, made, arena, out, err);
}

static bool
take_into_token(struct keyring *keyring, struct vault_key *key, const struct software_key *taken,
    const struct key_numbers *numbers, struct arena *arena, struct material *out, struct error *err)
{
	struct material material;
	view wrapped;

	if (!describe(taken, arena, &material, err) ||
	    !material_token_announce(keyring, &material, err) ||
	    !material_token_take(keyring, &material.spec, material.id, numbers, arena, &wrapped,
		err) ||
	    !seal_body(key, material.id, FORMAT_TOKEN, wrapped, arena, &material.private, err))
		return false;
	*out = material;
	return true;
}

/* Where it is to be kept. */
static bool
settle(struct keyring *keyring, struct vault_key *key, const struct software_key *taken,
    const struct key_numbers *numbers, struct arena *arena, struct material *out, struct error *err)
{
	if (software_spec(taken)->hsm)
		return take_into_token(keyring, key, taken, numbers, arena, out, err);
	return keep(key, taken, arena, out, err);
}

bool
material_take(struct keyring *keyring, struct vault_key *key, const struct key_spec *spec,
    const struct key_numbers *numbers, struct arena *arena, struct material *out, struct error *err)
{
	AUTO(software_done) struct software_key *taken = NULL;

	return software_take(spec, numbers, &taken, err) &&
	    settle(keyring, key, taken, numbers, arena, out, err);
}

bool
material_take_pkcs8(struct keyring *keyring, struct vault_key *key, view pkcs8, bool hsm,
    struct arena *arena, struct material *out, struct error *err)
{
	AUTO(plain_done) struct plain *room = NULL;
	AUTO(software_done) struct software_key *taken = NULL;
	struct key_numbers numbers;

	return software_take_pkcs8(pkcs8, hsm, &room, &numbers, &taken, err) &&
	    settle(keyring, key, taken, &numbers, arena, out, err);
}

bool
material_take_wrapped(struct keyring *keyring, struct vault_key *key,
    const struct material *exchange, view blob, const struct key_spec *spec, struct arena *arena,
    struct material *out, struct error *err)
{
	struct material material = { .spec = *spec };
	view wrapped;

	if (!exchange->spec.exchange || !spec->hsm)
		return error_set(err, ERR_INTERNAL, "The key is no key exchange key.");
	if (!new_id(arena, &material.id, err) ||
	    !material_token_announce(keyring, &material, err) ||
	    !material_token_take_wrapped(keyring, exchange, blob, &material.spec, material.id,
		arena, &material.public, &wrapped, err) ||
	    !seal_body(key, material.id, FORMAT_TOKEN, wrapped, arena, &material.private, err))
		return false;
	*out = material;
	return true;
}

bool
material_keep(struct tx *tx, view vault, view object, const struct material *material,
    struct error *err)
{
	return !material->spec.hsm ||
	    token_object_keep(tx, vault, object, material->id, material->announced, err);
}

bool
material_drop(struct tx *tx, view vault, view object, const struct material *material,
    struct error *err)
{
	return !material->spec.hsm || token_object_drop(tx, vault, object, material->id, err);
}

bool
material_burns(const struct material *material, const struct key_algorithm *algorithm,
    enum key_use use)
{
	const struct key_spec *spec = &material->spec;
	bool private = use == KEY_SIGN || use == KEY_DECRYPT;

	(void)algorithm;
	if (spec->hsm)
		return true;
	if (spec->kind == KEY_RSA)
		return private;
	return spec->kind == KEY_EC && spec->curve != KEY_P256 &&
	    (private || spec->curve != KEY_P256K);
}

bool
material_open_private(struct vault_key *key, const struct material *material, struct plain **out,
    struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	char format = material->spec.hsm ? FORMAT_TOKEN : FORMAT_SOFTWARE;

	if (!vault_key_open(key, PURPOSE_KEY, material->private.bytes, material->id, &plain, err))
		return false;
	if (plain_view(plain).len < 1 || plain_view(plain).ptr[0] != format)
		return error_set(err, ERR_CORRUPT, "A key has an unknown format.");
	*out = plain;
	plain = NULL;
	return true;
}

bool
material_put_pkcs8(struct vault_key *key, const struct material *material, struct plain **out,
    struct error *err)
{
	AUTO(plain_done) struct plain *kept = NULL;
	struct plain *copy;

	if (material->spec.hsm || material->spec.kind == KEY_OCT)
		return error_set(err, ERR_FORBIDDEN, "The key can't be exported.");
	if (!material_open_private(key, material, &kept, err))
		return false;
	copy = plain_copy(view_from(plain_view(kept), 1)); /* software_save made PKCS#8 */
	if (copy == NULL)
		return error_memory(err);
	*out = copy;
	return true;
}

/* Of a token's key only the public half comes here. */
static bool
parse(struct vault_key *key, const struct material *material, struct software_key **out,
    struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;

	if (material->spec.hsm)
		return software_public(&material->spec, &material->public, out, err);
	return material_open_private(key, material, &plain, err) &&
	    software_open(&material->spec, view_from(plain_view(plain), 1), out, err);
}

bool
material_use(struct keyring *keyring, struct vault_key *key, uint64_t ticket,
    const struct material *material, const struct key_algorithm *algorithm, enum key_use use,
    const struct key_message *in, struct arena *arena, struct key_result *out, struct error *err)
{
	AUTO(software_done) struct software_key *parsed = NULL;
	bool private = use == KEY_SIGN || use == KEY_DECRYPT || material->spec.kind == KEY_OCT;

	if (material->spec.hsm && private)
		return material_token_use(keyring, &material->spec, material->id, algorithm, use,
		    in, arena, out, err);
	parsed = keycache_get(keyring->keycache, material);
	if (parsed == NULL) {
		if (!parse(key, material, &parsed, err))
			return false;
		keycache_put(keyring->keycache, ticket, material, parsed);
	}
	return software_use(parsed, algorithm, use, in, arena, out, err);
}

uint64_t
material_ticket(struct keyring *keyring)
{
	return keycache_ticket(keyring->keycache);
}

/* A key's backup opens for its id alone, and is no other kind of backup. */
static bool
key_binding(view binding, view id, struct arena *arena, view *out, struct error *err)
{
	const view parts[] = { V("key:"), id, V(":"), binding };

	return arena_join(arena, parts, COUNT_OF(parts), out) || error_memory(err);
}

bool
material_backup(struct keyring *keyring, struct vault_key *key, const struct material *material,
    view binding, struct arena *arena, view *wrapped, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	AUTO(buf_free) struct buf blob = { 0 };
	view bound;

	if (!material_open_private(key, material, &plain, err) ||
	    !key_binding(binding, material->id, arena, &bound, err) ||
	    !keyring_seal_backup(keyring, bound, plain_view(plain), &blob, err))
		return false;
	return arena_copy(arena, buf_view(&blob), wrapped) || error_memory(err);
}

static bool
malformed(struct error *err)
{
	return error_set(err, ERR_MALFORMED_BACKUP,
	    "Backup blob contains invalid or corrupt version.");
}

/* Is the private part the one whose public numbers the material has? */
static bool
belongs(const struct material *material, view kept, struct arena *arena, struct error *err)
{
	AUTO(software_done) struct software_key *key = NULL;
	const struct key_numbers *public = &material->public;
	struct key_numbers found;

	if (!software_open(&material->spec, kept, &key, err))
		return err->code == ERR_CORRUPT ? malformed(err) : false;
	if (!software_numbers(key, arena, &found, err))
		return false;
	return (view_eq(found.n, public->n) && view_eq(found.e, public->e) &&
		   view_eq(found.x, public->x) && view_eq(found.y, public->y)) ||
	    malformed(err);
}

static bool
restore_private(struct keyring *keyring, struct material *material, view plain, struct arena *arena,
    struct error *err)
{
	char format = material->spec.hsm ? FORMAT_TOKEN : FORMAT_SOFTWARE;
	view body = view_from(plain, 1);

	if (plain.len < 1 || plain.ptr[0] != format)
		return malformed(err);
	if (!material->spec.hsm)
		return belongs(material, body, arena, err);
	return material_token_announce(keyring, material, err) &&
	    material_token_restore(keyring, &material->spec, material->id, body, err);
}

bool
material_restore(struct keyring *keyring, struct vault_key *key, view wrapped, view binding,
    struct arena *arena, struct material *material, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct material restored = *material;
	view bound;

	/* A name of its own: what becomes of the one that was backed up is not this one's fate. */
	if (!key_binding(binding, material->id, arena, &bound, err) ||
	    !keyring_unseal_backup(keyring, bound, wrapped, &plain, err) ||
	    !new_id(arena, &restored.id, err) ||
	    !restore_private(keyring, &restored, plain_view(plain), arena, err) ||
	    !seal(key, restored.id, plain_view(plain), arena, &restored.private, err))
		return false;
	*material = restored;
	return true;
}
