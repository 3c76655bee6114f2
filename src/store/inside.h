/* What store.c, writer.c and reader.c share. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "store/backend.h"
#include "store/queue.h"

#include <pthread.h>
#include <stdatomic.h>

#define SLOTS 4096 /* a power of two */

struct watcher {
	char *prefix;
	size_t prefix_len;
	store_watcher *fn;
	void *ctx;
};

struct store {
	const struct backend_driver *driver;
	struct backend *backend;
	struct queue *queue;
	pthread_t writer;
	bool looking;        /* only reads: there is no writer */
	atomic_bool failing; /* the last batch could not be written */

	struct watcher *watchers;
	size_t watcher_count;
	store_journal_hook *hook;
	void *hook_ctx;

	pthread_mutex_t readers_lock;
	struct store_reader *readers;

	_Atomic uint64_t sequence;       /* of the last batch that may be spoken of */
	_Atomic uint64_t followed;       /* of the last one that all watchers have followed */
	_Atomic uint64_t touched[SLOTS]; /* by a key's hash: the last batch that changed it */
};

const struct backend_driver *store_driver(view scheme); /* NULL: there is none of that name */

MUST_USE bool writer_start(struct store *store, struct error *err);
void writer_stop(struct store *store); /* after what was committed is done */

/* readers_release(store): Take the snapshots of the readers that stand idle. Any thread. */
void readers_release(struct store *store);

#endif
