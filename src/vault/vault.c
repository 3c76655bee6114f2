#include "vault/vault.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/pack.h"
#include "crypto/random.h"
#include "keyring/mirror.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "vault/"
#define FORMAT 1

/* One vault in memory, with its texts behind it. */
struct entry {
	struct vault vault; /* first: what vaults_find hands out */
	atomic_uint holders;
	char text[];
};

struct vaults {
	struct keyring *keyring;
	struct mirror *mirror;
	pthread_rwlock_t lock;
	struct map *by_name;
};

bool
vault_name_valid(view name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

		if (!letter && !(i > 0 && (digit || c == '-')))
			return false;
		if (c == '-' && (i + 1 == name.len || name.ptr[i + 1] == '-'))
			return false;
	}
	return name.len >= 3 && name.len <= VAULT_NAME_MAX;
}

const char *
vault_recovery_level(const struct vault *vault)
{
	if (vault->retention_days == RETENTION_MAX)
		return vault->purge_protection ? "Recoverable" : "Recoverable+Purgeable";
	return vault->purge_protection ? "CustomizedRecoverable"
				       : "CustomizedRecoverable+Purgeable";
}

static void
encode(const struct vault *vault, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&vault->id));
	pack_bytes(out, uuid_view(&vault->tenant));
	pack_bytes(out, uuid_view(&vault->subscription));
	pack_bytes(out, vault->name);
	pack_bytes(out, vault->resource_group);
	pack_bytes(out, vault->location);
	pack_i64(out, vault->created);
	pack_u8(out, (uint8_t)vault->retention_days);
	pack_u8(out, vault->purge_protection);
}

static bool
decode(view document, struct vault *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT && uuid_parse(unpack_bytes(&in), &out->id) &&
	    uuid_parse(unpack_bytes(&in), &out->tenant) &&
	    uuid_parse(unpack_bytes(&in), &out->subscription);

	out->name = unpack_bytes(&in);
	out->resource_group = unpack_bytes(&in);
	out->location = unpack_bytes(&in);
	out->created = unpack_i64(&in);
	out->retention_days = unpack_u8(&in);
	out->purge_protection = unpack_u8(&in) != 0;
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a vault's document can't be read");
	return true;
}

static view
text_add(struct buf *text, view part)
{
	view copy = { text->ptr + text->len, part.len };

	buf_add(text, part);
	return copy;
}

static struct entry *
entry_new(const struct vault *vault)
{
	static const view words[] = { V_INIT("/subscriptions/"), V_INIT("/resourceGroups/"),
		V_INIT("/providers/Microsoft.KeyVault/vaults/") };
	const view parts[] = { words[0], uuid_view(&vault->subscription), words[1],
		vault->resource_group, words[2], vault->name };
	size_t scope = 0, size;
	struct entry *entry;
	struct buf text;

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		scope += parts[i].len;
	size = 2 * scope + vault->name.len + vault->resource_group.len + vault->location.len;
	entry = calloc(1, sizeof(*entry) + size);
	if (entry == NULL)
		return NULL;
	text = (struct buf){ .ptr = entry->text, .size = size };
	entry->vault = *vault;
	entry->vault.scope = (view){ entry->text, scope };
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		buf_add(&text, parts[i]);
	for (size_t i = 0; i < scope; i++)
		buf_add_char(&text, ascii_upper(entry->text[i]));
	entry->vault.scope_capital = (view){ entry->text + scope, scope };
	entry->vault.name = text_add(&text, vault->name);
	entry->vault.resource_group = text_add(&text, vault->resource_group);
	entry->vault.location = text_add(&text, vault->location);
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
	if (vault != NULL && atomic_fetch_sub(&entry_of(vault)->holders, 1) == 1)
		free(entry_of(vault));
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
		fine = map_put(vaults->by_name, name, entry);
	(void)pthread_rwlock_unlock(&vaults->lock);
	vault_release(fine ? (before == NULL ? NULL : &before->vault) : &entry->vault);
	return fine;
}

static bool
update(void *ctx, view name, const view *document, struct error *err)
{
	struct vaults *vaults = ctx;
	struct entry *entry = NULL;
	struct vault vault = { 0 };

	if (document != NULL) {
		if (!decode(*document, &vault, err) ||
		    !keyring_key(vaults->keyring, uuid_view(&vault.id), &vault.key, err))
			return false;
		entry = entry_new(&vault);
		if (entry == NULL)
			return error_memory(err);
	}
	return replace(vaults, name, entry) || error_memory(err);
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
	if (!mirror_open(store, keyring, V(PREFIX), update, vaults, &vaults->mirror, err)) {
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

bool
vault_create(struct tx *tx, const struct vault *vault, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	AUTO(plain_done) struct plain *present = NULL;
	struct vault fresh = *vault;
	struct vault_key *system = keyring_system(tx->keyring);
	struct change key;
	char text[VAULT_NAME_MAX];
	view path, lower;

	if (!vault_name_valid(vault->name) || !lower_name(vault->name, text, &lower))
		return error_set(err, ERR_BAD_REQUEST,
		    "The vault name '%.*s' is invalid. A vault's name must be between 3-24 "
		    "alphanumeric characters. The name must begin with a letter, end with a letter "
		    "or digit, and not contain consecutive hyphens.",
		    VIEW_ARG(vault->name));
	random_uuid(&fresh.id);
	if (!arena_print(tx->arena, &path, PREFIX "%.*s", VIEW_ARG(lower)))
		return error_memory(err);
	encode(&fresh, &document);
	if (!tx_take(tx, system, path, &present, err))
		return false;
	if (present != NULL)
		return error_set(err, ERR_CONFLICT, "The vault name '%.*s' is already in use.",
		    VIEW_ARG(vault->name));
	return keyring_new_key(tx->keyring, uuid_view(&fresh.id), tx->arena, &key, err) &&
	    tx_change(tx, key, err) && tx_put(tx, system, path, &document, err);
}
