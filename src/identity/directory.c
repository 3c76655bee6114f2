#include "identity/directory.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/map.h"
#include "identity/tenant_store.h"
#include "identity/trust.h"

#include <stdlib.h>
#include <string.h>

#define PUBLISH_SECONDS 86400 /* a key is published so long before it is used */

static void
key_free(struct token_key *key)
{
	signing_key_free(key->private_key);
	public_key_free(key->public_key);
	buf_free(&key->text);
	free(key);
}

static struct token_key *
key_hold(struct token_key *key)
{
	if (key != NULL)
		atomic_fetch_add(&key->holders, 1);
	return key;
}

void
token_key_done(struct token_key **key)
{
	if (*key != NULL && atomic_fetch_sub(&(*key)->holders, 1) == 1)
		key_free(*key);
}

/* Fill in the texts of ${key}: all of it in one buffer, made before anything points into it. */
static bool
key_write_texts(struct token_key *key, view kid, view n, view e, struct error *err)
{
	size_t n_len = base64_encoded_len(BASE64URL, n.len);
	view all;

	buf_add(&key->text, kid);
	base64_encode(BASE64URL, n, &key->text);
	base64_encode(BASE64URL, e, &key->text);
	if (!buf_ok(&key->text))
		return error_memory(err);
	all = buf_view(&key->text);
	key->kid = (view){ all.ptr, kid.len };
	key->n = (view){ all.ptr + kid.len, n_len };
	key->e = view_from(all, kid.len + n_len);
	return true;
}

static bool
key_load(struct keyring *keyring, const struct tenant_path *at, view path,
    const struct signing_record *record, struct token_key **out, struct error *err)
{
	AUTO(token_key_done) struct token_key *key = calloc(1, sizeof(*key));
	AUTO(arena_free) struct arena arena = { 0 };
	view n, e;

	if (key == NULL)
		return error_memory(err);
	atomic_init(&key->holders, 1);
	key->tenant = at->tenant;
	key->created = record->created;
	arena_init(&arena, (size_t)16 * 1024);
	if (!public_key_from_spki(record->spki, &key->public_key, err) ||
	    !public_key_rsa(key->public_key, &arena, &n, &e, err) ||
	    !keyring_load_signing_key(keyring, path, &record->private_key, &key->private_key,
		err) ||
	    !key_write_texts(key, at->kid, n, e, err))
		return false;
	*out = key;
	key = NULL;
	return true;
}

/* The tenant of that id, made when it is new. */
static struct tenant *
tenant_place(struct directory *directory, const struct uuid *id)
{
	struct tenant *tenant = map_get(directory->tenants, uuid_view(id));

	if (tenant != NULL)
		return tenant;
	tenant = calloc(1, sizeof(*tenant));
	if (tenant == NULL || !map_put(directory->tenants, uuid_view(id), tenant)) {
		free(tenant);
		return NULL;
	}
	tenant->id = *id;
	return tenant;
}

static void
home_update(struct directory *directory)
{
	size_t at = 0;
	void *value;

	directory->home = NULL;
	while (map_next(directory->tenants, &at, NULL, &value)) {
		const struct tenant *tenant = value;

		if (tenant->known &&
		    (directory->home == NULL || tenant->created < directory->home->created))
			directory->home = tenant;
	}
}

static void
key_remove(struct directory *directory, const struct tenant_path *at)
{
	struct token_key *key = map_remove(directory->keys, at->kid);
	struct tenant *tenant = map_get(directory->tenants, uuid_view(&at->tenant));

	if (key == NULL || tenant == NULL)
		return;
	for (size_t i = 0; i < tenant->key_count; i++) {
		if (tenant->keys[i] == key)
			tenant->keys[i] = tenant->keys[--tenant->key_count];
	}
	token_key_done(&key);
	atomic_fetch_add(&directory->generation, 1);
}

static bool
key_add(struct directory *directory, const struct tenant_path *at, struct token_key **key,
    struct error *err)
{
	struct tenant *tenant;

	key_remove(directory, at);
	tenant = tenant_place(directory, &at->tenant);
	if (tenant == NULL)
		return error_memory(err);
	if (tenant->key_count == TENANT_KEYS_MAX)
		return error_set(err, ERR_CONFLICT, "tenant %s has too many signing keys",
		    at->tenant.text);
	if (!map_put(directory->keys, at->kid, *key))
		return error_memory(err);
	tenant->keys[tenant->key_count++] = *key;
	*key = NULL;
	return true;
}

static bool
tenant_add(struct directory *directory, const struct tenant_path *at,
    const struct tenant_record *record, struct error *err)
{
	struct tenant *tenant = tenant_place(directory, &at->tenant);

	if (tenant == NULL)
		return error_memory(err);
	tenant->known = true;
	tenant->created = record->created;
	home_update(directory);
	return true;
}

