#include "access/deny.h"
#include "access/index.h"
#include "access/texts.h"
#include "base/pack.h"

#include <string.h>

#define FORMAT 1

static bool
path_of(struct arena *arena, const struct uuid *name, view *out, struct error *err)
{
	return arena_print(arena, out, "deny/%s", name->text) || error_memory(err);
}

static void
pack_principals(struct buf *out, const struct deny_principal *list, size_t count)
{
	pack_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		pack_bytes(out, uuid_view(&list[i].id));
		pack_bytes(out, view_of(list[i].type));
	}
}

static bool
unpack_principals(struct unpack *in, struct arena *arena, const struct deny_principal **out,
    size_t *count)
{
	struct deny_principal *list;

	*count = unpack_u32(in);
	if (*count > DENY_PRINCIPALS_MAX)
		return false;
	list = arena_alloc(arena, (*count + 1) * sizeof(*list));
	for (size_t i = 0; list != NULL && i < *count; i++) {
		if (!uuid_parse(unpack_bytes(in), &list[i].id) ||
		    !text_copy(arena, unpack_bytes(in), &list[i].type))
			return false;
	}
	*out = list;
	return list != NULL;
}

static void
encode(const struct deny *deny, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&deny->tenant));
	pack_bytes(out, view_of(deny->scope));
	pack_bytes(out, view_of(deny->title));
	pack_bytes(out, view_of(deny->description));
	permissions_pack(out, &deny->permissions);
	pack_principals(out, deny->principals, deny->principal_count);
	pack_principals(out, deny->excluded, deny->excluded_count);
	pack_u8(out, deny->here_only);
	pack_i64(out, deny->created);
	pack_i64(out, deny->updated);
	pack_bytes(out, uuid_view(&deny->created_by));
	pack_bytes(out, uuid_view(&deny->updated_by));
}

static bool
decode_rest(struct unpack *in, struct arena *arena, struct deny *out)
{
	if (!unpack_principals(in, arena, &out->principals, &out->principal_count) ||
	    !unpack_principals(in, arena, &out->excluded, &out->excluded_count))
		return false;
	out->here_only = unpack_u8(in) != 0;
	out->created = unpack_i64(in);
	out->updated = unpack_i64(in);
	return uuid_parse(unpack_bytes(in), &out->created_by) &&
	    uuid_parse(unpack_bytes(in), &out->updated_by) && unpack_end(in);
}

bool
deny_decode(view name, view document, struct arena *arena, struct deny *out, struct error *err)
{
	struct unpack in = unpack_of(document);

	*out = (struct deny){ 0 };
	if (unpack_u8(&in) == FORMAT && uuid_parse(name, &out->name) &&
	    uuid_parse(unpack_bytes(&in), &out->tenant) &&
	    text_copy(arena, unpack_bytes(&in), &out->scope) &&
	    text_copy(arena, unpack_bytes(&in), &out->title) &&
	    text_copy(arena, unpack_bytes(&in), &out->description) &&
	    permissions_unpack(&in, arena, &out->permissions) && decode_rest(&in, arena, out))
		return true;
	return arena_corrupt(arena, "a deny assignment can't be read", err);
}

static bool
copy_principals(const struct deny_principal *from, size_t count, struct arena *arena,
    const struct deny_principal **out)
{
	struct deny_principal *list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list != NULL && i < count; i++) {
		list[i] = from[i];
		if (!text_copy(arena, view_of(from[i].type), &list[i].type))
			return false;
	}
	*out = list;
	return list != NULL;
}

bool
deny_copy(const struct deny *from, struct arena *arena, struct deny *out)
{
	*out = *from;
	return text_copy(arena, view_of(from->scope), &out->scope) &&
	    text_copy(arena, view_of(from->title), &out->title) &&
	    text_copy(arena, view_of(from->description), &out->description) &&
	    permissions_copy(&from->permissions, arena, &out->permissions) &&
	    copy_principals(from->principals, from->principal_count, arena, &out->principals) &&
	    copy_principals(from->excluded, from->excluded_count, arena, &out->excluded);
}

bool
deny_forbids(const struct deny *deny, view action, bool data)
{
	return permissions_hold(&deny->permissions, action, data);
}

bool
deny_find(struct access *access, const struct uuid *name, struct arena *arena, struct deny *out)
{
	const struct deny_entry *entry;
	bool found;

	(void)pthread_rwlock_rdlock(&access->lock);
	entry = map_get(access->deny_names, uuid_view(name));
	found = entry != NULL && deny_copy(&entry->deny, arena, out);
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

bool
deny_limit(struct access *access, const struct uuid *tenant, view scope, struct error *err)
{
	const struct deny_entry *entry;
	struct scope_path path;
	struct place_key key;
	size_t here = 0, all;

	scope_fold(scope, &path);
	key = place_key_of(tenant, scope_folded(&path));
	(void)pthread_rwlock_rdlock(&access->lock);
	all = map_count(access->deny_names);
	for (entry = map_get(access->denies, place_key_view(&key)); entry != NULL;
	     entry = entry->next)
		here++;
	(void)pthread_rwlock_unlock(&access->lock);
	return (all < DENIES_MAX && here < DENIES_AT_SCOPE_MAX) ||
	    error_set(err, ERR_DENY_ASSIGNMENT_LIMIT,
		"No more deny assignments can be created: at most %d, and %d at one scope.",
		DENIES_MAX, DENIES_AT_SCOPE_MAX);
}

/* What is changed is what the index showed, at its scope. */
static bool
take(struct tx *tx, const struct deny *deny, bool present, view *path, struct error *err)
{
	AUTO(plain_done) struct plain *before = NULL;
	struct deny stored;

	if (!path_of(tx->arena, &deny->name, path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), *path, &before, err))
		return false;
	if ((before != NULL) != present)
		return error_set(err, ERR_STORE_CONFLICT, "the deny assignment has changed");
	if (!present)
		return true;
	if (!deny_decode(uuid_view(&deny->name), plain_view(before), tx->arena, &stored, err))
		return false;
	return scope_same(view_of(stored.scope), view_of(deny->scope)) ||
	    error_set(err, ERR_STORE_CONFLICT, "the deny assignment is another one");
}

bool
deny_put(struct tx *tx, const struct deny *deny, bool present, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	encode(deny, &document);
	return take(tx, deny, present, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
deny_delete(struct tx *tx, const struct deny *deny, struct error *err)
{
	view path;

	return take(tx, deny, true, &path, err) && tx_delete(tx, path, err);
}
