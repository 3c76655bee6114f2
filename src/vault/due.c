#include "vault/due.h"

#include "base/pack.h"
#include "vault/object_store.h"

#define FORMAT 1
#define SWEEP_MAX 1000 /* versions a commit */
#define TIME_DIGITS 16

struct due {
	enum due_kind kind;
	view vault_name, vault; /* the id tells a new vault of an old name apart */
	char letter;
	view object, name;
};

static bool
due_path(struct arena *arena, int64_t time, const struct due *due, view *out, struct error *err)
{
	return arena_print(arena, out, DUE_PREFIX "%0*llx/%d/%.*s/%c/%.*s", TIME_DIGITS,
		   (unsigned long long)time, due->kind, VIEW_ARG(due->vault), due->letter,
		   VIEW_ARG(due->object)) ||
	    error_memory(err);
}

bool
due_time(view path, int64_t *out)
{
	view digits = view_from(path, sizeof(DUE_PREFIX) - 1);
	uint8_t bytes[TIME_DIGITS / 2];
	struct unpack in = unpack_of((view){ (const char *)bytes, sizeof(bytes) });

	if (digits.len < TIME_DIGITS || !hex_decode((view){ digits.ptr, TIME_DIGITS }, bytes))
		return false;
	*out = unpack_i64(&in);
	return true;
}

static bool
due_put(struct tx *tx, int64_t time, const struct due *due, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_u8(&document, (uint8_t)due->kind);
	pack_bytes(&document, due->vault_name);
	pack_bytes(&document, due->vault);
	pack_u8(&document, (uint8_t)due->letter);
	pack_bytes(&document, due->object);
	pack_bytes(&document, due->name);
	return due_path(tx->arena, time, due, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
decode(view document, struct due *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;

	out->kind = unpack_u8(&in);
	out->vault_name = unpack_bytes(&in);
	out->vault = unpack_bytes(&in);
	out->letter = (char)unpack_u8(&in);
	out->object = unpack_bytes(&in);
	out->name = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a due document can't be read");
	return true;
}

static struct due
purge_of(const struct request *r, const struct object_type *type, const struct object *object)
{
	return (struct due){
		.kind = DUE_PURGE,
		.vault_name = r->vault->name,
		.vault = uuid_view(&r->vault->id),
		.letter = type->letter,
		.object = view_of(object->id),
		.name = object->name,
	};
}

bool
due_put_purge(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	struct due due = purge_of(r, type, object);

	return due_put(&r->tx, object->purge, &due, err);
}

bool
due_delete_purge(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	struct due due = purge_of(r, type, object);
	view path;

	return due_path(r->arena, object->purge, &due, &path, err) && tx_delete(&r->tx, path, err);
}

bool
due_sweep_versions(struct tx *tx, view vault, char letter, view object, struct error *err)
{
	struct due rest = { .kind = DUE_SWEEP, .vault = vault, .letter = letter, .object = object };
	view prefix, *versions;
	size_t count;

	if (!versions_prefix(tx->arena, vault, letter, object, &prefix, err) ||
	    !store_keys(tx->reader, prefix, V(""), SWEEP_MAX, tx->arena, &versions, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!tx_delete(tx, versions[i], err))
			return false;
	}
	return count < SWEEP_MAX || due_put(tx, 0, &rest, err);
}

static bool
purge(struct tx *tx, const struct vault *vault, const struct due *due, int64_t now,
    struct due_done *done, struct error *err)
{
	/* The object's documents are found as a request would find them. */
	const struct object_type type = { .letter = due->letter };
	struct request r = { .vault = vault, .arena = tx->arena, .tx = *tx };
	AUTO(object_done) struct object object = { 0 };
	bool found;
	view path;

	if (!object_read(&r, &type, OBJECT_DELETED, due->name, TO_CHANGE, &object, &found, err))
		return false;
	*tx = r.tx;
	if (!found || !view_eq(view_of(object.id), due->object) || object.purge > now)
		return true;
	done->letter = due->letter;
	if (!arena_copy(tx->arena, due->name, &done->name) ||
	    !arena_copy(tx->arena, vault->scope, &done->scope) ||
	    !arena_copy(tx->arena, vault->scope_capital, &done->scope_capital))
		return error_memory(err);
	return head_path(&r, &type, OBJECT_DELETED, due->name, &path, err) &&
	    tx_delete(tx, path, err) &&
	    due_sweep_versions(tx, due->vault, due->letter, due->object, err);
}

static void
release(const struct vault **vault)
{
	vault_release(*vault);
}

bool
due_run(struct tx *tx, struct vaults *vaults, view path, int64_t now, struct due_done *done,
    struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	AUTO(release) const struct vault *vault = NULL;
	struct due due;
	int64_t time;

	*done = (struct due_done){ 0 };
	/* The clock may have been set back since the caller looked. */
	if (!due_time(path, &time) || time > now)
		return true;
	if (!tx_take(tx, keyring_system(tx->keyring), path, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!tx_delete(tx, path, err) || !decode(plain_view(document), &due, err))
		return false;
	if (due.kind == DUE_SWEEP)
		return due_sweep_versions(tx, due.vault, due.letter, due.object, err);
	vault = vaults_find(vaults, due.vault_name);
	if (vault == NULL || !view_eq(uuid_view(&vault->id), due.vault))
		return true;
	return purge(tx, vault, &due, now, done, err);
}
