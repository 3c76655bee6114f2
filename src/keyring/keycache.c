#include "keyring/keycache.h"
#include "base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Where a key is kept: its id, path and head one after the other in ${text}. */
struct entry {
	struct entry *warmer, *colder;
	struct software_key *key;
	view id, path, head;
	char text[];
};

struct keycache {
	pthread_mutex_t lock;
	struct map *by_id;
	struct entry *warmest, *coldest;
	_Atomic uint64_t generation; /* changed under the lock */
};

struct keycache *
keycache_new(void)
{
	struct keycache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	atomic_init(&cache->generation, 1);
	cache->by_id = map_new();
	if (cache->by_id == NULL) {
		free(cache);
		return NULL;
	}
	return cache;
}

static void
unlink_entry(struct keycache *cache, struct entry *entry)
{
	*(entry->warmer == NULL ? &cache->warmest : &entry->warmer->colder) = entry->colder;
	*(entry->colder == NULL ? &cache->coldest : &entry->colder->warmer) = entry->warmer;
}

static void
link_warmest(struct keycache *cache, struct entry *entry)
{
	entry->warmer = NULL;
	entry->colder = cache->warmest;
	*(cache->warmest == NULL ? &cache->coldest : &cache->warmest->warmer) = entry;
	cache->warmest = entry;
}

/* Who uses the key right now goes on with it. */
static void
drop(struct keycache *cache, struct entry *entry)
{
	(void)map_remove(cache->by_id, entry->id);
	unlink_entry(cache, entry);
	software_release(entry->key);
	free(entry);
}

void
keycache_free(struct keycache *cache)
{
	if (cache == NULL)
		return;
	while (cache->warmest != NULL)
		drop(cache, cache->warmest);
	map_free(cache->by_id);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

uint64_t
keycache_ticket(const struct keycache *cache)
{
	return atomic_load(&cache->generation);
}

static bool
same_spec(const struct key_spec *a, const struct key_spec *b)
{
	return a->kind == b->kind && a->curve == b->curve && a->bits == b->bits && a->hsm == b->hsm;
}

struct software_key *
keycache_get(struct keycache *cache, const struct material *material)
{
	struct software_key *key = NULL;
	struct entry *entry;

	(void)pthread_mutex_lock(&cache->lock);
	entry = map_get(cache->by_id, material->id);
	if (entry != NULL && same_spec(software_spec(entry->key), &material->spec)) {
		unlink_entry(cache, entry);
		link_warmest(cache, entry);
		key = software_hold(entry->key);
	}
	(void)pthread_mutex_unlock(&cache->lock);
	return key;
}

static view
append(char **at, view text)
{
	view copy = { *at, text.len };

	if (text.len > 0)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
	return copy;
}

static struct entry *
entry_new(const struct material *material)
{
	size_t len = material->id.len + material->path.len + material->head.len;
	struct entry *entry = calloc(1, sizeof(*entry) + len);
	char *at;

	if (entry == NULL)
		return NULL;
	at = entry->text;
	entry->id = append(&at, material->id);
	entry->path = append(&at, material->path);
	entry->head = append(&at, material->head);
	return entry;
}

static void
insert(struct keycache *cache, struct entry *entry, struct software_key *key)
{
	struct entry *before = map_get(cache->by_id, entry->id);

	if (before != NULL)
		drop(cache, before);
	while (map_count(cache->by_id) >= MATERIAL_CACHE_MAX)
		drop(cache, cache->coldest);
	if (!map_put(cache->by_id, entry->id, entry)) {
		free(entry);
		return;
	}
	entry->key = software_hold(key);
	link_warmest(cache, entry);
}

void
keycache_put(struct keycache *cache, uint64_t ticket, const struct material *material,
    struct software_key *key)
{
	struct entry *entry = entry_new(material);

	if (entry == NULL)
		return; /* it is parsed again, then */
	(void)pthread_mutex_lock(&cache->lock);
	if (atomic_load(&cache->generation) == ticket) {
		insert(cache, entry, key);
		entry = NULL;
	}
	(void)pthread_mutex_unlock(&cache->lock);
	free(entry);
}

typedef bool entry_matches(const struct entry *entry, view what);

static bool
has_path(const struct entry *entry, view path)
{
	return view_eq(entry->path, path);
}

static bool
has_head(const struct entry *entry, view head)
{
	return view_eq(entry->head, head);
}

/* "v/<vault>/..." */
static bool
has_vault(const struct entry *entry, view vault)
{
	view rest = entry->path;

	return view_eq(view_cut(&rest, '/'), V("v")) && view_eq(view_cut(&rest, '/'), vault);
}

static bool
is_any(const struct entry *entry, view what)
{
	(void)entry;
	(void)what;
	return true;
}

/* The generation first: nobody who read before the change may put in what is dropped here. */
static void
drop_all(struct keycache *cache, entry_matches *matches, view what)
{
	struct entry *colder;

	(void)pthread_mutex_lock(&cache->lock);
	(void)atomic_fetch_add(&cache->generation, 1);
	for (struct entry *entry = cache->warmest; entry != NULL; entry = colder) {
		colder = entry->colder;
		if (matches(entry, what))
			drop(cache, entry);
	}
	(void)pthread_mutex_unlock(&cache->lock);
}

bool
keycache_changed(void *cache, view key, const struct sealed *value, uint64_t revision,
    struct error *err)
{
	view rest = key, folder;

	(void)revision;
	(void)err;
	(void)view_cut(&rest, '/');
	(void)view_cut(&rest, '/');
	folder = view_cut(&rest, '/');
	if (view_eq(folder, V("vk")))
		drop_all(cache, has_path, key);
	else if (view_eq(folder, V("k")) && value == NULL)
		drop_all(cache, has_head, key);
	return true;
}

bool
keycache_vault_changed(void *cache, view key, const struct sealed *value, uint64_t revision,
    struct error *err)
{
	(void)key;
	(void)revision;
	(void)err;
	if (value == NULL)
		drop_all(cache, is_any, V(""));
	return true;
}

void
keycache_forget(struct keycache *cache, view vault)
{
	drop_all(cache, has_vault, vault);
}

size_t
keycache_count(struct keycache *cache)
{
	size_t count;

	(void)pthread_mutex_lock(&cache->lock);
	count = map_count(cache->by_id);
	(void)pthread_mutex_unlock(&cache->lock);
	return count;
}
