#include "access/index.h"

#include <stdlib.h>
#include <string.h>

struct place_key
place_key_of(const struct uuid *who, view folded)
{
	struct place_key key;

	memcpy(key.text, who->text, UUID_LEN);
	if (folded.len > SCOPE_MAX)
		folded.len = SCOPE_MAX;
	memcpy(key.text + UUID_LEN, folded.ptr, folded.len);
	key.len = UUID_LEN + folded.len;
	return key;
}

view
place_key_view(const struct place_key *key)
{
	return (view){ key->text, key->len };
}

const struct role *
grant_role(const struct grant *grant)
{
	if (grant->built_in != NULL)
		return grant->built_in;
	return grant->custom != NULL && grant->custom->present ? &grant->custom->role : NULL;
}

static view
add_text(char **at, view text)
{
	view copy = { *at, text.len };

	if (text.len > 0)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
	return copy;
}

static struct grant *
grant_new(const struct assignment *from)
{
	struct scope_path path;
	struct grant *grant;
	size_t len;
	char *at;

	scope_fold(from->scope, &path);
	len = from->scope.len + from->principal_type.len + from->condition.len +
	    from->description.len + scope_folded(&path).len + 1 + UUID_LEN;
	grant = calloc(1, sizeof(*grant) + len);
	if (grant == NULL)
		return NULL;
	at = grant->text;
	grant->assignment = *from;
	grant->assignment.scope = add_text(&at, from->scope);
	grant->assignment.principal_type = add_text(&at, from->principal_type);
	grant->assignment.condition = add_text(&at, from->condition);
	grant->assignment.description = add_text(&at, from->description);
	grant->folded = add_text(&at, scope_folded(&path));
	(void)add_text(&at, (view){ "", 1 });
	(void)add_text(&at, uuid_view(&from->name));
	grant->key = (view){ grant->folded.ptr, grant->folded.len + 1 + UUID_LEN };
	return grant;
}

static bool
holders_add(struct access *access, const struct uuid *principal, int by)
{
	uintptr_t count = (uintptr_t)map_get(access->holders, uuid_view(principal));

	count = by > 0 ? count + 1 : count - 1;
	if (count == 0) {
		(void)map_remove(access->holders, uuid_view(principal));
		return true;
	}
	return map_put(access->holders, uuid_view(principal), (void *)count);
}

/* The entry of a role that was deleted goes with its last assignment. */
static void
custom_release(struct access *access, struct role_entry *entry)
{
	struct place_key key;

	if (entry == NULL || --entry->assigned > 0 || entry->present)
		return;
	key = place_key_of(&entry->tenant, uuid_view(&entry->id));
	(void)map_remove(access->roles, place_key_view(&key));
	role_entry_free(entry);
}

static struct role_entry *
entry_of(struct access *access, const struct uuid *tenant, const struct uuid *id)
{
	struct place_key key = place_key_of(tenant, uuid_view(id));
	struct role_entry *entry = map_get(access->roles, place_key_view(&key));

	if (entry != NULL)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->tenant = *tenant;
	entry->id = *id;
	if (map_put(access->roles, place_key_view(&key), entry))
		return entry;
	free(entry);
	return NULL;
}

static void
unlink_grant(struct access *access, struct grant *grant)
{
	struct place_key key = place_key_of(&grant->assignment.principal, grant->folded);
	struct grant *first = map_get(access->grants, place_key_view(&key));

	if (first == grant) {
		/* Replacing the value of a key that is there needs no memory. */
		if (grant->next != NULL)
			(void)!map_put(access->grants, place_key_view(&key), grant->next);
		else
			(void)map_remove(access->grants, place_key_view(&key));
		return;
	}
	while (first != NULL && first->next != grant)
		first = first->next;
	if (first != NULL)
		first->next = grant->next;
}

