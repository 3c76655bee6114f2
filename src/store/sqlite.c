/*
 * "sqlite:PATH": the store in one file, by SQLite in WAL mode: one connection writes, every reader
 * has one of its own, and none waits for another.
 */
#include "store/backend.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_file.h"

#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * The log is copied into the file after so many pages of 4 KB, between batches, after their
 * callbacks.  More would make it rarer and the wait of the next batch longer: measured, 4000 had no
 * more throughput and twice the longest wait.
 */
#define COPY_PAGES 1000

enum { BEGIN, COMMIT, ROLLBACK, COUNTERS, COUNT_ON, REVISION, PUT, REMOVE, ADD_LINE, TRIM, WRITES };

static const char *const writes[WRITES] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[COUNTERS] = "SELECT sequence, revision, journal FROM meta",
	[COUNT_ON] = "UPDATE meta SET sequence = ?1, revision = ?2, journal = ?3",
	[REVISION] = "SELECT rev FROM doc WHERE key = ?1",
	[PUT] = ("INSERT INTO doc (key, rev, value) VALUES (?1, ?2, ?3) "
		 "ON CONFLICT (key) DO UPDATE SET rev = ?2, value = ?3"),
	[REMOVE] = "DELETE FROM doc WHERE key = ?1",
	[ADD_LINE] = "INSERT INTO journal (number, line) VALUES (?1, ?2)",
	[TRIM] = "DELETE FROM journal WHERE number <= ?1",
};

enum { OPEN, CLOSE, SEQUENCE, COUNTED, GET, SCAN, COUNT, LINES, READS };

static const char *const reads[READS] = {
	[OPEN] = "BEGIN",
	[CLOSE] = "COMMIT",
	[SEQUENCE] = "SELECT sequence FROM meta",
	[COUNTED] = "SELECT sequence, revision, journal FROM meta",
	[GET] = "SELECT key, value, rev FROM doc WHERE key = ?1",
	[SCAN] = ("SELECT key, value, rev FROM doc WHERE key >= ?1 AND key < ?2 ORDER BY key "
		  "LIMIT ?3"),
	[COUNT] = "SELECT count(*) FROM doc WHERE key >= ?1 AND key < ?2",
	[LINES] = "SELECT number, line FROM journal WHERE number > ?1 ORDER BY number LIMIT ?2",
};

_Static_assert((int)WRITES <= STATEMENTS_MAX && (int)READS <= STATEMENTS_MAX, "room for all");

struct sqlite_reader {
	struct backend_reader base;
	struct connection connection;
};

/*
 * Readers that were given back, for who needs one next: a connection reads the schema and prepares
 * its statements, which is ten times what a job then reads with it.
 */
#define SPARE_MAX 8

struct sqlite {
	struct backend base;
	struct sqlite_file file;
	struct connection writer;
	atomic_bool damaged; /* refuse everything: what is left of it can't be told */
	bool upkeep_failing;
	int log_pages, copied_pages; /* in the log now, and when it was last copied */
	pthread_mutex_t spare_lock;
	struct sqlite_reader *spare[SPARE_MAX];
	size_t spare_count;
};

static struct sqlite *
sqlite_of(struct backend *backend)
{
	return (struct sqlite *)backend;
}

static struct connection *
connection_of(struct backend_reader *reader)
{
	return &((struct sqlite_reader *)reader)->connection;
}

static void
reader_drop(struct sqlite_reader *reader)
{
	connection_close(&reader->connection);
	free(reader);
}

static void
sqlite_close(struct backend *backend)
{
	struct sqlite *sqlite = sqlite_of(backend);

	while (sqlite->spare_count > 0)
		reader_drop(sqlite->spare[--sqlite->spare_count]);
	connection_close(&sqlite->writer);
	sqlite_file_close(&sqlite->file);
	(void)pthread_mutex_destroy(&sqlite->spare_lock);
	free(sqlite);
}

static struct sqlite *
sqlite_new(void)
{
	struct sqlite *sqlite = calloc(1, sizeof(*sqlite));

	if (sqlite == NULL)
		return NULL;
	sqlite->base.driver = &sqlite_driver;
	sqlite->file.lock = -1;
	(void)pthread_mutex_init(&sqlite->spare_lock, NULL);
	return sqlite;
}

