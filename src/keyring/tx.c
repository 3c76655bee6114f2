#include "keyring/tx.h"

#include <string.h>

#define CHANGES_MIN 8

static bool
path_check(view path, struct error *err)
{
	if (path.len == 0 || path.len > STORE_KEY_MAX)
		return error_set(err, ERR_INTERNAL, "A document's key has an impossible length.");
	return true;
}

static bool
read_document(struct tx *tx, struct vault_key *key, view path, uint64_t *revision,
    struct plain **out, struct error *err)
{
	struct document document;
	struct plain *plain = NULL;

	if (!path_check(path, err) || !store_get(tx->reader, path, tx->arena, &document, err))
		return false;
	if (document.revision != 0 && !keyring_unseal(key, &document.value, path, &plain, err))
		return false;
	*revision = document.revision;
	*out = plain;
	return true;
}

bool
tx_get(struct tx *tx, struct vault_key *key, view path, struct plain **out, struct error *err)
{
	uint64_t revision;

	return read_document(tx, key, path, &revision, out, err);
}

bool
tx_change(struct tx *tx, struct change change, struct error *err)
{
	if (tx->count == tx->size) {
		size_t size = tx->size == 0 ? CHANGES_MIN : 2 * tx->size;
		struct change *larger = arena_alloc(tx->arena, size * sizeof(*larger));

		if (larger == NULL)
			return error_memory(err);
		if (tx->count > 0)
			memcpy(larger, tx->changes, tx->count * sizeof(*larger));
		tx->changes = larger;
		tx->size = size;
	}
	tx->changes[tx->count++] = change;
	return true;
}

static bool
is_expected(const struct tx *tx, view path)
{
	for (size_t i = 0; i < tx->count; i++) {
		if (tx->changes[i].kind == CHANGE_EXPECT && view_eq(tx->changes[i].key, path))
			return true;
	}
	return false;
}

static bool
expect(struct tx *tx, view path, uint64_t revision, struct error *err)
{
	struct change change = { .kind = CHANGE_EXPECT, .revision = revision };

	if (is_expected(tx, path))
		return true;
	if (!arena_copy(tx->arena, path, &change.key))
		return error_memory(err);
	return tx_change(tx, change, err);
}

bool
tx_take(struct tx *tx, struct vault_key *key, view path, struct plain **out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	uint64_t revision;

	if (!read_document(tx, key, path, &revision, &plain, err) ||
	    !expect(tx, path, revision, err))
		return false;
	*out = plain;
	plain = NULL;
	return true;
}

bool
tx_put(struct tx *tx, struct vault_key *key, view path, const struct buf *document,
    struct error *err)
{
	struct change change = { .kind = CHANGE_PUT };

	if (!path_check(path, err))
		return false;
	if (!buf_ok(document) || !arena_copy(tx->arena, path, &change.key))
		return error_memory(err);
	return keyring_seal(key, buf_view(document), path, tx->arena, &change.value, err) &&
	    tx_change(tx, change, err);
}

bool
tx_delete(struct tx *tx, view path, struct error *err)
{
	struct change change = { .kind = CHANGE_DELETE };

	if (!path_check(path, err))
		return false;
	if (!arena_copy(tx->arena, path, &change.key))
		return error_memory(err);
	return tx_change(tx, change, err);
}

bool
tx_commit(struct tx *tx, struct store *store, view journal, struct error *err)
{
	return store_commit_wait(store, tx->changes, tx->count, journal, err);
}

void
tx_reset(struct tx *tx)
{
	tx->changes = NULL; /* the arena may be wiped in between */
	tx->count = tx->size = 0;
}
