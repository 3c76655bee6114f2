/*
 * What the index holds, copied out.
 */
#include "access/index.h"
#include "access/role_store.h"
#include "identity/principal.h"

#include <stdlib.h>
#include <string.h>

/* A page ends early rather than spend what the rest of the request needs. */
#define PAGE_RESERVE ((size_t)3 << 19)

struct spans
spans_of(view scope, bool below)
{
	struct spans spans = { .below = below };

	scope_fold(scope, &spans.path);
	return spans;
}

static void
span_set(struct span *span, view text, char last)
{
	memcpy(span->text, text.ptr, text.len);
	span->text[text.len] = last;
	span->len = text.len + 1;
}

bool
spans_next(struct spans *spans, struct span *out)
{
	size_t at = spans->next++;

	if (at < spans->path.count) {
		span_set(out, scope_level(&spans->path, at), '\0');
		return true;
	}
	/* Nothing is below a scope that nothing can be at. */
	if (at > spans->path.count || !spans->below || !spans->path.whole)
		return false;
	span_set(out, scope_folded(&spans->path), '/');
	return true;
}

static bool
copy_out(const struct assignment *from, struct arena *arena, struct assignment *out)
{
	*out = *from;
	return arena_copy(arena, from->scope, &out->scope) &&
	    arena_copy(arena, from->principal_type, &out->principal_type) &&
	    arena_copy(arena, from->condition, &out->condition) &&
	    arena_copy(arena, from->description, &out->description);
}

bool
assignment_find(struct access *access, const struct uuid *name, struct arena *arena,
    struct assignment *out)
{
	const struct grant *grant;
	bool found;

	(void)pthread_rwlock_rdlock(&access->lock);
	grant = map_get(access->names, uuid_view(name));
	found = grant != NULL && copy_out(&grant->assignment, arena, out);
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}

bool
assignment_same(const struct assignment *a, const struct assignment *b)
{
	return view_eq(uuid_view(&a->role), uuid_view(&b->role)) &&
	    scope_same(a->scope, b->scope) &&
	    view_eq(uuid_view(&a->principal), uuid_view(&b->principal));
}

bool
access_has(struct access *access, const struct assignment *wanted)
{
	const struct grant *grant;
	struct scope_path path;
	struct place_key key;

	scope_fold(wanted->scope, &path);
	key = place_key_of(&wanted->principal, scope_folded(&path));
	(void)pthread_rwlock_rdlock(&access->lock);
	grant = map_get(access->grants, place_key_view(&key));
	while (grant != NULL && !assignment_same(&grant->assignment, wanted))
		grant = grant->next;
	(void)pthread_rwlock_unlock(&access->lock);
	return grant != NULL;
}

size_t
access_count(struct access *access)
{
	size_t count;

	(void)pthread_rwlock_rdlock(&access->lock);
	count = map_count(access->names);
	(void)pthread_rwlock_unlock(&access->lock);
	return count;
}

/* A walk over an order, by heads and spans; the marker is the head and the key of the last one. */
struct walk {
	const struct order *order;
	view scope;
	bool below, not_above;
	view after_head, after_key;
	/* Takes one entry; false: enough. */
	bool (*take)(struct walk *walk, const struct order_node *node);
	struct order_node const *last;
	struct access *access;
	const struct uuid *tenant;
	struct arena *arena;
	size_t limit;
	struct assignment_page *page;
	struct deny_page *denies;
	bool full, failed;
};

static bool
walk_span(struct walk *walk, view head, view prefix)
{
	bool resumed = view_eq(head, walk->after_head) && view_cmp(walk->after_key, prefix) >= 0;
	const struct order_node *node =
	    order_seek(walk->order, head, resumed ? walk->after_key : prefix);

	for (; node != NULL && view_eq(order_head(node), head) &&
	     view_starts(order_key(node), prefix);
	     node = order_next(node)) {
		if (resumed && view_eq(order_key(node), walk->after_key))
			continue;
		if (!walk->take(walk, node))
			return false;
	}
	return true;
}

/* Spans rise, and so do their keys: what is before the marker is not looked at. */
static bool
walk_head(struct walk *walk, view head)
{
	struct spans spans = spans_of(walk->scope, walk->below);
	struct span span;

	if (view_cmp(head, walk->after_head) < 0 || (walk->not_above && !spans.path.whole))
		return true;
	if (walk->not_above)
		spans.next = spans.path.count - 1;
	while (spans_next(&spans, &span)) {
		if (!walk_span(walk, head, (view){ span.text, span.len }))
			return false;
	}
	return true;
}

