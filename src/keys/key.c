#include "keys/key.h"

#include "base/pack.h"
#include "keys/release_policy.h"
#include "keys/rotation.h"

#define FORMAT 1

enum { FLAG_HSM = 1, FLAG_EXPORTABLE = 2 };

/* Reference of the data plane, section 9.3; the order is the format's: only ever append. */
static const char *const op_names[] = { "encrypt", "decrypt", "sign", "verify", "wrapKey",
	"unwrapKey", "import", "export" };

static const struct {
	const char *name;
	enum key_kind kind;
	bool hsm;
} types[] = {
	{ "RSA", KEY_RSA, false },
	{ "RSA-HSM", KEY_RSA, true },
	{ "EC", KEY_EC, false },
	{ "EC-HSM", KEY_EC, true },
	{ "oct", KEY_OCT, false },
	{ "oct-HSM", KEY_OCT, true },
};

const char *
key_type_name(const struct key_spec *spec)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (types[i].kind == spec->kind && types[i].hsm == spec->hsm)
			return types[i].name;
	}
	return "";
}

bool
key_type_find(view name, struct key_spec *out)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (view_eq(name, view_of(types[i].name))) {
			out->kind = types[i].kind;
			out->hsm = types[i].hsm;
			return true;
		}
	}
	return false;
}

bool
key_op_find(view name, uint8_t *out)
{
	for (size_t i = 0; i < COUNT_OF(op_names); i++) {
		if (view_eq(name, view_of(op_names[i]))) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

bool
key_ops_have(const struct key_ops *ops, view name)
{
	for (size_t i = 0; i < ops->count; i++) {
		if (view_eq(name, view_of(op_names[ops->ops[i]])))
			return true;
	}
	return false;
}

/* What each kind may do when nobody says. */
static struct key_ops
usual_ops(enum key_kind kind)
{
	static const struct key_ops usual[] = {
		[KEY_RSA] = { { 0, 1, 2, 3, 4, 5 }, 6 },
		[KEY_EC] = { { 2, 3 }, 2 },
		[KEY_OCT] = { { 0, 1, 4, 5 }, 4 },
	};

	return usual[kind];
}

bool
key_ops_read(const struct body_texts *texts, const struct key_spec *spec, struct key_ops *out,
    struct error *err)
{
	struct key_ops ops = { .count = 0 };

	for (size_t i = 0; i < texts->count; i++) {
		if (key_ops_have(&ops, texts->texts[i]))
			continue;
		if (!key_op_find(texts->texts[i], &ops.ops[ops.count]))
			return error_set(err, ERR_BAD_PARAMETER, "Invalid key_ops value: %.*s",
			    VIEW_ARG(texts->texts[i]));
		ops.count++;
	}
	*out = ops.count > 0 ? ops : usual_ops(spec->kind);
	return true;
}

static bool
is_exchange(const struct key_ops *ops, const struct key_spec *spec)
{
	return spec->hsm && spec->kind == KEY_RSA && ops->count == 1 &&
	    key_ops_have(ops, V("import"));
}

bool
key_exchange_set(const struct key_ops *ops, struct key_spec *spec, struct error *err)
{
	spec->exchange = is_exchange(ops, spec);
	if (spec->hsm && !spec->exchange && key_ops_have(ops, V("import")))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The key operation import is for keys of type RSA-HSM, and mutually exclusive "
		    "with all other key operations.");
	return true;
}

static void
pack_numbers(const struct key_numbers *numbers, struct buf *out)
{
	pack_bytes(out, numbers->n);
	pack_bytes(out, numbers->e);
	pack_bytes(out, numbers->x);
	pack_bytes(out, numbers->y);
}

void
key_pack(const struct key *key, struct buf *out)
{
	const struct material *material = &key->material;

	pack_u8(out, FORMAT);
	pack_u8(out, (uint8_t)material->spec.kind);
	pack_u8(out, (uint8_t)material->spec.curve);
	pack_u32(out, material->spec.bits);
	pack_u8(out,
	    (uint8_t)((material->spec.hsm ? FLAG_HSM : 0) |
		(key->exportable ? FLAG_EXPORTABLE : 0)));
	pack_bytes(out, (view){ (const char *)key->ops.ops, key->ops.count });
	pack_bytes(out, material->id);
	pack_bytes(out, material->private.bytes);
	pack_numbers(&material->public, out);
	pack_bytes(out, key->release_policy);
}

static bool
unpack_ops(view bytes, struct key_ops *out)
{
	if (bytes.len > KEY_OPS_MAX)
		return false;
	for (size_t i = 0; i < bytes.len; i++) {
		out->ops[i] = (uint8_t)bytes.ptr[i];
		if (out->ops[i] >= COUNT_OF(op_names))
			return false;
	}
	out->count = bytes.len;
	return true;
}

bool
key_unpack(view content, struct key *out)
{
	struct unpack in = unpack_of(content);
	struct key key = { 0 };
	struct material *material = &key.material;
	bool fine = unpack_u8(&in) == FORMAT;
	uint8_t flags;

	material->spec.kind = unpack_u8(&in);
	material->spec.curve = unpack_u8(&in);
	material->spec.bits = unpack_u32(&in);
	flags = unpack_u8(&in);
	material->spec.hsm = (flags & FLAG_HSM) != 0;
	key.exportable = (flags & FLAG_EXPORTABLE) != 0;
	fine = fine && unpack_ops(unpack_bytes(&in), &key.ops);
	material->spec.exchange = is_exchange(&key.ops, &material->spec);
	material->id = unpack_bytes(&in);
	material->private.bytes = unpack_bytes(&in);
	material->public.n = unpack_bytes(&in);
	material->public.e = unpack_bytes(&in);
	material->public.x = unpack_bytes(&in);
	material->public.y = unpack_bytes(&in);
	key.release_policy = unpack_bytes(&in);
	if (!fine || !unpack_end(&in) || material->id.len != HEX16_LEN ||
	    material->spec.kind < KEY_RSA || material->spec.kind > KEY_OCT)
		return false;
	*out = key;
	return true;
}

bool
key_put(struct request *r, const struct key *key, struct version *version, struct error *err)
{
	AUTO(buf_free) struct buf content = { 0 };

	key_pack(key, &content);
	return (buf_ok(&content) && arena_copy(r->arena, buf_view(&content), &version->content)) ||
	    error_memory(err);
}

bool
key_of(struct request *r, const struct object *object, const struct version *version,
    struct key *out, struct error *err)
{
	if (!key_unpack(version->content, out))
		return error_set(err, ERR_CORRUPT, "a key's content can't be read");
	r->key = out->material.spec;
	return object_paths(r, &key_type, object, version->id, &out->material.path,
	    &out->material.head, err);
}

bool
key_keep(struct request *r, struct key *key, struct error *err)
{
	struct material *material = &key->material;
	view *const views[] = { &material->id, &material->private.bytes, &material->public.n,
		&material->public.e, &material->public.x, &material->public.y,
		&key->release_policy };

	for (size_t i = 0; i < COUNT_OF(views); i++) {
		if (!arena_copy(r->arena, *views[i], views[i]))
			return error_memory(err);
	}
	return true;
}

static bool
bits_check(const struct key_spec *spec, struct error *err)
{
	static const struct {
		enum key_kind kind;
		unsigned bits[3];
	} sizes[] = {
		{ KEY_RSA, { 2048, 3072, 4096 } },
		{ KEY_OCT, { 128, 192, 256 } },
	};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		const unsigned *bits = sizes[i].bits;

		if (sizes[i].kind == spec->kind && spec->bits != bits[0] && spec->bits != bits[1] &&
		    spec->bits != bits[2])
			return error_set(err, ERR_BAD_PARAMETER,
			    "Unsupported key size (%u). Supported sizes are [%u, %u, %u]",
			    spec->bits, bits[0], bits[1], bits[2]);
	}
	return true;
}

