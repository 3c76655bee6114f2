/*
 * Backups: one object with all its versions, packed and sealed for the subscription and geography
 * of its vault.  The blob is base64url of: a length byte, a marker that names the kind, the sealed
 * bytes.  Restoring parses and checks the whole of it before anything is written.
 */
#include "base/base64.h"
#include "base/pack.h"
#include "crypto/random.h"
#include "vault/due.h"
#include "vault/object_store.h"

#include <string.h>

const struct field object_restore_fields[] = {
	{ .name = "value",
	    .kind = FIELD_TEXT,
	    .required = true,
	    .offset = offsetof(struct object_restore_body, value) },
	{ 0 },
};

#define FORMAT 1
#define FORMAT_POLICY 2 /* with what belongs to the object as a whole */
#define MARKER "Strongroom.Backup.V1."
#define PAGE 50
#define MEMBERS_MAX 2 /* types of objects that live and die with one of another */

/* A blob has to fit into the request that restores it (1 MB), with some room for the JSON. */
#define BACKUP_BYTES_MAX ((size_t)760 * 1024)

static bool
binding_of(struct request *r, view *out, struct error *err)
{
	return arena_print(r->arena, out, "%s/%.*s", r->vault->subscription.text,
		   VIEW_ARG(vault_geography(r->vault->location))) ||
	    error_memory(err);
}

static bool
too_large(const struct object_type *type, struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "The %s has too many or too large versions to be backed up.", type->noun);
}

/* What a type keeps is not always fit for a backup as it is. */
static bool
pack_version(struct request *r, const struct object_type *type, struct plain *document,
    struct buf *packed, struct error *err)
{
	AUTO(version_done) struct version version = { .document = document };
	AUTO(buf_free) struct buf encoded = { 0 };
	view binding;

	if (type->to_backup == NULL) {
		pack_bytes(packed, plain_view(document));
		return true;
	}
	if (!version_decode(document, &version, err) || !binding_of(r, &binding, err) ||
	    !type->to_backup(r, binding, &version, err))
		return false;
	version_encode(&version, &encoded);
	pack_bytes(packed, buf_view(&encoded));
	return buf_ok(&encoded) || error_memory(err);
}

/* Append the documents behind *after; both counts go up. */
static bool
pack_versions(struct request *r, const struct object_type *type, view prefix, view *after,
    struct buf *packed, size_t *count, size_t *total, struct error *err)
{
	struct document *documents;

	if (!store_scan(r->tx.reader, prefix, *after, PAGE, r->arena, &documents, count, err))
		return false;
	for (size_t i = 0; i < *count; i++) {
		struct plain *document = NULL;

		if (!keyring_unseal(r->vault->key, &documents[i].value, documents[i].key, &document,
			err) ||
		    !pack_version(r, type, document, packed, err))
			return false;
		*after = documents[i].key;
	}
	*total += *count;
	return true;
}

static bool
pack_object(struct request *r, const struct object_type *type, const struct object *object,
    struct buf *packed, struct error *err)
{
	AUTO(buf_free) struct buf versions = { 0 }, policy = { 0 };
	size_t count = PAGE, total = 0;
	view prefix, after = V("");

	if (type->pack_policy != NULL && !type->pack_policy(r, object, &policy, err))
		return false;
	if (!versions_prefix(r->arena, uuid_view(&r->vault->id), type->letter, view_of(object->id),
		&prefix, err))
		return false;
	while (count == PAGE) {
		if (!pack_versions(r, type, prefix, &after, &versions, &count, &total, err))
			return false;
		if (total > BACKUP_VERSIONS_MAX || versions.len > BACKUP_BYTES_MAX)
			return too_large(type, err);
	}
	pack_u8(packed, policy.len > 0 ? FORMAT_POLICY : FORMAT);
	pack_bytes(packed, object->name);
	pack_bytes(packed, object->latest);
	if (policy.len > 0)
		pack_bytes(packed, buf_view(&policy));
	pack_u32(packed, (uint32_t)total);
	buf_add(packed, buf_view(&versions));
	return (buf_ok(packed) && buf_ok(&versions) && buf_ok(&policy)) || error_memory(err);
}

/* One after the other behind the object itself, by their types; empty: there is none. */
static bool
pack_members(struct request *r, const struct object_type *type, const struct object *object,
    struct buf *packed, struct error *err)
{
	for (size_t i = 0; type->members != NULL && type->members[i] != NULL; i++) {
		AUTO(object_done) struct object member = { 0 };
		AUTO(buf_free) struct buf one = { 0 };
		bool found;

		if (!object_read(r, type->members[i], OBJECT_LIVE, object->name, TO_READ, &member,
			&found, err))
			return false;
		if (found && member.managed &&
		    !pack_object(r, type->members[i], &member, &one, err))
			return false;
		pack_bytes(packed, buf_view(&one));
	}
	if (packed->len > BACKUP_BYTES_MAX)
		return too_large(type, err);
	return buf_ok(packed) || error_memory(err);
}

