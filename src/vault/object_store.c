#include "vault/object_store.h"

#include "base/pack.h"

#include <string.h>

#define HEAD_FORMAT 1
#define HEAD_FORMAT_FLAGS 2
#define VERSION_FORMAT 1

enum { FLAG_ENABLED = 1, FLAG_NBF = 2, FLAG_EXP = 4 };
enum { HEAD_MANAGED = 1 };

void
object_done(struct object *object)
{
	plain_free(object->document);
	plain_free(object->whole);
	object->document = object->whole = NULL;
}

void
version_done(struct version *version)
{
	plain_free(version->document);
	version->document = NULL;
}

bool
heads_prefix(struct request *r, const struct object_type *type, enum object_state state, view *out,
    struct error *err)
{
	const view parts[] = { V("v/"), uuid_view(&r->vault->id),
		state == OBJECT_DELETED ? V("/d") : V("/"), { &type->letter, 1 }, V("/") };

	return arena_join(r->arena, parts, COUNT_OF(parts), out) || error_memory(err);
}

bool
versions_prefix(struct arena *arena, view vault, char letter, view object, view *out,
    struct error *err)
{
	const view parts[] = { V("v/"), vault, V("/v"), { &letter, 1 }, V("/"), object, V("/") };

	return arena_join(arena, parts, COUNT_OF(parts), out) || error_memory(err);
}

bool
object_policy_path(struct arena *arena, view vault, char letter, view object, view *out,
    struct error *err)
{
	const view parts[] = { V("v/"), vault, V("/"), { &letter, 1 }, V("p/"), object };

	return arena_join(arena, parts, COUNT_OF(parts), out) || error_memory(err);
}

/* Names are compared in any case: in the keys they stand in upper case. */
bool
head_path(struct request *r, const struct object_type *type, enum object_state state, view name,
    view *out, struct error *err)
{
	char upper[OBJECT_NAME_MAX];
	view parts[2] = { { NULL, 0 }, { upper, name.len } };

	if (name.len > sizeof(upper))
		return error_set(err, ERR_CORRUPT, "an object's name is too long");
	for (size_t i = 0; i < name.len; i++)
		upper[i] = ascii_upper(name.ptr[i]);
	return heads_prefix(r, type, state, &parts[0], err) &&
	    (arena_join(r->arena, parts, COUNT_OF(parts), out) || error_memory(err));
}

bool
version_path(struct request *r, const struct object_type *type, const struct object *object,
    view version, view *out, struct error *err)
{
	char lower[HEX16_LEN];
	view parts[2] = { { NULL, 0 }, { lower, sizeof(lower) } };

	if (version.len != sizeof(lower))
		return error_set(err, ERR_CORRUPT, "a version's id has the wrong length");
	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = ascii_lower(version.ptr[i]);
	return versions_prefix(r->arena, uuid_view(&r->vault->id), type->letter,
		   view_of(object->id), &parts[0], err) &&
	    (arena_join(r->arena, parts, COUNT_OF(parts), out) || error_memory(err));
}

bool
head_decode(struct plain *document, struct object *out, struct error *err)
{
	struct unpack in = unpack_of(plain_view(document));
	struct object object = { .document = document };
	uint8_t format = unpack_u8(&in);
	bool fine = format == HEAD_FORMAT || format == HEAD_FORMAT_FLAGS;
	view id;

	object.name = unpack_bytes(&in);
	id = unpack_bytes(&in);
	object.latest = unpack_bytes(&in);
	object.deleted = unpack_i64(&in);
	object.purge = unpack_i64(&in);
	object.managed = format == HEAD_FORMAT_FLAGS && (unpack_u8(&in) & HEAD_MANAGED) != 0;
	if (!fine || !unpack_end(&in) || id.len != HEX16_LEN)
		return error_set(err, ERR_CORRUPT, "an object's document can't be read");
	memcpy(object.id, id.ptr, HEX16_LEN);
	*out = object;
	return true;
}

bool
head_write(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	enum object_state state = object->deleted != 0 ? OBJECT_DELETED : OBJECT_LIVE;
	view path;

	pack_u8(&document, object->managed ? HEAD_FORMAT_FLAGS : HEAD_FORMAT);
	pack_bytes(&document, object->name);
	pack_bytes(&document, view_of(object->id));
	pack_bytes(&document, object->latest);
	pack_i64(&document, object->deleted);
	pack_i64(&document, object->purge);
	if (object->managed)
		pack_u8(&document, HEAD_MANAGED);
	return head_path(r, type, state, object->name, &path, err) &&
	    tx_put(&r->tx, r->vault->key, path, &document, err);
}

