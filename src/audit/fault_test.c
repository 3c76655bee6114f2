/*
 * The log when the disk or the process fails.  The system calls are wrapped by the linker, and
 * fail for files of the log when a test says so.
 */
#include "audit/fixture.h"
#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum call { WRITE, FTRUNCATE, FALLOCATE, FDATASYNC, RENAMEAT, CALLS };

/* Errno of the next calls; 0: they work.  A write that fails has written ${partly} bytes before. */
static _Atomic int fault[CALLS];
static _Atomic size_t partly;
static _Atomic unsigned failed[CALLS];

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*): the linker wants these names */
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_ftruncate64(int fd, off_t len);
int __real_fallocate64(int fd, int mode, off_t offset, off_t len);
int __real_fdatasync(int fd);
int64_t __real_clock_mono(void);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t len);
int __wrap_fdatasync(int fd);
int64_t __wrap_clock_mono(void);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

static bool
fails(enum call call, int fd)
{
	char link[64], path[PATH_LEN];
	int code = atomic_load(&fault[call]);
	ssize_t len;

	if (code == 0)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	if (len < 0 || memmem(path, (size_t)len, "/log", 4) == NULL)
		return false;
	atomic_fetch_add(&failed[call], 1);
	errno = code;
	return true;
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	size_t some = atomic_load(&partly);

	if (!fails(WRITE, fd))
		return __real_write(fd, bytes, len);
	return some == 0 ? -1 : __real_write(fd, bytes, some < len ? some : len - 1);
}

int
__wrap_ftruncate64(int fd, off_t len)
{
	return fails(FTRUNCATE, fd) ? -1 : __real_ftruncate64(fd, len);
}

int
__wrap_fallocate64(int fd, int mode, off_t offset, off_t len)
{
	return fails(FALLOCATE, fd) ? -1 : __real_fallocate64(fd, mode, offset, len);
}

int
__wrap_fdatasync(int fd)
{
	return fails(FDATASYNC, fd) ? -1 : __real_fdatasync(fd);
}

int
__wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails(RENAMEAT, from_dir) ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

/* Nanoseconds that have passed more than did. */
static _Atomic int64_t later;

int64_t
__wrap_clock_mono(void)
{
	return __real_clock_mono() + atomic_load(&later);
}

static void
faults_off(void)
{
	for (int i = 0; i < CALLS; i++) {
		atomic_store(&fault[i], 0);
		atomic_store(&failed[i], 0);
	}
	atomic_store(&partly, 0);
}

static void
verify_ok(struct fixture *f, struct audit_report *report)
{
	struct error err = { 0 };

	if (!fixture_verify(f, report, &err))
		fail_msg("%s", err.message);
}

struct fault_case {
	const char *what;
	int codes[CALLS];
	size_t partly;
	enum audit_sync sync;
	size_t segment_bytes;
	bool refused_is_written; /* when it is the sync that fails */
};

/* While it lasts: nothing is taken, commits go on, ticks don't help. */
static void
live_through(struct fixture *f, const struct fault_case *c)
{
	for (int i = 0; i < CALLS; i++)
		atomic_store(&fault[i], c->codes[i]);
	atomic_store(&partly, c->partly);
	assert_false(fixture_append(f, "refused", 1));
	assert_false(audit_healthy(f->audit));
	assert_false(fixture_append(f, "unhealthy", 2));
	assert_true(fixture_commit(f, "c", 3));
	audit_tick(f->audit);
	assert_false(audit_healthy(f->audit));
	assert_true(fixture_commit(f, "c", 4));
	for (int i = 0; i < CALLS; i++) {
		if ((c->codes[i] != 0) != (atomic_load(&failed[i]) > 0))
			fail_msg("%s: call %d", c->what, i);
	}
	faults_off();
}

static void
check_after(struct fixture *f, const struct fault_case *c)
{
	struct audit_report report;

	assert_true(fixture_append(f, "r", 5));
	assert_true(fixture_commit(f, "c", 6));
	fixture_close(f);
	verify_ok(f, &report);
	assert_int_equal(fixture_count(f, "r", 1), 1);
	assert_int_equal(fixture_count(f, "c", 2), 1);
	assert_int_equal(fixture_count(f, "refused", 1), c->refused_is_written ? 1 : 0);
	assert_int_equal(fixture_count(f, "unhealthy", 2), 0);
	assert_int_equal(fixture_count(f, "c", 3), 1);
	assert_int_equal(fixture_count(f, "c", 4), 1);
	assert_int_equal(fixture_count(f, "r", 5), 1);
	assert_int_equal(fixture_count(f, "c", 6), 1);
	fixture_close(f);
}

