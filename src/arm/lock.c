#include "arm/lock.h"

#include "access/access.h"
#include "arm/id.h"
#include "arm/lock_store.h"
#include "base/map.h"
#include "base/pack.h"
#include "keyring/mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "lock"
#define FORMAT 1
#define NAMED_MAX 5 /* locked scopes that a refusal names */

struct entry {
	struct lock lock; /* its views point into ->text */
	char text[];
};

struct locks {
	struct mirror *mirror;
	pthread_rwlock_t lock;
	struct map *by_path;
};

static bool
lock_path(struct arena *arena, view scope, view name, view *out, struct error *err)
{
	view lower_scope, lower_name;

	return id_lower(arena, scope, &lower_scope, err) &&
	    id_lower(arena, name, &lower_name, err) &&
	    (arena_join(arena, (const view[]){ V(PREFIX), lower_scope, V("/"), lower_name }, 4,
		 out) ||
		error_memory(err));
}

static void
encode(const struct lock *lock, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, lock->scope);
	pack_bytes(out, lock->name);
	pack_bytes(out, lock->notes);
	pack_u8(out, lock->read_only);
}

static bool
decode(view document, struct lock *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;

	out->scope = unpack_bytes(&in);
	out->name = unpack_bytes(&in);
	out->notes = unpack_bytes(&in);
	out->read_only = unpack_u8(&in) != 0;
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a lock's document can't be read");
	return true;
}

