/*
 * Rotating the root key.  The provider holds the old and the new root key until every row of "k/"
 * is under the new one, so whatever moment a crash picks, each row opens.
 */
#include "base/clock.h"
#include "keyring/ring.h"
#include "keyring/tx.h"

#include <time.h>

#define PAGE 256
#define ARENA_MAX ((size_t)1 << 30) /* a million vaults */
#define CONFLICTS_MAX 16            /* vaults that are purged while their keys are rewrapped */

static const struct timespec pause = { .tv_nsec = 20000000 };

/* The id of the root key that wraps now: whatever is wrapped tells. */
static bool
current_root(struct keyring *keyring, struct arena *arena, view *out, struct error *err)
{
	struct sealed wrapped;
	bool ok;

	(void)pthread_mutex_lock(&keyring->lock);
	ok = ring_wrap(keyring, V("k/" SYSTEM_KEY), keyring->system->bytes, arena, &wrapped, err);
	(void)pthread_mutex_unlock(&keyring->lock);
	if (ok)
		*out = ring_root_id(&wrapped);
	return ok;
}

/* A new key's row may be under way to the store, wrapped under the root key that is to go. */
static bool
key_in_flight(const struct tx *tx, view id, struct vault_key *key, view current, bool *out,
    struct error *err)
{
	struct document row;
	view path;

	if (key->made == 0)
		return true;
	if (!ring_path(id, tx->arena, &path, err) ||
	    !store_get(tx->reader, path, tx->arena, &row, err))
		return false;
	if (row.revision != 0)
		key->made = 0;
	else if (!view_eq((view){ key->root, ROOT_ID_LEN }, current) &&
	    clock_mono() - key->made < tx->keyring->new_key_nanos)
		*out = true;
	return true;
}

static bool
any_in_flight(const struct tx *tx, view current, bool *out, struct error *err)
{
	struct keyring *keyring = tx->keyring;
	bool ok = true;
	size_t at = 0;
	void *key;
	view id;

	(void)pthread_mutex_lock(&keyring->lock);
	while (ok && map_next(keyring->keys, &at, &id, &key))
		ok = key_in_flight(tx, id, key, current, out, err);
	(void)pthread_mutex_unlock(&keyring->lock);
	return ok;
}

static bool
rewrap_row(struct tx *tx, const struct document *row, view current, struct error *err)
{
	struct keyring *keyring = tx->keyring;
	AUTO(plain_done) struct plain *bytes = NULL;
	struct sealed value;
	bool ok;

	if (view_eq(ring_root_id(&row->value), current))
		return true;
	(void)pthread_mutex_lock(&keyring->lock);
	ok = ring_unwrap(keyring, row->key, &row->value, &bytes, err) &&
	    ring_wrap(keyring, row->key, bytes, tx->arena, &value, err);
	(void)pthread_mutex_unlock(&keyring->lock);
	return ok &&
	    tx_change(tx,
		(struct change){ .kind = CHANGE_EXPECT,
		    .key = row->key,
		    .revision = row->revision },
		err) &&
	    tx_change(tx, (struct change){ .kind = CHANGE_PUT, .key = row->key, .value = value },
		err);
}

static bool
rewrap_rows(struct tx *tx, view current, const struct watch *watch, struct error *err)
{
	struct progress progress = { .doing = "wrapping", .unit = "keys" };
	struct document *rows;
	view after = V("");
	size_t count;

	if (watch != NULL && !store_count(tx->reader, V("k/"), &progress.total, err))
		return false;
	do {
		if (!store_scan(tx->reader, V("k/"), after, PAGE, tx->arena, &rows, &count, err))
			return false;
		for (size_t i = 0; i < count; i++) {
			progress.done++;
			if (!watch_tell(watch, progress, err) ||
			    !rewrap_row(tx, &rows[i], current, err))
				return false;
		}
		if (count > 0)
			after = rows[count - 1].key;
	} while (count == PAGE);
	return true;
}

enum outcome { SETTLED, REWRAPPED, IN_FLIGHT, CONFLICTED };

/* Both questions are asked of one snapshot: a new key is either seen in it, or waited for. */
static bool
one_round(struct keyring *keyring, struct store_reader *reader, const struct watch *watch,
    enum outcome *out, struct error *err)
{
	AUTO(arena_free) struct arena arena;
	struct tx tx = { .reader = reader, .keyring = keyring, .arena = &arena };
	bool in_flight = false, ok;
	view current;

	arena_init(&arena, ARENA_MAX);
	if (!current_root(keyring, &arena, &current, err) || !store_begin(reader, err))
		return false;
	ok = any_in_flight(&tx, current, &in_flight, err) && rewrap_rows(&tx, current, watch, err);
	store_end(reader);
	if (!ok)
		return false;
	if (tx.count == 0) {
		*out = in_flight ? IN_FLIGHT : SETTLED;
		return true;
	}
	*out = REWRAPPED;
	if (tx_commit(&tx, keyring->store, V(""), err))
		return true;
	*out = CONFLICTED;
	return err->code == ERR_STORE_CONFLICT;
}

/* Bring all under the current root key, then drop the others. */
static bool
settle(struct keyring *keyring, const struct watch *watch, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	enum outcome outcome;
	bool ok;

	if (!store_reader_new(keyring->store, &reader, err))
		return false;
	for (unsigned conflicts = 0; conflicts < CONFLICTS_MAX;) {
		if (!one_round(keyring, reader, watch, &outcome, err))
			return false;
		if (outcome == SETTLED)
			break;
		if (outcome == IN_FLIGHT)
			(void)nanosleep(&pause, NULL);
		conflicts += outcome == CONFLICTED;
	}
	if (outcome != SETTLED)
		return error_set(err, ERR_CONFLICT, "Too much is changing: run the rekey again.");
	(void)pthread_mutex_lock(&keyring->lock);
	ok = keyring->provider.ops->retire(keyring->provider.self, err);
	(void)pthread_mutex_unlock(&keyring->lock);
	return ok;
}

static bool
rotate(struct keyring *keyring, struct error *err)
{
	bool ok;

	(void)pthread_mutex_lock(&keyring->lock);
	ok = keyring->provider.ops->rotate(keyring->provider.self, err);
	(void)pthread_mutex_unlock(&keyring->lock);
	return ok;
}

/* What an interrupted rekey has left is settled first. */
bool
keyring_rekey(struct keyring *keyring, const struct watch *watch, struct error *err)
{
	bool ok;

	(void)pthread_mutex_lock(&keyring->rekeying);
	ok = settle(keyring, watch, err) && rotate(keyring, err) && settle(keyring, watch, err);
	(void)pthread_mutex_unlock(&keyring->rekeying);
	return ok;
}
