/*
 * The store: sealed documents under readable keys, one narrow interface, one file a backend.
 *
 * Keys are paths of 1 to 512 bytes, compared bytewise.  Each document has a revision: it changes
 * with every write of that document and is never used again for that key, not even after a delete.
 * Revision 0 means "is not there".
 *
 * One writer thread takes the commits of all callers and makes as many durable at once as are
 * waiting (group commit).  A commit is all or nothing, and durable when its callback runs.
 * Readers never wait for the writer.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/plain.h"

#define STORE_KEY_MAX 512
#define STORE_VALUE_MAX ((size_t)16 * 1024 * 1024)

struct store;
struct store_reader;

struct document {
	view key;
	struct sealed value;
	uint64_t revision;
};

enum change_kind {
	CHANGE_EXPECT, /* refuse the whole commit unless the document has ${revision} */
	CHANGE_PUT,
	CHANGE_DELETE, /* of something absent: fine */
};

struct change {
	enum change_kind kind;
	view key;
	struct sealed value; /* CHANGE_PUT */
	uint64_t revision;   /* CHANGE_EXPECT; 0: must be absent */
};

/*
 * A commit, owned by the caller until its callback has run; so is all it points to.  Expectations
 * are checked before any change is made, wherever they stand in the list.
 *
 * ${journal}, when not empty, is a line kept in the store by the same commit until
 * store_journal_trim says that it is safe elsewhere: how the audit log misses no change.
 */
struct commit {
	const struct change *changes;
	size_t count;
	view journal;
	/* Runs on the writer's thread; ${ok} false comes with ${err}: ERR_STORE_CONFLICT when an
	 * expectation failed, ERR_UNAVAILABLE when the disk did. It must not block or commit. */
	void (*done)(struct commit *commit, bool ok, const struct error *err);
	void *ctx;
	struct commit *next; /* the store's, while it is waiting */
};

/*
 * A hook, called on the writer's thread for every batch after it is durable and before any of its
 * commits' callbacks: the journal lines of the batch in order, and the number of the last one; the
 * others have the numbers before it, without a gap.
 */
typedef void store_journal_hook(void *ctx, const view *lines, size_t count, uint64_t last);

/*
 * A watcher, called on the writer's thread for every changed document under its prefix, after the
 * change can be read and before its commit's callback: how caches drop what changed, at once.
 * ${value} is NULL for a delete, even of something absent; ${revision} is the number it took.
 * False: the change could not be taken over.  ERR_CORRUPT is logged.  Anything else is want of
 * memory, and it is called again until it can: a commit is not acknowledged before it holds.  When
 * that takes longer than half a minute the process ends, rather than go by what is no longer so.
 */
typedef bool store_watcher(void *ctx, view key, const struct sealed *value, uint64_t revision,
    struct error *err);

/*
 * store_open(url, out, err):
 * Open what ${url} names, making it when it is not there: "sqlite:PATH" or "memory:".  Fails with
 * ERR_UNAVAILABLE when it can't be read, was made by a newer server, or another process serves it.
 * The caller closes it.  No watcher or hook may be added after the first commit.
 */
MUST_USE bool store_open(view url, struct store **out, struct error *err);
/* store_url(path, out, err): What names a file; the caller frees it. */
MUST_USE bool store_url(const char *path, char **out, struct error *err);
void store_close(struct store *store); /* after its readers; waits for commits; NULL is fine */

MUST_USE bool store_watch(struct store *store, view prefix, store_watcher *fn, void *ctx,
    struct error *err);
/* store_unwatch(store, ctx): Remove ${ctx}'s watchers, when no commit is under way. */
void store_unwatch(struct store *store, const void *ctx);
void store_set_journal_hook(struct store *store, store_journal_hook *fn, void *ctx);

/* store_commit(store, commit): Queue; never blocks, never fails: see commit->done. Any thread. */
void store_commit(struct store *store, struct commit *commit);

