/*
 * Assignments' documents.
 */
#include "access/index.h"
#include "base/pack.h"

#define PREFIX "a/"
#define FORMAT 2
#define FORMAT_WITHOUT_TENANT 1

static bool
path_of(struct arena *arena, view name, view *out, struct error *err)
{
	return arena_print(arena, out, PREFIX "%.*s", VIEW_ARG(name)) || error_memory(err);
}

static void
encode(const struct assignment *assignment, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&assignment->principal));
	pack_bytes(out, uuid_view(&assignment->role));
	pack_bytes(out, assignment->scope);
	pack_bytes(out, assignment->principal_type);
	pack_i64(out, assignment->created);
	pack_bytes(out, uuid_view(&assignment->created_by));
	pack_bytes(out, uuid_view(&assignment->tenant));
	pack_bytes(out, assignment->condition);
	pack_bytes(out, assignment->description);
	pack_i64(out, assignment->updated);
	pack_bytes(out, uuid_view(&assignment->updated_by));
}

/* What the second format added; the first one's assignments are as they were made. */
static bool
decode_rest(struct unpack *in, uint8_t format, const struct uuid *home, struct assignment *out)
{
	if (format == FORMAT_WITHOUT_TENANT) {
		out->tenant = *home;
		out->condition = out->description = V("");
		out->updated = out->created;
		out->updated_by = out->created_by;
		return true;
	}
	if (!uuid_parse(unpack_bytes(in), &out->tenant))
		return false;
	out->condition = unpack_bytes(in);
	out->description = unpack_bytes(in);
	out->updated = unpack_i64(in);
	return uuid_parse(unpack_bytes(in), &out->updated_by);
}

bool
assignment_decode(view name, view document, const struct uuid *home, struct assignment *out,
    struct error *err)
{
	struct unpack in = unpack_of(document);
	uint8_t format = unpack_u8(&in);
	bool fine = (format == FORMAT || format == FORMAT_WITHOUT_TENANT) &&
	    uuid_parse(name, &out->name) && uuid_parse(unpack_bytes(&in), &out->principal) &&
	    uuid_parse(unpack_bytes(&in), &out->role);

	out->scope = unpack_bytes(&in);
	out->principal_type = unpack_bytes(&in);
	out->created = unpack_i64(&in);
	fine = fine && uuid_parse(unpack_bytes(&in), &out->created_by) &&
	    decode_rest(&in, format, home, out);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a role assignment can't be read");
	return true;
}

bool
assignment_put(struct tx *tx, const struct assignment *assignment, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	AUTO(plain_done) struct plain *before = NULL;
	view path;

	encode(assignment, &document);
	if (!path_of(tx->arena, uuid_view(&assignment->name), &path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), path, &before, err))
		return false;
	/* It has appeared since the index was asked: look again. */
	if (before != NULL)
		return error_set(err, ERR_STORE_CONFLICT, "the role assignment exists already");
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

/* What the caller may change is the one that the index showed, at that scope. */
static bool
take_present(struct tx *tx, const struct assignment *assignment, view *path, struct error *err)
{
	AUTO(plain_done) struct plain *before = NULL;
	struct assignment present;

	if (!path_of(tx->arena, uuid_view(&assignment->name), path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), *path, &before, err))
		return false;
	if (before == NULL)
		return error_set(err, ERR_STORE_CONFLICT, "the role assignment is gone");
	if (!assignment_decode(uuid_view(&assignment->name), plain_view(before),
		&assignment->tenant, &present, err))
		return false;
	if (!assignment_same(&present, assignment))
		return error_set(err, ERR_STORE_CONFLICT, "the role assignment is another one");
	return true;
}

bool
assignment_update(struct tx *tx, const struct assignment *assignment, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	encode(assignment, &document);
	return take_present(tx, assignment, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
assignment_delete(struct tx *tx, const struct assignment *assignment, struct error *err)
{
	view path;

	return take_present(tx, assignment, &path, err) && tx_delete(tx, path, err);
}