static void
sqlite_done(struct sqlite **sqlite)
{
	if (*sqlite != NULL)
		sqlite_close(&(*sqlite)->base);
}

/* After every commit; in place of SQLite's own copying, which would hold it up. */
static int
log_grew(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sqlite *sqlite = ctx;

	(void)db;
	(void)name;
	if (pages < sqlite->copied_pages)
		sqlite->copied_pages = 0; /* it started again */
	sqlite->log_pages = pages;
	return SQLITE_OK;
}

static bool
sqlite_open(view where, struct backend **out, struct error *err)
{
	AUTO(sqlite_done) struct sqlite *sqlite = sqlite_new();

	if (sqlite == NULL)
		return error_memory(err);
	if (!sqlite_file_open(where, &sqlite->file, err) ||
	    !connection_open(&sqlite->writer, sqlite->file.path, SQLITE_OPEN_READWRITE, err) ||
	    !connection_prepare(&sqlite->writer, writes, WRITES, err))
		return false;
	sqlite->writer.damaged = &sqlite->damaged;
	/* The pages of a large index that are written again and again; grows only with use. */
	(void)sqlite3_exec(sqlite->writer.db, "PRAGMA cache_size = -16384", NULL, NULL, NULL);
	(void)sqlite3_wal_hook(sqlite->writer.db, log_grew, sqlite);
	*out = &sqlite->base;
	sqlite = NULL;
	return true;
}

static bool
sqlite_look(view where, struct backend **out, struct error *err)
{
	AUTO(sqlite_done) struct sqlite *sqlite = sqlite_new();

	if (sqlite == NULL)
		return error_memory(err);
	if (!sqlite_file_look(where, &sqlite->file, err))
		return false;
	*out = &sqlite->base;
	sqlite = NULL;
	return true;
}

static void
sqlite_rollback(struct backend *backend)
{
	struct connection *writer = &sqlite_of(backend)->writer;
	struct error ignored; /* begin looks again */

	if (sqlite3_get_autocommit(writer->db) == 0)
		(void)!statement_run(writer, writer->statements[ROLLBACK], &ignored);
}

static struct counters
counters_of(sqlite3_stmt *statement)
{
	struct counters counters = { .sequence = column_number(statement, 0),
		.revision = column_number(statement, 1),
		.journal = column_number(statement, 2) };

	statement_end(statement);
	return counters;
}

static bool
sqlite_begin(struct backend *backend, struct counters *out, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;
	sqlite3_stmt *counters = writer->statements[COUNTERS];
	bool row;

	if (atomic_load_explicit(&sqlite_of(backend)->damaged, memory_order_relaxed))
		return damaged_error(err);
	sqlite_rollback(backend);
	if (!statement_run(writer, writer->statements[BEGIN], err) ||
	    !statement_row(writer, counters, &row, err))
		return false;
	if (!row)
		return damaged_error(err);
	*out = counters_of(counters);
	return true;
}

static bool
sqlite_revision(struct backend *backend, view key, uint64_t *out, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;
	sqlite3_stmt *statement = writer->statements[REVISION];
	bool row;

	bind_bytes(statement, 1, key);
	if (!statement_row(writer, statement, &row, err))
		return false;
	*out = row ? column_number(statement, 0) : 0;
	statement_end(statement);
	return true;
}

static bool
sqlite_put(struct backend *backend, view key, view value, uint64_t revision, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;
	sqlite3_stmt *statement = writer->statements[PUT];

	bind_bytes(statement, 1, key);
	bind_number(statement, 2, revision);
	bind_bytes(statement, 3, value);
	return statement_run(writer, statement, err);
}

static bool
sqlite_remove(struct backend *backend, view key, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;

	bind_bytes(writer->statements[REMOVE], 1, key);
	return statement_run(writer, writer->statements[REMOVE], err);
}

static bool
sqlite_journal_add(struct backend *backend, uint64_t number, view line, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;
	sqlite3_stmt *statement = writer->statements[ADD_LINE];

	bind_number(statement, 1, number);
	bind_bytes(statement, 2, line);
	return statement_run(writer, statement, err);
}

