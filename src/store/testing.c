#include "store/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

const char *fixture_scheme = "memory";

void
fixture_open(struct fixture *f)
{
	if (!store_open(view_of(f->url), &f->store, &f->err) ||
	    !store_reader_new(f->store, &f->reader, &f->err) || !store_begin(f->reader, &f->err))
		fail_msg("%s", f->err.message);
}

void
fixture_close(struct fixture *f)
{
	if (f->reader != NULL)
		store_end(f->reader);
	store_reader_free(f->reader);
	store_close(f->store);
	f->reader = NULL;
	f->store = NULL;
}

void
fixture_renew(struct fixture *f)
{
	store_end(f->reader);
	arena_wipe(&f->arena);
	if (!store_begin(f->reader, &f->err))
		fail_msg("%s", f->err.message);
}

int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	bool sqlite = strcmp(fixture_scheme, "sqlite") == 0;

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/store-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/vault.db", f->folder);
	(void)snprintf(f->url, sizeof(f->url), "%s:%s", fixture_scheme, sqlite ? f->path : "");
	arena_init(&f->arena, ARENA_BYTES);
	fixture_open(f);
	*state = f;
	return 0;
}

static void
remove_emptied(const char *folder)
{
	static const char *const names[] = { "vault.db", "vault.db-wal", "vault.db-shm",
		"vault.db.lock", "link.db" };
	char path[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(folder), 0); /* and nothing else was left in it */
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	arena_free(&f->arena);
	remove_emptied(f->folder);
	free(f);
	return 0;
}

struct change
put(const char *key, const char *value)
{
	return (struct change){ .kind = CHANGE_PUT,
		.key = view_of(key),
		.value.bytes = view_of(value) };
}

struct change
del(const char *key)
{
	return (struct change){ .kind = CHANGE_DELETE, .key = view_of(key) };
}

struct change
expect(const char *key, uint64_t revision)
{
	return (struct change){ .kind = CHANGE_EXPECT, .key = view_of(key), .revision = revision };
}

bool
commit(struct fixture *f, const struct change *changes, size_t count, const char *journal)
{
	return store_commit_wait(f->store, changes, count, view_of(journal), &f->err);
}

bool
commit1(struct fixture *f, struct change change)
{
	return commit(f, &change, 1, NULL);
}

struct document
read1(struct fixture *f, const char *key)
{
	struct document document;

	if (!store_get(f->reader, view_of(key), &f->arena, &document, &f->err))
		fail_msg("%s", f->err.message);
	assert_view(document.key, view_of(key));
	return document;
}

uint64_t
revision_of(struct fixture *f, const char *key)
{
	return read1(f, key).revision;
}

void
assert_view(view got, view wanted)
{
	assert_int_equal(got.len, wanted.len);
	if (wanted.len > 0)
		assert_memory_equal(got.ptr, wanted.ptr, wanted.len);
}

void
assert_value(struct fixture *f, const char *key, const char *value)
{
	struct document document = read1(f, key);

	assert_int_equal(document.revision != 0, value != NULL);
	assert_view(document.value.bytes, view_of(value));
}

const char *
journal_text(struct fixture *f)
{
	struct journal_line *lines;
	size_t count;
	view text = V(""), longer;

	fixture_renew(f);
	if (!store_journal_read(f->reader, 0, 1000, &f->arena, &lines, &count, &f->err))
		fail_msg("%s", f->err.message);
	for (size_t i = 0; i < count; i++) {
		assert_true(arena_print(&f->arena, &longer, "%.*s%s%llu:%.*s", VIEW_ARG(text),
		    i == 0 ? "" : " ", (unsigned long long)lines[i].number,
		    VIEW_ARG(lines[i].line)));
		text = longer;
	}
	return text.ptr;
}
