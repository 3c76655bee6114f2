#include "vault/vault.h"

#include "crypto/random.h"
#include "vault/deleted.h"
#include "vault/vault_store.h"

bool
vault_name_valid(view name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

		if (!letter && !(i > 0 && (digit || c == '-')))
			return false;
		if (c == '-' && (i + 1 == name.len || name.ptr[i + 1] == '-'))
			return false;
	}
	return name.len >= 3 && name.len <= VAULT_NAME_MAX;
}

bool
vault_name_check(view name, struct error *err)
{
	return vault_name_valid(name) ||
	    error_set(err, ERR_VAULT_NAME_INVALID,
		"The vault name '%.*s' is invalid. A vault's name must be between 3-24 "
		"alphanumeric characters. The name must begin with a letter, end with a letter or "
		"digit, and not contain consecutive hyphens. Follow this link for more "
		"information: https://go.microsoft.com/fwlink/?linkid=2147742",
		VIEW_ARG(name));
}

const char *
vault_recovery_level(const struct vault *vault)
{
	if (vault->retention_days == RETENTION_MAX)
		return vault->purge_protection ? "Recoverable" : "Recoverable+Purgeable";
	return vault->purge_protection ? "CustomizedRecoverable"
				       : "CustomizedRecoverable+Purgeable";
}

bool
vault_open_key(struct tx *tx, struct vault *vault, struct error *err)
{
	struct document row;
	view path;

	if (keyring_key(tx->keyring, uuid_view(&vault->id), &vault->key, err))
		return true;
	if (err->code != ERR_CORRUPT)
		return false;
	if (!arena_print(tx->arena, &path, "k/%s", vault->id.text))
		return error_memory(err);
	if (!store_get(tx->reader, path, tx->arena, &row, err))
		return false;
	return error_set(err, row.revision == 0 ? ERR_CORRUPT : ERR_STORE_CONFLICT,
	    "A vault has no key.");
}

bool
vault_document(struct tx *tx, const char *prefix, view name, document_read *read, view *out,
    bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*found = false;
	if (!vault_name_valid(name))
		return true;
	if (!vault_path(tx->arena, prefix, name, &path, err) ||
	    !read(tx, keyring_system(tx->keyring), path, &document, err))
		return false;
	*found = document != NULL;
	return !*found || arena_copy(tx->arena, plain_view(document), out) || error_memory(err);
}

static bool
read_vault(struct tx *tx, view name, document_read *read, struct vault *out, bool *found,
    struct error *err)
{
	view document;

	if (!vault_document(tx, VAULT_PREFIX, name, read, &document, found, err))
		return false;
	return !*found ||
	    (vault_decode(document, tx->arena, out, err) && vault_scope(out, tx->arena, err) &&
		vault_open_key(tx, out, err));
}

bool
vault_get(struct tx *tx, view name, struct vault *out, bool *found, struct error *err)
{
	return read_vault(tx, name, tx_get, out, found, err);
}

bool
vault_take(struct tx *tx, view name, struct vault *out, bool *found, struct error *err)
{
	return read_vault(tx, name, tx_take, out, found, err);
}

static bool
refuse_taken(const struct vault *vault, struct error *err)
{
	return error_set(err, ERR_VAULT_EXISTS,
	    "The vault name '%.*s' is already in use. Vault names are globaly unique so it is "
	    "possible that the name is already taken. If you are sure that the vault name was not "
	    "taken then it is possible that a vault with the same name was recently deleted but "
	    "not purged after being placed in a recoverable state. If the vault is in a "
	    "recoverable state then the vault will need to be purged before reusing the name. For "
	    "more information on soft delete and purging a vault follow this link "
	    "https://go.microsoft.com/fwlink/?linkid=2147740.",
	    VIEW_ARG(vault->name));
}

/* A stranger must not learn that a name is held by a deleted vault, nor whose. */
static bool
refuse_held(struct tx *tx, const struct vault *vault, struct error *err)
{
	struct deleted_vault deleted;
	bool found;

	if (!deleted_vault_take(tx, vault->name, &deleted, &found, err))
		return false;
	if (!found)
		return true;
	if (!view_eq(uuid_view(&deleted.vault.subscription), uuid_view(&vault->subscription)))
		return refuse_taken(vault, err);
	return error_set(err, ERR_VAULT_IN_DELETED_STATE,
	    "A vault with the same name already exists in deleted state. You need to either "
	    "recover or purge existing key vault. Follow this link "
	    "https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft "
	    "delete.");
}

bool
vault_update(struct tx *tx, const struct vault *vault, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	vault_encode(vault, &document);
	return vault_path(tx->arena, VAULT_PREFIX, vault->name, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
vault_create(struct tx *tx, struct vault *vault, struct error *err)
{
	struct vault present;
	struct change key;
	bool found;

	if (!vault_name_check(vault->name, err) ||
	    !vault_take(tx, vault->name, &present, &found, err))
		return false;
	if (found)
		return refuse_taken(vault, err);
	random_uuid(&vault->id);
	return refuse_held(tx, vault, err) && vault_scope(vault, tx->arena, err) &&
	    keyring_new_key(tx->keyring, uuid_view(&vault->id), tx->arena, &key, err) &&
	    keyring_key(tx->keyring, uuid_view(&vault->id), &vault->key, err) &&
	    tx_change(tx, key, err) && vault_update(tx, vault, err);
}

bool
vault_require_same(const struct request *r, const struct uuid *id, struct error *err)
{
	return view_eq(uuid_view(id), uuid_view(&r->vault->id)) ||
	    error_set(err, ERR_VAULT_NOT_FOUND, "There is no vault at this address.");
}