static bool
write_blob(struct request *r, const struct object_type *type, view packed, struct error *err)
{
	AUTO(buf_free) struct buf blob = { 0 }, text = { 0 };
	view binding;

	buf_add_char(&blob, (char)(sizeof(MARKER) - 1 + strlen(type->noun)));
	buf_add(&blob, V(MARKER));
	buf_add(&blob, view_of(type->noun));
	if (!binding_of(r, &binding, err) ||
	    !keyring_seal_backup(r->services->keyring, binding, packed, &blob, err))
		return false;
	base64_encode(BASE64URL, buf_view(&blob), &text);
	json_open(reply_json(r), '{');
	json_text(&r->json, "value", buf_view(&text));
	json_close(&r->json, '}');
	return (buf_ok(&blob) && buf_ok(&text)) || error_memory(err);
}

bool
object_backup(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	AUTO(buf_free) struct buf packed = { 0 };

	if (!object_require(r, type, r->params[0], V(""), TO_READ, &object, &latest, err))
		return err->code == type->not_found ? object_unknown(type, r->params[0], err)
						    : false;
	return object_refuse_managed(type, &object, "backup", err) &&
	    pack_object(r, type, &object, &packed, err) &&
	    pack_members(r, type, &object, &packed, err) &&
	    write_blob(r, type, buf_view(&packed), err);
}

static bool
malformed(struct error *err)
{
	return error_set(err, ERR_MALFORMED_BACKUP,
	    "Backup blob contains invalid or corrupt version.");
}

/* The sealed part of the blob, once its marker says that it is of this type. */
static bool
strip_marker(const struct object_type *type, view *blob)
{
	size_t len;
	view marker;

	if (blob->len == 0)
		return false;
	len = (unsigned char)blob->ptr[0];
	marker = view_from(*blob, 1);
	if (marker.len <= len)
		return false;
	marker.len = len;
	*blob = view_from(*blob, 1 + len);
	return view_starts(marker, V(MARKER)) &&
	    view_eq(view_from(marker, sizeof(MARKER) - 1), view_of(type->noun));
}

static bool
open_blob(struct request *r, const struct object_type *type, view text, struct plain **out,
    struct error *err)
{
	char *bytes = arena_alloc(r->arena, text.len + 1);
	view binding, blob;
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64URL, text, bytes, &len))
		return malformed(err);
	blob = (view){ bytes, len };
	if (!strip_marker(type, &blob))
		return malformed(err);
	if (!binding_of(r, &binding, err))
		return false;
	if (keyring_unseal_backup(r->services->keyring, binding, blob, out, err))
		return true;
	return err->code == ERR_CORRUPT ? malformed(err) : false;
}

/* What a blob says, checked as a whole. */
struct restored {
	struct object object;
	view policy; /* empty: none */
	struct version *versions;
	size_t count;
};

/* An object with what lives and dies with it. */
struct blob {
	struct restored object;
	struct restored members[MEMBERS_MAX]; /* by type->members; no versions: there is none */
};

static bool
unpack_versions(struct unpack *in, struct restored *out, struct arena *arena, struct error *err)
{
	out->versions = arena_alloc(arena, (out->count + 1) * sizeof(*out->versions));
	if (out->versions == NULL)
		return error_memory(err);
	for (size_t i = 0; i < out->count; i++) {
		AUTO(plain_done) struct plain *document = plain_copy(unpack_bytes(in));

		if (document == NULL)
			return error_memory(err);
		if (!version_decode(document, &out->versions[i], err))
			return malformed(err);
		document = NULL;
	}
	return true;
}

static void
restored_done(struct restored *restored)
{
	for (size_t i = 0; restored->versions != NULL && i < restored->count; i++)
		version_done(&restored->versions[i]);
}

static void
blob_done(struct blob *blob)
{
	restored_done(&blob->object);
	for (size_t i = 0; i < MEMBERS_MAX; i++)
		restored_done(&blob->members[i]);
}

static const struct version *
latest_of(const struct restored *restored)
{
	for (size_t i = 0; i < restored->count; i++) {
		if (view_eq(restored->versions[i].id, restored->object.latest))
			return &restored->versions[i];
	}
	return NULL;
}

static bool
unpack_object(const struct object_type *type, struct unpack *in, struct restored *out,
    struct arena *arena, struct error *err)
{
	uint8_t format = unpack_u8(in);
	bool fine = format == FORMAT || (format == FORMAT_POLICY && type->restore_policy != NULL);