static const struct fault_case fault_cases[] = {
	{ "disk full", { [WRITE] = ENOSPC }, 0, AUDIT_SYNC_INTERVAL, 1 << 20, false },
	{ "disk broken", { [WRITE] = EIO }, 0, AUDIT_SYNC_INTERVAL, 1 << 20, false },
	{ "half a line", { [WRITE] = ENOSPC }, 10, AUDIT_SYNC_INTERVAL, 1 << 20, false },
	{ "all but one byte", { [WRITE] = ENOSPC }, 9999, AUDIT_SYNC_INTERVAL, 1 << 20, false },
	{ "half a line that stays", { [WRITE] = EIO, [FTRUNCATE] = EIO }, 10, AUDIT_SYNC_INTERVAL,
	    1 << 20, false },
	{ "no room for a segment", { [FALLOCATE] = ENOSPC }, 0, AUDIT_SYNC_INTERVAL, 1, false },
	{ "no name for a segment", { [RENAMEAT] = EIO }, 0, AUDIT_SYNC_INTERVAL, 1, false },
	{ "no sync", { [FDATASYNC] = EIO }, 0, AUDIT_SYNC_ALWAYS, 1 << 20, true },
	{ "no sync of small segments", { [FDATASYNC] = EIO }, 0, AUDIT_SYNC_ALWAYS, 1, true },
};

static void
test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fault_cases); i++) {
		const struct fault_case *c = &fault_cases[i];
		struct fixture f;

		fixture_make(&f);
		f.settings.sync = c->sync;
		f.settings.segment_bytes = c->segment_bytes;
		fixture_open(&f);
		assert_true(fixture_append(&f, "r", 1));
		assert_true(fixture_commit(&f, "c", 2));
		live_through(&f, c);
		audit_tick(f.audit);
		if (!audit_healthy(f.audit))
			fail_msg("%s: does not recover", c->what);
		check_after(&f, c);
		fixture_drop(&f);
	}
}

/* A change's line is durable with the change: the log is not waited for, under no setting. */
static void
test_commit_without_sync(void **state)
{
	struct audit_report report;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	f.settings.sync = AUDIT_SYNC_ALWAYS;
	fixture_open(&f);
	atomic_store(&fault[FDATASYNC], EIO);
	assert_true(fixture_commit(&f, "c", 1));
	assert_int_equal(atomic_load(&failed[FDATASYNC]), 0);
	assert_true(audit_healthy(f.audit));
	assert_false(fixture_append(&f, "refused", 2)); /* this one is */
	assert_int_equal(atomic_load(&failed[FDATASYNC]), 1);
	faults_off();
	fixture_close(&f);
	fixture_open(&f);
	fixture_close(&f);
	verify_ok(&f, &report);
	assert_int_equal(fixture_count(&f, "c", 1), 1);
	fixture_close(&f);
	fixture_drop(&f);
}

/* The same, but the process ends in the middle of it, and the next one has to see to it. */
static void
test_faults_and_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fault_cases); i++) {
		const struct fault_case *c = &fault_cases[i];
		struct fixture f;
		int status;
		pid_t pid;

		fixture_make(&f);
		f.settings.sync = c->sync;
		f.settings.segment_bytes = c->segment_bytes;
		pid = fork();
		if (pid == 0) {
			fixture_open(&f);
			(void)fixture_append(&f, "r", 1);
			(void)fixture_commit(&f, "c", 2);
			live_through(&f, c);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		fixture_open(&f);
		check_after(&f, c);
		fixture_drop(&f);
	}
}

