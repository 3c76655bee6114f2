/*
 * Families that have expired are removed, a portion a commit.
 */
#include "identity/directory.h"
#include "signin/refresh_store.h"

#include "keyring/work.h"

#define PORTION 256

/* A portion that lost a race is left to the next sweep. */
struct sweep {
	const struct uuid *tenant;
	int64_t now;
	struct buf after; /* the last key looked at */
	bool more;
};

/* Read again when it is expired, so that the commit is refused if it is used just now. */
static bool
sweep_one(const struct sweep *sweep, struct tx *tx, view key, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL, *again = NULL;
	struct vault_key *system = keyring_system(tx->keyring);
	struct refresh_family family;

	if (!tx_get(tx, system, key, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!refresh_family_read(plain_view(document), &family, err))
		return false;
	return !refresh_family_expired(&family, sweep->now) ||
	    (tx_take(tx, system, key, &again, err) && tx_delete(tx, key, err));
}

static bool
sweep_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct sweep *sweep = ctx;
	view prefix, *keys = NULL;
	size_t count = 0;

	(void)journal;
	if (!refresh_prefix(tx->arena, sweep->tenant, NULL, &prefix, err) ||
	    !store_keys(tx->reader, prefix, buf_view(&sweep->after), PORTION, tx->arena, &keys,
		&count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!sweep_one(sweep, tx, keys[i], err))
			return false;
	}
	sweep->more = count == PORTION;
	if (count == 0)
		return true;
	buf_reset(&sweep->after);
	buf_add(&sweep->after, keys[count - 1]);
	return buf_ok(&sweep->after) || error_memory(err);
}

static bool
sweep_tenant(struct directory *directory, const struct uuid *tenant, int64_t now, struct error *err)
{
	struct sweep sweep = { .tenant = tenant, .now = now, .more = true };
	bool fine = true;

	while (fine && sweep.more)
		fine = work_run(directory->store, directory->keyring, sweep_body, &sweep, err);
	buf_free(&sweep.after);
	return fine;
}

bool
refresh_sweep(struct directory *directory, int64_t now, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct uuid *tenants = NULL;
	size_t count = 0;

	arena_init(&arena, (size_t)4 * 1024 * 1024);
	if (!directory_tenants(directory, &arena, &tenants, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!sweep_tenant(directory, &tenants[i], now, err))
			return false;
	}
	return true;
}
