/*
 * A whole backup, put together from a store here, with one thing wrong in it; or whose store is not
 * on the disk what was put there.
 */
#include "backup/stage.h"

#include "audit/audit.h"
#include "backup/testing.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum wrong { NOTHING, END_DIGEST, ROOT_KEY, VAULT_KEY, DOCUMENT, LINE, COUNTER };

#define VALUE "a value that is found"
#define CHANGE_LINE "{\"change\":\"that is found\"}"

static struct {
	char folder[32];
	struct store *store;
	struct keyring *keyring;
	struct buf root_key;
} data;

/* What is put together. */
struct making {
	enum wrong wrong;
	struct buf content;
	struct hash *hash;
	uint64_t records;
	struct record_end end;
};

static void
open_data(void)
{
	struct root_provider provider;
	char path[64], url[80];
	struct error err;

	(void)snprintf(url, sizeof(url), "sqlite:%s/store.db", data.folder);
	(void)snprintf(path, sizeof(path), "%s/root.key", data.folder);
	assert_fine(store_open(view_of(url), &data.store, &err), &err);
	assert_fine(root_provider_file(path, true, &provider, &err), &err);
	assert_fine(keyring_open(data.store, &provider, &data.keyring, &err), &err);
	assert_fine(file_read(path, 4096, &data.root_key, &err), &err);
}

/* The audit log's own documents, and no line of it. */
static void
open_log(void)
{
	char log[48];
	const struct audit_settings settings = { .directory = log,
		.segment_bytes = 4096,
		.checkpoint_lines = 10 };
	struct audit *audit;
	struct error err;

	(void)snprintf(log, sizeof(log), "%s/audit", data.folder);
	assert_fine(audit_open(&settings, data.store, data.keyring, &audit, &err), &err);
	audit_close(audit);
}

static int
setup(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct change changes[2] = {
		{ .kind = CHANGE_PUT, .key = V_INIT("a"), .value = { V_INIT(VALUE) } },
	};
	struct error err;

	(void)state;
	(void)snprintf(data.folder, sizeof(data.folder), "/tmp/whole-test-XXXXXX");
	assert_non_null(mkdtemp(data.folder));
	open_data();
	open_log();
	arena_init(&arena, (size_t)1 << 16);
	assert_fine(keyring_new_key(data.keyring, V("vault"), &arena, &changes[1], &err), &err);
	assert_fine(store_commit_wait(data.store, changes, 2, V(CHANGE_LINE), &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	keyring_close(data.keyring);
	store_close(data.store);
	buf_free(&data.root_key);
	remove_folder(data.folder);
	return 0;
}

static void
put(struct making *making, const struct record *record)
{
	record_add(&making->content, record);
	making->records++;
}

static bool
put_document(void *ctx, const struct document *document, struct error *err)
{
	struct making *making = ctx;
	struct record record = { .kind = RECORD_DOCUMENT, .document = *document };
	AUTO(buf_free) struct buf value = { 0 };

	buf_add(&value, document->value.bytes);
	if (making->wrong == VAULT_KEY && view_eq(document->key, V("k/vault")))
		value.ptr[value.len - 1] ^= 1;
	record.document.value.bytes = buf_view(&value);
	put(making, &record);
	making->end.documents++;
	return record_digest(making->hash, &record, err);
}

static bool
put_line(void *ctx, const struct journal_line *line, struct error *err)
{
	struct making *making = ctx;
	const struct record record = { .kind = RECORD_LINE, .line = *line };

	(void)err;
	put(making, &record);
	making->end.lines++;
	return true;
}

static void
put_store(struct making *making)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	struct record begin = { .kind = RECORD_BEGIN,
		.begin = { .id = V("identifies a bkp"), .version = V("1"), .domain = V("d") } };
	struct error err;

	assert_fine(store_reader_new(data.store, &reader, &err), &err);
	assert_fine(store_begin(reader, &err), &err);
	assert_fine(store_counters(reader, &begin.begin.counters, &err), &err);
	put(making, &begin);
	assert_fine(store_each(reader, put_document, making, &err), &err);
	assert_fine(store_each_line(reader, put_line, making, &err), &err);
	store_end(reader);
}

static void
put_root_key(struct making *making)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct record file = { .kind = RECORD_FILE, .file.name = V(RECORD_ROOT_KEY) };
	struct record bytes = { .kind = RECORD_BYTES };
	char *last;

	buf_add(&text, buf_view(&data.root_key));
	last = &text.ptr[text.len - 2]; /* before the line's end: a hexadecimal digit */
	if (making->wrong == ROOT_KEY)
		*last = *last == '0' ? '1' : '0';
	file.file.length = text.len;
	bytes.bytes = buf_view(&text);
	put(making, &file);
	put(making, &bytes);
	making->end.files++;
}

