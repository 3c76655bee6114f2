/*
 * Readers: snapshots, and a cache of what was read from them.
 *
 * A snapshot knows the exact sequence D of the last batch in it.  store_begin goes on with the
 * snapshot it has as long as nothing newer was published, and takes a new one otherwise, so that
 * D >= what was published, and so holds every commit whose callback has run.  (Taking it only when
 * something is missing from the cache would be a little cheaper, and wrong: a hit judged before
 * and a row read after it could be of two different batches.)
 *
 * A cached document was read at sequence C <= D.  It is still right at D unless a batch in (C, D]
 * changed it; and then its slot says so, because the writer marks the slots before a batch can be
 * in any snapshot.  So: valid if slot <= C.  A slot may be marked for another key's sake, for a
 * batch after D, or for one that then failed: all that costs is a read.
 *
 * A reader that stands idle keeps its snapshot, which costs nothing until a backend wants to clean
 * up behind it: then the writer takes the snapshots of idle readers (readers_release).  A busy
 * reader can't keep one for longer than its store_end and the next store_begin after a commit.
 */
#include "store/cache.h"
#include "store/inside.h"

#include "base/map.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES ((size_t)16 * 1024 * 1024)
#define ROWS_MIN 16

struct store_reader {
	struct store *store;
	struct backend_reader *backend;
	struct cache *cache; /* NULL: what the backend reads is at hand anyway */
	struct store_reader *next, **link;
	atomic_flag held; /* between begin and end, or by who takes its snapshot */
	bool open, failed;
	uint64_t sequence; /* of the snapshot, while it is open */
};

/* The holder of it does little but read, so this does not spin for long. */
static void
hold(struct store_reader *reader)
{
	while (atomic_flag_test_and_set_explicit(&reader->held, memory_order_acquire))
		(void)sched_yield();
}

static void
let_go(struct store_reader *reader)
{
	atomic_flag_clear_explicit(&reader->held, memory_order_release);
}

static void
close_snapshot(struct store_reader *reader)
{
	if (reader->open)
		reader->store->driver->release(reader->backend);
	reader->open = false;
}

void
readers_release(struct store *store)
{
	(void)pthread_mutex_lock(&store->readers_lock);
	for (struct store_reader *reader = store->readers; reader != NULL; reader = reader->next) {
		if (atomic_flag_test_and_set_explicit(&reader->held, memory_order_acquire))
			continue;
		close_snapshot(reader);
		let_go(reader);
	}
	(void)pthread_mutex_unlock(&store->readers_lock);
}

static void
list_add(struct store *store, struct store_reader *reader)
{
	(void)pthread_mutex_lock(&store->readers_lock);
	reader->next = store->readers;
	reader->link = &store->readers;
	if (reader->next != NULL)
		reader->next->link = &reader->next;
	store->readers = reader;
	(void)pthread_mutex_unlock(&store->readers_lock);
}

static void
list_remove(struct store *store, struct store_reader *reader)
{
	(void)pthread_mutex_lock(&store->readers_lock);
	*reader->link = reader->next;
	if (reader->next != NULL)
		reader->next->link = reader->link;
	(void)pthread_mutex_unlock(&store->readers_lock);
}

bool
store_reader_new(struct store *store, struct store_reader **out, struct error *err)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return error_memory(err);
	reader->store = store;
	atomic_flag_clear(&reader->held);
	/* Nobody tells one that only looks what has changed. */
	if (store->driver->lasting && !store->looking)
		reader->cache = cache_new(CACHE_BYTES);
	if (store->driver->lasting && !store->looking && reader->cache == NULL) {
		free(reader);
		return error_memory(err);
	}
	if (!store->driver->reader_new(store->backend, &reader->backend, err)) {
		cache_free(reader->cache);
		free(reader);
		return false;
	}
	list_add(store, reader);
	*out = reader;
	return true;
}

void
store_reader_free(struct store_reader *reader)
{
	if (reader == NULL)
		return;
	list_remove(reader->store, reader);
	close_snapshot(reader);
	reader->store->driver->reader_free(reader->backend);
	cache_free(reader->cache);
	free(reader);
}

void
store_reader_done(struct store_reader **reader)
{
	store_reader_free(*reader);
}

