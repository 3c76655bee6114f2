#include "access/access.h"

#include "base/map.h"
#include "base/pack.h"
#include "keyring/mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "a/"
#define FORMAT 1

/* An assignment in the index: on the list of its principal, and under its name. */
struct grant {
	struct assignment assignment; /* its views point behind the struct */
	struct grant *next;           /* of the same principal */
	char text[];
};

struct access {
	struct mirror *mirror;
	pthread_rwlock_t lock;
	struct map *by_name;      /* -> struct grant */
	struct map *by_principal; /* -> the first struct grant of a list */
};

bool
scope_contains(view outer, view inner)
{
	if (view_ends(outer, V("/")))
		outer.len--;
	if (!view_istarts(inner, outer))
		return false;
	return inner.len == outer.len || inner.ptr[outer.len] == '/';
}

static bool
path_of(struct arena *arena, view name, view *out, struct error *err)
{
	return arena_print(arena, out, PREFIX "%.*s", VIEW_ARG(name)) || error_memory(err);
}

static void
encode(const struct assignment *assignment, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&assignment->principal));
	pack_bytes(out, view_of(assignment->role->id));
	pack_bytes(out, assignment->scope);
	pack_bytes(out, assignment->principal_type);
	pack_i64(out, assignment->created);
	pack_bytes(out, uuid_view(&assignment->created_by));
}

static bool
decode(view name, view document, struct assignment *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT && uuid_parse(name, &out->name) &&
	    uuid_parse(unpack_bytes(&in), &out->principal);

	out->role = role_find(unpack_bytes(&in));
	out->scope = unpack_bytes(&in);
	out->principal_type = unpack_bytes(&in);
	out->created = unpack_i64(&in);
	fine = fine && uuid_parse(unpack_bytes(&in), &out->created_by) && out->role != NULL;
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a role assignment can't be read");
	return true;
}

static struct grant *
grant_new(const struct assignment *assignment)
{
	size_t scope = assignment->scope.len, type = assignment->principal_type.len;
	struct grant *grant = calloc(1, sizeof(*grant) + scope + type + 1);

	if (grant == NULL)
		return NULL;
	grant->assignment = *assignment;
	memcpy(grant->text, assignment->scope.ptr, scope);
	memcpy(grant->text + scope, assignment->principal_type.ptr, type);
	grant->assignment.scope = (view){ grant->text, scope };
	grant->assignment.principal_type = (view){ grant->text + scope, type };
	return grant;
}

static void
unlink_grant(struct access *access, struct grant *grant)
{
	view principal = uuid_view(&grant->assignment.principal);
	struct grant *first = map_get(access->by_principal, principal);

	if (first == grant) {
		/* Replacing the value of a key that is there needs no memory. */
		if (grant->next != NULL)
			(void)!map_put(access->by_principal, principal, grant->next);
		else
			(void)map_remove(access->by_principal, principal);
		return;
	}
	while (first->next != grant)
		first = first->next;
	first->next = grant->next;
}

static void
index_drop(struct access *access, view name)
{
	struct grant *grant = map_remove(access->by_name, name);

	if (grant == NULL)
		return;
	unlink_grant(access, grant);
	free(grant);
}

static bool
index_add(struct access *access, const struct assignment *assignment)
{
	view principal = uuid_view(&assignment->principal);
	struct grant *grant = grant_new(assignment);

	if (grant == NULL)
		return false;
	grant->next = map_get(access->by_principal, principal);
	if (!map_put(access->by_name, uuid_view(&assignment->name), grant)) {
		free(grant);
		return false;
	}
	if (!map_put(access->by_principal, principal, grant)) {
		(void)map_remove(access->by_name, uuid_view(&assignment->name));
		free(grant);
		return false;
	}
	return true;
}

/* A grant that can't be taken over is left out: that errs on the side of refusing. */
static bool
update(void *ctx, view name, const view *document, struct error *err)
{
	struct access *access = ctx;
	struct assignment assignment;
	bool readable = document != NULL && decode(name, *document, &assignment, err);
	bool fine = true;

	(void)pthread_rwlock_wrlock(&access->lock);
	index_drop(access, name);
	if (readable)
		fine = index_add(access, &assignment);
	(void)pthread_rwlock_unlock(&access->lock);
	if (document != NULL && !readable)
		return false;
	return fine || error_memory(err);
}

bool
access_open(struct store *store, struct keyring *keyring, struct access **out, struct error *err)
{
	struct access *access = calloc(1, sizeof(*access));

	if (access == NULL)
		return error_memory(err);
	(void)pthread_rwlock_init(&access->lock, NULL);
	access->by_name = map_new();
	access->by_principal = map_new();
	if (access->by_name == NULL || access->by_principal == NULL) {
		access_close(access);
		return error_memory(err);
	}
	if (!mirror_open(store, keyring, V(PREFIX), update, access, &access->mirror, err)) {
		access_close(access);
		return false;
	}
	*out = access;
	return true;
}