/* Faults that only a tick meets: the log stays healthy or not, and nothing is trimmed too early. */
static void
test_sync_fails_in_a_tick(void **state)
{
	struct audit_report report;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_commit(&f, "c", 1));
	atomic_store(&fault[FDATASYNC], EIO);
	audit_tick(f.audit);
	assert_false(audit_healthy(f.audit));
	assert_false(fixture_append(&f, "refused", 1));
	faults_off();
	audit_tick(f.audit);
	assert_true(audit_healthy(f.audit));
	assert_true(fixture_append(&f, "r", 2));
	fixture_close(&f);
	verify_ok(&f, &report);
	assert_int_equal(fixture_count(&f, "c", 1), 1);
	assert_int_equal(fixture_count(&f, "r", 2), 1);
	fixture_close(&f);
	fixture_drop(&f);
}

/* Nothing waits in the journal to be written: it tries all the same. */
static void
test_nothing_to_catch_up_with(void **state)
{
	struct fixture f;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 1));
	audit_tick(f.audit);
	atomic_store(&fault[WRITE], ENOSPC);
	assert_false(fixture_append(&f, "refused", 2));
	audit_tick(f.audit);
	assert_false(audit_healthy(f.audit));
	faults_off();
	audit_tick(f.audit);
	assert_true(audit_healthy(f.audit));
	assert_int_equal(fixture_count(&f, "refused", 2), 0);
	fixture_close(&f);
	fixture_drop(&f);
}

static size_t
checkpoints(const struct fixture *f)
{
	AUTO(buf_free) struct buf log = { 0 };

	fixture_log(f, &log);
	return occurrences(buf_view(&log), V("\"checkpoint\""));
}

/* The first line that is not signed waits for a minute, however many come behind it. */
static void
test_signed_within_a_minute(void **state)
{
	const int64_t second = 1000000000;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	for (unsigned turn = 0; turn < 3; turn++) {
		assert_true(fixture_append(&f, "first", turn));
		audit_tick(f.audit);
		assert_int_equal(checkpoints(&f), turn);
		atomic_fetch_add(&later, 30 * second);
		assert_true(fixture_append(&f, "second", turn));
		atomic_fetch_add(&later, 30 * second);
		audit_tick(f.audit);
		assert_int_equal(checkpoints(&f), turn + 1);
		atomic_fetch_add(&later, 600 * second);
		audit_tick(f.audit);
		assert_int_equal(checkpoints(&f), turn + 1); /* of nothing new */
	}
	fixture_close(&f);
	fixture_drop(&f);
	atomic_store(&later, 0);
}

static void
test_no_reservations(void **state)
{
	struct audit_report report;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	atomic_store(&fault[FALLOCATE], EOPNOTSUPP);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 1));
	fixture_close(&f);
	assert_true(atomic_load(&failed[FALLOCATE]) > 0);
	faults_off();
	verify_ok(&f, &report);
	fixture_close(&f);
	fixture_drop(&f);
}

