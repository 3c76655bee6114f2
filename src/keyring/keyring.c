#include "keyring/ring.h"
#include "base/clock.h"
#include "crypto/hash.h"
#include "crypto/random.h"

#include <stdlib.h>
#include <string.h>

/* For what is read or made at once: a row of "k/" or two. */
#define SCRATCH_MAX 65536

static struct vault_key *
find(struct keyring *keyring, view id)
{
	struct vault_key *key;

	(void)pthread_rwlock_rdlock(&keyring->keys_lock);
	key = map_get(keyring->keys, id);
	(void)pthread_rwlock_unlock(&keyring->keys_lock);
	return key;
}

static bool
insert(struct keyring *keyring, view id, struct plain **bytes, struct vault_key **out,
    struct error *err)
{
	struct vault_key *key;
	bool kept;

	if (!vault_key_new(bytes, &key, err))
		return false;
	(void)pthread_rwlock_wrlock(&keyring->keys_lock);
	kept = map_put(keyring->keys, id, key);
	(void)pthread_rwlock_unlock(&keyring->keys_lock);
	if (!kept) {
		vault_key_free(key);
		return error_memory(err);
	}
	*out = key;
	return true;
}

/* The row of a key, as it is now; revision 0 when there is none. */
static bool
read_row(struct keyring *keyring, view path, struct arena *arena, struct document *out,
    struct error *err)
{
	bool ok;

	if (!store_begin(keyring->reader, err))
		return false;
	ok = store_get(keyring->reader, path, arena, out, err);
	store_end(keyring->reader);
	return ok;
}

static bool
load(struct keyring *keyring, view id, struct vault_key **out, struct error *err)
{
	AUTO(arena_free) struct arena arena;
	AUTO(plain_done) struct plain *bytes = NULL;
	struct document row;
	view path;

	arena_init(&arena, SCRATCH_MAX);
	if (!ring_path(id, &arena, &path, err) || !read_row(keyring, path, &arena, &row, err))
		return false;
	if (row.revision == 0)
		return error_set(err, ERR_CORRUPT, "A vault has no key.");
	return ring_unwrap(keyring, path, &row.value, &bytes, err) &&
	    insert(keyring, id, &bytes, out, err);
}

bool
keyring_key(struct keyring *keyring, view id, struct vault_key **out, struct error *err)
{
	struct vault_key *key = find(keyring, id);
	bool ok = true;

	if (key == NULL) {
		(void)pthread_mutex_lock(&keyring->lock);
		key = find(keyring, id); /* another thread was faster */
		if (key == NULL)
			ok = load(keyring, id, &key, err);
		(void)pthread_mutex_unlock(&keyring->lock);
	}
	if (ok)
		*out = key;
	return ok;
}

void
keyring_set_token(struct keyring *keyring, struct token *token)
{
	keyring->token = token;
}

bool
keyring_has_token(const struct keyring *keyring)
{
	return keyring->token != NULL;
}

struct vault_key *
keyring_system(struct keyring *keyring)
{
	return keyring->system;
}

static bool
new_bytes(struct plain **out, struct error *err)
{
	struct plain *bytes = plain_new(AEAD_KEY_LEN);

	if (bytes == NULL)
		return error_memory(err);
	random_bytes(plain_bytes(bytes), AEAD_KEY_LEN);
	*out = bytes;
	return true;
}

/* A key that was asked for before and not committed yet is wrapped again. */
static bool
new_key(struct keyring *keyring, view id, struct arena *arena, struct change *out,
    struct error *err)
{
	AUTO(plain_done) struct plain *fresh = NULL;
	struct vault_key *key = find(keyring, id);
	struct change change = { .kind = CHANGE_PUT };
	struct document row;

	if (!ring_path(id, arena, &change.key, err) ||
	    !read_row(keyring, change.key, arena, &row, err))
		return false;
	if (row.revision != 0)
		return error_set(err, ERR_CONFLICT, "There is a key of that name already.");
	if (key == NULL && !new_bytes(&fresh, err))
		return false;
	if (!ring_wrap(keyring, change.key, key != NULL ? key->bytes : fresh, arena, &change.value,
		err) ||
	    (key == NULL && !insert(keyring, id, &fresh, &key, err)))
		return false;
	key->made = clock_mono();
	memcpy(key->root, ring_root_id(&change.value).ptr, ROOT_ID_LEN);
	*out = change;
	return true;
}

