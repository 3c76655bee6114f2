/* A server and a restore that want the same data folder: one gets it, whoever came first. */
#include "datafolder.h"

#include "backup/place.h"
#include "base/file.h"
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum when { NEVER, BEFORE, AFTER };

/* A restore that begins while the server opens its store; the linker wraps that call. */
static struct {
	enum when when;
	struct place place;
	bool taken;
	struct error err;
} restore;
static char folder[32];
static struct config config = { .data = folder };

static void
begin_restore(void)
{
	restore.taken = place_take(folder, &restore.place, &restore.err);
}

/* A server that starts while a restore begins: when that has seen that the folder is empty. */
static bool serves;
static struct datafolder served;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*): the linker wants these names */
bool __real_store_open(view url, struct store **out, struct error *err);
bool __wrap_store_open(view url, struct store **out, struct error *err);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

bool
__wrap_store_open(view url, struct store **out, struct error *err)
{
	bool fine;

	if (restore.when == BEFORE)
		begin_restore();
	fine = __real_store_open(url, out, err);
	if (restore.when == AFTER)
		begin_restore();
	return fine;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	struct error err;

	if (serves) {
		serves = false;
		assert_fine(datafolder_open(&config, true, &served, &err), &err);
	}
	return __real_fchmod(fd, mode);
}

static int
setup(void **state)
{
	(void)state;
	serves = false;
	memset(&restore, 0, sizeof(restore));
	restore.place.folder = -1;
	(void)snprintf(folder, sizeof(folder), "/tmp/datafolder-test-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	place_done(&restore.place);
	datafolder_close(&served);
	remove_folder(folder);
	return 0;
}

static bool
is_there(const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static void
opens(bool create)
{
	AUTO(datafolder_close) struct datafolder opened = { 0 };
	struct error err;

	assert_fine(datafolder_open(&config, create, &opened, &err), &err);
	assert_non_null(opened.keyring);
}

static void
refused_for_a_restore(void)
{
	AUTO(datafolder_close) struct datafolder opened = { 0 };
	struct error err;

	assert_false(datafolder_open(&config, true, &opened, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.message, "A restore to the data folder"));
	assert_null(opened.keyring);
	assert_false(is_there("root.key"));
}

static void
test_a_restore_is_under_way(void **state)
{
	AUTO(datafolder_close) struct datafolder looked = { 0 };
	struct error err;

	(void)state;
	begin_restore();
	assert_fine(restore.taken, &restore.err);
	refused_for_a_restore();
	assert_false(is_there("store.db"));
	assert_false(datafolder_look(&config, &looked, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	place_done(&restore.place);
	opens(true);
}

/* The folder was looked at and found to be nobody's; then the restore takes it. */
static void
test_a_restore_begins_before_the_store_is_there(void **state)
{
	(void)state;
	restore.when = BEFORE;
	refused_for_a_restore();
	assert_fine(restore.taken, &restore.err);
	/* Given up, or killed and begun again, it takes the store along that was made meanwhile. */
	restore.when = NEVER;
	fd_done(&restore.place.folder);
	begin_restore();
	assert_fine(restore.taken, &restore.err);
	place_done(&restore.place);
	assert_false(is_there("store.db"));
	opens(true);
}

static void
write_file(const char *at, const char *name, const char *text)
{
	char path[128];
	struct error err;

	(void)snprintf(path, sizeof(path), "%s/%s", at, name);
	assert_fine(file_write(path, view_of(text), 0600, &err), &err);
}

/* The server was killed before it could see the restore: its log is not put to the other store. */
static void
test_a_log_of_another_store(void **state)
{
	AUTO(stage_done) struct stage stage = { .lock = -1 };
	struct error err;

	(void)state;
	restore.when = BEFORE;
	refused_for_a_restore();
	assert_fine(restore.taken, &restore.err);
	write_file(folder, "store.db-wal", "the server's");
	assert_fine(stage_make(folder, &stage, &err), &err);
	write_file(stage.path, STAGE_STORE, "restored");
	stage.root_key = plain_copy(V("keys"));
	assert_non_null(stage.root_key);
	assert_fine(place_put(&restore.place, &stage, &err), &err);
	assert_true(is_there("store.db") && is_there("audit") && is_there("root.key"));
	assert_false(is_there("store.db-wal"));
}

static void
test_a_restore_begins_behind_the_store(void **state)
{
	(void)state;
	restore.when = AFTER;
	opens(true);
	assert_false(restore.taken);
	assert_int_equal(restore.err.code, ERR_CONFLICT);
	restore.when = NEVER;
	opens(false);
}

/* The folder was empty; then a server made its store there, and goes on with it. */
static void
test_a_server_starts_while_a_restore_begins(void **state)
{
	(void)state;
	serves = true;
	begin_restore();
	assert_non_null(served.keyring);
	assert_false(restore.taken);
	assert_int_equal(restore.err.code, ERR_CONFLICT);
	place_done(&restore.place);
	datafolder_close(&served);
	opens(false);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_restore_is_under_way),
		CASE(test_a_restore_begins_before_the_store_is_there),
		CASE(test_a_log_of_another_store),
		CASE(test_a_restore_begins_behind_the_store),
		CASE(test_a_server_starts_while_a_restore_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