static bool
link_grant(struct access *access, struct grant *grant)
{
	struct place_key key = place_key_of(&grant->assignment.principal, grant->folded);

	grant->next = map_get(access->grants, place_key_view(&key));
	return map_put(access->grants, place_key_view(&key), grant);
}

static void
drop_grant(struct access *access, struct grant *grant)
{
	const struct assignment *assignment = &grant->assignment;

	order_remove(access->by_tenant, uuid_view(&assignment->tenant), grant->key);
	order_remove(access->by_principal, uuid_view(&assignment->principal), grant->key);
	order_remove(access->by_role, uuid_view(&assignment->role), grant->key);
	unlink_grant(access, grant);
	(void)holders_add(access, &assignment->principal, -1);
	custom_release(access, grant->custom);
	free(grant);
}

static bool
add_orders(struct access *access, struct grant *grant)
{
	const struct assignment *assignment = &grant->assignment;

	return order_put(access->by_tenant, uuid_view(&assignment->tenant), grant->key, grant) &&
	    order_put(access->by_principal, uuid_view(&assignment->principal), grant->key, grant) &&
	    order_put(access->by_role, uuid_view(&assignment->role), grant->key, grant);
}

static bool
find_role(struct access *access, struct grant *grant)
{
	const struct assignment *assignment = &grant->assignment;

	grant->built_in = role_find(uuid_view(&assignment->role));
	if (grant->built_in != NULL)
		return true;
	grant->custom = entry_of(access, &assignment->tenant, &assignment->role);
	if (grant->custom == NULL)
		return false;
	grant->custom->assigned++;
	return true;
}

static bool
add_grant(struct access *access, const struct assignment *assignment)
{
	struct grant *grant = grant_new(assignment);

	if (grant == NULL)
		return false;
	if (!find_role(access, grant) || !holders_add(access, &assignment->principal, 1)) {
		custom_release(access, grant->custom);
		free(grant);
		return false;
	}
	/* Dropping what was added in part is fine. */
	if (link_grant(access, grant) && add_orders(access, grant) &&
	    map_put(access->names, uuid_view(&assignment->name), grant))
		return true;
	drop_grant(access, grant);
	return false;
}

bool
index_assignment(struct access *access, view name, const struct assignment *assignment)
{
	struct grant *before = map_remove(access->names, name);

	if (before != NULL)
		drop_grant(access, before);
	return assignment == NULL || add_grant(access, assignment);
}

void
role_entry_free(struct role_entry *entry)
{
	if (entry != NULL)
		arena_free(&entry->memory);
	free(entry);
}

static void
forget_role(struct access *access, struct role_entry *entry)
{
	if (!entry->present)
		return;
	order_remove(access->roles_by_tenant, uuid_view(&entry->tenant), uuid_view(&entry->id));
	entry->present = false;
	arena_free(&entry->memory);
	entry->memory = (struct arena){ 0 };
	entry->role = (struct role){ 0 };
}

/* The assignments point to the entry that is there: the contents move into it. */
static bool
fill_role(struct access *access, struct role_entry *entry, struct role_entry *fresh)
{
	if (!order_put(access->roles_by_tenant, uuid_view(&entry->tenant), uuid_view(&entry->id),
		entry))
		return false;
	entry->memory = fresh->memory;
	entry->role = fresh->role;
	entry->present = true;
	fresh->memory = (struct arena){ 0 };
	return true;
}

bool
index_role(struct access *access, view name, struct role_entry *fresh)
{
	struct uuid tenant, id;
	struct role_entry *entry;
	bool fine = true;

	if (!uuid_parse(view_cut(&name, '/'), &tenant) || !uuid_parse(name, &id)) {
		role_entry_free(fresh);
		return fresh == NULL;
	}
	entry = entry_of(access, &tenant, &id);
	if (entry == NULL) {
		role_entry_free(fresh);
		return false;
	}
	forget_role(access, entry);
	if (fresh != NULL)
		fine = fill_role(access, entry, fresh);
	role_entry_free(fresh);
	entry->assigned++;
	custom_release(access, entry);
	return fine;
}