bool
keyring_new_key(struct keyring *keyring, view id, struct arena *arena, struct change *out,
    struct error *err)
{
	bool ok;

	(void)pthread_mutex_lock(&keyring->lock);
	ok = new_key(keyring, id, arena, out, err);
	(void)pthread_mutex_unlock(&keyring->lock);
	return ok;
}

void
keyring_forget(struct keyring *keyring, view id)
{
	struct vault_key *key;

	(void)pthread_mutex_lock(&keyring->lock);
	keycache_forget(keyring->keycache, id);
	key = find(keyring, id);
	if (key != NULL && key != keyring->system && key != keyring->backup) {
		(void)pthread_rwlock_wrlock(&keyring->keys_lock);
		(void)map_remove(keyring->keys, id);
		(void)pthread_rwlock_unlock(&keyring->keys_lock);
		vault_key_forget(key);
		key->next = keyring->forgotten;
		keyring->forgotten = key;
	}
	(void)pthread_mutex_unlock(&keyring->lock);
}

/* Whether the store has the system key, and whether it has anything at all. */
static bool
look_around(struct keyring *keyring, struct arena *arena, bool *has_system, bool *has_any,
    struct error *err)
{
	struct document row, *first;
	size_t count;
	bool ok;

	if (!store_begin(keyring->reader, err))
		return false;
	ok = store_get(keyring->reader, V("k/" SYSTEM_KEY), arena, &row, err) &&
	    store_scan(keyring->reader, V(""), V(""), 1, arena, &first, &count, err);
	store_end(keyring->reader);
	if (!ok)
		return false;
	*has_system = row.revision != 0;
	*has_any = count > 0;
	return true;
}

static bool
make_first_keys(struct keyring *keyring, struct arena *arena, struct error *err)
{
	struct change changes[] = {
		{ .kind = CHANGE_EXPECT, .key = V_INIT("k/" SYSTEM_KEY) },
		{ .kind = CHANGE_EXPECT, .key = V_INIT("k/" BACKUP_KEY) },
		{ .kind = CHANGE_PUT },
		{ .kind = CHANGE_PUT },
	};

	return keyring_new_key(keyring, V(SYSTEM_KEY), arena, &changes[2], err) &&
	    keyring_new_key(keyring, V(BACKUP_KEY), arena, &changes[3], err) &&
	    store_commit_wait(keyring->store, changes, COUNT_OF(changes), V(""), err);
}

/* New keys over existing documents would make them unreadable for good. */
static bool
first_keys(struct keyring *keyring, struct error *err)
{
	AUTO(arena_free) struct arena arena;
	bool has_system, has_any;

	arena_init(&arena, STORE_VALUE_MAX + SCRATCH_MAX);
	if (!look_around(keyring, &arena, &has_system, &has_any, err))
		return false;
	if (!has_system && has_any)
		return error_set(err, ERR_UNAVAILABLE,
		    "The store has documents but no system key: it is damaged, or not "
		    "Strongroom's.");
	return has_system || make_first_keys(keyring, &arena, err);
}

static bool
open_first_keys(struct keyring *keyring, struct error *err)
{
	struct error why;

	if (keyring_key(keyring, V(SYSTEM_KEY), &keyring->system, &why) &&
	    keyring_key(keyring, V(BACKUP_KEY), &keyring->backup, &why))
		return true;
	if (why.code == ERR_UNAVAILABLE) { /* it was not tried */
		*err = why;
		return false;
	}
	return error_set(err, ERR_UNAVAILABLE,
	    "The root key does not open this store: it belongs to another one, or one of them is "
	    "damaged. (%s)",
	    why.message);
}

static void
keyring_done(struct keyring **keyring)
{
	keyring_close(*keyring);
}

/* Before the first keys are committed. */
static bool
watch(struct keyring *keyring, struct error *err)
{
	return store_watch(keyring->store, V("v/"), keycache_changed, keyring->keycache, err) &&
	    store_watch(keyring->store, V("vault/"), keycache_vault_changed, keyring->keycache,
		err);
}

bool
keyring_open(struct store *store, struct root_provider *provider, struct keyring **out,
    struct error *err)
{
	AUTO(keyring_done) struct keyring *keyring = calloc(1, sizeof(*keyring));