/* Read one changed document, outside of the lock as far as it takes long. */
static bool
document_apply(struct directory *directory, view path, const struct sealed *value,
    struct error *err)
{
	struct tenant_path at = tenant_path_parse(path);
	AUTO(plain_done) struct plain *plain = NULL;
	AUTO(token_key_done) struct token_key *key = NULL;
	struct tenant_record tenant;
	struct signing_record signing;
	bool ok;

	if (at.kind == TENANT_OTHER)
		return true;
	if (!keyring_unseal(keyring_system(directory->keyring), value, path, &plain, err))
		return false;
	if (at.kind == TENANT_SIGNING) {
		if (!signing_record_read(plain_view(plain), &signing, err) ||
		    !key_load(directory->keyring, &at, path, &signing, &key, err))
			return false;
	} else if (!tenant_record_read(plain_view(plain), &tenant, err)) {
		return false;
	}
	(void)pthread_rwlock_wrlock(&directory->lock);
	ok = at.kind == TENANT_SIGNING ? key_add(directory, &at, &key, err)
				       : tenant_add(directory, &at, &tenant, err);
	(void)pthread_rwlock_unlock(&directory->lock);
	return ok;
}

static void
document_remove(struct directory *directory, view path)
{
	struct tenant_path at = tenant_path_parse(path);
	struct tenant *tenant;

	if (at.kind == TENANT_OTHER)
		return;
	(void)pthread_rwlock_wrlock(&directory->lock);
	if (at.kind == TENANT_SIGNING)
		key_remove(directory, &at);
	tenant = map_get(directory->tenants, uuid_view(&at.tenant));
	if (at.kind == TENANT_ITSELF && tenant != NULL)
		tenant->known = false;
	home_update(directory);
	atomic_fetch_add(&directory->generation, 1);
	(void)pthread_rwlock_unlock(&directory->lock);
}

static bool
watch(void *ctx, view path, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct directory *directory = ctx;

	(void)revision;
	if (value != NULL)
		return document_apply(directory, path, value, err);
	document_remove(directory, path);
	return true;
}

static bool
load_keys(struct directory *directory, struct store_reader *reader, view tenant, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct document *keys;
	size_t count;
	view prefix;

	arena_init(&arena, (size_t)1024 * 1024);
	if (!arena_print(&arena, &prefix, "%.*s/signing/", VIEW_ARG(tenant)))
		return error_memory(err);
	if (!store_scan(reader, prefix, V(""), TENANT_KEYS_MAX, &arena, &keys, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!document_apply(directory, keys[i].key, &keys[i].value, err))
			return false;
	}
	return true;
}

/* From one tenant's document to the next one's, without walking through their applications. */
static bool
load_next(struct directory *directory, struct store_reader *reader, struct buf *after, bool *found,
    struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct document *tenant;
	size_t count;

	arena_init(&arena, (size_t)1024 * 1024);
	if (!store_scan(reader, V("t/"), buf_view(after), 1, &arena, &tenant, &count, err))
		return false;
	*found = count == 1;
	if (count == 0)
		return true;
	if (!document_apply(directory, tenant->key, &tenant->value, err) ||
	    !load_keys(directory, reader, tenant->key, err))
		return false;
	buf_reset(after);
	buf_add(after, tenant->key);
	buf_add_char(after, '/' + 1);
	return buf_ok(after) || error_memory(err);
}

static bool
load(struct directory *directory, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(buf_free) struct buf after = { 0 };
	bool found = true, ok = true;

	if (!store_reader_new(directory->store, &reader, err) || !store_begin(reader, err))
		return false;
	while (ok && found)
		ok = load_next(directory, reader, &after, &found, err);
	store_end(reader);
	return ok;
}

static bool
make_parts(struct directory *directory, unsigned loops, struct error *err)
{
	directory->tenants = map_new();
	directory->keys = map_new();
	directory->lockout = lockout_new();
	directory->gate = gate_new();
	directory->replay = replay_new();
	directory->caches = calloc(loops, sizeof(struct token_cache *));
	if (directory->tenants == NULL || directory->keys == NULL || directory->lockout == NULL ||
	    directory->gate == NULL || directory->replay == NULL || directory->caches == NULL)
		return error_memory(err);
	directory->loops = loops;
	for (unsigned i = 0; i < loops; i++) {
		directory->caches[i] = token_cache_new();
		if (directory->caches[i] == NULL)
			return error_memory(err);
	}
	return true;
}

static void
directory_done(struct directory **directory)
{
	directory_close(*directory);
}

bool
directory_open(struct store *store, struct keyring *keyring, view issuer, unsigned loops,
    struct directory **out, struct error *err)
{
	AUTO(directory_done) struct directory *directory = NULL;

