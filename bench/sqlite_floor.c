/*
 * sqlite_floor FILE SECONDS THREADS ROWS SYNCHRONOUS: commits a second, by SQLite alone.
 *
 * Each thread makes a commit, waits until it is done, makes the next one.  One writer puts all
 * that wait into one transaction.  A commit has the three rows that setting a secret writes, with
 * keys and values of their sizes (ROWS 3), or one small row (ROWS 1).  SYNCHRONOUS is SQLite's:
 * with FULL a commit that is done is durable, with NORMAL it may be lost with the machine, with OFF
 * so may the file.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 1024

enum { HEAD_KEY = 50, HEAD = 131, VERSION_KEY = 107, VERSION = 181, LINE = 1120, SMALL = 64 };

struct commit {
	pthread_cond_t done;
	struct commit *next;
	bool durable;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static struct commit *waiting;
static bool stopping;
static unsigned long commits;

static sqlite3 *db;
static sqlite3_stmt *begin, *end, *doc, *line, *count_on;
static int rows;

static void
must(bool fine)
{
	if (fine)
		return;
	(void)fprintf(stderr, "sqlite_floor: %s\n", sqlite3_errmsg(db));
	exit(EXIT_FAILURE);
}

static sqlite3_stmt *
prepared(const char *sql)
{
	sqlite3_stmt *statement;

	must(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
	return statement;
}

static void
step(sqlite3_stmt *statement)
{
	must(sqlite3_step(statement) == SQLITE_DONE);
	must(sqlite3_reset(statement) == SQLITE_OK);
}

static bool
is_mode(const char *text)
{
	return strcmp(text, "FULL") == 0 || strcmp(text, "NORMAL") == 0 || strcmp(text, "OFF") == 0;
}

static void
open_file(const char *path, const char *mode)
{
	char synchronous[32];

	(void)snprintf(synchronous, sizeof(synchronous), "PRAGMA synchronous = %s;", mode);
	must(sqlite3_open(path, &db) == SQLITE_OK);
	must(sqlite3_exec(db, synchronous, NULL, NULL, NULL) == SQLITE_OK);
	must(sqlite3_exec(db,
		 "PRAGMA journal_mode = WAL; PRAGMA cache_size = -4096;"
		 "CREATE TABLE doc (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL,"
		 " rev INTEGER NOT NULL, value BLOB NOT NULL) STRICT;"
		 "CREATE TABLE journal (number INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;"
		 "CREATE TABLE meta (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL) STRICT;"
		 "INSERT INTO meta VALUES (1, 0);",
		 NULL, NULL, NULL) == SQLITE_OK);
	begin = prepared("BEGIN IMMEDIATE");
	end = prepared("COMMIT");
	doc = prepared("INSERT INTO doc (key, rev, value) VALUES (?1, ?2, ?3)");
	line = prepared("INSERT INTO journal (line) VALUES (?1)");
	count_on = prepared("UPDATE meta SET revision = ?1");
}

static void
bind(sqlite3_stmt *statement, int at, const char *bytes, int len)
{
	must(sqlite3_bind_blob(statement, at, bytes, len, SQLITE_STATIC) == SQLITE_OK);
}

/* Keys of one kind begin alike and differ in the number. */
static void
put_document(char kind, int key_len, unsigned long number, int value_len)
{
	static const char value[VERSION];
	char key[VERSION_KEY + 1], text[33];

	(void)snprintf(text, sizeof(text), "%032lx", number);
	memset(key, kind, (size_t)key_len);
	memcpy(key + key_len - 32, text, 32);
	bind(doc, 1, key, key_len);
	must(sqlite3_bind_int64(doc, 2, (sqlite3_int64)number) == SQLITE_OK);
	bind(doc, 3, value, value_len);
	step(doc);
}

static void
put_rows(unsigned long number)
{
	static const char text[LINE];

	if (rows == 1) {
		put_document('h', HEAD_KEY, number, SMALL);
		return;
	}
	put_document('h', HEAD_KEY, number, HEAD);
	put_document('v', VERSION_KEY, number * 0x9e3779b97f4a7c15UL, VERSION);
	bind(line, 1, text, LINE);
	step(line);
}

static struct commit *
take_waiting(void)
{
	struct commit *batch;

	(void)pthread_mutex_lock(&lock);
	while (waiting == NULL && !stopping)
		(void)pthread_cond_wait(&arrived, &lock);
	batch = stopping ? NULL : waiting;
	waiting = NULL;
	(void)pthread_mutex_unlock(&lock);
	return batch;
}

static void
tell(struct commit *batch)
{
	(void)pthread_mutex_lock(&lock);
	while (batch != NULL) {
		struct commit *next = batch->next;

		batch->durable = true;
		(void)pthread_cond_signal(&batch->done);
		commits++;
		batch = next;
	}
	(void)pthread_mutex_unlock(&lock);
}

static void *
write_all(void *arg)
{
	struct commit *batch;
	unsigned long number = 0;

	while ((batch = take_waiting()) != NULL) {
		step(begin);
		for (struct commit *commit = batch; commit != NULL; commit = commit->next)
			put_rows(++number);
		must(sqlite3_bind_int64(count_on, 1, (sqlite3_int64)number) == SQLITE_OK);
		step(count_on);
		step(end);
		tell(batch);
	}
	return arg;
}

static void *
produce(void *arg)
{
	struct commit commit = { .done = PTHREAD_COND_INITIALIZER };

	(void)pthread_mutex_lock(&lock);
	for (;;) {
		commit.durable = false;
		commit.next = waiting;
		waiting = &commit;
		(void)pthread_cond_signal(&arrived);
		while (!commit.durable)
			(void)pthread_cond_wait(&commit.done, &lock);
	}
	return arg;
}

int
main(int argc, char **argv)
{
	unsigned long seconds = argc == 6 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long threads = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;
	pthread_t writer, producer;

	if (seconds == 0 || threads == 0 || threads > THREADS_MAX || !is_mode(argv[5])) {
		(void)fprintf(stderr,
		    "usage: sqlite_floor FILE SECONDS THREADS ROWS FULL|NORMAL|OFF\n");
		return EXIT_FAILURE;
	}
	rows = argv[4][0] == '1' ? 1 : 3;
	open_file(argv[1], argv[5]);
	must(pthread_create(&writer, NULL, write_all, NULL) == 0);
	for (unsigned long i = 0; i < threads; i++)
		must(pthread_create(&producer, NULL, produce, NULL) == 0);
	(void)sleep((unsigned)seconds);
	(void)pthread_mutex_lock(&lock);
	stopping = true;
	(void)printf("%lu\n", commits / seconds);
	(void)pthread_cond_signal(&arrived);
	(void)pthread_mutex_unlock(&lock);
	/* The producers wait for ever; the end of the process ends them. */
	(void)pthread_join(writer, NULL);
	return EXIT_SUCCESS;
}