/* A limit that the kernel itself enforces, in the middle of a line. */
static void
test_file_size_limit(void **state)
{
	struct rlimit before, limit;
	struct audit_report report;
	struct fixture f;
	unsigned n = 0;

	(void)state;
	fixture_make(&f);
	(void)snprintf(f.url, sizeof(f.url), "memory:");
	(void)signal(SIGXFSZ, SIG_IGN);
	fixture_open(&f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ 10001, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	while (fixture_append(&f, "r", n))
		n++;
	assert_in_range(n, 50, 200);
	assert_true(fixture_commit(&f, "c", 1));
	audit_tick(f.audit);
	assert_false(audit_healthy(f.audit));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	audit_tick(f.audit);
	assert_true(audit_healthy(f.audit));
	assert_true(fixture_append(&f, "r", n + 1));
	audit_close(f.audit);
	f.audit = NULL;
	verify_ok(&f, &report);
	assert_int_equal(report.lines, n + 2 + report.checkpoints);
	assert_int_equal(fixture_count(&f, "c", 1), 1);
	assert_int_equal(fixture_count(&f, "r", n), 0);
	fixture_close(&f);
	fixture_drop(&f);
}

#define THREADS 6
#define EACH 300

struct worker {
	struct fixture *f;
	char name[2];
	bool done[EACH]; /* was it acknowledged? */
	pthread_t thread;
	_Atomic unsigned *running, *turn;
};

static void *
work(void *arg)
{
	struct worker *worker = arg;

	for (unsigned n = 0; n < EACH; n++) {
		unsigned turn = atomic_load(worker->turn);

		worker->done[n] = worker->name[0] % 2 == 0
		    ? fixture_append(worker->f, worker->name, n)
		    : fixture_commit(worker->f, worker->name, n);
		while (atomic_load(worker->turn) == turn) /* one in each, however busy it is */
			(void)usleep(50);
	}
	atomic_fetch_sub(worker->running, 1);
	return NULL;
}

static void
check_worker(const struct fixture *f, const struct worker *worker)
{
	for (unsigned n = 0; n < EACH; n++) {
		size_t found = fixture_count(f, worker->name, n);

		assert_true(
		    worker->done[n] || worker->name[0] % 2 == 0); /* commits are not refused */
		if (found != (worker->done[n] ? 1 : 0))
			fail_msg("%s%u is there %zu times", worker->name, n, found);
	}
}

/* Faults come and go while commits are made and ticks mend: no line of them is lost or doubled. */
static void
test_faults_come_and_go(void **state)
{
	static struct worker workers[THREADS];
	struct audit_report report;
	_Atomic unsigned running = THREADS, turns = 0;
	unsigned times = 0;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	(void)snprintf(f.url, sizeof(f.url), "memory:");
	f.settings.segment_bytes = 8192;
	fixture_open(&f);
	for (int t = 0; t < THREADS; t++) {
		workers[t] = (struct worker){ .f = &f,
			.name = { (char)('a' + t) },
			.running = &running,
			.turn = &turns };
		assert_int_equal(pthread_create(&workers[t].thread, NULL, work, &workers[t]), 0);
	}
	for (unsigned turn = 0; atomic_load(&running) > 0; turn++) {
		atomic_store(&partly, turn % 50);
		atomic_store(&fault[turn % 4 == 0 ? WRITE : FTRUNCATE], turn % 2 == 0 ? EIO : 0);
		(void)usleep(turn % 700);
		times += audit_healthy(f.audit) ? 0 : 1;
		faults_off();
		audit_tick(f.audit);
		atomic_fetch_add(&turns, 1);
	}
	for (int t = 0; t < THREADS; t++)
		assert_int_equal(pthread_join(workers[t].thread, NULL), 0);
	assert_in_range(times, 10, 100000);
	audit_tick(f.audit);
	assert_true(audit_healthy(f.audit));
	audit_close(f.audit);
	f.audit = NULL;
	verify_ok(&f, &report);
	for (int t = 0; t < THREADS; t++)
		check_worker(&f, &workers[t]);
	fixture_close(&f);
	fixture_drop(&f);
}

static size_t
fill_disk(const struct fixture *f, char path[PATH_LEN])
{
	static const char block[4096];
	size_t written = 0;
	int fd;

	(void)snprintf(path, PATH_LEN, "%s/filler", f->root);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) == sizeof(block))
		written += sizeof(block);
	(void)close(fd);
	return written;
}

/* A disk that is really full: what was reserved is still good for a segment's lines. */
static void
test_full_disk(void **state)
{
	struct audit_report report;
	char filler[PATH_LEN];
	struct fixture f;
	unsigned n = 0;

	(void)state;
	fixture_make(&f);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", f.root, "tmpfs", 0, "size=1m") != 0) {
		fixture_drop(&f);
		skip();
	}
	(void)snprintf(f.url, sizeof(f.url), "memory:");
	f.settings.segment_bytes = 65536;
	fixture_open(&f);
	assert_true(fill_disk(&f, filler) > 0);
	while (fixture_append(&f, "r", n))
		n++;
	assert_in_range(n, 64 * 1024 / 120, 20000);
	assert_true(fixture_commit(&f, "c", 1));
	audit_tick(f.audit);
	assert_false(audit_healthy(f.audit));
	assert_int_equal(unlink(filler), 0);
	audit_tick(f.audit);
	assert_true(audit_healthy(f.audit));
	assert_true(fixture_append(&f, "r", n + 1));
	audit_close(f.audit);
	f.audit = NULL;
	verify_ok(&f, &report);
	assert_int_equal(report.lines, n + 2 + report.checkpoints);
	assert_int_equal(fixture_count(&f, "c", 1), 1);
	fixture_close(&f);
	assert_int_equal(umount(f.root), 0);
	fixture_drop(&f);
}

