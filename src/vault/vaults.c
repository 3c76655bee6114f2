/*
 * The vaults in memory: what every request to the data plane asks first.
 */
#include "vault/vault_store.h"

#include "base/map.h"
#include "keyring/mirror.h"
#include "throttle/throttle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEY_PREFIX "k/"
/* What one vault's document can come to, decoded: the lists' limits and its texts. */
#define ENTRY_MAX ((size_t)1024 * 1024)

/* One vault in memory, with its lists and texts behind it, in one piece. */
struct entry {
	struct vault vault; /* first: what vaults_find hands out */
	atomic_uint holders;
	char rest[];
};

struct vaults {
	struct keyring *keyring;
	struct mirror *mirror;
	pthread_rwlock_t lock;
	struct map *by_name;
	vaults_percent *percent; /* NULL: no service limits */
	const void *percent_ctx;
};

static void
text_move(view *text, char **room)
{
	memcpy(*room, text->ptr, text->len);
	*text = (view){ *room, text->len };
	*room += text->len;
}

/* ${vault} with all it points to copied: lists first, because of their alignment. */
static struct entry *
entry_new(const struct vault *vault)
{
	size_t policies = vault->policy_count * sizeof(*vault->policies);
	size_t blocks = vault->network.block_count * sizeof(*vault->network.blocks);
	size_t start = (sizeof(struct entry) + 15) & ~(size_t)15;
	struct entry *entry = calloc(1,
	    start + policies + blocks + 2 * vault->scope.len + vault->name.len +
		vault->resource_group.len + vault->location.len);
	char *room;

	if (entry == NULL)
		return NULL;
	room = (char *)entry + start;
	entry->vault = *vault;
	entry->vault.throttle = NULL;
	if (policies > 0)
		memcpy(room, vault->policies, policies);
	entry->vault.policies = (const void *)room;
	room += policies;
	if (blocks > 0)
		memcpy(room, vault->network.blocks, blocks);
	entry->vault.network.blocks = (const void *)room;
	room += blocks;
	text_move(&entry->vault.scope, &room);
	text_move(&entry->vault.scope_capital, &room);
	text_move(&entry->vault.name, &room);
	text_move(&entry->vault.resource_group, &room);
	text_move(&entry->vault.location, &room);
	atomic_init(&entry->holders, 1);
	return entry;
}

static struct entry *
entry_of(const struct vault *vault)
{
	return (struct entry *)(uintptr_t)vault;
}

void
vault_release(const struct vault *vault)
{
	if (vault == NULL || atomic_fetch_sub(&entry_of(vault)->holders, 1) != 1)
		return;
	throttle_release(vault->throttle);
	free(entry_of(vault));
}

/* The counters go on where the vault's document was only changed. Under the lock. */
static bool
give_throttle(const struct vaults *vaults, const struct entry *before, struct entry *entry)
{
	struct vault *vault = &entry->vault;

	if (vaults->percent == NULL)
		return true;
	if (before != NULL && view_eq(uuid_view(&before->vault.id), uuid_view(&vault->id)))
		vault->throttle = throttle_hold(before->vault.throttle);
	else
		vault->throttle = throttle_new(vaults->percent(vaults->percent_ctx, vault->name));
	return vault->throttle != NULL;
}

static bool
replace(struct vaults *vaults, view name, struct entry *entry)
{
	struct entry *before;
	bool fine = true;

	(void)pthread_rwlock_wrlock(&vaults->lock);
	before = map_get(vaults->by_name, name);
	if (entry == NULL)
		(void)map_remove(vaults->by_name, name);
	else
		fine =
		    give_throttle(vaults, before, entry) && map_put(vaults->by_name, name, entry);
	(void)pthread_rwlock_unlock(&vaults->lock);
	vault_release(fine ? (before == NULL ? NULL : &before->vault) : &entry->vault);
	return fine;
}

static struct entry *
entry_read(struct vaults *vaults, view document, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct vault vault;
	struct entry *entry;

	arena_init(&arena, ENTRY_MAX);
	if (!vault_decode(document, &arena, &vault, err) || !vault_scope(&vault, &arena, err) ||
	    !keyring_key(vaults->keyring, uuid_view(&vault.id), &vault.key, err))
		return NULL;
	entry = entry_new(&vault);
	if (entry == NULL)
		(void)error_memory(err);
	return entry;
}