	if (keyring == NULL) {
		provider->ops->close(provider->self);
		return error_memory(err);
	}
	*keyring = (struct keyring){
		.store = store,
		.rekeying = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.provider = *provider,
		.keys_lock = PTHREAD_RWLOCK_INITIALIZER,
		.keys = map_new(),
		.keycache = keycache_new(),
		.new_key_nanos = (int64_t)KEYRING_NEW_KEY_SECONDS * 1000000000,
	};
	if (keyring->keys == NULL || keyring->keycache == NULL)
		return error_memory(err);
	if (!watch(keyring, err) || !store_reader_new(store, &keyring->reader, err) ||
	    !first_keys(keyring, err) || !open_first_keys(keyring, err))
		return false;
	*out = keyring;
	keyring = NULL;
	return true;
}

void
keyring_close(struct keyring *keyring)
{
	size_t at = 0;
	void *key;

	if (keyring == NULL)
		return;
	while (map_next(keyring->keys, &at, NULL, &key))
		vault_key_free(key);
	while (keyring->forgotten != NULL) {
		struct vault_key *next = keyring->forgotten->next;

		vault_key_free(keyring->forgotten);
		keyring->forgotten = next;
	}
	if (keyring->keycache != NULL)
		store_unwatch(keyring->store, keyring->keycache);
	keycache_free(keyring->keycache);
	map_free(keyring->keys);
	store_reader_free(keyring->reader);
	keyring->provider.ops->close(keyring->provider.self);
	(void)pthread_rwlock_destroy(&keyring->keys_lock);
	(void)pthread_mutex_destroy(&keyring->lock);
	(void)pthread_mutex_destroy(&keyring->rekeying);
	free(keyring);
}

bool
keyring_seal(struct vault_key *key, view plain, view aad, struct arena *arena, struct sealed *out,
    struct error *err)
{
	size_t len;
	char *bytes;

	if (__builtin_add_overflow(plain.len, SEALED_OVERHEAD, &len))
		return error_memory(err);
	bytes = arena_alloc(arena, len);
	if (bytes == NULL)
		return error_memory(err);
	if (!vault_key_seal(key, PURPOSE_DOCUMENT, plain, aad, bytes, err))
		return false;
	out->bytes = (view){ bytes, len };
	return true;
}

bool
keyring_unseal(struct vault_key *key, const struct sealed *sealed, view aad, struct plain **out,
    struct error *err)
{
	return vault_key_open(key, PURPOSE_DOCUMENT, sealed->bytes, aad, out, err);
}

static void
aead_done(struct aead **aead)
{
	aead_free(*aead);
}

static bool
backup_aead(struct keyring *keyring, view binding, struct aead **out, struct error *err)
{
	AUTO(plain_done) struct plain *key = NULL;

	return sealed_derive(plain_view(keyring->backup->bytes), PURPOSE_BACKUP, binding, &key,
		   err) &&
	    aead_new((const uint8_t *)plain_view(key).ptr, out, err);
}

bool
keyring_seal_backup(struct keyring *keyring, view binding, view plain, struct buf *out,
    struct error *err)
{
	AUTO(aead_done) struct aead *aead = NULL;
	size_t len;
	char *room;

	if (!backup_aead(keyring, binding, &aead, err))
		return false;
	if (__builtin_add_overflow(plain.len, SEALED_OVERHEAD, &len))
		return error_memory(err);
	room = buf_room(out, len);
	if (room == NULL)
		return error_memory(err);
	if (!sealed_make(aead, PURPOSE_BACKUP, plain, binding, room, err))
		return false;
	out->len += len;
	return true;
}

bool
keyring_unseal_backup(struct keyring *keyring, view binding, view sealed, struct plain **out,
    struct error *err)
{
	AUTO(aead_done) struct aead *aead = NULL;

	if (!backup_aead(keyring, binding, &aead, err))
		return false;
	if (sealed_open(aead, PURPOSE_BACKUP, sealed, binding, out, err))
		return true;
	/* It came from a client: what does not open is the client's fault, not the store's. */
	if (err->code == ERR_CORRUPT)
		return error_set(err, ERR_MALFORMED_BACKUP,
		    "Backup blob contains invalid or corrupt version.");
	return false;
}

bool
keyring_mac(struct keyring *keyring, view purpose, view message, uint8_t out[32], struct error *err)
{
	AUTO(plain_done) struct plain *key = NULL;

	return sealed_derive(plain_view(keyring->system->bytes), PURPOSE_MAC, purpose, &key, err) &&
	    hmac_sha256(plain_view(key), message, out, err);
}