static void
put_end(struct making *making)
{
	struct record end = { .kind = RECORD_END };
	uint8_t digest[SHA256_LEN];
	struct error err;

	assert_fine(hash_end(making->hash, digest, &err), &err);
	digest[0] ^= making->wrong == END_DIGEST;
	end.end = making->end;
	end.end.digest = (view){ (const char *)digest, sizeof(digest) };
	put(making, &end);
}

/* Told before each record; before the last one the store is filled, and closed. */
struct watching {
	const struct making *making;
	const struct stage *stage;
	uint64_t told;
};

static void
spoil(const char *path, view text)
{
	AUTO(buf_free) struct buf file = { 0 };
	AUTO(fd_done) int fd = open(path, O_RDWR | O_CLOEXEC);
	const char *found;
	struct error err;

	assert_true(fd >= 0);
	assert_fine(file_read(path, (size_t)1 << 24, &file, &err), &err);
	found = memmem(file.ptr, file.len, text.ptr, text.len);
	assert_non_null(found);
	assert_int_equal(pwrite(fd, "A", 1, found - file.ptr), 1);
}

/* A document comes and goes: all that is left of it is counted. */
static void
count_on(const char *path)
{
	struct change change = { .kind = CHANGE_PUT, .key = V_INIT("z"), .value = { V_INIT("z") } };
	struct store *store;
	char url[128];
	struct error err;

	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	assert_fine(store_open(view_of(url), &store, &err), &err);
	assert_fine(store_commit_wait(store, &change, 1, V(""), &err), &err);
	change.kind = CHANGE_DELETE;
	assert_fine(store_commit_wait(store, &change, 1, V(""), &err), &err);
	store_close(store);
}

static bool
told(void *ctx, const struct progress *progress)
{
	struct watching *watching = ctx;
	enum wrong wrong = watching->making->wrong;
	char path[96];

	if (strcmp(progress->doing, "restoring") != 0 ||
	    ++watching->told != watching->making->records)
		return true;
	(void)snprintf(path, sizeof(path), "%s/" STAGE_STORE, watching->stage->path);
	if (wrong == DOCUMENT)
		spoil(path, V(VALUE));
	if (wrong == LINE)
		spoil(path, V(CHANGE_LINE));
	if (wrong == COUNTER)
		count_on(path);
	return true;
}

static bool
restores(const struct making *making, struct error *err)
{
	AUTO(stage_done) struct stage stage = { .lock = -1 };
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	AUTO(fd_done) int fd = sealed_file(buf_view(&making->content));
	struct watching watching = { .making = making, .stage = &stage };
	const struct watch watch = { .told = told, .ctx = &watching };

	assert_fine(stage_make(data.folder, &stage, err), err);
	assert_fine(stream_open_with(fd, key_view(), &stream, err), err);
	return stage_restore(&stage, stream, &watch, err);
}

static void
test_one_thing_wrong(void **state)
{
	static const char *const why[] = {
		[NOTHING] = NULL,
		[END_DIGEST] = "does not hold what its end says",
		[ROOT_KEY] = "The root key does not open this store",
		[VAULT_KEY] = "A sealed document does not open",
		[DOCUMENT] = "not the one that was backed up",
		[LINE] = "not the one that was backed up",
		[COUNTER] = "not the one that was backed up",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(why); i++) {
		struct making making = { .wrong = (enum wrong)i };
		struct error err = { 0 };

		assert_fine(hash_new(&making.hash, &err), &err);
		put_store(&making);
		put_root_key(&making);
		put_end(&making);
		assert_int_equal(restores(&making, &err), why[i] == NULL);
		if (why[i] != NULL && strstr(err.message, why[i]) == NULL)
			fail_msg("%zu: \"%s\" does not say \"%s\"", i, err.message, why[i]);
		hash_free(making.hash);
		buf_free(&making.content);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_thing_wrong, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
