/* What only a store in a file has: it is opened again, locked, refused, damaged, and disks fail. */
#include "store/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Disks that fail when they are told to: every file is the system's own, but what writes and syncs
 * asks here first.  SQLite uses one table of functions for the database and one for its logs.
 */
/* SQLite error codes, or 0; the last is of the database alone, which is written to when copying. */
static atomic_int write_fault, sync_fault, copy_fault;
static sqlite3_vfs faulty_vfs;
static sqlite3_vfs *real_vfs;
static struct {
	const sqlite3_io_methods *real;
	sqlite3_io_methods faulty;
} tables[2];

static const sqlite3_io_methods *
real_methods(sqlite3_file *file)
{
	return tables[file->pMethods == &tables[1].faulty].real;
}

static int
faulty_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	int fault = atomic_load(&write_fault);

	return fault != 0 ? fault : real_methods(file)->xWrite(file, bytes, len, at);
}

static int
faulty_sync(sqlite3_file *file, int flags)
{
	int fault = atomic_load(&sync_fault);

	if (fault == 0 && file->pMethods == &tables[1].faulty)
		fault = atomic_load(&copy_fault);
	return fault != 0 ? fault : real_methods(file)->xSync(file, flags);
}

static int
faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	size_t which = (flags & SQLITE_OPEN_MAIN_DB) != 0;
	int code = real_vfs->xOpen(real_vfs, name, file, flags, out);

	(void)vfs;
	if (code != SQLITE_OK || (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
		return code;
	tables[which].real = file->pMethods;
	tables[which].faulty = *file->pMethods;
	tables[which].faulty.xWrite = faulty_write;
	tables[which].faulty.xSync = faulty_sync;
	file->pMethods = &tables[which].faulty;
	return code;
}

static int
faults_setup(void **state)
{
	(void)state;
	real_vfs = sqlite3_vfs_find(NULL);
	assert_non_null(real_vfs);
	faulty_vfs = *real_vfs;
	faulty_vfs.zName = "faulty";
	faulty_vfs.xOpen = faulty_open;
	assert_int_equal(sqlite3_vfs_register(&faulty_vfs, 1), SQLITE_OK);
	return 0;
}

static void
test_opened_again(void **state)
{
	struct fixture *f = *state;
	struct change change = put("a", "1");
	uint64_t revision;

	assert_true(commit(f, &change, 1, "one"));
	assert_true(commit(f, NULL, 0, "two"));
	store_journal_trim(f->store, 2);
	assert_true(commit1(f, put("gone", "1")));
	fixture_renew(f);
	revision = revision_of(f, "gone");
	assert_true(commit1(f, del("gone")));
	fixture_close(f);

	fixture_open(f);
	assert_value(f, "a", "1");
	assert_value(f, "gone", NULL);
	assert_true(commit(f, &change, 1, "three"));
	assert_string_equal(journal_text(f), "3:three"); /* not 1: numbers are remembered */
	assert_true(revision_of(f, "a") > revision + 1); /* so are revisions */
}

/* A process that is killed: what was acknowledged is there, though nothing was closed. */
static void
test_killed(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int status;
	pid_t child;

	fixture_close(f);
	child = fork();
	if (child == 0) {
		struct store *store;
		struct change change = put("a", "survives");

		if (!store_open(view_of(f->url), &store, &err) ||
		    !store_commit_wait(store, &change, 1, V("line"), &err))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	fixture_open(f);
	assert_value(f, "a", "survives");
	assert_string_equal(journal_text(f), "1:line");
}

static void
assert_refused(struct fixture *f, const char *why)
{
	struct store *store = NULL;

	assert_false(store_open(view_of(f->url), &store, &f->err));
	assert_int_equal(f->err.code, ERR_UNAVAILABLE);
	assert_null(store);
	assert_null(strstr(f->err.message, f->folder)); /* no path goes to clients */
	if (strstr(f->err.message, why) == NULL)
		fail_msg("refused for another reason: %s", f->err.message);
}

static void
test_second_open_is_refused(void **state)
{
	struct fixture *f = *state;
	char link[128];

	assert_refused(f, "Another process");
	(void)snprintf(link, sizeof(link), "%s/link.db", f->folder);
	assert_int_equal(symlink(f->path, link), 0);
	(void)snprintf(f->url, sizeof(f->url), "sqlite:%s", link);
	assert_refused(f, "Another process");
	fixture_close(f);
	fixture_open(f);
}

static void
raw_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const struct {
	const char *sql, *why;
} foreign_cases[] = {
	{ "PRAGMA user_version = 2", "newer version" },
	{ "PRAGMA user_version = 0", "damaged" },
	{ "PRAGMA application_id = 1", "not a Strongroom store" },
	{ "DROP TABLE meta", "not available" },
	{ "DELETE FROM meta", "damaged" },
};

static void
test_foreign_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(foreign_cases); i++) {
		fixture_close(f);
		raw_sql(f->path, foreign_cases[i].sql);
		assert_refused(f, foreign_cases[i].why);
		assert_int_equal(unlink(f->path), 0);
		fixture_open(f);
	}
}

