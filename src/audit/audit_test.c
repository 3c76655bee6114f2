#include "audit/fixture.h"
#include "audit/remembered.h"
#include "audit/segment.h"
#include "audit/trail.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHAIN43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"

static void
verify_ok(struct fixture *f, struct audit_report *report)
{
	struct error err = { 0 };

	if (!fixture_verify(f, report, &err))
		fail_msg("%s", err.message);
}

static void
stat_segment(const struct fixture *f, uint64_t first, struct stat *out)
{
	char path[PATH_LEN + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", f->log, segment_name(first).text);
	assert_int_equal(stat(path, out), 0);
}

static void
test_append_and_reopen(void **state)
{
	struct audit_report report;
	struct fixture f;
	struct stat stat;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(audit_healthy(f.audit));
	assert_true(fixture_append(&f, "r", 1));
	assert_int_equal(fixture_count(&f, "r", 1), 1); /* before anything synced or closed */
	stat_segment(&f, 1, &stat);
	assert_int_equal(stat.st_mode & 07777, 0600);
	fixture_close(&f);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 2));
	fixture_close(&f);
	verify_ok(&f, &report);
	assert_int_equal(report.lines, 4); /* each close leaves a checkpoint */
	assert_int_equal(report.checkpoints, 2);
	assert_int_equal(report.segments, 1);
	fixture_close(&f);
	fixture_drop(&f);
}

static void
test_nothing_written_when_nothing_happened(void **state)
{
	struct audit_report report;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	for (int i = 0; i < 3; i++) {
		fixture_open(&f);
		audit_tick(f.audit);
		fixture_close(&f);
	}
	verify_ok(&f, &report);
	assert_int_equal(report.lines, 0);
	fixture_close(&f);
	fixture_drop(&f);
}

static void
test_refuses_what_is_no_record(void **state)
{
	const view records[] = { V("{\"a\":1}"), V("{\"a\":1}\n{\"b\":2}") };
	struct fixture f;
	struct error err;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_false(audit_append(f.audit, records, COUNT_OF(records), &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_true(audit_healthy(f.audit));
	assert_true(audit_append(f.audit, records, 1, &err));
	assert_true(audit_append(f.audit, records, 0, &err));
	fixture_close(&f);
	fixture_drop(&f);
}

static void
test_checkpoints(void **state)
{
	static const struct {
		unsigned every, batch, batches;
		uint64_t checkpoints; /* one more at the end for what is left over */
	} cases[] = {
		{ 1, 1, 5, 5 },
		{ 4, 1, 8, 2 },
		{ 4, 1, 9, 3 },
		{ 4, 10, 2, 5 },
		{ 100, 10, 2, 1 },
	};
	view records[16];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(records); i++)
		records[i] = V("{\"a\":1}");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit_report report;
		struct fixture f;
		struct error err;

		fixture_make(&f);
		f.settings.checkpoint_lines = cases[i].every;
		fixture_open(&f);
		for (unsigned n = 0; n < cases[i].batches; n++)
			assert_true(audit_append(f.audit, records, cases[i].batch, &err));
		fixture_close(&f);
		verify_ok(&f, &report);
		assert_int_equal(report.checkpoints, cases[i].checkpoints);
		fixture_close(&f);
		fixture_drop(&f);
	}
}

static void
test_rotation(void **state)
{
	struct audit_report report;
	struct stat first, last;
	struct fixture f;
	size_t segments;

	(void)state;
	fixture_make(&f);
	f.settings.segment_bytes = 4096;
	f.settings.sync = AUDIT_SYNC_ALWAYS;
	fixture_open(&f);
	stat_segment(&f, 1, &first);
	assert_in_range(first.st_blocks * 512, 4096, 4 << 20); /* reserved */
	for (unsigned n = 1; n <= 500; n++) {
		assert_true(fixture_append(&f, "r", n));
		if (n % 50 == 0)
			audit_tick(f.audit);
	}
	segments = fixture_segments(&f);
	assert_in_range(segments, 10, 30);
	stat_segment(&f, 1, &first);
	assert_in_range(first.st_size, 4096, 4096 + 1024);
	assert_in_range(first.st_blocks * 512, 4096, 8192); /* given back */
	fixture_close(&f);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 501));
	fixture_close(&f);
	verify_ok(&f, &report);
	assert_int_equal(report.segments, segments);
	assert_int_equal(report.lines, 501 + report.checkpoints);
	stat_segment(&f, 1, &last);
	for (unsigned n = 1; n <= 501; n += 50)
		assert_int_equal(fixture_count(&f, "r", n), 1);
	fixture_close(&f);
	fixture_drop(&f);
}

