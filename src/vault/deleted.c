#include "vault/deleted.h"

#include "base/clock.h"
#include "base/pack.h"
#include "vault/due.h"
#include "vault/vault_store.h"

#define FORMAT 1
#define INDEX_PREFIX "dvaults/"

static bool
index_prefix(struct arena *arena, const struct uuid *subscription, view *out, struct error *err)
{
	return arena_print(arena, out, INDEX_PREFIX "%s/", subscription->text) || error_memory(err);
}

static bool
index_path(struct arena *arena, const struct vault *vault, view *out, struct error *err)
{
	view prefix;

	return index_prefix(arena, &vault->subscription, &prefix, err) &&
	    vault_path(arena, prefix.ptr, vault->name, out, err);
}

static bool
decode(view document, struct arena *arena, struct deleted_vault *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	struct deleted_vault deleted = { 0 };
	view vault;

	deleted.deleted = unpack_i64(&in);
	deleted.purge = unpack_i64(&in);
	vault = unpack_bytes(&in);
	deleted.resource = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a deleted vault's document can't be read");
	if (!vault_decode(vault, arena, &deleted.vault, err) ||
	    !vault_scope(&deleted.vault, arena, err))
		return false;
	*out = deleted;
	return true;
}

static bool
read_deleted(struct tx *tx, view name, document_read *read, struct deleted_vault *out, bool *found,
    struct error *err)
{
	view document;

	if (!vault_document(tx, DELETED_PREFIX, name, read, &document, found, err))
		return false;
	return !*found ||
	    (decode(document, tx->arena, out, err) && vault_open_key(tx, &out->vault, err));
}

bool
deleted_vault_get(struct tx *tx, view name, struct deleted_vault *out, bool *found,
    struct error *err)
{
	return read_deleted(tx, name, tx_get, out, found, err);
}

bool
deleted_vault_take(struct tx *tx, view name, struct deleted_vault *out, bool *found,
    struct error *err)
{
	return read_deleted(tx, name, tx_take, out, found, err);
}

bool
deleted_vaults_list(struct tx *tx, const struct uuid *subscription, view after, size_t limit,
    view **out, size_t *count, struct error *err)
{
	view prefix, start = V("");

	if (!index_prefix(tx->arena, subscription, &prefix, err))
		return false;
	if (after.len > 0 && !arena_join(tx->arena, (const view[]){ prefix, after }, 2, &start))
		return error_memory(err);
	if (!store_keys(tx->reader, prefix, start, limit, tx->arena, out, count, err))
		return false;
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = view_from((*out)[i], prefix.len);
	return true;
}

static bool
put_deleted(struct tx *tx, const struct deleted_vault *deleted, struct error *err)
{
	AUTO(buf_free) struct buf vault = { 0 }, document = { 0 };
	view path;

	vault_encode(&deleted->vault, &vault);
	if (!buf_ok(&vault))
		return error_memory(err);
	pack_u8(&document, FORMAT);
	pack_i64(&document, deleted->deleted);
	pack_i64(&document, deleted->purge);
	pack_bytes(&document, buf_view(&vault));
	pack_bytes(&document, deleted->resource);
	return vault_path(tx->arena, DELETED_PREFIX, deleted->vault.name, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
put_index(struct tx *tx, const struct vault *vault, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	return index_path(tx->arena, vault, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
vault_delete(struct tx *tx, const struct vault *vault, view resource, struct error *err)
{
	int64_t now = clock_now();
	const struct deleted_vault deleted = {
		.vault = *vault,
		.resource = resource,
		.deleted = now,
		.purge = now + vault->retention_days * DAY_SECONDS,
	};
	view path;

	return vault_path(tx->arena, VAULT_PREFIX, vault->name, &path, err) &&
	    tx_delete(tx, path, err) && put_deleted(tx, &deleted, err) &&
	    put_index(tx, vault, err) && due_put_vault(tx, vault, deleted.purge, err);
}

/* Its name is free, or somebody else's to hold. */
static bool
drop(struct tx *tx, const struct deleted_vault *deleted, struct error *err)
{
	view path, index;

	return vault_path(tx->arena, DELETED_PREFIX, deleted->vault.name, &path, err) &&
	    index_path(tx->arena, &deleted->vault, &index, err) && tx_delete(tx, path, err) &&
	    tx_delete(tx, index, err) && due_delete_vault(tx, &deleted->vault, deleted->purge, err);
}

bool
vault_recover(struct tx *tx, const struct deleted_vault *deleted, struct error *err)
{
	return drop(tx, deleted, err) && vault_update(tx, &deleted->vault, err);
}

bool
vault_purge(struct tx *tx, const struct deleted_vault *deleted, int64_t now, struct error *err)
{
	view key;

	if (deleted->vault.purge_protection && now < deleted->purge)
		return error_set(err, ERR_PURGE_PROTECTED,
		    "Operation 'DeletedVaultPurge' is not allowed.");
	if (!arena_print(tx->arena, &key, "k/%s", deleted->vault.id.text))
		return error_memory(err);
	return drop(tx, deleted, err) && tx_delete(tx, key, err) &&
	    due_sweep_vault(tx, uuid_view(&deleted->vault.id), err);
}