static void
overwrite(const char *path, off_t at, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

/* A store that spans many pages, closed. */
static void
fill(struct fixture *f)
{
	char keys[200][24], value[1000];
	struct change changes[200];

	memset(value, 'x', sizeof(value));
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		changes[i] = put(keys[i], "");
		changes[i].value.bytes = (view){ value, sizeof(value) };
	}
	assert_true(commit(f, changes, COUNT_OF(changes), NULL));
	fixture_close(f);
}

static const struct {
	const char *name;
	off_t at, len; /* where rubbish goes; len 0: cut there */
	const char *why;
} damages[] = {
	{ "no header", 0, 16, "not a Strongroom store" },
	{ "only a header", 100, 0, "damaged" },
	{ "cut in the middle", 100000, 0, "damaged" },
	{ "cut by a page", -4096, 0, "damaged" },
	{ "rubbish in a page", (off_t)8 * 4096, 4096, "damaged" },
	{ "rubbish at the end", -4096, 4096, "damaged" },
	{ "a tiny file", 10, 0, "not a Strongroom store" },
};

static void
test_damaged_is_refused(void **state)
{
	struct fixture *f = *state;
	char rubbish[4096];
	struct stat stat_of;

	memset(rubbish, 0xa5, sizeof(rubbish));
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		off_t at = damages[i].at;

		fill(f);
		assert_int_equal(stat(f->path, &stat_of), 0);
		if (at < 0)
			at += stat_of.st_size;
		if (damages[i].len > 0)
			overwrite(f->path, at, rubbish, (size_t)damages[i].len);
		else
			assert_int_equal(truncate(f->path, at), 0);
		assert_refused(f, damages[i].why);
		assert_int_equal(unlink(f->path), 0);
		fixture_open(f);
	}
}

/* Damage that comes while the store is served: never a wrong answer, from then on none. */
static void
test_damage_while_serving(void **state)
{
	struct fixture *f = *state;
	struct document found;
	struct stat stat_of;
	char *rubbish;

	fill(f);
	fixture_open(f);
	assert_int_equal(stat(f->path, &stat_of), 0);
	rubbish = calloc(1, (size_t)stat_of.st_size - 4096);
	assert_non_null(rubbish);
	memset(rubbish, 0xa5, (size_t)stat_of.st_size - 4096);
	overwrite(f->path, 4096, rubbish, (size_t)stat_of.st_size - 4096);
	free(rubbish);
	assert_false(store_get(f->reader, V("k7"), &f->arena, &found, &f->err));
	assert_int_equal(f->err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(f->err.message, "damaged"));
	store_end(f->reader);
	assert_false(commit1(f, put("a", "1")));
	assert_int_equal(f->err.code, ERR_UNAVAILABLE);
	assert_false(store_begin(f->reader, &f->err));
	store_reader_free(f->reader);
	f->reader = NULL;
}

static void
test_log_without_its_file_is_refused(void **state)
{
	struct fixture *f = *state;
	char log[128];

	fixture_close(f);
	(void)snprintf(log, sizeof(log), "%s-wal", f->path);
	assert_int_equal(unlink(f->path), 0);
	overwrite(log, 0, "something", 9);
	assert_refused(f, "files are not as they should be");
	assert_int_equal(unlink(log), 0);
	overwrite(f->path, 0, "", 0); /* an empty file is as good as none */
	fixture_open(f);
}

static void
test_half_made_is_made_again(void **state)
{
	struct fixture *f = *state;
	char name[128];

	fixture_close(f);
	assert_int_equal(unlink(f->path), 0);
	(void)snprintf(name, sizeof(name), "%s.new", f->path);
	overwrite(name, 0, "half", 4);
	(void)snprintf(name, sizeof(name), "%s.new-journal", f->path);
	overwrite(name, 0, "half", 4);
	fixture_open(f);
	assert_int_equal(access(name, F_OK), -1);
	assert_true(commit1(f, put("a", "1")));
}