/* store_commit_wait: The same, waiting; for start-up, tools and tests. Not on an event loop. */
MUST_USE bool store_commit_wait(struct store *store, const struct change *changes, size_t count,
    view journal, struct error *err);

/*
 * store_failing(store): The last commit could not be written.  store_try(store): Whether one can be
 * now that changes nothing; waits for it.
 */
bool store_failing(const struct store *store);
MUST_USE bool store_try(struct store *store);

/*
 * store_look(url, out, err):
 * Open what is there only to read it, beside a process that may be serving it: commits are refused,
 * nothing is watched, and each store_begin takes a snapshot of its own.  ERR_UNAVAILABLE when it
 * is not there, or lies in the memory of another process.
 */
MUST_USE bool store_look(view url, struct store **out, struct error *err);

/*
 * store_followed(store):
 * A number that is another one after every commit, as soon as all watchers have taken it over and
 * before its callback runs.  While it stays what it was before a snapshot was begun, what was found
 * out there and from what watchers keep still holds.  Any thread.
 */
uint64_t store_followed(const struct store *store);

/*
 * A reader belongs to one thread at a time.  Between store_begin and store_end it sees one
 * snapshot, which holds every commit whose callback has run before store_begin.
 */
MUST_USE bool store_reader_new(struct store *store, struct store_reader **out, struct error *err);
void store_reader_free(struct store_reader *reader);  /* NULL is fine */
void store_reader_done(struct store_reader **reader); /* for AUTO */
MUST_USE bool store_begin(struct store_reader *reader, struct error *err);
void store_end(struct store_reader *reader);

/*
 * store_get(reader, key, arena, out, err):
 * Read one document; what it points to lies in ${arena}.  An absent one is no error: its revision
 * is 0 and its value empty.
 */
MUST_USE bool store_get(struct store_reader *reader, view key, struct arena *arena,
    struct document *out, struct error *err);

/*
 * store_scan(reader, prefix, after, limit, arena, out, count, err):
 * Read at most ${limit} documents whose keys start with ${prefix} and sort behind ${after} (empty:
 * from the first), in order.
 */
MUST_USE bool store_scan(struct store_reader *reader, view prefix, view after, size_t limit,
    struct arena *arena, struct document **out, size_t *count, struct error *err);

/* store_keys: The same, only the keys: for those who need not hold what they delete. */
MUST_USE bool store_keys(struct store_reader *reader, view prefix, view after, size_t limit,
    struct arena *arena, view **out, size_t *count, struct error *err);

/* store_count(reader, prefix, out, err): How many documents start with ${prefix}. */
MUST_USE bool store_count(struct store_reader *reader, view prefix, uint64_t *out,
    struct error *err);

/*
 * The journal's lines that were not trimmed, oldest first, each with its number: numbers rise, and
 * are never used again.
 */
struct journal_line {
	uint64_t number;
	view line;
};
MUST_USE bool store_journal_read(struct store_reader *reader, uint64_t after, size_t limit,
    struct arena *arena, struct journal_line **out, size_t *count, struct error *err);

/* store_journal_trim(store, last): Forget the lines up to ${last}, at the next batch. */
void store_journal_trim(struct store *store, uint64_t last);

/*
 * Whole stores, for backups: all that is in a snapshot, in order; what ${row} and ${line} are given
 * is borrowed for the call, and false from them stops with their ${err}.  store/fill.h is the way
 * back.
 */
struct counters {
	uint64_t sequence; /* of the last durable batch; each only rises */
	uint64_t revision; /* the last one given to a document */
	uint64_t journal;  /* the number of the last journal line */
};
typedef bool store_row(void *ctx, const struct document *row, struct error *err);
typedef bool store_line(void *ctx, const struct journal_line *line, struct error *err);

MUST_USE bool store_counters(struct store_reader *reader, struct counters *out, struct error *err);
MUST_USE bool store_each(struct store_reader *reader, store_row *row, void *ctx, struct error *err);
MUST_USE bool store_each_line(struct store_reader *reader, store_line *line, void *ctx,
    struct error *err);

#endif
