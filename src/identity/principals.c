#include "identity/principals.h"

#include "base/map.h"
#include "identity/group_store.h"
#include "keyring/mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ID_LEN 16

/* An object id without its dashes: there are many of them. */
struct id {
	uint8_t bytes[ID_LEN];
};

/* What is known of an object id; also of one that has memberships only. */
struct node {
	struct id application;
	struct id *groups;         /* it is directly in */
	const struct uuid *tenant; /* in ->tenants */
	uint32_t group_count;
	uint32_t members; /* of a group */
	uint8_t kind;     /* enum principal_kind */
	bool enabled;
};

struct principals {
	pthread_rwlock_t lock; /* guards the two below */
	struct map *nodes;     /* struct id -> struct node */
	struct map *tenants;   /* their ids, once each */
	struct mirror *objects, *memberships;
};

static struct id
id_of(const struct uuid *uuid)
{
	char digits[2 * ID_LEN];
	struct id id = { { 0 } };
	size_t len = 0;

	for (size_t i = 0; i < UUID_LEN && len < sizeof(digits); i++) {
		if (uuid->text[i] != '-')
			digits[len++] = uuid->text[i];
	}
	(void)hex_decode((view){ digits, len }, id.bytes);
	return id;
}

static void
id_print(const struct id *id, struct uuid *out)
{
	char digits[2 * ID_LEN], *to = out->text;

	hex_encode((view){ (const char *)id->bytes, ID_LEN }, digits);
	for (size_t i = 0; i < sizeof(digits); i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*to++ = '-';
		*to++ = digits[i];
	}
	*to = '\0';
}

static view
id_view(const struct id *id)
{
	return (view){ (const char *)id->bytes, ID_LEN };
}

static struct node *
find(const struct principals *principals, const struct id *id)
{
	return map_get(principals->nodes, id_view(id));
}

static struct node *
place(struct principals *principals, const struct id *id)
{
	struct node *node = find(principals, id);

	if (node != NULL)
		return node;
	node = calloc(1, sizeof(*node));
	if (node == NULL || !map_put(principals->nodes, id_view(id), node)) {
		free(node);
		return NULL;
	}
	return node;
}

static void
drop_unused(struct principals *principals, const struct id *id)
{
	struct node *node = find(principals, id);

	if (node == NULL || node->kind != PRINCIPAL_NONE || node->group_count > 0 ||
	    node->members > 0)
		return;
	(void)map_remove(principals->nodes, id_view(id));
	free(node->groups);
	free(node);
}

/* Few tenants, many principals: they share their tenant's id. */
static const struct uuid *
tenant_place(struct principals *principals, const struct uuid *tenant)
{
	struct uuid *known = map_get(principals->tenants, uuid_view(tenant));

	if (known != NULL)
		return known;
	known = malloc(sizeof(*known));
	if (known == NULL)
		return NULL;
	*known = *tenant;
	if (!map_put(principals->tenants, uuid_view(tenant), known)) {
		free(known);
		return NULL;
	}
	return known;
}

static enum principal_kind
kind_of(const struct oid *object)
{
	switch (object->kind) {
	case OBJECT_USER: return PRINCIPAL_USER;
	case OBJECT_GROUP: return PRINCIPAL_GROUP;
	case OBJECT_SERVICE_PRINCIPAL:
		return object->identity ? PRINCIPAL_IDENTITY : PRINCIPAL_APPLICATION;
	default: return PRINCIPAL_NONE; /* an application object's own id */
	}
}

static bool
object_set(struct principals *principals, const struct id *id, const struct oid *object)
{
	const struct uuid *tenant = tenant_place(principals, &object->tenant);
	struct node *node = tenant == NULL ? NULL : place(principals, id);

	if (node == NULL)
		return false;
	node->kind = (uint8_t)kind_of(object);
	node->enabled = !object->disabled;
	node->tenant = tenant;
	node->application = id_of(&object->id);
	return true;
}

static void
object_unset(struct principals *principals, const struct id *id)
{
	struct node *node = find(principals, id);

	if (node == NULL)
		return;
	node->kind = PRINCIPAL_NONE;
	node->enabled = false;
	drop_unused(principals, id);
}