static void
walk_from(struct walk *walk, view after)
{
	walk->after_head = after.len < UUID_LEN ? V("") : (view){ after.ptr, UUID_LEN };
	walk->after_key = view_from(after, UUID_LEN);
}

static bool
walk_marker(struct walk *walk, view *out)
{
	*out = V("");
	if (!walk->full)
		return !walk->failed;
	return arena_join(walk->arena,
	    (const view[]){ order_head(walk->last), order_key(walk->last) }, 2, out);
}

static bool
take_assignment(struct walk *walk, const struct order_node *node)
{
	const struct grant *grant = order_value(node);
	struct assignment_page *page = walk->page;

	if (!view_eq(uuid_view(&grant->assignment.tenant), uuid_view(walk->tenant)))
		return true;
	if (page->count == walk->limit || (page->count > 0 && walk->arena->left < PAGE_RESERVE)) {
		walk->full = true;
		return false;
	}
	walk->failed = !copy_out(&grant->assignment, walk->arena, &page->items[page->count]);
	page->count += !walk->failed;
	walk->last = node;
	return !walk->failed;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, UUID_LEN);
}

static void
walk_principals(struct walk *walk, const struct assignment_query *query)
{
	struct memberships who = { .count = 1, .ids = { *query->principal } };

	if (query->groups) {
		directory_memberships(walk->access->directory, query->principal, &who);
		qsort(who.ids, who.count, sizeof(who.ids[0]), compare_ids);
	}
	for (size_t i = 0; i < who.count; i++) {
		if (map_get(walk->access->holders, uuid_view(&who.ids[i])) != NULL &&
		    !walk_head(walk, uuid_view(&who.ids[i])))
			return;
	}
}

bool
assignments_page(struct access *access, const struct assignment_query *query, view after,
    size_t limit, struct arena *arena, struct assignment_page *out, struct error *err)
{
	struct assignment_page page = { .items =
					    arena_alloc(arena, (limit + 1) * sizeof(*page.items)) };
	struct walk walk = {
		.scope = query->scope,
		.below = !query->at_scope,
		.not_above = query->not_above,
		.take = take_assignment,
		.access = access,
		.tenant = &query->tenant,
		.arena = arena,
		.limit = limit,
		.page = &page,
	};
	bool fine;

	if (page.items == NULL)
		return error_memory(err);
	walk_from(&walk, after);
	(void)pthread_rwlock_rdlock(&access->lock);
	walk.order = query->principal != NULL ? access->by_principal : access->by_tenant;
	if (query->principal != NULL)
		walk_principals(&walk, query);
	else
		(void)walk_head(&walk, uuid_view(&query->tenant));
	fine = walk_marker(&walk, &page.next);
	(void)pthread_rwlock_unlock(&access->lock);
	*out = page;
	return fine || error_memory(err);
}

static bool
take_deny(struct walk *walk, const struct order_node *node)
{
	const struct deny_entry *entry = order_value(node);
	struct deny_page *page = walk->denies;

	if (page->count == walk->limit || (page->count > 0 && walk->arena->left < PAGE_RESERVE)) {
		walk->full = true;
		return false;
	}
	walk->failed = !deny_copy(&entry->deny, walk->arena, &page->items[page->count]);
	page->count += !walk->failed;
	walk->last = node;
	return !walk->failed;
}

bool
denies_page(struct access *access, const struct assignment_query *query, view after, size_t limit,
    struct arena *arena, struct deny_page *out, struct error *err)
{
	struct deny_page page = { .items = arena_alloc(arena, (limit + 1) * sizeof(*page.items)) };
	struct walk walk = {
		.scope = query->scope,
		.below = !query->at_scope,
		.take = take_deny,
		.arena = arena,
		.limit = limit,
		.denies = &page,
	};
	bool fine;

	if (page.items == NULL)
		return error_memory(err);
	walk_from(&walk, after);
	(void)pthread_rwlock_rdlock(&access->lock);
	walk.order = access->denies_by_tenant;
	(void)walk_head(&walk, uuid_view(&query->tenant));
	fine = walk_marker(&walk, &page.next);
	(void)pthread_rwlock_unlock(&access->lock);
	*out = page;
	return fine || error_memory(err);
}
