#include "audit/fixture.h"

#include "audit/segment.h"
#include "base/testing.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void
fixture_make(struct fixture *f)
{
	*f = (struct fixture){ .settings = { .segment_bytes = 1 << 20, .checkpoint_lines = 1000 } };
	(void)snprintf(f->root, sizeof(f->root), "/tmp/audit-test-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	(void)snprintf(f->log, sizeof(f->log), "%s/log", f->root);
	(void)snprintf(f->key, sizeof(f->key), "%s/root.key", f->root);
	(void)snprintf(f->url, sizeof(f->url), "sqlite:%s/store.db", f->root);
	f->settings.directory = f->log;
}

void
fixture_drop(struct fixture *f)
{
	remove_folder(f->root);
}

static void
open_store(struct fixture *f)
{
	struct root_provider provider;
	struct error err;

	if (f->store != NULL)
		return;
	assert_true(store_open(view_of(f->url), &f->store, &err));
	assert_true(root_provider_file(f->key, true, &provider, &err));
	assert_true(keyring_open(f->store, &provider, &f->keyring, &err));
}

bool
fixture_try_open(struct fixture *f, struct error *err)
{
	open_store(f);
	return audit_open(&f->settings, f->store, f->keyring, &f->audit, err);
}

void
fixture_open(struct fixture *f)
{
	struct error err = { 0 };

	if (!fixture_try_open(f, &err))
		fail_msg("the log does not open: %s", err.message);
}

void
fixture_close(struct fixture *f)
{
	audit_close(f->audit);
	keyring_close(f->keyring);
	store_close(f->store);
	f->audit = NULL;
	f->keyring = NULL;
	f->store = NULL;
}

static view
record(const char *name, unsigned number, char out[64])
{
	(void)snprintf(out, 64, "{\"id\":\"%s%u\"}", name, number);
	return view_of(out);
}

bool
fixture_append(struct fixture *f, const char *name, unsigned number)
{
	char text[64];
	view one = record(name, number, text);
	struct error err;

	if (audit_append(f->audit, &one, 1, &err))
		return true;
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	return false;
}

bool
fixture_commit(struct fixture *f, const char *name, unsigned number)
{
	char text[64];
	struct change change = { .kind = CHANGE_PUT,
		.key = V("test/document"),
		.value = { V("sealed") } };
	struct error err;

	return store_commit_wait(f->store, &change, 1, record(name, number, text), &err);
}

static void
add_file(int dir, const char *name, struct buf *out)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat stat = { 0 };
	char *room;

	assert_true(fd >= 0 && fstat(fd, &stat) == 0);
	room = buf_room(out, (size_t)stat.st_size + 1);
	assert_non_null(room);
	assert_int_equal(read(fd, room, (size_t)stat.st_size), stat.st_size);
	out->len += (size_t)stat.st_size;
	(void)close(fd);
}

void
fixture_copy(const struct fixture *f, const char *from, const char *to)
{
	AUTO(buf_free) struct buf bytes = { 0 };
	int dir = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	assert_true(dir >= 0);
	add_file(dir, from, &bytes);
	fd = openat(dir, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
	(void)close(fd);
	(void)close(dir);
}

static size_t
each_segment(const struct fixture *f, struct buf *out)
{
	int dir = open(f->log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t *firsts = NULL;
	struct error err;
	size_t count = 0;

	assert_true(dir >= 0 && segment_list(dir, &firsts, &count, &err));
	for (size_t i = 0; out != NULL && i < count; i++)
		add_file(dir, segment_name(firsts[i]).text, out);
	free(firsts);
	(void)close(dir);
	return count;
}

void
fixture_log(const struct fixture *f, struct buf *out)
{
	(void)each_segment(f, out);
}

size_t
fixture_segments(const struct fixture *f)
{
	return each_segment(f, NULL);
}

size_t
occurrences(view text, view what)
{
	size_t count = 0;
	const char *found;

	while (text.len > 0 && (found = memmem(text.ptr, text.len, what.ptr, what.len)) != NULL) {
		count++;
		text = view_from(text, (size_t)(found - text.ptr) + what.len);
	}
	return count;
}

size_t
fixture_count(const struct fixture *f, const char *name, unsigned number)
{
	AUTO(buf_free) struct buf log = { 0 };
	char text[64];
	view open = record(name, number, text);

	open.len--;
	fixture_log(f, &log);
	return occurrences(buf_view(&log), open);
}

bool
fixture_verify(struct fixture *f, struct audit_report *report, struct error *err)
{
	AUTO(arena_free) struct arena arena;
	struct audit_head head;
	view key;

	arena_init(&arena, 65536);
	open_store(f);
	assert_true(audit_stored_head(f->store, f->keyring, &arena, &key, &head, err));
	return (f->rest ? audit_verify_rest : audit_verify)(f->log, key, &head, NULL, report, err);
}