/* What can't be read is nobody: who was let in before must not stay so. */
static bool
object_changed(void *ctx, view name, const view *document, struct error *err)
{
	struct principals *principals = ctx;
	struct oid object = { .kind = OBJECT_ANY };
	bool fine = true, readable = true;
	struct uuid uuid;
	struct id id;

	if (!uuid_parse(name, &uuid))
		return error_set(err, ERR_CORRUPT, "not an object id");
	id = id_of(&uuid);
	if (document != NULL)
		readable = oid_unpack(*document, &object, err);
	(void)pthread_rwlock_wrlock(&principals->lock);
	if (readable && kind_of(&object) != PRINCIPAL_NONE)
		fine = object_set(principals, &id, &object);
	else
		object_unset(principals, &id);
	(void)pthread_rwlock_unlock(&principals->lock);
	return readable && (fine || error_memory(err));
}

static size_t
group_at(const struct node *node, const struct id *group)
{
	size_t i = 0;

	while (i < node->group_count && memcmp(&node->groups[i], group, sizeof(*group)) != 0)
		i++;
	return i;
}

static bool
membership_set(struct principals *principals, const struct id *group, const struct id *member)
{
	struct node *node = place(principals, member), *in = place(principals, group);
	struct id *groups;

	if (node == NULL || in == NULL)
		return false;
	if (group_at(node, group) < node->group_count)
		return true;
	groups = realloc(node->groups, (node->group_count + 1) * sizeof(*groups));
	if (groups == NULL)
		return false;
	node->groups = groups;
	groups[node->group_count++] = *group;
	in->members++;
	return true;
}

static void
membership_unset(struct principals *principals, const struct id *group, const struct id *member)
{
	struct node *node = find(principals, member), *in = find(principals, group);
	size_t at = node == NULL ? 0 : group_at(node, group);

	if (node == NULL || in == NULL || at == node->group_count)
		return;
	node->groups[at] = node->groups[--node->group_count];
	if (node->group_count == 0) {
		free(node->groups);
		node->groups = NULL;
	}
	in->members--;
	drop_unused(principals, member);
	drop_unused(principals, group);
}

static bool
membership_changed(void *ctx, view name, const view *document, struct error *err)
{
	struct principals *principals = ctx;
	struct uuid group, member;
	struct id in, who;
	bool fine = true;

	if (!membership_parse(name, &group, &member))
		return error_set(err, ERR_CORRUPT, "not a membership");
	in = id_of(&group);
	who = id_of(&member);
	(void)pthread_rwlock_wrlock(&principals->lock);
	if (document != NULL)
		fine = membership_set(principals, &in, &who);
	else
		membership_unset(principals, &in, &who);
	(void)pthread_rwlock_unlock(&principals->lock);
	return fine || error_memory(err);
}

static void
principals_done(struct principals **principals)
{
	principals_close(*principals);
}

bool
principals_open(struct store *store, struct keyring *keyring, struct principals **out,
    struct error *err)
{
	AUTO(principals_done) struct principals *principals = calloc(1, sizeof(*principals));

	if (principals == NULL || pthread_rwlock_init(&principals->lock, NULL) != 0) {
		free(principals);
		principals = NULL;
		return error_memory(err);
	}
	principals->nodes = map_new();
	principals->tenants = map_new();
	if (principals->nodes == NULL || principals->tenants == NULL)
		return error_memory(err);
	if (!mirror_open(store, keyring, V("oid/"), object_changed, principals,
		&principals->objects, err) ||
	    !mirror_open(store, keyring, V("member/"), membership_changed, principals,
		&principals->memberships, err))
		return false;
	*out = principals;
	principals = NULL;
	return true;
}

void
principals_close(struct principals *principals)
{
	size_t at = 0;
	void *value;

	if (principals == NULL)
		return;
	mirror_close(principals->objects);
	mirror_close(principals->memberships);
	while (map_next(principals->nodes, &at, NULL, &value)) {
		free(((struct node *)value)->groups);
		free(value);
	}
	map_free(principals->nodes);
	at = 0;
	while (map_next(principals->tenants, &at, NULL, &value))
		free(value);
	map_free(principals->tenants);
	(void)pthread_rwlock_destroy(&principals->lock);
	free(principals);
}