void
version_encode(const struct version *version, struct buf *out)
{
	const struct attributes *attributes = &version->attributes;

	pack_u8(out, VERSION_FORMAT);
	pack_bytes(out, version->id);
	pack_u8(out,
	    (uint8_t)((attributes->enabled ? FLAG_ENABLED : 0) |
		(attributes->has_nbf ? FLAG_NBF : 0) | (attributes->has_exp ? FLAG_EXP : 0)));
	pack_i64(out, attributes->nbf);
	pack_i64(out, attributes->exp);
	pack_i64(out, attributes->created);
	pack_i64(out, attributes->updated);
	pack_bytes(out, version->tags);
	pack_bytes(out, version->content);
}

bool
version_decode(struct plain *document, struct version *out, struct error *err)
{
	struct unpack in = unpack_of(plain_view(document));
	struct version version = { .document = document };
	bool fine = unpack_u8(&in) == VERSION_FORMAT;
	uint8_t flags;

	version.id = unpack_bytes(&in);
	flags = unpack_u8(&in);
	version.attributes.enabled = (flags & FLAG_ENABLED) != 0;
	version.attributes.has_nbf = (flags & FLAG_NBF) != 0;
	version.attributes.has_exp = (flags & FLAG_EXP) != 0;
	version.attributes.nbf = unpack_i64(&in);
	version.attributes.exp = unpack_i64(&in);
	version.attributes.created = unpack_i64(&in);
	version.attributes.updated = unpack_i64(&in);
	version.tags = unpack_bytes(&in);
	version.content = unpack_bytes(&in);
	if (!fine || !unpack_end(&in) || version.id.len != HEX16_LEN)
		return error_set(err, ERR_CORRUPT, "a version's document can't be read");
	*out = version;
	return true;
}

static bool
read_document(struct request *r, view path, enum intent intent, struct plain **out,
    struct error *err)
{
	if (intent == TO_CHANGE)
		return tx_take(&r->tx, r->vault->key, path, out, err);
	return tx_get(&r->tx, r->vault->key, path, out, err);
}

bool
object_read(struct request *r, const struct object_type *type, enum object_state state, view name,
    enum intent intent, struct object *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	if (!head_path(r, type, state, name, &path, err) ||
	    !read_document(r, path, intent, &document, err))
		return false;
	*found = document != NULL;
	if (document == NULL)
		return true;
	if (!head_decode(document, out, err))
		return false;
	document = NULL;
	return true;
}

static bool
policy_path(struct request *r, const struct object_type *type, const struct object *object,
    view *out, struct error *err)
{
	return object_policy_path(r->arena, uuid_view(&r->vault->id), type->letter,
	    view_of(object->id), out, err);
}

bool
object_read_policy(struct request *r, const struct object_type *type, enum intent intent,
    struct object *object, struct error *err)
{
	view path;

	plain_free(object->whole);
	object->whole = NULL;
	if (!policy_path(r, type, object, &path, err) ||
	    !read_document(r, path, intent, &object->whole, err))
		return false;
	object->policy = object->whole != NULL ? plain_view(object->whole) : V("");
	return true;
}

bool
object_write_policy(struct request *r, const struct object_type *type, const struct object *object,
    const struct buf *policy, struct error *err)
{
	view path;

	return policy_path(r, type, object, &path, err) &&
	    tx_put(&r->tx, r->vault->key, path, policy, err);
}

bool
version_read(struct request *r, const struct object_type *type, const struct object *object,
    view id, enum intent intent, struct version *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*out = (struct version){ 0 };
	/* What is no version id names no version. */
	if (id.len != HEX16_LEN)
		return true;
	if (!version_path(r, type, object, id, &path, err) ||
	    !read_document(r, path, intent, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!version_decode(document, out, err))
		return false;
	document = NULL;
	return true;
}

bool
version_latest(struct request *r, const struct object_type *type, const struct object *object,
    struct version *out, struct error *err)
{
	return version_read(r, type, object, object->latest, TO_READ, out, err) &&
	    (out->document != NULL ||
		error_set(err, ERR_CORRUPT, "an object's latest version is missing"));
}

bool
version_write(struct request *r, const struct object_type *type, const struct object *object,
    const struct version *version, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	version_encode(version, &document);
	return version_path(r, type, object, version->id, &path, err) &&
	    tx_put(&r->tx, r->vault->key, path, &document, err);
}

bool
object_changed(struct request *r, const struct object_type *type, const struct object *object,
    const struct version *latest, struct error *err)
{
	return type->changed == NULL || type->changed(r, object, latest, err);
}

bool
object_write_version(struct request *r, const struct object_type *type, const struct object *object,
    const struct version *version, struct error *err)
{
	return version_write(r, type, object, version, err) &&
	    (!view_eq(version->id, object->latest) ||
		object_changed(r, type, object, version, err));
}