/* Nothing of what was reserved is left behind, and no file but segments. */
static void
test_close_gives_space_back(void **state)
{
	const struct dirent *entry;
	struct fixture f;
	struct stat stat;
	DIR *dir;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 1));
	stat_segment(&f, 1, &stat);
	assert_in_range(stat.st_blocks * 512, 1024 * 1024, 4 << 20);
	fixture_close(&f);
	stat_segment(&f, 1, &stat);
	assert_in_range(stat.st_blocks * 512, 1, 8192);
	dir = opendir(f.log);
	assert_non_null(dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
	while ((entry = readdir(dir)) != NULL)
		assert_true(entry->d_name[0] == '.' || strstr(entry->d_name, ".log") != NULL);
	(void)closedir(dir);
	fixture_drop(&f);
}

static void
test_journal_lines(void **state)
{
	AUTO(buf_free) struct buf log = { 0 };
	struct audit_report report;
	struct fixture f;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	for (unsigned n = 1; n <= 20; n++)
		assert_true(fixture_commit(&f, "c", n));
	fixture_log(&f, &log);
	for (unsigned n = 1; n <= 20; n++) {
		char text[64];

		assert_int_equal(fixture_count(&f, "c", n), 1);
		(void)snprintf(text, sizeof(text), "{\"id\":\"c%u\",\"journal\":%u,\"seq\":%u,", n,
		    n, n);
		assert_int_equal(occurrences(buf_view(&log), view_of(text)), 1);
	}
	fixture_close(&f);
	verify_ok(&f, &report);
	fixture_close(&f);
	fixture_drop(&f);
}

static size_t
journal_count(const struct fixture *f)
{
	AUTO(arena_free) struct arena arena;
	struct store_reader *reader;
	struct journal_line *lines;
	struct error err;
	size_t count = 0;

	arena_init(&arena, 1 << 20);
	assert_true(store_reader_new(f->store, &reader, &err) && store_begin(reader, &err) &&
	    store_journal_read(reader, 0, 1000, &arena, &lines, &count, &err));
	store_end(reader);
	store_reader_free(reader);
	return count;
}

/* Only what a tick has synced, and has had remembered, is forgotten. */
static void
test_trim(void **state)
{
	struct fixture f;
	struct error err;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_commit(&f, "c", 1));
	assert_true(fixture_commit(&f, "c", 2));
	assert_int_equal(journal_count(&f), 2);
	audit_tick(f.audit);
	assert_true(store_commit_wait(f.store, NULL, 0, V(""), &err));
	assert_int_equal(journal_count(&f), 0);
	assert_true(fixture_commit(&f, "c", 3));
	audit_tick(f.audit); /* within the same second: not remembered again */
	assert_true(store_commit_wait(f.store, NULL, 0, V(""), &err));
	assert_int_equal(journal_count(&f), 1);
	fixture_close(&f);
	fixture_open(&f);
	assert_int_equal(fixture_count(&f, "c", 3), 1);
	fixture_close(&f);
	fixture_drop(&f);
}

static void
test_malformed_journal_line(void **state)
{
	AUTO(buf_free) struct buf log = { 0 };
	struct audit_report report;
	struct fixture f;
	struct error err;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(store_commit_wait(f.store, NULL, 0, V("no\nrecord"), &err));
	assert_true(fixture_commit(&f, "c", 2));
	assert_true(audit_healthy(f.audit));
	fixture_log(&f, &log);
	assert_int_equal(occurrences(buf_view(&log), V("AuditMalformed")), 1);
	assert_int_equal(fixture_count(&f, "c", 2), 1);
	fixture_close(&f);
	verify_ok(&f, &report);
	fixture_close(&f);
	fixture_drop(&f);
}