void
access_close(struct access *access)
{
	void *grant;
	size_t at = 0;

	if (access == NULL)
		return;
	while (map_next(access->by_name, &at, NULL, &grant))
		free(grant);
	map_free(access->by_name);
	map_free(access->by_principal);
	mirror_close(access->mirror);
	(void)pthread_rwlock_destroy(&access->lock);
	free(access);
}

bool
access_check(struct access *access, const struct uuid *principal, view action, bool data,
    view scope, struct uuid *assignment)
{
	const struct grant *grant;

	(void)pthread_rwlock_rdlock(&access->lock);
	for (grant = map_get(access->by_principal, uuid_view(principal)); grant != NULL;
	     grant = grant->next) {
		if (scope_contains(grant->assignment.scope, scope) &&
		    role_allows(grant->assignment.role, action, data))
			break;
	}
	if (grant != NULL && assignment != NULL)
		*assignment = grant->assignment.name;
	(void)pthread_rwlock_unlock(&access->lock);
	return grant != NULL;
}

bool
access_reaches(struct access *access, const struct uuid *principal, view scope)
{
	const struct grant *grant;

	(void)pthread_rwlock_rdlock(&access->lock);
	grant = map_get(access->by_principal, uuid_view(principal));
	while (grant != NULL && !scope_contains(grant->assignment.scope, scope) &&
	    !scope_contains(scope, grant->assignment.scope))
		grant = grant->next;
	(void)pthread_rwlock_unlock(&access->lock);
	return grant != NULL;
}

bool
access_has(struct access *access, const struct assignment *wanted)
{
	const struct grant *grant;

	(void)pthread_rwlock_rdlock(&access->lock);
	grant = map_get(access->by_principal, uuid_view(&wanted->principal));
	while (grant != NULL && !assignment_same(&grant->assignment, wanted))
		grant = grant->next;
	(void)pthread_rwlock_unlock(&access->lock);
	return grant != NULL;
}

bool
assignment_same(const struct assignment *a, const struct assignment *b)
{
	return a->role == b->role && view_ieq(a->scope, b->scope) &&
	    view_eq(uuid_view(&a->principal), uuid_view(&b->principal));
}

bool
assignment_put(struct tx *tx, const struct assignment *assignment, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	AUTO(plain_done) struct plain *before = NULL;
	view path;

	encode(assignment, &document);
	if (!path_of(tx->arena, uuid_view(&assignment->name), &path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), path, &before, err))
		return false;
	/* It has appeared since the index was asked: look again. */
	if (before != NULL)
		return error_set(err, ERR_STORE_CONFLICT, "the role assignment exists already");
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
assignment_delete(struct tx *tx, const struct assignment *assignment, struct error *err)
{
	AUTO(plain_done) struct plain *before = NULL;
	struct assignment present;
	view path;

	if (!path_of(tx->arena, uuid_view(&assignment->name), &path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), path, &before, err))
		return false;
	/* What the caller may delete is the one that the index showed, at that scope. */
	if (before == NULL)
		return error_set(err, ERR_STORE_CONFLICT, "the role assignment is gone");
	if (!decode(uuid_view(&assignment->name), plain_view(before), &present, err))
		return false;
	if (!view_ieq(present.scope, assignment->scope))
		return error_set(err, ERR_STORE_CONFLICT, "the role assignment is another one");
	return tx_delete(tx, path, err);
}

static bool
copy_out(const struct assignment *from, struct arena *arena, struct assignment *out)
{
	*out = *from;
	return arena_copy(arena, from->scope, &out->scope) &&
	    arena_copy(arena, from->principal_type, &out->principal_type);
}

bool
assignment_find(struct access *access, const struct uuid *name, struct arena *arena,
    struct assignment *out)
{
	const struct grant *grant;
	bool found;

	(void)pthread_rwlock_rdlock(&access->lock);
	grant = map_get(access->by_name, uuid_view(name));
	found = grant != NULL && copy_out(&grant->assignment, arena, out);
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

static bool
list_locked(struct access *access, assignment_filter *filter, const void *ctx, struct arena *arena,
    struct assignment *list, size_t *count)
{
	size_t at = 0;
	void *value;

	while (map_next(access->by_name, &at, NULL, &value)) {
		const struct grant *grant = value;

		if (!filter(&grant->assignment, ctx))
			continue;
		/* The first pass counts, the second copies. */
		if (list != NULL && !copy_out(&grant->assignment, arena, &list[*count]))
			return false;
		(*count)++;
	}
	return true;
}

bool
assignments_list(struct access *access, assignment_filter *filter, const void *ctx,
    struct arena *arena, struct assignment **out, size_t *count, struct error *err)
{
	struct assignment *list = NULL;
	size_t total = 0;
	bool fine;

	(void)pthread_rwlock_rdlock(&access->lock);
	fine = list_locked(access, filter, ctx, arena, NULL, &total);
	if (fine)
		list = arena_alloc(arena, (total + 1) * sizeof(*list));
	*count = 0;
	fine = list != NULL && list_locked(access, filter, ctx, arena, list, count);
	(void)pthread_rwlock_unlock(&access->lock);
	*out = list;
	return fine || error_memory(err);
}