bool
key_tier_check(const struct request *r, const struct key_spec *spec, struct error *err)
{
	if (spec->hsm && !r->vault->premium)
		return error_set(err, ERR_KEY_TYPE,
		    "Invalid kty value: %s. Keys in an HSM need a vault of the premium tier.",
		    key_type_name(spec));
	return true;
}

bool
key_spec_check(const struct request *r, const struct key_spec *spec, struct error *err)
{
	return bits_check(spec, err) && key_tier_check(r, spec, err);
}

bool
key_charge_create(struct request *r, const struct key_spec *spec, struct error *err)
{
	return vault_charge(r, spec->hsm ? THROTTLE_HSM_CREATE : THROTTLE_SOFT_CREATE, spec, err);
}

bool
key_charge_use(struct request *r, const struct key_spec *spec, struct error *err)
{
	return vault_charge(r, spec->hsm ? THROTTLE_HSM_USE : THROTTLE_SOFT_USE, spec, err);
}

/* Those that there are. */
static void
write_numbers(struct json *json, const struct key_numbers *numbers)
{
	const struct {
		const char *name;
		view bytes;
	} members[] = { { "n", numbers->n }, { "e", numbers->e }, { "x", numbers->x },
		{ "y", numbers->y } };

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		if (members[i].bytes.len > 0)
			json_bytes(json, members[i].name, members[i].bytes);
	}
}