	out->object.name = unpack_bytes(in);
	out->object.latest = unpack_bytes(in);
	if (format == FORMAT_POLICY)
		out->policy = unpack_bytes(in);
	out->count = unpack_u32(in);
	if (!fine || in->failed || out->count == 0 || out->count > BACKUP_VERSIONS_MAX) {
		out->count = 0;
		return malformed(err);
	}
	if (!unpack_versions(in, out, arena, err))
		return false;
	if (in->failed || !object_name_check(out->object.name, err) || latest_of(out) == NULL)
		return malformed(err);
	return true;
}

static bool
unpack_blob(const struct object_type *type, view packed, struct blob *out, struct arena *arena,
    struct error *err)
{
	struct unpack in = unpack_of(packed);

	if (!unpack_object(type, &in, &out->object, arena, err))
		return false;
	for (size_t i = 0; type->members != NULL && type->members[i] != NULL; i++) {
		struct restored *member = &out->members[i];
		struct unpack one = unpack_of(unpack_bytes(&in));

		if (one.rest.len == 0)
			continue;
		if (!unpack_object(type->members[i], &one, member, arena, err))
			return false;
		if (!unpack_end(&one) || !view_eq(member->object.name, out->object.object.name))
			return malformed(err);
		member->object.managed = true;
	}
	return unpack_end(&in) || malformed(err);
}

static bool
restore_conflict(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	return error_set(err, ERR_CONFLICT,
	    "There was a conflict restoring the %s 'https://%.*s/%s/%.*s/%.*s'. This can happen if "
	    "either: a second %s with the same name was created after the first %s was deleted; "
	    "thus trying to restore a %s whose name is already in use. To fix this, rename the "
	    "second %s to something else so that the restore works. The second probable cause of "
	    "this exception is when multiple operations are performed in parallel against the %s. "
	    "To avoid this error, perform operations against a %s in a sequential manner.",
	    type->noun, VIEW_ARG(r->authority), type->collection, VIEW_ARG(object->name),
	    VIEW_ARG(object->latest), type->noun, type->noun, type->noun, type->noun, type->noun,
	    type->noun);
}

static bool
require_free(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	static const enum object_state states[] = { OBJECT_LIVE, OBJECT_DELETED };

	if (!object_refuse_reserved(type, object->name, err))
		return false;
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		AUTO(object_done) struct object present = { 0 };
		bool found;

		if (!object_read(r, type, states[i], object->name, TO_CHANGE, &present, &found,
			err))
			return false;
		if (found)
			return restore_conflict(r, type, object, err);
	}
	return true;
}

/* Under the keys of the vault it comes to. */
static bool
take_in(struct request *r, const struct object_type *type, struct restored *restored,
    struct error *err)
{
	view binding;

	random_ordered(restored->object.id);
	if (type->from_backup == NULL)
		return true;
	if (!binding_of(r, &binding, err))
		return false;
	for (size_t i = 0; i < restored->count; i++) {
		if (!type->from_backup(r, &restored->object, binding, &restored->versions[i], err))
			return err->code == ERR_CORRUPT ? malformed(err) : false;
	}
	return true;
}

static bool
write_all(struct request *r, const struct object_type *type, struct restored *restored,
    struct error *err)
{
	if (!object_name(r, type, &restored->object, restored->object.latest, err))
		return false;
	for (size_t i = 0; i < restored->count; i++) {
		if (!version_write(r, type, &restored->object, &restored->versions[i], err))
			return false;
	}
	if (!head_write(r, type, &restored->object, err))
		return false;
	return type->restore_policy == NULL ||
	    type->restore_policy(r, &restored->object, restored->policy, latest_of(restored),
		err) ||
	    (err->code == ERR_CORRUPT && malformed(err));
}

static bool
restore_one(struct request *r, const struct object_type *type, struct restored *restored,
    struct error *err)
{
	return require_free(r, type, &restored->object, err) && take_in(r, type, restored, err) &&
	    write_all(r, type, restored, err);
}

static bool
restore_all(struct request *r, const struct object_type *type, struct blob *blob, struct error *err)
{
	for (size_t i = 0; type->members != NULL && type->members[i] != NULL; i++) {
		if (blob->members[i].count > 0 &&
		    !restore_one(r, type->members[i], &blob->members[i], err))
			return false;
	}
	return restore_one(r, type, &blob->object, err);
}

bool
object_restore(struct request *r, const struct object_type *type, view blob, struct error *err)
{
	AUTO(plain_done) struct plain *packed = NULL;
	AUTO(blob_done) struct blob all = { 0 };

	if (!open_blob(r, type, blob, &packed, err) ||
	    !unpack_blob(type, plain_view(packed), &all, r->arena, err) ||
	    !restore_all(r, type, &all, err))
		return false;
	all.object.object.policy = all.object.policy;
	json_open(reply_json(r), '{');
	type->write(r, &all.object.object, latest_of(&all.object));
	json_close(&r->json, '}');
	return true;
}