/* What a process leaves that ends without closing the log, and the file is changed then. */
enum left {
	AS_IT_WAS,
	TORN,
	ZEROS,
	ZEROS_AND_MORE,
	HOLE,
	LINE_CUT,
	EDITED,
	OTHER_CHAIN,
	FOREIGN_STORE,
};

static void
run_and_vanish(struct fixture *f)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		fixture_open(f);
		(void)fixture_append(f, "r", 1);
		(void)fixture_commit(f, "c", 2);
		audit_tick(f->audit); /* remembered: up to here */
		(void)fixture_append(f, "r", 3);
		(void)fixture_commit(f, "c", 4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
leave(const struct fixture *f, enum left how)
{
	static const char zeros[4096];
	AUTO(buf_free) struct buf log = { 0 };
	char path[PATH_LEN + 64], database[PATH_LEN + 64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", f->log, segment_name(1).text);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	fixture_log(f, &log);
	buf_add_char(&log, '\0');
	log.len--;
	switch (how) {
	case AS_IT_WAS: break;
	case TORN: /* in the middle of the last line, which came out of the journal */
		assert_int_equal(ftruncate(fd, (off_t)log.len - 20), 0);
		break;
	case ZEROS_AND_MORE:
		assert_int_equal(pwrite(fd, "{\"a\":1}\n", 8, (off_t)(log.len + sizeof(zeros))), 8);
		__attribute__((fallthrough));
	case ZEROS:
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), (off_t)log.len), sizeof(zeros));
		break;
	case HOLE: /* in a line that looks whole from both ends */
		assert_int_equal(pwrite(fd, zeros, 4, strrchr(log.ptr, '{') + 3 - log.ptr), 4);
		break;
	case LINE_CUT: /* into what is remembered */
		assert_int_equal(ftruncate(fd, (off_t)(strchr(log.ptr, '\n') + 1 - log.ptr)), 0);
		break;
	case EDITED: /* the last line, not remembered; its number and chain are whole */
		assert_int_equal(pwrite(fd, "x", 1, strrchr(log.ptr, '{') + 3 - log.ptr), 1);
		break;
	case OTHER_CHAIN: { /* in the line that is remembered */
		const char *chain = strstr(log.ptr, "\"seq\":2,\"chain\":\"") + 17;

		assert_int_equal(pwrite(fd, *chain == 'x' ? "y" : "x", 1, chain - log.ptr), 1);
		break;
	}
	case FOREIGN_STORE:
		(void)snprintf(database, sizeof(database), "%s/store.db", f->root);
		assert_int_equal(unlink(database), 0);
		(void)snprintf(database, sizeof(database), "%s/store.db-wal", f->root);
		(void)unlink(database);
		break;
	}
	(void)close(fd);
}

