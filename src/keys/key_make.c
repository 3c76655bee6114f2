#include "keys/key_make.h"

#include "base/clock.h"
#include "keys/key_body.h"
#include "keys/release.h"
#include "keys/rotation.h"
#include "keys/transfer.h"

/* What is on its way through request_defer. */
struct making {
	struct uuid vault; /* whose key sealed the material */
	struct key key;
	struct key_numbers numbers; /* of an import */
	struct key exchange;        /* of a transfer, and what was wrapped for it */
	view wrapped;
	struct version version;
};

static struct making *
making_new(struct request *r)
{
	struct making *making = arena_alloc(r->arena, sizeof(*making));

	if (making != NULL) {
		making->vault = r->vault->id;
		making->version.attributes.enabled = true;
	}
	return making;
}

static bool
work_make(struct request *r, struct error *err)
{
	struct making *making = r->deferred;

	return material_make(r->services->keyring, r->vault->key, &making->key.material.spec,
	    r->arena, &making->key.material, err);
}

static bool
work_take(struct request *r, struct error *err)
{
	struct making *making = r->deferred;

	return material_take(r->services->keyring, r->vault->key, &making->key.material.spec,
	    &making->numbers, r->arena, &making->key.material, err);
}

static bool
work_take_wrapped(struct request *r, struct error *err)
{
	struct making *making = r->deferred;

	return material_take_wrapped(r->services->keyring, r->vault->key,
	    &making->exchange.material, making->wrapped, &making->key.material.spec, r->arena,
	    &making->key.material, err);
}

static bool
fill(struct request *r, const struct key_common_body *body, const struct key *key,
    struct version *version, struct error *err)
{
	if (body->tags.given && !tags_pack(&key_type, &body->tags, r->arena, &version->tags, err))
		return false;
	return attributes_apply(&body->attributes, &version->attributes, err) &&
	    key_put(r, key, version, err);
}

/* The version, and what the token has of it. */
static bool
add_version(struct request *r, view name, const struct key *key, struct version *version,
    struct object *object, struct error *err)
{
	return object_add_version(r, &key_type, name, object, version, err) &&
	    material_keep(&r->tx, uuid_view(&r->vault->id), view_of(object->id), &key->material,
		err);
}

/* The common body stands first in those of creating and importing. */
static bool
finish_add(struct request *r, struct error *err)
{
	const struct making *making = r->deferred;
	struct version version = making->version;
	struct key key = making->key;
	AUTO(object_done) struct object object = { 0 };

	if (!vault_require_same(r, &making->vault, err) ||
	    !release_settle(r, r->params[0], r->body, TO_CHANGE, &key, err) ||
	    !fill(r, r->body, &key, &version, err) ||
	    !add_version(r, r->params[0], &key, &version, &object, err))
		return false;
	key_reply(r, &object, &version);
	return true;
}

/* All that can be known before the work. */
static bool
prepare(struct request *r, const struct key_common_body *body, struct making *making,
    struct error *err)
{
	struct version probe = { .attributes = { .enabled = true } };

	return key_ops_read(&body->ops, &making->key.material.spec, &making->key.ops, err) &&
	    key_exchange_set(&making->key.ops, &making->key.material.spec, err) &&
	    fill(r, body, &making->key, &probe, err) &&
	    object_require_free(r, &key_type, r->params[0], err) &&
	    release_settle(r, r->params[0], body, TO_READ, &making->key, err);
}

static enum workplace
place_of(const struct key_spec *spec)
{
	return spec->kind == KEY_RSA ? WORK_MAKES : WORK_BURNS;
}

