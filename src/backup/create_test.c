/* A backup made of a data folder with a journal and an audit log; and stopped anywhere. */
#include "backup/backup.h"

#include "audit/audit.h"
#include "backup/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DOCUMENTS 5

/* Counts what it is asked, and says no at number ${stop_at} of the ${what}. */
struct watching {
	const char *what;
	unsigned stop_at; /* 0: never */
	unsigned seen;
};

struct data {
	char folder[32], file[64];
	struct store *store;
	struct keyring *keyring;
};

static bool
asked(void *ctx, const struct progress *progress)
{
	struct watching *watching = ctx;

	assert_true(progress->total == 0 || progress->done <= progress->total);
	if (strcmp(progress->doing, watching->what) == 0)
		watching->seen++;
	return watching->stop_at == 0 || watching->seen < watching->stop_at;
}

static void
commit(struct store *store, const char *key, const char *journal)
{
	const struct change change = { .kind = CHANGE_PUT,
		.key = view_of(key),
		.value = { V("sealed") } };
	struct error err;

	assert_fine(store_commit_wait(store, &change, 1, view_of(journal), &err), &err);
}

static void
fill_log(struct data *data)
{
	char log[48];
	const struct audit_settings settings = { .directory = log,
		.segment_bytes = 4096,
		.checkpoint_lines = 10 };
	const view line = V("{\"operation\":\"x\"}");
	struct audit *audit;
	struct error err;

	(void)snprintf(log, sizeof(log), "%s/audit", data->folder);
	assert_fine(audit_open(&settings, data->store, data->keyring, &audit, &err), &err);
	for (unsigned i = 0; i < 50; i++)
		assert_fine(audit_append(audit, &line, 1, &err), &err);
	for (unsigned i = 0; i < DOCUMENTS; i++)
		commit(data->store, (char[]){ 'a', (char)('0' + i), '\0' }, "{\"change\":1}");
	audit_close(audit);
}

static void
data_make(struct data *data)
{
	struct root_provider provider;
	char path[64], url[80];
	struct error err;

	*data = (struct data){ .folder = "/tmp/create-test-XXXXXX" };
	assert_non_null(mkdtemp(data->folder));
	(void)snprintf(data->file, sizeof(data->file), "%s.backup", data->folder);
	(void)snprintf(url, sizeof(url), "sqlite:%s/store.db", data->folder);
	(void)snprintf(path, sizeof(path), "%s/root.key", data->folder);
	assert_fine(store_open(view_of(url), &data->store, &err), &err);
	assert_fine(root_provider_file(path, true, &provider, &err), &err);
	assert_fine(keyring_open(data->store, &provider, &data->keyring, &err), &err);
	fill_log(data);
	/* The log does not have these. */
	commit(data->store, "b", "{\"change\":2}");
	commit(data->store, "c", "{\"change\":3}");
}

static void
data_drop(struct data *data)
{
	keyring_close(data->keyring);
	store_close(data->store);
	remove_folder(data->folder);
	(void)unlink(data->file);
}

static bool
create(const struct data *data, struct watching *watching, struct backup_report *report,
    struct error *err)
{
	const struct backup_source source = { .store = data->store,
		.keyring = data->keyring,
		.data = data->folder,
		.version = V("1"),
		.domain = V("localhost"),
		.recipient = view_of(recipient),
		.watch = { .told = asked, .ctx = watching } };

	return backup_create(&source, data->file, report, err);
}

static const char *const parts[] = { "writing", "restoring", "comparing", "verifying",
	"writing the audit log" };

/* All that was written is looked at again, and each piece of it is a place to stop at. */
static void
test_whole(void **state)
{
	struct backup_report report;
	struct data data;
	struct error err;
	unsigned seen[COUNT_OF(parts)];

	(void)state;
	data_make(&data);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct watching watching = { .what = parts[i] };

		assert_fine(create(&data, &watching, &report, &err), &err);
		assert_int_equal(0, unlink(data.file));
		seen[i] = watching.seen;
	}
	assert_true(report.documents > DOCUMENTS);
	assert_true(report.journal_lines >= 2);
	assert_true(report.audit_lines >= 50 + DOCUMENTS);
	assert_int_equal(seen[0] + seen[4], seen[1]);
	assert_int_equal(seen[2], report.documents + report.journal_lines);
	assert_int_equal(seen[3], report.audit_lines);
	data_drop(&data);
}

static void
assert_nothing_left(const struct data *data)
{
	DIR *folder = opendir(data->folder);
	const struct dirent *entry;

	assert_non_null(folder);
	/* One thread has this stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((entry = readdir(folder)) != NULL)
		assert_int_not_equal(0, strncmp(entry->d_name, "restoring-", 10));
	(void)closedir(folder);
	assert_int_not_equal(0, access(data->file, F_OK));
}

static void
test_stopped(void **state)
{
	struct backup_report report;
	struct data data;
	struct error err;

	(void)state;
	data_make(&data);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		for (unsigned at = 1; at <= DOCUMENTS; at++) {
			struct watching watching = { .what = parts[i], .stop_at = at };

			assert_false(create(&data, &watching, &report, &err));
			assert_int_equal(err.code, ERR_UNAVAILABLE);
			assert_int_equal(watching.seen, at); /* and not once more */
			assert_nothing_left(&data);
		}
	}
	data_drop(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