static void
test_left_by_a_crash(void **state)
{
	static const struct {
		enum left how;
		bool opens;
	} cases[] = {
		{ AS_IT_WAS, true },
		{ TORN, true },
		{ ZEROS, true },
		{ ZEROS_AND_MORE, true },
		{ HOLE, true },
		{ LINE_CUT, false },
		{ EDITED, false },
		{ OTHER_CHAIN, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit_report report;
		struct error err = { 0 };
		struct fixture f;

		fixture_make(&f);
		run_and_vanish(&f);
		leave(&f, cases[i].how);
		if (fixture_try_open(&f, &err) != cases[i].opens)
			fail_msg("case %zu: %s", i, err.message);
		if (cases[i].opens) {
			assert_int_equal(fixture_count(&f, "r", 1), 1);
			assert_int_equal(fixture_count(&f, "c", 2), 1);
			assert_int_equal(fixture_count(&f, "r", 3), 1);
			assert_int_equal(fixture_count(&f, "c", 4), 1);
			assert_true(fixture_append(&f, "r", 5));
			fixture_close(&f);
			verify_ok(&f, &report);
			assert_int_equal(report.lines, 5 + report.checkpoints);
		} else {
			assert_int_equal(err.code, ERR_CORRUPT);
			assert_null(f.audit);
		}
		fixture_close(&f);
		fixture_drop(&f);
	}
}

/* A store that knows nothing of the log can't take it over: its checkpoints are another's. */
static void
test_log_of_another_store(void **state)
{
	struct error err = { 0 };
	struct fixture f;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 1));
	fixture_close(&f);
	leave(&f, FOREIGN_STORE);
	assert_false(fixture_try_open(&f, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	fixture_close(&f);
	fixture_drop(&f);
}

/* A power cut can keep a segment and lose the end of the one before, when neither was synced. */
static void
test_segment_behind_lost_lines(void **state)
{
	struct audit_report report;
	char path[PATH_LEN + 64];
	struct fixture f;
	struct stat stat;
	int status;
	pid_t pid;

	(void)state;
	fixture_make(&f);
	f.settings.segment_bytes = 300;
	pid = fork();
	if (pid == 0) {
		fixture_open(&f);
		for (unsigned n = 1; n <= 6; n++)
			(void)fixture_commit(&f, "c", n);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_in_range(fixture_segments(&f), 2, 6);
	stat_segment(&f, 1, &stat);
	(void)snprintf(path, sizeof(path), "%s/%s", f.log, segment_name(1).text);
	assert_int_equal(truncate(path, stat.st_size - 10), 0);
	fixture_open(&f);
	for (unsigned n = 1; n <= 6; n++)
		assert_int_equal(fixture_count(&f, "c", n), 1);
	fixture_close(&f);
	verify_ok(&f, &report);
	fixture_close(&f);
	fixture_drop(&f);
}

static void
test_remembered(void **state)
{
	const struct remembered given = { { 5, CHAIN43 }, 7, 3, 1234 };
	struct audit_keys keys = { 0 };
	struct fixture f;
	struct error err;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_true(remembered_open(f.store, f.keyring, &keys, &err));
	assert_int_equal(keys.head.at.seq, 0);
	audit_keys_free(&keys);
	assert_true(remembered_keep(f.store, f.keyring, &given, &err));
	assert_true(remembered_open(f.store, f.keyring, &keys, &err));
	assert_int_equal(keys.head.at.seq, 5);
	assert_string_equal(keys.head.at.chain, CHAIN43);
	assert_int_equal(keys.head.journal, 7);
	assert_int_equal(keys.head.segment, 3);
	assert_int_equal(keys.head.offset, 1234);
	audit_keys_free(&keys);
	fixture_close(&f);
	fixture_drop(&f);
}

/* Who gets a journal's line first, the hook or who catches up, in each order that can happen. */
static void
test_hook_and_catch_up(void **state)
{
	const view lines[] = { V("{\"id\":\"h1\"}"), V("{\"id\":\"h2\"}"), V("{\"id\":\"h3\"}") };
	const struct journal_line both[] = { { 1, lines[0] }, { 2, lines[1] } };
	const struct recovered nothing = { .is_signed = true };
	struct trail_settings settings = { .segment_bytes = 1 << 20, .checkpoint_lines = 100 };
	struct trail *trail;
	struct fixture f;
	struct error err;

	(void)state;
	fixture_make(&f);
	assert_int_equal(mkdir(f.log, 0700), 0);
	settings.dir = open(f.log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(trail_new(&settings, &trail, &err) && trail_open(trail, &nothing, &err));
	assert_false(trail_hook(trail, lines, 1, 1)); /* not healthy yet: missed */
	assert_false(trail_heal(trail));
	assert_true(trail_catch_up(trail, both, 2, &err)); /* the second before its hook */
	assert_true(trail_heal(trail));
	assert_true(trail_hook(trail, lines + 1, 2, 3));
	assert_true(trail_catch_up(trail, both, 2, &err));
	assert_int_equal(trail_seq(trail), 3);
	assert_int_equal(trail_journal(trail), 3);
	for (unsigned n = 1; n <= 3; n++)
		assert_int_equal(fixture_count(&f, "h", n), 1);
	trail_free(trail);
	(void)close(settings.dir);
	fixture_drop(&f);
}

static void
test_one_process_writes(void **state)
{
	struct audit *second = NULL;
	struct fixture f;
	struct error err;

	(void)state;
	fixture_make(&f);
	fixture_open(&f);
	assert_false(audit_open(&f.settings, f.store, f.keyring, &second, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_true(fixture_commit(&f, "c", 1)); /* the first one's hook is still there */
	assert_int_equal(fixture_count(&f, "c", 1), 1);
	fixture_close(&f);
	fixture_drop(&f);
}

#define THREADS 8
#define EACH 200

struct worker {
	struct fixture *f;
	char name[2];
	pthread_t thread;
};

static void *
work(void *arg)
{
	struct worker *worker = arg;

	for (unsigned n = 0; n < EACH; n++) {
		bool ok = worker->name[0] % 2 == 0 ? fixture_append(worker->f, worker->name, n)
						   : fixture_commit(worker->f, worker->name, n);

		if (!ok)
			return worker; /* any but NULL: it was refused */
	}
	return NULL;
}

struct ticker {
	struct audit *audit;
	_Atomic bool stop;
	pthread_t thread;
};

static void *
tick(void *arg)
{
	struct ticker *ticker = arg;

	while (!atomic_load(&ticker->stop))
		audit_tick(ticker->audit);
	return NULL;
}

static void
check_all_once(const struct fixture *f)
{
	AUTO(buf_free) struct buf log = { 0 };

	fixture_log(f, &log);
	for (int t = 0; t < THREADS; t++) {
		const char *at = log.ptr, *end = log.ptr + log.len;

		for (unsigned n = 0; n < EACH; n++) {
			char text[64];
			int len = snprintf(text, sizeof(text), "{\"id\":\"%c%u\"", 'a' + t, n);

			/* In the order of each thread, and none twice. */
			at = memmem(at, (size_t)(end - at), text, (size_t)len);
			assert_non_null(at);
			at++;
			assert_null(memmem(at, (size_t)(end - at), text, (size_t)len));
		}
	}
}

static void
test_many_threads(void **state)
{
	static const struct {
		const char *url; /* NULL: a file */
		enum audit_sync sync;
	} cases[] = {
		{ "memory:", AUDIT_SYNC_INTERVAL },
		{ NULL, AUDIT_SYNC_ALWAYS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct worker workers[THREADS];
		struct audit_report report;
		struct ticker ticker = { 0 };
		struct fixture f;
		void *failed;

		fixture_make(&f);
		if (cases[i].url != NULL)
			(void)snprintf(f.url, sizeof(f.url), "%s", cases[i].url);
		f.settings.sync = cases[i].sync;
		f.settings.segment_bytes = 16384;
		f.settings.checkpoint_lines = 50;
		fixture_open(&f);
		ticker.audit = f.audit;
		assert_int_equal(pthread_create(&ticker.thread, NULL, tick, &ticker), 0);
		for (int t = 0; t < THREADS; t++) {
			workers[t] = (struct worker){ .f = &f, .name = { (char)('a' + t) } };
			assert_int_equal(pthread_create(&workers[t].thread, NULL, work,
					     &workers[t]),
			    0);
		}
		for (int t = 0; t < THREADS; t++) {
			assert_int_equal(pthread_join(workers[t].thread, &failed), 0);
			assert_null(failed);
		}
		atomic_store(&ticker.stop, true);
		assert_int_equal(pthread_join(ticker.thread, NULL), 0);
		audit_close(f.audit);
		f.audit = NULL;
		check_all_once(&f);
		verify_ok(&f, &report);
		assert_int_equal(report.lines - report.checkpoints, THREADS * EACH);
		fixture_close(&f);
		fixture_drop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_reopen),
		cmocka_unit_test(test_nothing_written_when_nothing_happened),
		cmocka_unit_test(test_refuses_what_is_no_record),
		cmocka_unit_test(test_checkpoints),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_close_gives_space_back),
		cmocka_unit_test(test_journal_lines),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_malformed_journal_line),
		cmocka_unit_test(test_left_by_a_crash),
		cmocka_unit_test(test_log_of_another_store),
		cmocka_unit_test(test_segment_behind_lost_lines),
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_hook_and_catch_up),
		cmocka_unit_test(test_one_process_writes),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