/*
 * A store from a backup gives numbers of its journal again; what gets them the second time is
 * recorded all the same, also when it could not be before the process ended.
 */
static void
test_store_put_back(void **state)
{
	struct audit_report report;
	char wal[PATH_LEN];
	struct fixture f;
	int status;
	pid_t pid;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_commit(&f, "c", 1));
	fixture_close(&f);
	fixture_copy(&f, "store.db", "backup.db");
	fixture_open(&f);
	for (unsigned n = 2; n <= 40; n++)
		assert_true(fixture_commit(&f, "c", n));
	fixture_close(&f);
	(void)snprintf(wal, sizeof(wal), "%s/store.db-wal", f.root);
	(void)unlink(wal);
	fixture_copy(&f, "backup.db", "store.db");
	pid = fork();
	if (pid == 0) {
		fixture_open(&f);
		(void)fixture_commit(&f, "again", 1);
		atomic_store(&fault[WRITE], EIO);
		(void)fixture_commit(&f, "again", 2);
		(void)fixture_commit(&f, "again", 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fixture_open(&f);
	assert_true(fixture_commit(&f, "again", 4));
	fixture_close(&f);
	for (unsigned n = 1; n <= 40; n++)
		assert_int_equal(fixture_count(&f, "c", n), 1);
	for (unsigned n = 1; n <= 4; n++)
		assert_int_equal(fixture_count(&f, "again", n), 1);
	verify_ok(&f, &report);
	fixture_close(&f);
	fixture_drop(&f);
}

/* Commit and append until killed; say through ${out} what was acknowledged. */
static void
work_until_killed(struct fixture *f, unsigned from, int out)
{
	fixture_open(f);
	for (unsigned n = from;; n++) {
		char kind = n % 3 == 0 ? 'r' : 'c';

		if (kind == 'r' ? !fixture_append(f, "k", n) : !fixture_commit(f, "k", n))
			_exit(1);
		if (write(out, &n, sizeof(n)) != sizeof(n))
			_exit(2);
		if (n % 7 == 0)
			audit_tick(f->audit);
	}
}

/* The number behind the last that was acknowledged. */
static unsigned
kill_at(struct fixture *f, unsigned from, long micros)
{
	int pipes[2], status;
	unsigned n, next = from;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(pipes[0]);
		work_until_killed(f, from, pipes[1]);
	}
	(void)close(pipes[1]);
	assert_int_equal(read(pipes[0], &n, sizeof(n)), sizeof(n)); /* it works by now */
	next = n + 1;
	(void)usleep((useconds_t)micros);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(pipes[0], &n, sizeof(n)) == sizeof(n))
		next = n + 1;
	(void)close(pipes[0]);
	return next;
}

static void
test_killed(void **state)
{
	struct audit_report report;
	unsigned next = 1, rounds = 30;
	uint16_t when;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	f.settings.segment_bytes = 4096;
	f.settings.checkpoint_lines = 5;
	for (unsigned i = 0; i < rounds; i++) {
		unsigned from = next;

		/* One more may be in the log that was not acknowledged: skip its number. */
		random_bytes(&when, sizeof(when));
		next = kill_at(&f, from, when % 30000) + 1;
		fixture_open(&f);
		for (unsigned n = from; n < next - 1; n++)
			assert_int_equal(fixture_count(&f, "k", n), 1);
		assert_in_range(fixture_count(&f, "k", next - 1), 0, 1);
		fixture_close(&f);
	}
	verify_ok(&f, &report);
	assert_in_range(report.lines - report.checkpoints, next - 1 - rounds, next - 1);
	fixture_close(&f);
	fixture_drop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_commit_without_sync),
		cmocka_unit_test(test_faults_and_restart),
		cmocka_unit_test(test_sync_fails_in_a_tick),
		cmocka_unit_test(test_nothing_to_catch_up_with),
		cmocka_unit_test(test_signed_within_a_minute),
		cmocka_unit_test(test_no_reservations),
		cmocka_unit_test(test_file_size_limit),
		cmocka_unit_test(test_faults_come_and_go),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_store_put_back),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