static bool
sqlite_journal_trim(struct backend *backend, uint64_t last, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;

	bool fine;

	/*
	 * Journal lines are the audit log's, in the clear there too: pages they leave need not be
	 * written once more to be zeroed, as those of documents are.
	 */
	(void)sqlite3_exec(writer->db, "PRAGMA secure_delete = FAST", NULL, NULL, NULL);
	bind_number(writer->statements[TRIM], 1, last);
	fine = statement_run(writer, writer->statements[TRIM], err);
	(void)sqlite3_exec(writer->db, "PRAGMA secure_delete = ON", NULL, NULL, NULL);
	return fine;
}

static bool
sqlite_commit(struct backend *backend, const struct counters *counters, struct error *err)
{
	struct connection *writer = &sqlite_of(backend)->writer;
	sqlite3_stmt *statement = writer->statements[COUNT_ON];

	bind_number(statement, 1, counters->sequence);
	bind_number(statement, 2, counters->revision);
	bind_number(statement, 3, counters->journal);
	return statement_run(writer, statement, err) &&
	    statement_run(writer, writer->statements[COMMIT], err);
}

static bool
sqlite_upkeep_due(const struct backend *backend)
{
	const struct sqlite *sqlite = (const struct sqlite *)backend;

	return sqlite->log_pages - sqlite->copied_pages >= COPY_PAGES;
}

/*
 * First copy the log, as far as no snapshot needs what it would overwrite.  Then have it start
 * again: that takes that no snapshot reads from it, and snapshots taken since it was copied don't.
 */
static void
sqlite_upkeep(struct backend *backend, bool last)
{
	struct sqlite *sqlite = sqlite_of(backend);
	int code = sqlite3_wal_checkpoint_v2(sqlite->writer.db, NULL,
	    last ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	bool failing = code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY;

	if (failing && !sqlite->upkeep_failing)
		log_line(LOG_ERROR, "store.checkpoint", "%s (%d)", sqlite3_errstr(code), code);
	sqlite->upkeep_failing = failing;
	sqlite->copied_pages = sqlite->log_pages;
}

/* What it holds of the file is given back; a connection that failed is not used again. */
static bool
reader_keep(struct sqlite *sqlite, struct sqlite_reader *reader)
{
	sqlite3 *db = reader->connection.db;
	int code = db == NULL ? SQLITE_ERROR : sqlite3_errcode(db);
	bool kept = false;

	if ((code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) ||
	    sqlite3_get_autocommit(db) == 0 || atomic_load(&sqlite->damaged))
		return false;
	(void)sqlite3_db_release_memory(db);
	(void)pthread_mutex_lock(&sqlite->spare_lock);
	if (sqlite->spare_count < SPARE_MAX) {
		sqlite->spare[sqlite->spare_count++] = reader;
		kept = true;
	}
	(void)pthread_mutex_unlock(&sqlite->spare_lock);
	return kept;
}

static struct sqlite_reader *
reader_take(struct sqlite *sqlite)
{
	struct sqlite_reader *reader = NULL;

	(void)pthread_mutex_lock(&sqlite->spare_lock);
	if (sqlite->spare_count > 0)
		reader = sqlite->spare[--sqlite->spare_count];
	(void)pthread_mutex_unlock(&sqlite->spare_lock);
	return reader;
}

static void
sqlite_reader_free(struct backend_reader *base)
{
	struct sqlite_reader *reader = (struct sqlite_reader *)base;

	if (!reader_keep(sqlite_of(base->backend), reader))
		reader_drop(reader);
}

static bool
sqlite_reader_new(struct backend *backend, struct backend_reader **out, struct error *err)
{
	struct sqlite *sqlite = sqlite_of(backend);
	struct sqlite_reader *reader = reader_take(sqlite);
	struct connection *connection;

	if (reader != NULL) {
		*out = &reader->base;
		return true;
	}
	reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return error_memory(err);
	reader->base.backend = backend;
	connection = &reader->connection;
	connection->damaged = &sqlite->damaged;
	if (!connection_open(connection, sqlite->file.path, SQLITE_OPEN_READONLY, err) ||
	    !connection_prepare(connection, reads, READS, err)) {
		reader_drop(reader);
		return false;
	}
	*out = &reader->base;
	return true;
}

static void
sqlite_release(struct backend_reader *reader)
{
	struct connection *connection = connection_of(reader);
	struct error ignored; /* it only read */

	if (sqlite3_get_autocommit(connection->db) == 0)
		(void)!statement_run(connection, connection->statements[CLOSE], &ignored);
}

/* The first row that is read fixes what the snapshot is of. */
static bool
sqlite_snapshot(struct backend_reader *reader, uint64_t *sequence, struct error *err)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *statement = connection->statements[SEQUENCE];
	bool row = false;

	if (atomic_load_explicit(connection->damaged, memory_order_relaxed))
		return damaged_error(err);
	if (!statement_run(connection, connection->statements[OPEN], err))
		return false;
	if (!(statement_row(connection, statement, &row, err) && (row || damaged_error(err)))) {
		sqlite_release(reader);
		return false;
	}
	*sequence = column_number(statement, 0);
	statement_end(statement);
	return true;
}