/* Members in the original's order. */
void
key_write_public(struct json *json, const struct key *key)
{
	const struct material *material = &key->material;

	json_text(json, "kty", view_of(key_type_name(&material->spec)));
	json_open_in(json, "key_ops", '[');
	for (size_t i = 0; i < key->ops.count; i++)
		json_text(json, NULL, view_of(op_names[key->ops.ops[i]]));
	json_close(json, ']');
	if (material->spec.kind == KEY_EC)
		json_text(json, "crv", view_of(key_curve_name(material->spec.curve)));
	write_numbers(json, &material->public);
}

static void
write_jwk(struct request *r, const struct object *object, const struct version *version,
    const struct key *key)
{
	json_open_in(&r->json, "key", '{');
	write_id(r, "kid", key_type.collection, object, version->id);
	key_write_public(&r->json, key);
	json_close(&r->json, '}');
}

/* Which members there are depends on the version the client speaks. */
void
key_write_attributes(struct request *r, const struct attributes *attributes, const struct key *key,
    bool managed)
{
	struct json *json = &r->json;

	write_attributes_open(r, attributes);
	if (r->version->rank >= VERSION_7_3 && !managed)
		json_flag(json, "exportable", key->exportable);
	/* The original: "0" is software, "2" its newest HSMs. */
	if (r->version->rank >= VERSION_7_5)
		json_text(json, "hsmPlatform", key->material.spec.hsm ? V("2") : V("0"));
	if (r->version->rank >= VERSION_2026_04_01)
		json_number(json, "key_size", key->material.spec.bits);
	json_close(json, '}');
}

void
key_write_policy(struct json *json, const struct key *key)
{
	struct release_policy policy;

	if (key->release_policy.len > 0 && release_policy_unpack(key->release_policy, &policy))
		release_policy_write(json, &policy);
}

static void
write_key(struct request *r, const struct object *object, const struct version *version)
{
	struct key key;

	if (!key_unpack(version->content, &key))
		key = (struct key){ 0 };
	r->key = key.material.spec;
	write_jwk(r, object, version, &key);
	key_write_attributes(r, &version->attributes, &key, object->managed);
	write_tags(r, version->tags);
	write_managed(r, object);
	if (r->version->rank >= VERSION_7_3)
		key_write_policy(&r->json, &key);
}

void
key_reply(struct request *r, const struct object *object, const struct version *version)
{
	json_open(reply_json(r), '{');
	write_key(r, object, version);
	json_close(&r->json, '}');
}

static void
write_item(struct request *r, const struct object *object, const struct version *version,
    bool versioned)
{
	struct key key;

	if (!key_unpack(version->content, &key))
		key = (struct key){ 0 };
	write_id(r, "kid", key_type.collection, object, versioned ? version->id : V(""));
	key_write_attributes(r, &version->attributes, &key, object->managed);
	write_tags(r, version->tags);
	write_managed(r, object);
}

/* In a backup the private part is sealed for whoever may restore it, not for this vault. */
static bool
to_backup(struct request *r, view binding, struct version *version, struct error *err)
{
	struct key key;

	if (!key_unpack(version->content, &key))
		return error_set(err, ERR_CORRUPT, "a key's content can't be read");
	return material_backup(r->services->keyring, r->vault->key, &key.material, binding,
		   r->arena, &key.material.private.bytes, err) &&
	    key_put(r, &key, version, err);
}

static bool
from_backup(struct request *r, const struct object *object, view binding, struct version *version,
    struct error *err)
{
	struct key key;

	if (!key_unpack(version->content, &key))
		return error_set(err, ERR_CORRUPT, "a key's content can't be read");
	return key_spec_check(r, &key.material.spec, err) &&
	    material_restore(r->services->keyring, r->vault->key, key.material.private.bytes,
		binding, r->arena, &key.material, err) &&
	    material_keep(&r->tx, uuid_view(&r->vault->id), view_of(object->id), &key.material,
		err) &&
	    key_put(r, &key, version, err);
}

static const char *const reserved[] = { "restore", NULL };

const struct object_type key_type = {
	.letter = 'k',
	.noun = "key",
	.title = "Key",
	.collection = "keys",
	.deleted = "deletedkeys",
	.not_found = ERR_KEY_NOT_FOUND,
	.managed = ERR_KEY_MANAGED,
	.terse = true,
	.tag_name_max = 256,
	.tag_value_max = 256,
	.reserved = reserved,
	.write = write_key,
	.write_item = write_item,
	.to_backup = to_backup,
	.from_backup = from_backup,
	.changed = rotation_changed,
	.pack_policy = rotation_pack,
	.restore_policy = rotation_restore,
};
