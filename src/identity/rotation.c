/*
 * Tokens' signing keys are renewed: a new one is made when the newest is 45 days old, published for
 * a day before it signs (directory_hold_current), and given up at the age of 90 days.
 */
#include "identity/directory.h"

#include "base/clock.h"
#include "base/map.h"
#include "identity/tenant_store.h"

#define DAY ((int64_t)86400)
#define RENEW_SECONDS (45 * DAY)
#define KEEP_SECONDS (90 * DAY)
#define SUCCESSOR_SECONDS (2 * DAY) /* its successor has signed for longer than a token lives */

struct keys {
	struct token_key *list[TENANT_KEYS_MAX];
	size_t count;
};

static void
keys_done(struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		token_key_done(&keys->list[i]);
}

static bool
has_successor(const struct keys *keys, const struct token_key *key, int64_t now)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct token_key *other = keys->list[i];

		if (other->created > key->created && now - other->created > SUCCESSOR_SECONDS)
			return true;
	}
	return false;
}

static bool
remove_old(const struct keys *keys, struct tx *tx, int64_t now, struct error *err)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct token_key *key = keys->list[i];
		view path;

		if (now - key->created <= KEEP_SECONDS || !has_successor(keys, key, now))
			continue;
		if (!signing_path(tx->arena, &key->tenant, key->kid, &path, err) ||
		    !tx_delete(tx, path, err))
			return false;
	}
	return true;
}

static bool
rotate_tenant(struct directory *directory, struct tx *tx, const struct uuid *tenant, int64_t now,
    struct error *err)
{
	AUTO(keys_done) struct keys keys = { .count = 0 };
	bool fresh = false;

	keys.count = directory_hold_keys(directory, tenant, keys.list);
	for (size_t i = 0; i < keys.count; i++)
		fresh = fresh || now - keys.list[i]->created < RENEW_SECONDS;
	return (fresh || signing_create(tx, tenant, now, err)) && remove_old(&keys, tx, now, err);
}

/* The tenants' ids, copied so that no lock is held while keys are made. */
bool
directory_tenants(struct directory *directory, struct arena *arena, struct uuid **out,
    size_t *count, struct error *err)
{
	size_t at = 0, found = 0;
	struct uuid *ids;
	void *value;

	(void)pthread_rwlock_rdlock(&directory->lock);
	ids = arena_alloc(arena, (map_count(directory->tenants) + 1) * sizeof(*ids));
	while (ids != NULL && map_next(directory->tenants, &at, NULL, &value)) {
		const struct tenant *tenant = value;

		if (tenant->known)
			ids[found++] = tenant->id;
	}
	(void)pthread_rwlock_unlock(&directory->lock);
	if (ids == NULL)
		return error_memory(err);
	*out = ids;
	*count = found;
	return true;
}

bool
directory_rotate_at(struct directory *directory, struct tx *tx, int64_t now, struct error *err)
{
	struct uuid *tenants = NULL;
	size_t count = 0;

	if (!directory_tenants(directory, tx->arena, &tenants, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!rotate_tenant(directory, tx, &tenants[i], now, err))
			return false;
	}
	return true;
}

bool
directory_rotate_signing_keys(struct directory *directory, struct tx *tx, struct error *err)
{
	return directory_rotate_at(directory, tx, clock_wall(), err);
}
