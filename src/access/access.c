/*
 * Keeps the index up to date with the store.
 */
#include "access/access.h"

#include "access/index.h"
#include "access/role_store.h"
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

/* A grant that can't be taken over is left out: that errs on the side of refusing. */
static bool
update_assignment(void *ctx, view name, const view *document, struct error *err)
{
	struct access *access = ctx;
	struct assignment assignment;
	bool readable =
	    document != NULL && assignment_decode(name, *document, &access->home, &assignment, err);
	bool fine;

	(void)pthread_rwlock_wrlock(&access->lock);
	fine = index_assignment(access, name, readable ? &assignment : NULL);
	(void)pthread_rwlock_unlock(&access->lock);
	if (document != NULL && !readable)
		return false;
	return fine || error_memory(err);
}

static struct role_entry *
read_role(view name, view document, struct error *err)
{
	struct role_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL) {
		(void)error_memory(err);
		return NULL;
	}
	arena_init(&entry->memory, SIZE_MAX);
	if (role_decode(name, document, &entry->memory, &entry->role, err))
		return entry;
	role_entry_free(entry);
	return NULL;
}

static bool
update_role(void *ctx, view name, const view *document, struct error *err)
{
	struct access *access = ctx;
	struct role_entry *entry = document == NULL ? NULL : read_role(name, *document, err);
	bool readable = document == NULL || entry != NULL;
	bool fine;

	(void)pthread_rwlock_wrlock(&access->lock);
	fine = index_role(access, name, entry);
	(void)pthread_rwlock_unlock(&access->lock);
	if (!readable)
		return false;
	return fine || error_memory(err);
}

static int
compare_principals(const void *a, const void *b)
{
	const struct deny_principal *one = a, *other = b;

	return view_cmp(uuid_view(&one->id), uuid_view(&other->id));
}

static bool
has_everyone(const struct deny_principal *list, size_t count)
{
	/* It sorts first. */
	return count > 0 && view_eq(uuid_view(&list[0].id), V(EVERYONE));
}

static bool
prepare_deny(struct deny_entry *entry)
{
	struct deny *deny = &entry->deny;
	struct scope_path path;
	const view nul = { "", 1 };
	view key;

	qsort((void *)(uintptr_t)deny->principals, deny->principal_count, sizeof(*deny->principals),
	    compare_principals);
	qsort((void *)(uintptr_t)deny->excluded, deny->excluded_count, sizeof(*deny->excluded),
	    compare_principals);
	entry->everyone = has_everyone(deny->principals, deny->principal_count);
	entry->everyone_excluded = has_everyone(deny->excluded, deny->excluded_count);
	scope_fold(view_of(deny->scope), &path);
	if (!arena_join(&entry->memory,
		(const view[]){ scope_folded(&path), nul, uuid_view(&deny->name) }, 3, &key))
		return false;
	entry->key = key;
	entry->folded = (view){ key.ptr, scope_folded(&path).len };
	return true;
}

static struct deny_entry *
read_deny(view name, view document, struct error *err)
{
	struct deny_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL) {
		(void)error_memory(err);
		return NULL;
	}
	arena_init(&entry->memory, SIZE_MAX);
	if (deny_decode(name, document, &entry->memory, &entry->deny, err) &&
	    (prepare_deny(entry) || error_memory(err)))
		return entry;
	deny_entry_free(entry);
	return NULL;
}

/* One that can't be read is kept as it was: a deny that vanished would allow. */
static bool
update_deny(void *ctx, view name, const view *document, struct error *err)
{
	struct access *access = ctx;
	struct deny_entry *entry = document == NULL ? NULL : read_deny(name, *document, err);
	bool fine;

	if (document != NULL && entry == NULL)
		return false;
	(void)pthread_rwlock_wrlock(&access->lock);
	fine = index_deny(access, name, entry);
	(void)pthread_rwlock_unlock(&access->lock);
	return fine || error_memory(err);
}

/* The head of arm's document: a format number, the id, the tenant. */
static bool
read_place(view document, struct uuid *out)
{
	struct unpack in = unpack_of(document);

	(void)unpack_u8(&in);
	(void)unpack_bytes(&in);
	return uuid_parse(unpack_bytes(&in), out);
}

static bool
update_place(void *ctx, view name, const view *document, struct error *err)
{
	struct access *access = ctx;
	struct uuid *tenant = NULL;
	bool fine = true;

	if (document != NULL) {
		tenant = malloc(sizeof(*tenant));
		if (tenant == NULL)
			return error_memory(err);
		if (!read_place(*document, tenant)) {
			free(tenant);
			return error_set(err, ERR_CORRUPT,
			    "a subscription's document can't be read");
		}
	}
	(void)pthread_rwlock_wrlock(&access->lock);
	free(map_remove(access->subscriptions, name));
	if (tenant != NULL)
		fine = map_put(access->subscriptions, name, tenant);
	(void)pthread_rwlock_unlock(&access->lock);
	if (!fine)
		free(tenant);
	return fine || error_memory(err);
}

/* Roles before their assignments is not required, but spares entries without contents. */
static bool
open_mirrors(struct access *access, struct store *store, struct keyring *keyring, struct error *err)
{
	return mirror_open(store, keyring, V("sub/"), update_place, access, &access->places, err) &&
	    mirror_open(store, keyring, V("role/"), update_role, access, &access->customs, err) &&
	    mirror_open(store, keyring, V("deny/"), update_deny, access, &access->forbidden, err) &&
	    mirror_open(store, keyring, V("a/"), update_assignment, access, &access->assignments,
		err);
}

bool
access_open(struct store *store, struct keyring *keyring, struct directory *directory,
    const struct uuid *home, struct access **out, struct error *err)
{
	struct access *access = calloc(1, sizeof(*access));

	if (access == NULL)
		return error_memory(err);
	(void)pthread_rwlock_init(&access->lock, NULL);
	access->directory = directory;
	access->home = *home;
	if (!(index_make(access) || error_memory(err)) ||
	    !open_mirrors(access, store, keyring, err)) {
		access_close(access);
		return false;
	}
	*out = access;
	return true;
}

void
access_close(struct access *access)
{
	if (access == NULL)
		return;
	mirror_close(access->assignments);
	mirror_close(access->forbidden);
	mirror_close(access->customs);
	mirror_close(access->places);
	index_free(access);
	(void)pthread_rwlock_destroy(&access->lock);
	free(access);
}

bool
subscription_tenant(struct access *access, view subscription, struct uuid *out)
{
	const struct uuid *tenant;
	struct uuid id;

	if (!uuid_parse(subscription, &id))
		return false;
	(void)pthread_rwlock_rdlock(&access->lock);
	tenant = map_get(access->subscriptions, uuid_view(&id));
	if (tenant != NULL)
		*out = *tenant;
	(void)pthread_rwlock_unlock(&access->lock);
	return tenant != NULL;
}