void
deny_entry_free(struct deny_entry *entry)
{
	if (entry != NULL)
		arena_free(&entry->memory);
	free(entry);
}

static bool
link_deny(struct access *access, struct deny_entry *entry)
{
	struct place_key key = place_key_of(&entry->deny.tenant, entry->folded);

	entry->next = map_get(access->denies, place_key_view(&key));
	return map_put(access->denies, place_key_view(&key), entry);
}

static void
unlink_deny(struct access *access, struct deny_entry *entry)
{
	struct place_key key = place_key_of(&entry->deny.tenant, entry->folded);
	struct deny_entry *first = map_get(access->denies, place_key_view(&key));

	if (first == entry && entry->next != NULL)
		(void)!map_put(access->denies, place_key_view(&key), entry->next);
	else if (first == entry)
		(void)map_remove(access->denies, place_key_view(&key));
	while (first != NULL && first != entry && first->next != entry)
		first = first->next;
	if (first != NULL && first != entry)
		first->next = entry->next;
}

static void
drop_deny(struct access *access, struct deny_entry *entry)
{
	order_remove(access->denies_by_tenant, uuid_view(&entry->deny.tenant), entry->key);
	unlink_deny(access, entry);
	deny_entry_free(entry);
}

/* The new one denies before the old one does no more; what fails last is that it is listed. */
static bool
replace_deny(struct access *access, view name, struct deny_entry *entry)
{
	struct deny_entry *before = map_get(access->deny_names, name);

	if (!link_deny(access, entry)) {
		deny_entry_free(entry);
		return false;
	}
	if (!map_put(access->deny_names, name, entry)) {
		unlink_deny(access, entry);
		deny_entry_free(entry);
		return false;
	}
	if (before != NULL)
		drop_deny(access, before);
	return order_put(access->denies_by_tenant, uuid_view(&entry->deny.tenant), entry->key,
	    entry);
}

bool
index_deny(struct access *access, view name, struct deny_entry *entry)
{
	struct deny_entry *before;

	if (entry != NULL)
		return replace_deny(access, name, entry);
	before = map_remove(access->deny_names, name);
	if (before != NULL)
		drop_deny(access, before);
	return true;
}

bool
index_make(struct access *access)
{
	struct map **maps[] = { &access->names, &access->grants, &access->holders, &access->roles,
		&access->deny_names, &access->denies, &access->subscriptions };
	struct order **orders[] = { &access->by_tenant, &access->by_principal, &access->by_role,
		&access->roles_by_tenant, &access->denies_by_tenant };
	bool fine = true;

	for (size_t i = 0; i < COUNT_OF(maps); i++) {
		*maps[i] = map_new();
		fine = fine && *maps[i] != NULL;
	}
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		*orders[i] = order_new();
		fine = fine && *orders[i] != NULL;
	}
	return fine;
}

static void
free_values(struct access *access)
{
	void *value;

	for (size_t at = 0; map_next(access->names, &at, NULL, &value);)
		free(value);
	for (size_t at = 0; map_next(access->roles, &at, NULL, &value);)
		role_entry_free(value);
	for (size_t at = 0; map_next(access->deny_names, &at, NULL, &value);)
		deny_entry_free(value);
	for (size_t at = 0; map_next(access->subscriptions, &at, NULL, &value);)
		free(value);
}

void
index_free(struct access *access)
{
	free_values(access);
	map_free(access->names);
	map_free(access->grants);
	map_free(access->holders);
	map_free(access->roles);
	map_free(access->deny_names);
	map_free(access->denies);
	map_free(access->subscriptions);
	order_free(access->by_tenant);
	order_free(access->by_principal);
	order_free(access->by_role);
	order_free(access->roles_by_tenant);
	order_free(access->denies_by_tenant);
}