static void
assert_modes(struct fixture *f)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	char name[128];
	struct stat stat_of;

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", f->path, suffixes[i]);
		assert_int_equal(stat(name, &stat_of), 0);
		assert_int_equal(stat_of.st_mode & 07777, 0600);
	}
}

static void
test_modes(void **state)
{
	static const mode_t masks[] = { 0, 0022, 0777 };
	struct fixture *f = *state;
	mode_t before = umask(0);

	for (size_t i = 0; i < COUNT_OF(masks); i++) {
		fixture_close(f);
		assert_int_equal(unlink(f->path), 0);
		(void)umask(masks[i]);
		fixture_open(f);
		assert_true(commit1(f, put("a", "1")));
		assert_modes(f);
	}
	(void)umask(before);
	fixture_close(f);
	assert_int_equal(chmod(f->path, 0644), 0); /* somebody was careless */
	fixture_open(f);
	assert_modes(f);
}

static const struct {
	const char *name;
	atomic_int *fault;
	int code;
} fault_cases[] = {
	{ "full disk", &write_fault, SQLITE_FULL },
	{ "failing write", &write_fault, SQLITE_IOERR_WRITE },
	{ "failing sync", &sync_fault, SQLITE_IOERR_FSYNC },
};

static void
fault_once(struct fixture *f, atomic_int *fault, int code)
{
	struct change changes[] = { put("a", "new"), put("b", "new") };

	assert_true(commit1(f, put("a", "old")));
	assert_true(commit1(f, del("b")));
	atomic_store(fault, code);
	for (int i = 0; i < 3; i++) {
		assert_false(commit(f, changes, 2, "lost"));
		assert_int_equal(f->err.code, ERR_UNAVAILABLE);
		fixture_renew(f);
		assert_value(f, "a", "old"); /* readers go on, and nothing has changed */
		assert_value(f, "b", NULL);
	}
	atomic_store(fault, 0);
	assert_true(commit(f, changes, 2, "kept"));
	fixture_renew(f);
	assert_value(f, "a", "new");
	assert_value(f, "b", "new");
}

static void
test_faults(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(fault_cases); i++)
		fault_once(f, fault_cases[i].fault, fault_cases[i].code);
	assert_string_equal(journal_text(f), "1:kept 2:kept 3:kept");
	fixture_close(f);
	fixture_open(f);
	assert_value(f, "a", "new");
	assert_string_equal(journal_text(f), "1:kept 2:kept 3:kept");
}

static off_t
log_size(struct fixture *f)
{
	char name[128];
	struct stat stat_of;

	(void)snprintf(name, sizeof(name), "%s-wal", f->path);
	assert_int_equal(stat(name, &stat_of), 0);
	return stat_of.st_size;
}

static void
write_much(struct fixture *f)
{
	char value[60000], key[24];
	struct change change;

	memset(value, 'v', sizeof(value));
	for (int i = 0; i < 200; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		change = put(key, "");
		change.value.bytes = (view){ value, sizeof(value) };
		assert_true(commit1(f, change));
	}
}

/*
 * What fails while the log is copied into the file costs nothing: it is copied later.  And the log
 * starts again behind the back of a reader that stands idle with a snapshot.
 */
static void
test_copying_the_log(void **state)
{
	struct fixture *f = *state;
	off_t size;

	assert_true(commit1(f, put("a", "1")));
	fixture_renew(f);
	store_end(f->reader);
	atomic_store(&copy_fault, SQLITE_IOERR_FSYNC);
	write_much(f);
	size = log_size(f);
	assert_true(size > (off_t)3000 * 4096); /* nothing could be copied */
	atomic_store(&copy_fault, 0);
	for (int i = 0; i < 3; i++)
		write_much(f);
	assert_true(log_size(f) < size + (off_t)2000 * 4096);
	assert_true(store_begin(f->reader, &f->err));
	assert_value(f, "a", "1");
	assert_int_equal(read1(f, "k199").value.bytes.len, 60000);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(read1(f, "k0").value.bytes.len, 60000);
}

#define FIXED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		FIXED(test_opened_again),
		FIXED(test_killed),
		FIXED(test_second_open_is_refused),
		FIXED(test_foreign_is_refused),
		FIXED(test_damaged_is_refused),
		FIXED(test_damage_while_serving),
		FIXED(test_log_without_its_file_is_refused),
		FIXED(test_half_made_is_made_again),
		FIXED(test_modes),
		FIXED(test_faults),
		FIXED(test_copying_the_log),
	};

	fixture_scheme = "sqlite";
	return cmocka_run_group_tests_name("sqlite", tests, faults_setup, NULL);
}
