/*
 * What a backend is: a row of functions.  It keeps documents, journal lines and three counters, and
 * makes changes durable together; what a commit is, who waits for it and who is told is the
 * store's business, and the same for every backend.
 *
 * Messages of errors reach clients: no path, no SQL.  ERR_UNAVAILABLE unless memory is the trouble.
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

/* Backends put these first into structs of their own. */
struct backend {
	const struct backend_driver *driver;
};
struct backend_reader {
	struct backend *backend;
};

/* Keys from ${from} on, and before ${to}. */
struct range {
	view from, to;
};

/* What is read is borrowed, for the time of the call; false stops with ${err}. */
typedef store_row backend_row;
typedef store_line backend_line;

struct backend_driver {
	const char *scheme; /* of the url */

	/* A snapshot is worth keeping between uses, and what is read from it worth caching. */
	bool lasting;

	bool (*open)(view where, struct backend **out, struct error *err);
	void (*close)(struct backend *backend);

	/* Open what is there only to read it, beside whoever serves it; NULL: that can't be. */
	bool (*look)(view where, struct backend **out, struct error *err);

	/*
	 * The writer's, on its thread only.  Everything between begin and commit is made durable by
	 * commit, or undone by rollback, which must follow whatever failed.
	 */
	bool (*begin)(struct backend *backend, struct counters *out, struct error *err);
	bool (*revision)(struct backend *backend, view key, uint64_t *out, struct error *err);
	bool (*put)(struct backend *backend, view key, view value, uint64_t revision,
	    struct error *err);
	bool (*remove)(struct backend *backend, view key, struct error *err);
	bool (*journal_add)(struct backend *backend, uint64_t number, view line, struct error *err);
	bool (*journal_trim)(struct backend *backend, uint64_t last, struct error *err);
	bool (*commit)(struct backend *backend, const struct counters *counters, struct error *err);
	void (*rollback)(struct backend *backend);

	/*
	 * Housekeeping between batches, NULL where there is none.  It is called twice when it is
	 * due, with no idle reader holding a snapshot: first to do the work, then (${last}) to
	 * finish what snapshots stood in the way of.
	 */
	bool (*upkeep_due)(const struct backend *backend);
	void (*upkeep)(struct backend *backend, bool last);

	/*
	 * A reader's, on one thread at a time.  A snapshot holds exactly the batches up to the
	 * sequence it tells; all that follows until release is read from it.
	 */
	bool (*reader_new)(struct backend *backend, struct backend_reader **out, struct error *err);
	void (*reader_free)(struct backend_reader *reader);
	bool (*snapshot)(struct backend_reader *reader, uint64_t *sequence, struct error *err);
	void (*release)(struct backend_reader *reader);
	bool (*counters)(struct backend_reader *reader, struct counters *out, struct error *err);
	bool (*get)(struct backend_reader *reader, view key, backend_row *row, void *ctx,
	    struct error *err); /* no call of ${row} when it is absent */
	bool (*scan)(struct backend_reader *reader, const struct range *range, size_t limit,
	    backend_row *row, void *ctx, struct error *err);
	bool (*count)(struct backend_reader *reader, const struct range *range, uint64_t *out,
	    struct error *err);
	bool (*journal_read)(struct backend_reader *reader, uint64_t after, size_t limit,
	    backend_line *line, void *ctx, struct error *err);
};

extern const struct backend_driver memory_driver, sqlite_driver;

#endif