bool
store_begin(struct store_reader *reader, struct error *err)
{
	struct store *store = reader->store;

	hold(reader);
	if (reader->open &&
	    reader->sequence >= atomic_load_explicit(&store->sequence, memory_order_acquire))
		return true;
	close_snapshot(reader);
	if (!store->driver->snapshot(reader->backend, &reader->sequence, err)) {
		let_go(reader);
		return false;
	}
	reader->open = true;
	return true;
}

void
store_end(struct store_reader *reader)
{
	const struct store *store = reader->store;

	if (reader->failed || store->looking || !store->driver->lasting)
		close_snapshot(reader);
	reader->failed = false;
	let_go(reader);
}

/* A snapshot that something went wrong with is not kept. */
static bool
checked(struct store_reader *reader, bool ok)
{
	reader->failed = reader->failed || !ok;
	return ok;
}

static bool
copy_document(struct arena *arena, const struct document *from, struct document *out,
    struct error *err)
{
	struct document copy = { .revision = from->revision };

	if (!arena_copy(arena, from->key, &copy.key) ||
	    !arena_copy(arena, from->value.bytes, &copy.value.bytes))
		return error_memory(err);
	*out = copy;
	return true;
}

struct getting {
	struct store_reader *reader;
	struct arena *arena;
	struct document *out;
	uint64_t hash;
	bool found;
};

static void
remember(struct store_reader *reader, const struct document *what, uint64_t hash)
{
	struct cached cached = { .sequence = reader->sequence,
		.revision = what->revision,
		.value = what->value.bytes };

	if (reader->cache != NULL)
		cache_put(reader->cache, what->key, hash, &cached);
}

static bool
got_row(void *ctx, const struct document *row, struct error *err)
{
	struct getting *get = ctx;

	get->found = true;
	remember(get->reader, row, get->hash);
	return copy_document(get->arena, row, get->out, err);
}

static bool
get_cached(const struct store_reader *reader, view key, uint64_t hash, struct document *out)
{
	const struct cached *cached =
	    reader->cache == NULL ? NULL : cache_get(reader->cache, key, hash);

	if (cached == NULL ||
	    cached->sequence <
		atomic_load_explicit(&reader->store->touched[hash % SLOTS], memory_order_acquire))
		return false;
	*out = (struct document){ .key = key,
		.value.bytes = cached->value,
		.revision = cached->revision };
	return true;
}

bool
store_get(struct store_reader *reader, view key, struct arena *arena, struct document *out,
    struct error *err)
{
	struct document row = { .key = key, .value.bytes = V("") };
	struct getting get = { .reader = reader, .arena = arena, .out = out };

	/* No such document can have been put; what is not bounded is not cached. */
	if (key.len == 0 || key.len > STORE_KEY_MAX)
		return copy_document(arena, &row, out, err);
	get.hash = keyed_hash(key);
	if (get_cached(reader, key, get.hash, &row))
		return copy_document(arena, &row, out, err);
	if (!checked(reader, reader->store->driver->get(reader->backend, key, got_row, &get, err)))
		return false;
	if (get.found)
		return true;
	remember(reader, &row, get.hash);
	return copy_document(arena, &row, out, err);
}

/* Rows collected in the arena; room for them is doubled as they come. */
struct rows {
	struct arena *arena;
	char *items;
	size_t item_size, count, size;
};

static void *
rows_add(struct rows *rows)
{
	if (rows->count == rows->size) {
		size_t size = rows->size == 0 ? ROWS_MIN : rows->size * 2;
		char *items = arena_alloc(rows->arena, size * rows->item_size);

		if (items == NULL)
			return NULL;
		if (rows->count > 0)
			memcpy(items, rows->items, rows->count * rows->item_size);
		rows->items = items;
		rows->size = size;
	}
	return rows->items + rows->item_size * rows->count++;
}

static bool
add_document(void *ctx, const struct document *row, struct error *err)
{
	struct rows *rows = ctx;
	struct document *out = rows_add(rows);

	return out == NULL ? error_memory(err) : copy_document(rows->arena, row, out, err);
}

static bool
add_key(void *ctx, const struct document *row, struct error *err)
{
	struct rows *rows = ctx;
	view *out = rows_add(rows);

	return (out != NULL && arena_copy(rows->arena, row->key, out)) || error_memory(err);
}

static bool
add_line(void *ctx, const struct journal_line *line, struct error *err)
{
	struct rows *rows = ctx;
	struct journal_line *out = rows_add(rows);

	if (out == NULL || !arena_copy(rows->arena, line->line, &out->line))
		return error_memory(err);
	out->number = line->number;
	return true;
}