static bool
update(void *ctx, view name, const view *document, struct error *err)
{
	struct vaults *vaults = ctx;
	struct entry *entry = NULL;

	if (document != NULL) {
		entry = entry_read(vaults, *document, err);
		if (entry == NULL)
			return false;
	}
	return replace(vaults, name, entry) || error_memory(err);
}

/* A purged vault's key must not outlive its row, in whose hands it ever is. */
static bool
key_changed(void *ctx, view path, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct vaults *vaults = ctx;

	(void)revision;
	(void)err;
	if (value == NULL)
		keyring_forget(vaults->keyring, view_from(path, sizeof(KEY_PREFIX) - 1));
	return true;
}

bool
vaults_open(struct store *store, struct keyring *keyring, struct vaults **out, struct error *err)
{
	struct vaults *vaults = calloc(1, sizeof(*vaults));

	if (vaults == NULL)
		return error_memory(err);
	vaults->keyring = keyring;
	(void)pthread_rwlock_init(&vaults->lock, NULL);
	vaults->by_name = map_new();
	if (vaults->by_name == NULL) {
		vaults_close(vaults);
		return error_memory(err);
	}
	if (!mirror_open(store, keyring, V(VAULT_PREFIX), update, vaults, &vaults->mirror, err) ||
	    !store_watch(store, V(KEY_PREFIX), key_changed, vaults, err)) {
		vaults_close(vaults);
		return false;
	}
	*out = vaults;
	return true;
}

void
vaults_close(struct vaults *vaults)
{
	void *entry;
	size_t at = 0;

	if (vaults == NULL)
		return;
	while (map_next(vaults->by_name, &at, NULL, &entry))
		vault_release(&((struct entry *)entry)->vault);
	map_free(vaults->by_name);
	mirror_close(vaults->mirror);
	(void)pthread_rwlock_destroy(&vaults->lock);
	free(vaults);
}

bool
vaults_throttle(struct vaults *vaults, vaults_percent *percent, const void *ctx, struct error *err)
{
	bool fine = true;
	void *entry;
	size_t at = 0;

	(void)pthread_rwlock_wrlock(&vaults->lock);
	vaults->percent = percent;
	vaults->percent_ctx = ctx;
	while (fine && map_next(vaults->by_name, &at, NULL, &entry))
		fine = give_throttle(vaults, NULL, entry);
	(void)pthread_rwlock_unlock(&vaults->lock);
	return fine || error_memory(err);
}

bool
vault_charge(struct request *r, enum throttle_class class, const struct key_spec *spec,
    struct error *err)
{
	if (r->charged || class == THROTTLE_NONE)
		return true;
	r->charged = throttle_charge(r->vault->throttle, class, spec, err);
	return r->charged;
}

/* False when the name is longer than any vault's. */
static bool
lower_name(view name, char out[VAULT_NAME_MAX], view *lower)
{
	if (name.len > VAULT_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		out[i] = ascii_lower(name.ptr[i]);
	*lower = (view){ out, name.len };
	return true;
}

const struct vault *
vaults_find(struct vaults *vaults, view name)
{
	char text[VAULT_NAME_MAX];
	struct entry *entry;

	if (!lower_name(name, text, &name))
		return NULL;
	(void)pthread_rwlock_rdlock(&vaults->lock);
	entry = map_get(vaults->by_name, name);
	if (entry != NULL)
		(void)atomic_fetch_add(&entry->holders, 1);
	(void)pthread_rwlock_unlock(&vaults->lock);
	return entry == NULL ? NULL : &entry->vault;
}

static int
by_name(const void *a, const void *b)
{
	return view_cmp(*(const view *)a, *(const view *)b);
}

bool
vaults_names(struct vaults *vaults, struct arena *arena, view **out, size_t *count,
    struct error *err)
{
	size_t at = 0, found = 0;
	void *entry;
	view *names;
	bool fine = true;

	(void)pthread_rwlock_rdlock(&vaults->lock);
	names = arena_alloc(arena, (map_count(vaults->by_name) + 1) * sizeof(*names));
	while (names != NULL && fine && map_next(vaults->by_name, &at, NULL, &entry))
		fine = arena_copy(arena, ((struct entry *)entry)->vault.name, &names[found++]);
	(void)pthread_rwlock_unlock(&vaults->lock);
	if (names == NULL || !fine)
		return error_memory(err);
	qsort(names, found, sizeof(*names), by_name);
	*out = names;
	*count = found;
	return true;
}