bool
lock_put(struct tx *tx, const struct lock *lock, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	encode(lock, &document);
	return lock_path(tx->arena, lock->scope, lock->name, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
lock_delete(struct tx *tx, const struct lock *lock, struct error *err)
{
	view path;

	return lock_path(tx->arena, lock->scope, lock->name, &path, err) &&
	    tx_delete(tx, path, err);
}

bool
lock_get(struct tx *tx, view scope, view name, bool change, struct lock *out, bool *found,
    struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct vault_key *system = keyring_system(tx->keyring);
	view path, document;

	if (!lock_path(tx->arena, scope, name, &path, err))
		return false;
	if (change ? !tx_take(tx, system, path, &plain, err)
		   : !tx_get(tx, system, path, &plain, err))
		return false;
	*found = plain != NULL;
	if (plain == NULL)
		return true;
	if (!arena_copy(tx->arena, plain_view(plain), &document))
		return error_memory(err);
	return decode(document, out, err);
}

static bool
replace(struct locks *locks, view name, struct entry *entry)
{
	struct entry *before;
	bool fine = true;

	(void)pthread_rwlock_wrlock(&locks->lock);
	before = map_get(locks->by_path, name);
	if (entry == NULL)
		(void)map_remove(locks->by_path, name);
	else
		fine = map_put(locks->by_path, name, entry);
	(void)pthread_rwlock_unlock(&locks->lock);
	free(fine ? before : entry);
	return fine;
}

static bool
update(void *ctx, view name, const view *document, struct error *err)
{
	struct entry *entry = NULL;
	view copy;

	if (document != NULL) {
		entry = malloc(sizeof(*entry) + document->len);
		if (entry == NULL)
			return error_memory(err);
		memcpy(entry->text, document->ptr, document->len);
		copy = (view){ entry->text, document->len };
		if (!decode(copy, &entry->lock, err)) {
			free(entry);
			return false;
		}
	}
	return replace(ctx, name, entry) || error_memory(err);
}

bool
locks_open(struct store *store, struct keyring *keyring, struct locks **out, struct error *err)
{
	struct locks *locks = calloc(1, sizeof(*locks));

	if (locks == NULL)
		return error_memory(err);
	(void)pthread_rwlock_init(&locks->lock, NULL);
	locks->by_path = map_new();
	if (locks->by_path == NULL) {
		locks_close(locks);
		return error_memory(err);
	}
	if (!mirror_open(store, keyring, V(PREFIX "/"), update, locks, &locks->mirror, err)) {
		locks_close(locks);
		return false;
	}
	*out = locks;
	return true;
}

void
locks_close(struct locks *locks)
{
	void *entry;
	size_t at = 0;

	if (locks == NULL)
		return;
	mirror_close(locks->mirror);
	while (map_next(locks->by_path, &at, NULL, &entry))
		free(entry);
	map_free(locks->by_path);
	(void)pthread_rwlock_destroy(&locks->lock);
	free(locks);
}

static int
by_scope(const void *a, const void *b)
{
	const struct lock *left = a, *right = b;
	int order = view_cmp(left->scope, right->scope);

	return order != 0 ? order : view_cmp(left->name, right->name);
}

static bool
copy_out(const struct lock *lock, struct arena *arena, struct lock *out)
{
	*out = *lock;
	return arena_copy(arena, lock->scope, &out->scope) &&
	    arena_copy(arena, lock->name, &out->name) &&
	    arena_copy(arena, lock->notes, &out->notes);
}

static bool
is_asked_for(const struct lock *lock, const struct lock_query *query)
{
	return query->above ? scope_contains(lock->scope, query->scope)
			    : scope_contains(query->scope, lock->scope);
}

static size_t
count_of(struct locks *locks, const struct lock_query *query)
{
	size_t at = 0, count = 0;
	void *entry;

	while (map_next(locks->by_path, &at, NULL, &entry))
		count += is_asked_for(&((const struct entry *)entry)->lock, query);
	return count;
}

size_t
locks_count(struct locks *locks, view scope)
{
	const struct lock_query query = { .scope = scope };
	size_t count;

	(void)pthread_rwlock_rdlock(&locks->lock);
	count = count_of(locks, &query);
	(void)pthread_rwlock_unlock(&locks->lock);
	return count;
}

static bool
copy_all(struct locks *locks, const struct lock_query *query, struct arena *arena, struct lock *out,
    size_t *count)
{
	size_t at = 0;
	void *entry;

	while (map_next(locks->by_path, &at, NULL, &entry)) {
		const struct lock *lock = &((const struct entry *)entry)->lock;

		if (is_asked_for(lock, query) && !copy_out(lock, arena, &out[(*count)++]))
			return false;
	}
	return true;
}

bool
locks_list(struct locks *locks, const struct lock_query *query, struct arena *arena,
    struct lock **out, size_t *count, struct error *err)
{
	bool fine;

	*count = 0;
	(void)pthread_rwlock_rdlock(&locks->lock);
	*out = arena_alloc(arena, (count_of(locks, query) + 1) * sizeof(**out));
	fine = *out != NULL && copy_all(locks, query, arena, *out, count);
	(void)pthread_rwlock_unlock(&locks->lock);
	if (!fine)
		return error_memory(err);
	qsort(*out, *count, sizeof(**out), by_scope);
	return true;
}

enum effect { READS, WRITES, DELETES };

static view
last_word(view action, view *before)
{
	size_t at = action.len;

	while (at > 0 && action.ptr[at - 1] != '/')
		at--;
	*before = (view){ action.ptr, at == 0 ? 0 : at - 1 };
	return view_from(action, at);
}

/* By the action's last word; actions that only tell something are named so. */
static enum effect
effect_of(view action)
{
	view before, ignored, word = last_word(action, &before);

	if (view_istarts(action, V("Microsoft.Authorization/locks/")))
		return READS;
	if (view_ieq(word, V("delete")))
		return DELETES;
	if (view_ieq(word, V("write")))
		return WRITES;
	if (!view_ieq(word, V("action")))
		return READS;
	word = last_word(before, &ignored);
	return view_istarts(word, V("list")) || view_istarts(word, V("check")) ||
		view_istarts(word, V("get"))
	    ? READS
	    : WRITES;
}

static bool
holds_up(const struct lock *lock, view scope, enum effect effect)
{
	if (effect == WRITES && !lock->read_only)
		return false;
	return scope_contains(lock->scope, scope) ||
	    (effect == DELETES && scope_contains(scope, lock->scope));
}

static bool
refuse(view scope, enum effect effect, const struct buf *locked, struct error *err)
{
	if (!buf_ok(locked))
		return error_memory(err);
	return error_set(err, ERR_SCOPE_LOCKED,
	    "The scope '%.*s' cannot perform %s operation because following scope(s) are locked: "
	    "'%.*s'. Please remove the lock and try again.",
	    VIEW_ARG(scope), effect == DELETES ? "delete" : "write", VIEW_ARG(buf_view(locked)));
}

bool
locks_check(struct locks *locks, view scope, view action, struct error *err)
{
	AUTO(buf_free) struct buf locked = { 0 };
	enum effect effect = effect_of(action);
	size_t at = 0, named = 0;
	void *value;

	if (effect == READS || locks == NULL)
		return true;
	(void)pthread_rwlock_rdlock(&locks->lock);
	while (named < NAMED_MAX && map_next(locks->by_path, &at, NULL, &value)) {
		const struct lock *lock = &((const struct entry *)value)->lock;

		if (!holds_up(lock, scope, effect))
			continue;
		if (named++ > 0)
			buf_add(&locked, V(","));
		buf_add(&locked, lock->scope);
	}
	(void)pthread_rwlock_unlock(&locks->lock);
	return named == 0 || refuse(scope, effect, &locked, err);
}