struct bounds {
	struct range range;
	char from[STORE_KEY_MAX + 1], to[STORE_KEY_MAX + 1];
};

/* What is the first key behind all that start with ${prefix}? */
static void
bound_end(struct bounds *bounds, view prefix)
{
	while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == (char)0xff)
		prefix.len--;
	if (prefix.len == 0) {
		/* One longer than any key: behind all of them. */
		memset(bounds->to, 0xff, sizeof(bounds->to));
		bounds->range.to = (view){ bounds->to, sizeof(bounds->to) };
		return;
	}
	memcpy(bounds->to, prefix.ptr, prefix.len);
	bounds->to[prefix.len - 1]++;
	bounds->range.to = (view){ bounds->to, prefix.len };
}

/* False when there can't be any: no key is that long, or the range is empty. */
static bool
bounds_set(struct bounds *bounds, view prefix, view after)
{
	if (prefix.len > STORE_KEY_MAX)
		return false;
	bound_end(bounds, prefix);
	bounds->range.from = prefix;
	if (after.len > 0 && view_cmp(after, prefix) >= 0) {
		/* Behind ${after} comes first itself and a zero; no key is longer. */
		if (after.len > STORE_KEY_MAX)
			after.len = STORE_KEY_MAX;
		memcpy(bounds->from, after.ptr, after.len);
		bounds->from[after.len] = 0;
		bounds->range.from = (view){ bounds->from, after.len + 1 };
	}
	return view_cmp(bounds->range.from, bounds->range.to) < 0;
}

static bool
scan(struct store_reader *reader, view prefix, view after, size_t limit, backend_row *add,
    struct rows *rows, struct error *err)
{
	struct bounds bounds;

	return !bounds_set(&bounds, prefix, after) ||
	    checked(reader,
		reader->store->driver->scan(reader->backend, &bounds.range, limit, add, rows, err));
}

bool
store_scan(struct store_reader *reader, view prefix, view after, size_t limit, struct arena *arena,
    struct document **out, size_t *count, struct error *err)
{
	struct rows rows = { .arena = arena, .item_size = sizeof(struct document) };

	if (!scan(reader, prefix, after, limit, add_document, &rows, err))
		return false;
	*out = (struct document *)(void *)rows.items;
	*count = rows.count;
	return true;
}

bool
store_keys(struct store_reader *reader, view prefix, view after, size_t limit, struct arena *arena,
    view **out, size_t *count, struct error *err)
{
	struct rows rows = { .arena = arena, .item_size = sizeof(view) };

	if (!scan(reader, prefix, after, limit, add_key, &rows, err))
		return false;
	*out = (view *)(void *)rows.items;
	*count = rows.count;
	return true;
}

bool
store_count(struct store_reader *reader, view prefix, uint64_t *out, struct error *err)
{
	const struct backend_driver *driver = reader->store->driver;
	struct bounds bounds;
	uint64_t count = 0;

	if (bounds_set(&bounds, prefix, (view){ "", 0 }) &&
	    !checked(reader, driver->count(reader->backend, &bounds.range, &count, err)))
		return false;
	*out = count;
	return true;
}

bool
store_journal_read(struct store_reader *reader, uint64_t after, size_t limit, struct arena *arena,
    struct journal_line **out, size_t *count, struct error *err)
{
	struct rows rows = { .arena = arena, .item_size = sizeof(struct journal_line) };

	if (!checked(reader,
		reader->store->driver->journal_read(reader->backend, after, limit, add_line, &rows,
		    err)))
		return false;
	*out = (struct journal_line *)(void *)rows.items;
	*count = rows.count;
	return true;
}

bool
store_counters(struct store_reader *reader, struct counters *out, struct error *err)
{
	return checked(reader, reader->store->driver->counters(reader->backend, out, err));
}

bool
store_each(struct store_reader *reader, store_row *row, void *ctx, struct error *err)
{
	struct bounds bounds;

	return !bounds_set(&bounds, V(""), V("")) ||
	    checked(reader,
		reader->store->driver->scan(reader->backend, &bounds.range, SIZE_MAX, row, ctx,
		    err));
}

bool
store_each_line(struct store_reader *reader, store_line *line, void *ctx, struct error *err)
{
	return checked(reader,
	    reader->store->driver->journal_read(reader->backend, 0, SIZE_MAX, line, ctx, err));
}
