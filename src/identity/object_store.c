#include "identity/object_store.h"

#include "base/pack.h"

#define FORMAT 3
#define FORMAT_PLAIN 2 /* kind, tenant, appid: applications only, all enabled */
#define FLAG_DISABLED 1
#define FLAG_IDENTITY 2
#define WALK_PAGE 64 /* documents in memory at once */
#define WALK_MEMORY ((size_t)64 * 1024 * 1024)

/* What the transaction itself did to a document, last. */
static const struct change *
own_change(const struct tx *tx, view path)
{
	for (size_t i = tx->count; i-- > 0;) {
		if (tx->changes[i].kind != CHANGE_EXPECT && view_eq(tx->changes[i].key, path))
			return &tx->changes[i];
	}
	return NULL;
}

/* An application may be made and given credentials in one transaction. */
bool
directory_read(struct tx *tx, view path, enum store_use use, struct plain **out, struct error *err)
{
	struct vault_key *key = keyring_system(tx->keyring);
	const struct change *own = own_change(tx, path);

	if (own != NULL && own->kind == CHANGE_DELETE) {
		*out = NULL;
		return true;
	}
	if (own != NULL)
		return keyring_unseal(key, &own->value, path, out, err);
	return use == STORE_CHANGE ? tx_take(tx, key, path, out, err)
				   : tx_get(tx, key, path, out, err);
}

bool
object_not_found(struct error *err, view id)
{
	struct uuid known;

	return error_set(err, ERR_GRAPH_NOT_FOUND,
	    "Resource '%s' does not exist or one of its queried reference-property objects are "
	    "not present.",
	    uuid_parse(id, &known) ? known.text : "");
}

bool
object_taken(struct error *err, const char *property)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "Another object with the same value for property %s already exists.", property);
}

static bool
oid_path(struct tx *tx, const struct uuid *id, view *out, struct error *err)
{
	return arena_print(tx->arena, out, "oid/%s", id->text) || error_memory(err);
}

bool
oid_unpack(view document, struct oid *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	unsigned format = unpack_u8(&in), kind = unpack_u8(&in), flags = 0;
	bool fine = format == FORMAT || format == FORMAT_PLAIN;

	*out = (struct oid){ .kind = (enum object_kind)kind };
	fine &= kind > OBJECT_ANY && kind < OBJECT_KINDS;
	fine &= uuid_parse(unpack_bytes(&in), &out->tenant);
	fine &= uuid_parse(unpack_bytes(&in), &out->id);
	if (format == FORMAT)
		flags = unpack_u8(&in);
	out->disabled = (flags & FLAG_DISABLED) != 0;
	out->identity = (flags & FLAG_IDENTITY) != 0;
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "An object's document is not readable.");
}

bool
oid_get(struct tx *tx, view id, enum store_use use, struct oid *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct uuid known;
	view path;

	if (!uuid_parse(id, &known))
		return object_not_found(err, id);
	if (!oid_path(tx, &known, &path, err) || !directory_read(tx, path, use, &document, err))
		return false;
	if (document == NULL)
		return object_not_found(err, id);
	return oid_unpack(plain_view(document), out, err);
}

bool
oid_put(struct tx *tx, const struct uuid *id, const struct oid *object, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	unsigned flags = 0;
	view path;

	if (!oid_path(tx, id, &path, err))
		return false;
	flags |= object->disabled ? FLAG_DISABLED : 0;
	flags |= object->identity ? FLAG_IDENTITY : 0;
	pack_u8(&document, FORMAT);
	pack_u8(&document, (uint8_t)object->kind);
	pack_bytes(&document, uuid_view(&object->tenant));
	pack_bytes(&document, uuid_view(&object->id));
	pack_u8(&document, (uint8_t)flags);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
oid_add(struct tx *tx, const struct uuid *id, const struct oid *object, struct error *err)
{
	AUTO(plain_done) struct plain *before = NULL;
	view path;

	if (!oid_path(tx, id, &path, err) || !directory_read(tx, path, STORE_CHANGE, &before, err))
		return false;
	return before == NULL ? oid_put(tx, id, object, err) : object_taken(err, "id");
}

bool
oid_delete(struct tx *tx, const struct uuid *id, struct error *err)
{
	view path;

	return oid_path(tx, id, &path, err) && tx_delete(tx, path, err);
}

struct walk {
	directory_visit *visit;
	void *ctx;
	bool more;
};

static bool
walk_page(struct tx *tx, const struct document *documents, size_t count, struct walk *walk,
    struct error *err)
{
	for (size_t i = 0; i < count && walk->more; i++) {
		AUTO(plain_done) struct plain *plain = NULL;

		if (!keyring_unseal(keyring_system(tx->keyring), &documents[i].value,
			documents[i].key, &plain, err) ||
		    !walk->visit(walk->ctx, plain_view(plain), &walk->more, err))
			return false;
	}
	return true;
}

bool
directory_walk(struct tx *tx, view prefix, view after, size_t limit, directory_visit *visit,
    void *ctx, bool *end, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf marker = { 0 };
	struct walk walk = { visit, ctx, true };
	struct document *documents;
	size_t count = WALK_PAGE;

	arena_init(&arena, WALK_MEMORY);
	buf_add(&marker, prefix);
	buf_add(&marker, after);
	for (size_t seen = 0; seen < limit && count == WALK_PAGE && walk.more; seen += count) {
		arena_wipe(&arena);
		if (!buf_ok(&marker))
			return error_memory(err);
		if (!store_scan(tx->reader, prefix, buf_view(&marker), WALK_PAGE, &arena,
			&documents, &count, err) ||
		    !walk_page(tx, documents, count, &walk, err))
			return false;
		if (count == 0)
			break;
		buf_reset(&marker);
		buf_add(&marker, documents[count - 1].key);
	}
	*end = count < WALK_PAGE && walk.more;
	return true;
}
