/*
 * Subscriptions in memory, by id: every request names one.
 */
#include "arm/arm.h"

#include "base/map.h"
#include "base/pack.h"
#include "keyring/mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "sub/"
#define FORMAT 1

struct entry {
	struct subscription subscription; /* its name is ->text */
	char text[];
};

struct subscriptions {
	struct mirror *mirror;
	pthread_rwlock_t lock;
	struct map *by_id;
};

bool
subscription_create(struct tx *tx, const struct subscription *subscription, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_bytes(&document, uuid_view(&subscription->id));
	pack_bytes(&document, uuid_view(&subscription->tenant));
	pack_bytes(&document, subscription->name);
	if (!arena_print(tx->arena, &path, PREFIX "%s", subscription->id.text))
		return error_memory(err);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
decode(view document, struct subscription *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT && uuid_parse(unpack_bytes(&in), &out->id) &&
	    uuid_parse(unpack_bytes(&in), &out->tenant);

	out->name = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a subscription's document can't be read");
	return true;
}

static bool
replace(struct subscriptions *subscriptions, view name, struct entry *entry)
{
	struct entry *before;
	bool fine = true;

	(void)pthread_rwlock_wrlock(&subscriptions->lock);
	before = map_get(subscriptions->by_id, name);
	if (entry == NULL)
		(void)map_remove(subscriptions->by_id, name);
	else
		fine = map_put(subscriptions->by_id, name, entry);
	(void)pthread_rwlock_unlock(&subscriptions->lock);
	free(fine ? before : entry);
	return fine;
}

static bool
update(void *ctx, view name, const view *document, struct error *err)
{
	struct entry *entry = NULL;
	struct subscription subscription;

	if (document != NULL) {
		if (!decode(*document, &subscription, err))
			return false;
		entry = malloc(sizeof(*entry) + subscription.name.len + 1);
		if (entry == NULL)
			return error_memory(err);
		memcpy(entry->text, subscription.name.ptr, subscription.name.len);
		subscription.name.ptr = entry->text;
		entry->subscription = subscription;
	}
	return replace(ctx, name, entry) || error_memory(err);
}

bool
subscriptions_open(struct store *store, struct keyring *keyring, struct subscriptions **out,
    struct error *err)
{
	struct subscriptions *subscriptions = calloc(1, sizeof(*subscriptions));

	if (subscriptions == NULL)
		return error_memory(err);
	(void)pthread_rwlock_init(&subscriptions->lock, NULL);
	subscriptions->by_id = map_new();
	if (subscriptions->by_id == NULL) {
		subscriptions_close(subscriptions);
		return error_memory(err);
	}
	if (!mirror_open(store, keyring, V(PREFIX), update, subscriptions, &subscriptions->mirror,
		err)) {
		subscriptions_close(subscriptions);
		return false;
	}
	*out = subscriptions;
	return true;
}

void
subscriptions_close(struct subscriptions *subscriptions)
{
	void *entry;
	size_t at = 0;

	if (subscriptions == NULL)
		return;
	mirror_close(subscriptions->mirror);
	while (map_next(subscriptions->by_id, &at, NULL, &entry))
		free(entry);
	map_free(subscriptions->by_id);
	(void)pthread_rwlock_destroy(&subscriptions->lock);
	free(subscriptions);
}

static bool
copy_out(const struct entry *entry, struct arena *arena, struct subscription *out)
{
	*out = entry->subscription;
	return arena_copy(arena, entry->subscription.name, &out->name);
}

bool
subscriptions_find(struct subscriptions *subscriptions, const struct uuid *id, struct arena *arena,
    struct subscription *out)
{
	const struct entry *entry;
	bool found;

	(void)pthread_rwlock_rdlock(&subscriptions->lock);
	entry = map_get(subscriptions->by_id, uuid_view(id));
	found = entry != NULL && copy_out(entry, arena, out);
	(void)pthread_rwlock_unlock(&subscriptions->lock);
	return found;
}

static int
by_id(const void *a, const void *b)
{
	const struct subscription *left = a, *right = b;

	return strcmp(left->id.text, right->id.text);
}

bool
subscriptions_list(struct subscriptions *subscriptions, const struct uuid *tenant,
    struct arena *arena, struct subscription **out, size_t *count, struct error *err)
{
	struct subscription *list;
	size_t at = 0, found = 0;
	void *value;
	bool fine = true;

	(void)pthread_rwlock_rdlock(&subscriptions->lock);
	list = arena_alloc(arena, (map_count(subscriptions->by_id) + 1) * sizeof(*list));
	while (list != NULL && fine && map_next(subscriptions->by_id, &at, NULL, &value)) {
		const struct entry *entry = value;

		if (view_eq(uuid_view(&entry->subscription.tenant), uuid_view(tenant)))
			fine = copy_out(entry, arena, &list[found++]);
	}
	(void)pthread_rwlock_unlock(&subscriptions->lock);
	if (list == NULL || !fine)
		return error_memory(err);
	qsort(list, found, sizeof(*list), by_id);
	*out = list;
	*count = found;
	return true;
}

bool
subscription_check(struct request *r, struct error *err)
{
	static const view word = V_INIT("/subscriptions/");
	struct subscription subscription;
	view rest, name;
	struct uuid id;

	if (!view_istarts(r->path, word))
		return true;
	rest = view_from(r->path, word.len);
	name = view_cut(&rest, '/');
	if (!uuid_parse(name, &id))
		return error_set(err, ERR_SUBSCRIPTION_INVALID,
		    "The provided subscription identifier '%.*s' is malformed or invalid.",
		    VIEW_ARG(name));
	if (!subscriptions_find(r->services->subscriptions, &id, r->arena, &subscription))
		return error_set(err, ERR_SUBSCRIPTION_NOT_FOUND,
		    "The subscription '%.*s' could not be found.", VIEW_ARG(name));
	return view_eq(uuid_view(&subscription.tenant), uuid_view(&r->caller.tenant)) ||
	    error_set(err, ERR_INVALID_TOKEN_TENANT,
		"The access token is from the wrong issuer '%s'. It must match the tenant that is "
		"associated with this subscription.",
		r->caller.issuer);
}
