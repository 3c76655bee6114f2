/*
 * The writer's thread: takes what waits, makes it durable by one commit of the backend, tells.
 *
 * The order of a batch, which readers rely on (see reader.c):
 *	1. the slots of the keys it changes get its sequence
 *	2. the backend makes it durable; from here on new snapshots hold it
 *	3. the store's sequence becomes the batch's: snapshots without it are not used any more
 *	4. watchers; then the batch counts as followed
 *	5. journal hook, callbacks
 */
#include "store/inside.h"

#include "base/log.h"
#include "base/map.h"
#include "base/starved.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* For so long, in nanoseconds a time, a watcher is asked again. */
#define FOLLOW_PAUSE (10L * 1000 * 1000)
#define FOLLOW_TRIES 3000U

enum outcome { WAITING, APPLIED, CONFLICT, INVALID, FAILED };

struct item {
	struct commit *commit;
	enum outcome outcome;
	uint64_t revision; /* the one before its first change's */
};

/* Some commits that are made durable together, or fail together. */
struct group {
	struct item *items;
	size_t count;
	uint64_t trim;
	struct counters counters;
	bool changed;
	struct error err; /* why, when it failed */
};

static bool
change_valid(const struct change *change)
{
	return change->kind <= CHANGE_DELETE && change->key.len > 0 &&
	    change->key.len <= STORE_KEY_MAX &&
	    (change->kind != CHANGE_PUT || change->value.bytes.len <= STORE_VALUE_MAX);
}

static bool
commit_valid(const struct commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		if (!change_valid(&commit->changes[i]))
			return false;
	}
	return commit->journal.len <= STORE_VALUE_MAX;
}

/* Is all as ${commit} expects, after the ones before it? */
static bool
expected(struct store *store, const struct commit *commit, bool *out, struct error *err)
{
	uint64_t revision;

	*out = true;
	for (size_t i = 0; i < commit->count && *out; i++) {
		const struct change *change = &commit->changes[i];

		if (change->kind != CHANGE_EXPECT)
			continue;
		if (!store->driver->revision(store->backend, change->key, &revision, err))
			return false;
		*out = revision == change->revision;
	}
	return true;
}

static bool
apply_change(struct store *store, const struct change *change, uint64_t *revision,
    struct error *err)
{
	if (change->kind == CHANGE_EXPECT)
		return true;
	++*revision;
	if (change->kind == CHANGE_DELETE)
		return store->driver->remove(store->backend, change->key, err);
	return store->driver->put(store->backend, change->key, change->value.bytes, *revision, err);
}

static bool
apply(struct store *store, struct group *group, struct item *item)
{
	const struct commit *commit = item->commit;
	struct counters *counters = &group->counters;
	bool fits;

	if (!commit_valid(commit)) {
		item->outcome = INVALID;
		return true;
	}
	if (!expected(store, commit, &fits, &group->err))
		return false;
	item->outcome = fits ? APPLIED : CONFLICT;
	if (!fits)
		return true;
	item->revision = counters->revision;
	for (size_t i = 0; i < commit->count; i++) {
		if (!apply_change(store, &commit->changes[i], &counters->revision, &group->err))
			return false;
	}
	group->changed =
	    group->changed || counters->revision > item->revision || commit->journal.len > 0;
	return commit->journal.len == 0 ||
	    store->driver->journal_add(store->backend, ++counters->journal, commit->journal,
		&group->err);
}

static bool
apply_trim(struct store *store, struct group *group)
{
	uint64_t last = group->trim;

	if (last == 0)
		return true;
	if (last > group->counters.journal)
		last = group->counters.journal;
	group->changed = true;
	return store->driver->journal_trim(store->backend, last, &group->err);
}

static bool
apply_all(struct store *store, struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (!apply(store, group, &group->items[i]))
			return false;
	}
	return apply_trim(store, group);
}

static void
touch(struct store *store, const struct commit *commit, uint64_t sequence)
{
	for (size_t i = 0; i < commit->count; i++) {
		const struct change *change = &commit->changes[i];

		if (change->kind != CHANGE_EXPECT)
			atomic_store(&store->touched[keyed_hash(change->key) % SLOTS], sequence);
	}
}

static bool
make_durable(struct store *store, struct group *group)
{
	struct counters *counters = &group->counters;

	counters->sequence++;
	for (size_t i = 0; i < group->count; i++) {
		if (group->items[i].outcome == APPLIED)
			touch(store, group->items[i].commit, counters->sequence);
	}
	return store->driver->commit(store->backend, counters, &group->err);
}

/* What could not be read for want of memory is not corrupt. */
static bool
tell_once(const struct watcher *watcher, const struct change *change, uint64_t revision,
    struct error *err)
{
	const struct sealed *value = change->kind == CHANGE_PUT ? &change->value : NULL;

	starved_begin();
	return watcher->fn(watcher->ctx, change->key, value, revision, err) ||
	    starved_judge(false, err);
}

/* Memory may be short for a moment; what was committed has to be followed all the same. */
static void
tell(const struct watcher *watcher, const struct change *change, uint64_t revision)
{
	static const struct timespec pause = { .tv_nsec = FOLLOW_PAUSE };
	struct error err = { 0 };

	for (unsigned tries = 0; !tell_once(watcher, change, revision, &err); tries++) {
		if (tries == 0)
			log_line(LOG_ERROR, "store.follow", "%.*s: %s", VIEW_ARG(change->key),
			    err.message);
		if (err.code == ERR_CORRUPT)
			return;
		if (tries == FOLLOW_TRIES)
			abort();
		(void)nanosleep(&pause, NULL);
	}
}