	if (issuer.len > ISSUER_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The domain is longer than %d characters.",
		    ISSUER_MAX - 20);
	directory = calloc(1, sizeof(*directory));
	if (directory == NULL || pthread_rwlock_init(&directory->lock, NULL) != 0) {
		free(directory);
		directory = NULL;
		return error_memory(err);
	}
	directory->store = store;
	directory->keyring = keyring;
	memcpy(directory->issuer, issuer.ptr, issuer.len);
	if (!make_parts(directory, loops, err) ||
	    !store_watch(store, V("t/"), watch, directory, err) || !load(directory, err) ||
	    !principals_open(store, keyring, &directory->principals, err) ||
	    !trust_open(directory, &directory->trust, err))
		return false;
	*out = directory;
	directory = NULL;
	return true;
}

static void
tenant_free(struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->key_count; i++)
		token_key_done(&tenant->keys[i]);
	free(tenant);
}

void
directory_close(struct directory *directory)
{
	size_t at = 0;
	void *tenant;

	if (directory == NULL)
		return;
	issuers_free(directory->issuers);
	while (map_next(directory->tenants, &at, NULL, &tenant))
		tenant_free(tenant);
	map_free(directory->tenants);
	map_free(directory->keys);
	for (unsigned i = 0; i < directory->loops; i++)
		token_cache_free(directory->caches[i]);
	free(directory->caches);
	lockout_free(directory->lockout);
	gate_free(directory->gate);
	replay_free(directory->replay);
	principals_close(directory->principals);
	trust_close(directory->trust);
	(void)pthread_rwlock_destroy(&directory->lock);
	free(directory);
}

bool
directory_federate(struct directory *directory, const char *ca_file, struct error *err)
{
	const struct issuers_settings settings = {
		.fetch = issuer_fetch_https,
		.ctx = (void *)(uintptr_t)ca_file,
		.background = true,
	};

	return issuers_new(&settings, &directory->issuers, err) &&
	    trust_keep(directory->trust, err);
}

static bool
names_home(view name)
{
	return view_ieq(name, V("adfs")) || view_ieq(name, V("common")) ||
	    view_ieq(name, V("organizations"));
}

bool
directory_resolve(struct directory *directory, view name, struct uuid *out, int64_t *created)
{
	const struct tenant *tenant = NULL;
	struct uuid id;
	bool found;

	(void)pthread_rwlock_rdlock(&directory->lock);
	if (uuid_parse(name, &id))
		tenant = map_get(directory->tenants, uuid_view(&id));
	else if (names_home(name))
		tenant = directory->home;
	found = tenant != NULL && tenant->known;
	if (found) {
		*out = tenant->id;
		if (created != NULL)
			*created = tenant->created / 1000000000;
	}
	(void)pthread_rwlock_unlock(&directory->lock);
	return found;
}

bool
directory_home_tenant(struct directory *directory, struct uuid *out)
{
	return directory_resolve(directory, V("common"), out, NULL);
}

bool
directory_has_tenant(struct directory *directory, view tenant)
{
	struct uuid id;

	return uuid_parse(tenant, &id) && directory_resolve(directory, tenant, &id, NULL);
}

struct token_key *
directory_hold_key(struct directory *directory, view kid)
{
	struct token_key *key;

	(void)pthread_rwlock_rdlock(&directory->lock);
	key = key_hold(map_get(directory->keys, kid));
	(void)pthread_rwlock_unlock(&directory->lock);
	return key;
}

static bool
better(const struct token_key *key, const struct token_key *than, int64_t now)
{
	bool ready, other;

	if (than == NULL)
		return true;
	ready = key->created + PUBLISH_SECONDS <= now;
	other = than->created + PUBLISH_SECONDS <= now;
	if (ready != other)
		return ready;
	return ready ? key->created > than->created : key->created < than->created;
}

struct token_key *
directory_hold_current(struct directory *directory, const struct uuid *tenant, int64_t now)
{
	const struct tenant *found;
	struct token_key *best = NULL;

	(void)pthread_rwlock_rdlock(&directory->lock);
	found = map_get(directory->tenants, uuid_view(tenant));
	for (size_t i = 0; found != NULL && i < found->key_count; i++) {
		if (better(found->keys[i], best, now))
			best = found->keys[i];
	}
	best = key_hold(best);
	(void)pthread_rwlock_unlock(&directory->lock);
	return best;
}

size_t
directory_hold_keys(struct directory *directory, const struct uuid *tenant,
    struct token_key *out[TENANT_KEYS_MAX])
{
	const struct tenant *found;
	size_t count = 0;

	(void)pthread_rwlock_rdlock(&directory->lock);
	found = map_get(directory->tenants, uuid_view(tenant));
	if (found != NULL) {
		count = found->key_count;
		for (size_t i = 0; i < count; i++)
			out[i] = key_hold(found->keys[i]);
	}
	(void)pthread_rwlock_unlock(&directory->lock);
	return count;
}