bool
principals_find(struct principals *principals, const struct uuid *object, struct principal *out)
{
	const struct id id = id_of(object);
	const struct node *node;
	bool found;

	(void)pthread_rwlock_rdlock(&principals->lock);
	node = find(principals, &id);
	found = node != NULL && node->kind != PRINCIPAL_NONE;
	if (found) {
		*out = (struct principal){
			.kind = (enum principal_kind)node->kind,
			.object = *object,
			.tenant = *node->tenant,
			.enabled = node->enabled,
		};
		if (node->kind == PRINCIPAL_APPLICATION || node->kind == PRINCIPAL_IDENTITY)
			id_print(&node->application, &out->application);
	}
	(void)pthread_rwlock_unlock(&principals->lock);
	return found;
}

/* The ids found so far, as positions in the list; never more than half full. */
#define SEEN_SIZE ((size_t)4 * MEMBERSHIPS_MAX)

struct search {
	struct principals *principals;
	struct memberships *out;
	struct id ids[MEMBERSHIPS_MAX];
	uint16_t seen[SEEN_SIZE]; /* 0: free; otherwise the position + 1 */
};

static void
search_add(struct search *search, const struct id *id)
{
	size_t at = keyed_hash(id_view(id)) % SEEN_SIZE;

	for (; search->seen[at] != 0; at = (at + 1) % SEEN_SIZE) {
		if (memcmp(&search->ids[search->seen[at] - 1], id, sizeof(*id)) == 0)
			return;
	}
	if (search->out->count == MEMBERSHIPS_MAX) {
		search->out->whole = false;
		return;
	}
	search->ids[search->out->count] = *id;
	id_print(id, &search->out->ids[search->out->count]);
	search->seen[at] = (uint16_t)++search->out->count;
}

/* Groups of another tenant, or that are gone, count for nothing. */
static void
search_visit(struct search *search, const struct uuid *tenant, size_t at)
{
	const struct node *node = find(search->principals, &search->ids[at]);

	for (size_t i = 0; node != NULL && i < node->group_count && search->out->whole; i++) {
		const struct node *group = find(search->principals, &node->groups[i]);

		if (group != NULL && group->kind == PRINCIPAL_GROUP && group->tenant == tenant)
			search_add(search, &node->groups[i]);
	}
}

static void
search_groups(struct principals *principals, const struct node *node, const struct id *id,
    struct memberships *out)
{
	struct search search = { .principals = principals, .out = out };

	search_add(&search, id);
	for (size_t i = 0; i < out->count && out->whole; i++)
		search_visit(&search, node->tenant, i);
}

void
principals_memberships(struct principals *principals, const struct uuid *object,
    struct memberships *out)
{
	const struct id id = id_of(object);
	const struct node *node;

	out->whole = true;
	out->count = 0;
	(void)pthread_rwlock_rdlock(&principals->lock);
	node = find(principals, &id);
	if (node != NULL && node->kind != PRINCIPAL_NONE && node->group_count > 0)
		search_groups(principals, node, &id, out);
	else /* most are in none: without the search's 24 KB, which are cleared first */
		id_print(&id, &out->ids[out->count++]);
	(void)pthread_rwlock_unlock(&principals->lock);
}

bool
principals_groups(struct principals *principals, const struct uuid *object, struct uuid *out,
    size_t max, size_t *count)
{
	const struct id id = id_of(object);
	const struct node *node;
	bool whole = true;

	*count = 0;
	(void)pthread_rwlock_rdlock(&principals->lock);
	node = find(principals, &id);
	for (size_t i = 0; node != NULL && i < node->group_count && whole; i++) {
		const struct node *group = find(principals, &node->groups[i]);

		if (group == NULL || group->kind != PRINCIPAL_GROUP)
			continue;
		whole = *count < max;
		if (whole)
			id_print(&node->groups[i], &out[(*count)++]);
	}
	(void)pthread_rwlock_unlock(&principals->lock);
	return whole;
}

size_t
principals_group_count(struct principals *principals, const struct uuid *object)
{
	const struct id id = id_of(object);
	const struct node *node;
	size_t count;

	(void)pthread_rwlock_rdlock(&principals->lock);
	node = find(principals, &id);
	count = node == NULL ? 0 : node->group_count;
	(void)pthread_rwlock_unlock(&principals->lock);
	return count;
}
