#include "base/file.h"
#include "base/testing.h"
#include "datafolder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char above[64], data[80];
static struct config config;
static struct error err;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(above, sizeof(above), "/tmp/datafolder_test_XXXXXX");
	assert_non_null(mkdtemp(above));
	(void)snprintf(data, sizeof(data), "%s/data", above);
	config = (struct config){ .data = data };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	remove_folder(above);
	return 0;
}

static void
make(void)
{
	AUTO(datafolder_close) struct datafolder folder = { 0 };

	assert_fine(datafolder_open(&config, true, &folder, &err), &err);
}

static void
test_is_made_only_when_told(void **state)
{
	AUTO(datafolder_close) struct datafolder opened = { 0 }, looked = { 0 };
	struct stat stat_;

	(void)state;
	assert_false(datafolder_open(&config, false, &opened, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(datafolder_look(&config, &looked, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_not_equal(stat(data, &stat_), 0);
	make();
	assert_int_equal(stat(data, &stat_), 0);
	assert_int_equal(stat_.st_mode & 07777, 0700);
}

/* A new one would open nothing of what the store holds. */
static void
test_a_lost_root_key_is_not_replaced(void **state)
{
	AUTO(datafolder_close) struct datafolder folder = { 0 };
	AUTO(text_done) char *path = NULL;

	(void)state;
	make();
	assert_true(file_path(data, "root.key", &path, &err));
	assert_int_equal(unlink(path), 0);
	assert_false(datafolder_open(&config, true, &folder, &err));
}

static void
allow_dumps(void)
{
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
}

/* No other process of the same user reads it, and no core file is written. */
static void
assert_protected(void)
{
	struct rlimit core;

	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
}

/* Whichever command it is: rekey and audit verify hold root keys as the server does. */
static void
test_who_holds_root_keys_is_protected(void **state)
{
	AUTO(datafolder_close) struct datafolder opened = { 0 }, looked = { 0 };

	(void)state;
	make();
	allow_dumps();
	assert_fine(datafolder_open(&config, false, &opened, &err), &err);
	assert_protected();
	allow_dumps();
	assert_fine(datafolder_look(&config, &looked, &err), &err);
	assert_protected();
}

#define FIXED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	FIXED(test_is_made_only_when_told),
	FIXED(test_a_lost_root_key_is_not_replaced),
	FIXED(test_who_holds_root_keys_is_protected),
};

int
main(void)
{
	return cmocka_run_group_tests_name("data folder", tests, NULL, NULL);
}
