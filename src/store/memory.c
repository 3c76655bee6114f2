/*
 * "memory:": documents that live as long as the process.  For tests and try-outs; it keeps every
 * promise of the store but the one to survive.
 */
#include "store/backend.h"
#include "store/tree.h"

#include <pthread.h>
#include <stdlib.h>

struct version {
	struct tree *documents, *journal; /* the journal's keys are numbers, big-endian */
	struct counters counters;
};

struct memory {
	struct backend base;
	pthread_mutex_t lock; /* of ${current}, for as long as it takes to copy it */
	struct version current;
	struct version next; /* what the writer is making */
};

struct memory_reader {
	struct backend_reader base;
	struct version version;
};

struct number {
	char bytes[8];
};

static struct memory *
memory_of(struct backend *backend)
{
	return (struct memory *)backend;
}

static struct version *
version_of(struct backend_reader *reader)
{
	return &((struct memory_reader *)reader)->version;
}

static view
number_key(struct number *out, uint64_t number)
{
	for (size_t i = 0; i < sizeof(out->bytes); i++)
		out->bytes[i] = (char)(number >> 8 * (sizeof(out->bytes) - 1 - i));
	return (view){ out->bytes, sizeof(out->bytes) };
}

static void
version_take(struct memory *memory, struct version *out)
{
	(void)pthread_mutex_lock(&memory->lock);
	*out = memory->current;
	(void)tree_ref(out->documents);
	(void)tree_ref(out->journal);
	(void)pthread_mutex_unlock(&memory->lock);
}

static void
version_drop(struct version *version)
{
	tree_unref(version->documents);
	tree_unref(version->journal);
	*version = (struct version){ 0 };
}

static bool
memory_open(view where, struct backend **out, struct error *err)
{
	struct memory *memory;

	if (where.len > 0)
		return error_set(err, ERR_UNAVAILABLE, "A store in memory has no name.");
	memory = calloc(1, sizeof(*memory));
	if (memory == NULL)
		return error_memory(err);
	if (pthread_mutex_init(&memory->lock, NULL) != 0) {
		free(memory);
		return error_memory(err);
	}
	memory->base.driver = &memory_driver;
	*out = &memory->base;
	return true;
}

static void
memory_close(struct backend *backend)
{
	struct memory *memory = memory_of(backend);

	version_drop(&memory->current);
	(void)pthread_mutex_destroy(&memory->lock);
	free(memory);
}

static bool
memory_begin(struct backend *backend, struct counters *out, struct error *err)
{
	struct memory *memory = memory_of(backend);

	(void)err;
	version_take(memory, &memory->next);
	*out = memory->next.counters;
	return true;
}

static bool
memory_revision(struct backend *backend, view key, uint64_t *out, struct error *err)
{
	struct document found = { 0 };

	(void)err;
	(void)tree_get(memory_of(backend)->next.documents, key, &found);
	*out = found.revision;
	return true;
}

static bool
memory_put(struct backend *backend, view key, view value, uint64_t revision, struct error *err)
{
	return tree_put(&memory_of(backend)->next.documents, key, value, revision) ||
	    error_memory(err);
}

static bool
memory_remove(struct backend *backend, view key, struct error *err)
{
	return tree_remove(&memory_of(backend)->next.documents, key) || error_memory(err);
}

static bool
memory_journal_add(struct backend *backend, uint64_t number, view line, struct error *err)
{
	struct number key;

	return tree_put(&memory_of(backend)->next.journal, number_key(&key, number), line,
		   number) ||
	    error_memory(err);
}

static bool
memory_journal_trim(struct backend *backend, uint64_t last, struct error *err)
{
	struct number key;

	return tree_cut(&memory_of(backend)->next.journal, number_key(&key, last + 1)) ||
	    error_memory(err);
}

static bool
memory_commit(struct backend *backend, const struct counters *counters, struct error *err)
{
	struct memory *memory = memory_of(backend);
	struct version old;

	(void)err;
	memory->next.counters = *counters;
	(void)pthread_mutex_lock(&memory->lock);
	old = memory->current;
	memory->current = memory->next;
	(void)pthread_mutex_unlock(&memory->lock);
	memory->next = (struct version){ 0 };
	version_drop(&old);
	return true;
}

static void
memory_rollback(struct backend *backend)
{
	version_drop(&memory_of(backend)->next);
}

static bool
memory_reader_new(struct backend *backend, struct backend_reader **out, struct error *err)
{
	struct memory_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return error_memory(err);
	reader->base.backend = backend;
	*out = &reader->base;
	return true;
}

static bool
memory_snapshot(struct backend_reader *reader, uint64_t *sequence, struct error *err)
{
	struct version *version = version_of(reader);

	(void)err;
	version_take(memory_of(reader->backend), version);
	*sequence = version->counters.sequence;
	return true;
}

static bool
memory_counters(struct backend_reader *reader, struct counters *out, struct error *err)
{
	(void)err;
	*out = version_of(reader)->counters;
	return true;
}

static void
memory_release(struct backend_reader *reader)
{
	version_drop(version_of(reader));
}

static void
memory_reader_free(struct backend_reader *reader)
{
	memory_release(reader);
	free((struct memory_reader *)reader);
}

static bool
memory_get(struct backend_reader *reader, view key, backend_row *row, void *ctx, struct error *err)
{
	struct document found;

	return !tree_get(version_of(reader)->documents, key, &found) || row(ctx, &found, err);
}

static bool
memory_scan(struct backend_reader *reader, const struct range *range, size_t limit,
    backend_row *row, void *ctx, struct error *err)
{
	return tree_walk(version_of(reader)->documents, range, limit, row, ctx, err);
}

static bool
memory_count(struct backend_reader *reader, const struct range *range, uint64_t *out,
    struct error *err)
{
	const struct tree *tree = version_of(reader)->documents;

	(void)err;
	*out = tree_count(tree, range->to) - tree_count(tree, range->from);
	return true;
}

struct lines {
	backend_line *line;
	void *ctx;
};

static bool
line_of_row(void *ctx, const struct document *row, struct error *err)
{
	const struct lines *lines = ctx;
	struct journal_line line = { .number = row->revision, .line = row->value.bytes };

	return lines->line(lines->ctx, &line, err);
}

static bool
memory_journal_read(struct backend_reader *reader, uint64_t after, size_t limit, backend_line *line,
    void *ctx, struct error *err)
{
	struct lines lines = { .line = line, .ctx = ctx };
	struct number from, to;
	struct range range;

	if (after == UINT64_MAX)
		return true;
	range.from = number_key(&from, after + 1);
	range.to = number_key(&to, UINT64_MAX);
	return tree_walk(version_of(reader)->journal, &range, limit, line_of_row, &lines, err);
}

const struct backend_driver memory_driver = {
	.scheme = "memory",
	.open = memory_open,
	.close = memory_close,
	.begin = memory_begin,
	.revision = memory_revision,
	.put = memory_put,
	.remove = memory_remove,
	.journal_add = memory_journal_add,
	.journal_trim = memory_journal_trim,
	.commit = memory_commit,
	.rollback = memory_rollback,
	.reader_new = memory_reader_new,
	.reader_free = memory_reader_free,
	.snapshot = memory_snapshot,
	.release = memory_release,
	.counters = memory_counters,
	.get = memory_get,
	.scan = memory_scan,
	.count = memory_count,
	.journal_read = memory_journal_read,
};