static bool
sqlite_counters(struct backend_reader *reader, struct counters *out, struct error *err)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *statement = connection->statements[COUNTED];
	bool row = false;

	if (!statement_row(connection, statement, &row, err))
		return false;
	if (!row)
		return damaged_error(err);
	*out = counters_of(statement);
	return true;
}

/* Rows of key, value, revision. */
static bool
each_row(struct connection *connection, sqlite3_stmt *statement, backend_row *row, void *ctx,
    struct error *err)
{
	bool more, ok = true;

	while (ok) {
		struct document document;

		if (!statement_row(connection, statement, &more, err))
			return false;
		if (!more)
			return true;
		document.key = column_bytes(statement, 0);
		document.value.bytes = column_bytes(statement, 1);
		document.revision = column_number(statement, 2);
		ok = row(ctx, &document, err);
	}
	statement_end(statement);
	return false;
}

static bool
sqlite_get(struct backend_reader *reader, view key, backend_row *row, void *ctx, struct error *err)
{
	struct connection *connection = connection_of(reader);

	bind_bytes(connection->statements[GET], 1, key);
	return each_row(connection, connection->statements[GET], row, ctx, err);
}

static sqlite3_stmt *
ranged(struct connection *connection, int which, const struct range *range)
{
	sqlite3_stmt *statement = connection->statements[which];

	bind_bytes(statement, 1, range->from);
	bind_bytes(statement, 2, range->to);
	return statement;
}

/* SQLite's numbers are signed, and -1 rows would be all. */
static uint64_t
limited(size_t limit)
{
	return limit > INT64_MAX ? INT64_MAX : limit;
}

static bool
sqlite_scan(struct backend_reader *reader, const struct range *range, size_t limit,
    backend_row *row, void *ctx, struct error *err)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *statement = ranged(connection, SCAN, range);

	bind_number(statement, 3, limited(limit));
	return each_row(connection, statement, row, ctx, err);
}

static bool
sqlite_count(struct backend_reader *reader, const struct range *range, uint64_t *out,
    struct error *err)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *statement = ranged(connection, COUNT, range);
	bool row;

	if (!statement_row(connection, statement, &row, err))
		return false;
	*out = row ? column_number(statement, 0) : 0;
	statement_end(statement);
	return true;
}

static bool
sqlite_journal_read(struct backend_reader *reader, uint64_t after, size_t limit, backend_line *line,
    void *ctx, struct error *err)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *statement = connection->statements[LINES];
	bool more, ok = true;

	bind_number(statement, 1, limited(after));
	bind_number(statement, 2, limited(limit));
	while (ok) {
		struct journal_line found;

		if (!statement_row(connection, statement, &more, err))
			return false;
		if (!more)
			return true;
		found.number = column_number(statement, 0);
		found.line = column_bytes(statement, 1);
		ok = line(ctx, &found, err);
	}
	statement_end(statement);
	return false;
}

const struct backend_driver sqlite_driver = {
	.scheme = "sqlite",
	.lasting = true,
	.open = sqlite_open,
	.close = sqlite_close,
	.look = sqlite_look,
	.begin = sqlite_begin,
	.revision = sqlite_revision,
	.put = sqlite_put,
	.remove = sqlite_remove,
	.journal_add = sqlite_journal_add,
	.journal_trim = sqlite_journal_trim,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.upkeep_due = sqlite_upkeep_due,
	.upkeep = sqlite_upkeep,
	.reader_new = sqlite_reader_new,
	.reader_free = sqlite_reader_free,
	.snapshot = sqlite_snapshot,
	.release = sqlite_release,
	.counters = sqlite_counters,
	.get = sqlite_get,
	.scan = sqlite_scan,
	.count = sqlite_count,
	.journal_read = sqlite_journal_read,
};