bool
key_create(struct request *r, struct error *err)
{
	const struct key_create_body *body = r->body;
	struct making *making = making_new(r);

	if (making == NULL)
		return error_memory(err);
	if (!object_name_check(r->params[0], err) ||
	    !key_spec_of_create(body, &making->key.material.spec, err) ||
	    !key_spec_check(r, &making->key.material.spec, err) ||
	    !prepare(r, &body->common, making, err) ||
	    !key_charge_create(r, &making->key.material.spec, err))
		return false;
	return request_defer(r, place_of(&making->key.material.spec), work_make, finish_add,
	    making);
}

/* One whose private half is known outside would protect nothing. */
static bool
not_exchange(const struct making *making, struct error *err)
{
	return !making->key.material.spec.exchange ||
	    error_set(err, ERR_BAD_PARAMETER,
		"Key exchange keys are made in the vault; they can't be imported.");
}

static bool
take_wrapped(struct request *r, const struct key_import_body *body, struct making *making,
    struct error *err)
{
	struct transfer transfer;

	if (!making->key.material.spec.hsm || body->d.given || body->k.given)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The property \"key_hsm\" is for keys in an HSM, and stands in place of their "
		    "private numbers.");
	if (!transfer_read(body->transfer.text, r->arena, &transfer, err) ||
	    !transfer_exchange(r, &transfer, &making->exchange, err))
		return false;
	making->wrapped = transfer.wrapped;
	return request_defer(r, place_of(&making->key.material.spec), work_take_wrapped, finish_add,
	    making);
}

bool
key_import(struct request *r, struct error *err)
{
	const struct key_import_body *body = r->body;
	struct making *making = making_new(r);
	struct key_spec *spec;

	if (making == NULL)
		return error_memory(err);
	spec = &making->key.material.spec;
	if (!object_name_check(r->params[0], err) || !key_spec_of_import(body, spec, err) ||
	    !key_numbers_of_import(body, r->arena, &making->numbers, err))
		return false;
	if (!key_tier_check(r, spec, err) || !prepare(r, &body->common, making, err) ||
	    !not_exchange(making, err))
		return false;
	if (body->transfer.given)
		return take_wrapped(r, body, making, err);
	return request_defer(r, place_of(spec), work_take, finish_add, making);
}

bool
key_add_successor(struct request *r, view name, const struct key *key, struct version *version,
    struct object *object, struct error *err)
{
	AUTO(version_done) struct version before = { 0 };
	AUTO(object_done) struct object live = { 0 };
	AUTO(rotation_done) struct rotation rotation = { 0 };
	struct key successor = *key;
	struct attributes *attributes = &version->attributes;

	if (!object_require(r, &key_type, name, V(""), TO_CHANGE, &live, &before, err) ||
	    !rotation_read(r, &live, TO_CHANGE, &rotation, err) ||
	    !release_inherit(&before, &successor, err) || !key_put(r, &successor, version, err))
		return false;
	attributes->created = clock_now();
	rotation_policy_expiry(&rotation.policy, attributes->created, attributes);
	return add_version(r, name, &successor, version, object, err);
}

static bool
finish_rotate(struct request *r, struct error *err)
{
	const struct making *making = r->deferred;
	struct version version = making->version;
	AUTO(object_done) struct object object = { 0 };

	if (!vault_require_same(r, &making->vault, err) ||
	    !key_add_successor(r, r->params[0], &making->key, &version, &object, err))
		return false;
	key_reply(r, &object, &version);
	return true;
}

bool
key_rotate(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct making *making = making_new(r);

	if (making == NULL)
		return error_memory(err);
	if (!object_require(r, &key_type, r->params[0], V(""), TO_READ, &object, &version, err) ||
	    !key_of(r, &object, &version, &making->key, err) || !key_keep(r, &making->key, err))
		return false;
	if (!object_refuse_managed(&key_type, &object, "rotate", err))
		return false;
	if (!arena_copy(r->arena, version.tags, &making->version.tags))
		return error_memory(err);
	return key_charge_create(r, &making->key.material.spec, err) &&
	    request_defer(r, place_of(&making->key.material.spec), work_make, finish_rotate,
		making);
}
