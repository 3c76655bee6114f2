#include "store/sqlite_connection.h"

#include "base/log.h"

#include <pthread.h>
#include <string.h>

/*
 * secure_delete: what was deleted does not stay in free pages.  trusted_schema: a foreign file is
 * found out sooner.  No mmap: an I/O error must be an error, not a signal.  journal_size_limit:
 * what a burst of writing left of the log is given back.
 */
static const char settings[] = "PRAGMA synchronous = FULL;"
			       "PRAGMA secure_delete = ON;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA mmap_size = 0;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA cache_size = -4096;"
			       "PRAGMA journal_size_limit = 33554432;";

/*
 * Looks through every page that is read, so that damage is found out before it spreads.  Those who
 * only read can't spread it, and what they read is sealed; they read a page of a large store for
 * one row of it, and would look through forty: two fifths of what any of a million secrets costs
 * more than one of few.
 */
static const char writer_settings[] = "PRAGMA cell_size_check = ON;";

/* Only for readers that are in the middle of something when the log is to start again. */
#define BUSY_MS 20

static void
configure(void)
{
	/* Counting what is allocated would take a lock that all threads share. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool
damaged_error(struct error *err)
{
	return error_set(err, ERR_UNAVAILABLE,
	    "The store's file is damaged; nothing is read from it or written to it.");
}

/* Say what SQLite says went wrong just now.  Always false. */
static bool
failed(struct connection *connection, struct error *err)
{
	int code = sqlite3_extended_errcode(connection->db);

	switch (code & 0xff) {
	case SQLITE_NOMEM: return error_memory(err);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		if (connection->damaged == NULL || !atomic_exchange(connection->damaged, true))
			log_line(LOG_ERROR, "store.damaged", "%s (%d)", sqlite3_errstr(code), code);
		return damaged_error(err);
	default:
		return error_set(err, ERR_UNAVAILABLE, "The store is not available: %s (%d).",
		    sqlite3_errstr(code), code);
	}
}

bool
connection_open(struct connection *connection, const char *path, int flags, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, configure);
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	if (sqlite3_open_v2(path, &connection->db, flags, NULL) != SQLITE_OK)
		return failed(connection, err);
	(void)sqlite3_busy_timeout(connection->db, BUSY_MS);
	return connection_exec(connection, settings, err) &&
	    ((flags & SQLITE_OPEN_READONLY) != 0 ||
		connection_exec(connection, writer_settings, err));
}

bool
connection_prepare(struct connection *connection, const char *const *sql, size_t count,
    struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (sqlite3_prepare_v3(connection->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
			&connection->statements[i], NULL) != SQLITE_OK)
			return failed(connection, err);
	}
	return true;
}

void
connection_close(struct connection *connection)
{
	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		(void)sqlite3_finalize(connection->statements[i]);
	(void)sqlite3_close(connection->db);
	*connection = (struct connection){ 0 };
}

bool
connection_exec(struct connection *connection, const char *sql, struct error *err)
{
	return sqlite3_exec(connection->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	    failed(connection, err);
}

static void
statement_done(sqlite3_stmt **statement)
{
	(void)sqlite3_finalize(*statement);
}

bool
connection_number(struct connection *connection, const char *sql, int64_t *out, struct error *err)
{
	AUTO(statement_done) sqlite3_stmt *statement = NULL;
	bool row;

	if (sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return failed(connection, err);
	if (!statement_row(connection, statement, &row, err))
		return false;
	*out = row ? sqlite3_column_int64(statement, 0) : 0;
	return true;
}

bool
connection_sound(struct connection *connection, struct error *err)
{
	AUTO(statement_done) sqlite3_stmt *statement = NULL;
	bool row;

	if (sqlite3_prepare_v2(connection->db, "PRAGMA integrity_check(1)", -1, &statement, NULL) !=
	    SQLITE_OK)
		return failed(connection, err);
	if (!statement_row(connection, statement, &row, err))
		return false;
	if (row && view_eq(column_bytes(statement, 0), V("ok")))
		return true;
	return damaged_error(err);
}

void
bind_bytes(sqlite3_stmt *statement, int at, view bytes)
{
	/* Not copied, so it can't fail; a NULL pointer would be an SQL NULL. */
	(void)sqlite3_bind_blob64(statement, at, bytes.len == 0 ? "" : bytes.ptr, bytes.len,
	    SQLITE_STATIC);
}

void
bind_number(sqlite3_stmt *statement, int at, uint64_t number)
{
	(void)sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

bool
statement_row(struct connection *connection, sqlite3_stmt *statement, bool *row, struct error *err)
{
	int code = sqlite3_step(statement);
	bool ok = code == SQLITE_ROW || code == SQLITE_DONE || failed(connection, err);

	if (code != SQLITE_ROW)
		statement_end(statement);
	if (ok)
		*row = code == SQLITE_ROW;
	return ok;
}

bool
statement_run(struct connection *connection, sqlite3_stmt *statement, struct error *err)
{
	bool row;

	return statement_row(connection, statement, &row, err);
}

void
statement_end(sqlite3_stmt *statement)
{
	(void)sqlite3_reset(statement);
}

view
column_bytes(sqlite3_stmt *statement, int at)
{
	const char *bytes = sqlite3_column_blob(statement, at);
	int len = sqlite3_column_bytes(statement, at);

	return bytes == NULL ? (view){ "", 0 } : (view){ bytes, (size_t)len };
}

uint64_t
column_number(sqlite3_stmt *statement, int at)
{
	return (uint64_t)sqlite3_column_int64(statement, at);
}
