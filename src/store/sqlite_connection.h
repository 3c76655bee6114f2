/* A connection to SQLite, with the settings of this store and statements that are prepared once. */
#ifndef STORE_SQLITE_CONNECTION_H
#define STORE_SQLITE_CONNECTION_H

#include "base/error.h"
#include "base/view.h"

#include <sqlite3.h>
#include <stdatomic.h>

#define STATEMENTS_MAX 12

struct connection {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS_MAX];
	atomic_bool *damaged; /* set when SQLite says that the file is; NULL: nobody asks */
};

/*
 * connection_open(connection, path, flags, err):
 * Open what must be there.  ${connection} may be closed after a failure too.
 */
MUST_USE bool connection_open(struct connection *connection, const char *path, int flags,
    struct error *err);
MUST_USE bool connection_prepare(struct connection *connection, const char *const *sql,
    size_t count, struct error *err);
void connection_close(struct connection *connection);

MUST_USE bool connection_exec(struct connection *connection, const char *sql, struct error *err);

/* connection_number(connection, sql, out, err): The number in the first row, 0 without a row. */
MUST_USE bool connection_number(struct connection *connection, const char *sql, int64_t *out,
    struct error *err);

/* connection_sound(connection, err): Look through the whole file; false when it is damaged. */
MUST_USE bool connection_sound(struct connection *connection, struct error *err);

/* damaged_error(err): What everything is refused with once the file is known to be damaged. */
bool damaged_error(struct error *err);

/*
 * Statements: bound by position from 1 on, bytes without copying them.  statement_row says whether
 * there is a row; it or an error ends the statement when there is none; statement_end in between.
 */
void bind_bytes(sqlite3_stmt *statement, int at, view bytes);
void bind_number(sqlite3_stmt *statement, int at, uint64_t number);
MUST_USE bool statement_row(struct connection *connection, sqlite3_stmt *statement, bool *row,
    struct error *err);
MUST_USE bool statement_run(struct connection *connection, sqlite3_stmt *statement,
    struct error *err);
void statement_end(sqlite3_stmt *statement);
view column_bytes(sqlite3_stmt *statement, int at);
uint64_t column_number(sqlite3_stmt *statement, int at);

#endif
