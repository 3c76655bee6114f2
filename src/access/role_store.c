#include "access/role_store.h"

#include "access/index.h"
#include "access/texts.h"
#include "base/pack.h"

#define FORMAT 1
#define PAGE_RESERVE ((size_t)3 << 19) /* of the arena, for the rest of the request */

static bool
path_of(struct arena *arena, const struct uuid *tenant, view id, view *out, struct error *err)
{
	return arena_print(arena, out, "role/%s/%.*s", tenant->text, VIEW_ARG(id)) ||
	    error_memory(err);
}

/* Deep. */
static bool
copy_role(const struct role *from, struct arena *arena, struct role *out)
{
	struct role_custom *custom;

	*out = *from;
	if (from->custom == NULL)
		return true;
	custom = arena_alloc(arena, sizeof(*custom));
	if (custom == NULL)
		return false;
	*custom = *from->custom;
	out->custom = custom;
	return text_copy(arena, view_of(from->id), &out->id) &&
	    text_copy(arena, view_of(from->name), &out->name) &&
	    text_copy(arena, view_of(from->description), &out->description) &&
	    permissions_copy(&from->permissions, arena, &out->permissions) &&
	    texts_copy(from->custom->scopes, arena, &custom->scopes);
}

static void
encode(const struct role *role, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, view_of(role->name));
	pack_bytes(out, view_of(role->description));
	permissions_pack(out, &role->permissions);
	texts_pack(out, role->custom->scopes);
	pack_i64(out, role->custom->created);
	pack_i64(out, role->custom->updated);
	pack_bytes(out, uuid_view(&role->custom->created_by));
	pack_bytes(out, uuid_view(&role->custom->updated_by));
}

static bool
decode_custom(struct unpack *in, struct arena *arena, struct role_custom *out)
{
	if (!texts_unpack(in, arena, &out->scopes))
		return false;
	out->created = unpack_i64(in);
	out->updated = unpack_i64(in);
	return uuid_parse(unpack_bytes(in), &out->created_by) &&
	    uuid_parse(unpack_bytes(in), &out->updated_by) && unpack_end(in);
}

bool
role_decode(view name, view document, struct arena *arena, struct role *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	struct role_custom *custom = arena_alloc(arena, sizeof(*custom));
	view tenant = view_cut(&name, '/');
	struct uuid id;

	if (custom == NULL)
		return error_memory(err);
	*out = (struct role){ .custom = custom };
	if (unpack_u8(&in) == FORMAT && uuid_parse(tenant, &custom->tenant) &&
	    uuid_parse(name, &id) && text_copy(arena, uuid_view(&id), &out->id) &&
	    text_copy(arena, unpack_bytes(&in), &out->name) &&
	    text_copy(arena, unpack_bytes(&in), &out->description) &&
	    permissions_unpack(&in, arena, &out->permissions) && decode_custom(&in, arena, custom))
		return true;
	return arena_corrupt(arena, "a role definition can't be read", err);
}

bool
role_get(struct access *access, const struct uuid *tenant, view id, struct arena *arena,
    struct role *out)
{
	const struct role *built_in = role_find(id);
	const struct role_entry *entry;
	struct place_key key;
	struct uuid uuid;
	bool found;

	if (built_in != NULL)
		*out = *built_in;
	if (built_in != NULL || !uuid_parse(id, &uuid))
		return built_in != NULL;
	key = place_key_of(tenant, uuid_view(&uuid));
	(void)pthread_rwlock_rdlock(&access->lock);
	entry = map_get(access->roles, place_key_view(&key));
	found = entry != NULL && entry->present && copy_role(&entry->role, arena, out);
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

bool
role_named(struct access *access, const struct uuid *tenant, view name, view except)
{
	const struct order_node *node;
	bool found = role_find_named(name) != NULL;

	(void)pthread_rwlock_rdlock(&access->lock);
	for (node = order_seek(access->roles_by_tenant, uuid_view(tenant), V(""));
	     !found && node != NULL && view_eq(order_head(node), uuid_view(tenant));
	     node = order_next(node)) {
		const struct role_entry *entry = order_value(node);

		found =
		    view_ieq(view_of(entry->role.name), name) && !view_ieq(order_key(node), except);
	}
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

bool
role_assignable(const struct role *role, view scope)
{
	const char *const *scopes;

	if (role->custom == NULL)
		return true;
	for (scopes = role->custom->scopes; *scopes != NULL; scopes++) {
		if (scope_contains(view_of(*scopes), scope))
			return true;
	}
	return false;
}

bool
role_assigned_outside(struct access *access, const struct role *role)
{
	struct uuid id = role_id(role);
	const struct order_node *node;
	bool found = false;

	(void)pthread_rwlock_rdlock(&access->lock);
	for (node = order_seek(access->by_role, uuid_view(&id), V(""));
	     !found && node != NULL && view_eq(order_head(node), uuid_view(&id));
	     node = order_next(node)) {
		const struct grant *grant = order_value(node);

		found = view_eq(uuid_view(&grant->assignment.tenant),
			    uuid_view(&role->custom->tenant)) &&
		    !role_assignable(role, grant->assignment.scope);
	}
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

bool
role_assigned(struct access *access, const struct uuid *tenant, const struct uuid *id)
{
	struct place_key key = place_key_of(tenant, uuid_view(id));
	const struct role_entry *entry;
	bool found;

	(void)pthread_rwlock_rdlock(&access->lock);
	entry = map_get(access->roles, place_key_view(&key));
	found = entry != NULL && entry->assigned > 0;
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

size_t
roles_count(struct access *access)
{
	size_t count;

	(void)pthread_rwlock_rdlock(&access->lock);
	count = map_count(access->roles);
	(void)pthread_rwlock_unlock(&access->lock);
	return count;
}

bool
roles_page(struct access *access, const struct uuid *tenant, view after, size_t limit,
    struct arena *arena, struct role_page *out, struct error *err)
{
	struct role_page page = { .items = arena_alloc(arena, (limit + 1) * sizeof(*page.items)) };
	const struct order_node *node;
	bool fine = page.items != NULL;

	page.next = V("");
	(void)pthread_rwlock_rdlock(&access->lock);
	node = order_seek(access->roles_by_tenant, uuid_view(tenant), after);
	for (; fine && node != NULL && view_eq(order_head(node), uuid_view(tenant));
	     node = order_next(node)) {
		const struct role_entry *entry = order_value(node);

		if (view_eq(order_key(node), after))
			continue;
		if (page.count == limit || (page.count > 0 && arena->left < PAGE_RESERVE)) {
			page.next = view_of(page.items[page.count - 1].id);
			break;
		}
		fine = copy_role(&entry->role, arena, &page.items[page.count]);
		page.count += fine;
	}
	(void)pthread_rwlock_unlock(&access->lock);
	*out = page;
	return fine || error_memory(err);
}

/* The index said whether it is there; if the store says otherwise, ask again. */
static bool
take(struct tx *tx, const struct role *role, bool present, view *path, struct error *err)
{
	AUTO(plain_done) struct plain *before = NULL;

	if (!path_of(tx->arena, &role->custom->tenant, view_of(role->id), path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), *path, &before, err))
		return false;
	if ((before != NULL) != present)
		return error_set(err, ERR_STORE_CONFLICT, "the role definition has changed");
	return true;
}

bool
role_put(struct tx *tx, const struct role *role, bool present, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	encode(role, &document);
	return take(tx, role, present, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
role_delete(struct tx *tx, const struct role *role, struct error *err)
{
	view path;

	return take(tx, role, true, &path, err) && tx_delete(tx, path, err);
}
