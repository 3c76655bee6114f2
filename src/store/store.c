#include "store/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct backend_driver *const drivers[] = { &sqlite_driver, &memory_driver };

static void
store_free(struct store *store)
{
	if (store->backend != NULL)
		store->driver->close(store->backend);
	for (size_t i = 0; i < store->watcher_count; i++)
		free(store->watchers[i].prefix);
	free(store->watchers);
	queue_free(store->queue);
	(void)pthread_mutex_destroy(&store->readers_lock);
	free(store);
}

static void
store_done(struct store **store)
{
	if (*store != NULL)
		store_free(*store);
}

const struct backend_driver *
store_driver(view scheme)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		if (view_eq(scheme, view_of(drivers[i]->scheme)))
			return drivers[i];
	}
	return NULL;
}

static struct store *
store_new(const struct backend_driver *driver)
{
	struct store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	store->driver = driver;
	(void)pthread_mutex_init(&store->readers_lock, NULL);
	store->queue = queue_new();
	if (store->queue == NULL) {
		store_free(store);
		return NULL;
	}
	return store;
}

/* Go on counting where the last process stopped. */
static bool
counters_load(struct store *store, struct error *err)
{
	struct counters counters;
	bool ok = store->driver->begin(store->backend, &counters, err);

	store->driver->rollback(store->backend);
	if (ok)
		atomic_init(&store->sequence, counters.sequence);
	if (ok)
		atomic_init(&store->followed, counters.sequence);
	return ok;
}

bool
store_open(view url, struct store **out, struct error *err)
{
	AUTO(store_done) struct store *store = NULL;
	view where = url, scheme = view_cut(&where, ':');
	const struct backend_driver *driver = store_driver(scheme);

	if (driver == NULL || scheme.len == url.len)
		return error_set(err, ERR_UNAVAILABLE,
		    "A store is named sqlite:PATH or memory: and nothing else is known.");
	store = store_new(driver);
	if (store == NULL)
		return error_memory(err);
	if (!driver->open(where, &store->backend, err) || !counters_load(store, err) ||
	    !writer_start(store, err))
		return false;
	*out = store;
	store = NULL;
	return true;
}

bool
store_look(view url, struct store **out, struct error *err)
{
	AUTO(store_done) struct store *store = NULL;
	view where = url, scheme = view_cut(&where, ':');
	const struct backend_driver *driver = store_driver(scheme);

	if (driver == NULL || driver->look == NULL)
		return error_set(err, ERR_UNAVAILABLE,
		    "Only a store that is named sqlite:PATH can be looked into.");
	store = store_new(driver);
	if (store == NULL)
		return error_memory(err);
	store->looking = true;
	if (!driver->look(where, &store->backend, err))
		return false;
	*out = store;
	store = NULL;
	return true;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (!store->looking)
		writer_stop(store);
	store_free(store);
}

bool
store_watch(struct store *store, view prefix, store_watcher *fn, void *ctx, struct error *err)
{
	size_t count = store->watcher_count;
	struct watcher *watchers = realloc(store->watchers, (count + 1) * sizeof(*watchers));
	char *copy;

	if (watchers == NULL)
		return error_memory(err);
	store->watchers = watchers;
	copy = malloc(prefix.len + 1);
	if (copy == NULL)
		return error_memory(err);
	if (prefix.len > 0)
		memcpy(copy, prefix.ptr, prefix.len);
	watchers[count].prefix = copy;
	watchers[count].prefix_len = prefix.len;
	watchers[count].fn = fn;
	watchers[count].ctx = ctx;
	store->watcher_count++;
	return true;
}

void
store_unwatch(struct store *store, const void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->watcher_count; i++) {
		if (store->watchers[i].ctx == ctx)
			free(store->watchers[i].prefix);
		else
			store->watchers[kept++] = store->watchers[i];
	}
	store->watcher_count = kept;
}

void
store_set_journal_hook(struct store *store, store_journal_hook *fn, void *ctx)
{
	store->hook = fn;
	store->hook_ctx = ctx;
}

void
store_commit(struct store *store, struct commit *commit)
{
	struct error err;

	if (!store->looking) {
		queue_add(store->queue, commit);
		return;
	}
	(void)error_set(&err, ERR_UNAVAILABLE, "The store was opened only to be read.");
	commit->done(commit, false, &err);
}

uint64_t
store_followed(const struct store *store)
{
	return atomic_load_explicit(&store->followed, memory_order_acquire);
}

void
store_journal_trim(struct store *store, uint64_t last)
{
	if (last > 0)
		queue_trim(store->queue, last);
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done, ok;
	struct error *err;
};

static void
wake_waiter(struct commit *commit, bool ok, const struct error *err)
{
	struct waiter *waiter = commit->ctx;

	(void)pthread_mutex_lock(&waiter->lock);
	waiter->done = true;
	waiter->ok = ok;
	if (!ok)
		*waiter->err = *err;
	(void)pthread_cond_signal(&waiter->wake);
	(void)pthread_mutex_unlock(&waiter->lock);
}

bool
store_commit_wait(struct store *store, const struct change *changes, size_t count, view journal,
    struct error *err)
{
	struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER,
		.err = err };
	struct commit commit = { .changes = changes,
		.count = count,
		.journal = journal,
		.done = wake_waiter,
		.ctx = &waiter };

	store_commit(store, &commit);
	(void)pthread_mutex_lock(&waiter.lock);
	while (!waiter.done)
		(void)pthread_cond_wait(&waiter.wake, &waiter.lock);
	(void)pthread_mutex_unlock(&waiter.lock);
	(void)pthread_cond_destroy(&waiter.wake);
	(void)pthread_mutex_destroy(&waiter.lock);
	return waiter.ok;
}

bool
store_url(const char *path, char **out, struct error *err)
{
	if (asprintf(out, "sqlite:%s", path) >= 0)
		return true;
	*out = NULL;
	return error_memory(err);
}

bool
store_failing(const struct store *store)
{
	return atomic_load(&store->failing);
}

bool
store_try(struct store *store)
{
	/* Nothing is there; that it is not is written down all the same. */
	const struct change change = { .kind = CHANGE_DELETE, .key = V("nothing") };
	struct error ignored;

	return store_commit_wait(store, &change, 1, V(""), &ignored);
}