static void
tell_watchers(struct store *store, const struct item *item)
{
	uint64_t revision = item->revision;

	for (size_t i = 0; i < item->commit->count; i++) {
		const struct change *change = &item->commit->changes[i];

		if (change->kind == CHANGE_EXPECT)
			continue;
		revision++;
		for (size_t w = 0; w < store->watcher_count; w++) {
			const struct watcher *watcher = &store->watchers[w];
			view prefix = { watcher->prefix, watcher->prefix_len };

			if (view_starts(change->key, prefix))
				tell(watcher, change, revision);
		}
	}
}

static void
publish(struct store *store, const struct group *group)
{
	view lines[BATCH_COMMITS];
	size_t count = 0;

	atomic_store_explicit(&store->sequence, group->counters.sequence, memory_order_release);
	for (size_t i = 0; i < group->count; i++) {
		const struct item *item = &group->items[i];

		if (item->outcome != APPLIED)
			continue;
		if (store->watcher_count > 0)
			tell_watchers(store, item);
		if (item->commit->journal.len > 0)
			lines[count++] = item->commit->journal;
	}
	atomic_store_explicit(&store->followed, group->counters.sequence, memory_order_release);
	if (store->hook != NULL && count > 0)
		store->hook(store->hook_ctx, lines, count, group->counters.journal);
}

static void
fail(struct store *store, struct group *group)
{
	store->driver->rollback(store->backend);
	for (size_t i = 0; i < group->count; i++) {
		if (group->items[i].outcome != INVALID)
			group->items[i].outcome = FAILED;
	}
	if (group->trim > 0)
		queue_trim(store->queue, group->trim);
	if (!atomic_exchange(&store->failing, true))
		log_line(LOG_ERROR, "store.unwritable", "%s", group->err.message);
}

static void
finish(const struct group *group)
{
	static const struct error none;
	struct error err;

	for (size_t i = 0; i < group->count; i++) {
		struct commit *commit = group->items[i].commit;

		switch (group->items[i].outcome) {
		case APPLIED: commit->done(commit, true, &none); break;
		case CONFLICT:
			(void)error_set(&err, ERR_STORE_CONFLICT,
			    "Another request changed this at the same time.");
			commit->done(commit, false, &err);
			break;
		case INVALID:
			(void)error_set(&err, ERR_INTERNAL, "A change is too large to be stored.");
			commit->done(commit, false, &err);
			break;
		default: commit->done(commit, false, &group->err);
		}
	}
}

enum result {
	DONE,
	UNWRITABLE, /* nothing can be made durable now */
	CULPRIT,    /* something in the group can't be applied */
};

static enum result
attempt(struct store *store, struct group *group)
{
	if (!store->driver->begin(store->backend, &group->counters, &group->err))
		return UNWRITABLE;
	if (!apply_all(store, group))
		return CULPRIT;
	if (!group->changed) {
		store->driver->rollback(store->backend);
		return DONE;
	}
	if (!make_durable(store, group))
		return UNWRITABLE;
	publish(store, group);
	if (atomic_exchange(&store->failing, false))
		log_line(LOG_INFO, "store.writable", "the store can be written again");
	return DONE;
}

static void
settle(struct store *store, struct group *group, enum result result)
{
	if (result != DONE)
		fail(store, group);
	finish(group);
}

/* Something in it can't be applied: find out what, so that the others don't pay for it. */
static void
run_apart(struct store *store, const struct group *group)
{
	store->driver->rollback(store->backend);
	for (size_t i = 0; i < group->count; i++) {
		struct group one = { .items = &group->items[i], .count = 1 };

		settle(store, &one, attempt(store, &one));
	}
	if (group->trim > 0) {
		struct group trim = { .trim = group->trim };

		settle(store, &trim, attempt(store, &trim));
	}
}

static void
run(struct store *store, const struct batch *batch)
{
	struct item items[BATCH_COMMITS];
	struct group group = { .items = items, .count = batch->count, .trim = batch->trim };
	enum result result;

	for (size_t i = 0; i < batch->count; i++)
		items[i] = (struct item){ .commit = batch->commits[i] };
	result = attempt(store, &group);
	if (result == CULPRIT && batch->count + (batch->trim > 0) > 1)
		run_apart(store, &group);
	else
		settle(store, &group, result);
}

static void
upkeep(struct store *store)
{
	const struct backend_driver *driver = store->driver;

	if (driver->upkeep == NULL || !driver->upkeep_due(store->backend))
		return;
	readers_release(store);
	driver->upkeep(store->backend, false);
	readers_release(store);
	driver->upkeep(store->backend, true);
}

static void *
writer_run(void *arg)
{
	struct store *store = arg;
	struct batch batch;

	while (queue_take(store->queue, &batch)) {
		if (batch.count > 0 || batch.trim > 0)
			run(store, &batch);
		upkeep(store);
	}
	return NULL;
}

bool
writer_start(struct store *store, struct error *err)
{
	sigset_t all, before;
	int failed;

	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&store->writer, NULL, writer_run, store);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		return error_set(err, ERR_UNAVAILABLE, "The store's thread cannot be started.");
	(void)pthread_setname_np(store->writer, "store-writer");
	return true;
}

void
writer_stop(struct store *store)
{
	queue_close(store->queue);
	(void)pthread_join(store->writer, NULL);
}
