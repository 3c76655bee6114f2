#include "base/file.h"
#include "base/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32], path[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/file_test_XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static size_t
files_in_folder(void)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2;
}

static void
check_content(view wanted)
{
	AUTO(buf_free) struct buf content = { 0 };
	struct error err;

	assert_fine(file_read(path, wanted.len, &content, &err), &err);
	assert_text(buf_view(&content), wanted);
}

static void
test_replaces_whole(void **state)
{
	struct stat status;
	struct error err;

	(void)state;
	assert_fine(file_write(path, V("first, and longer"), 0644, &err), &err);
	check_content(V("first, and longer"));
	assert_fine(file_write(path, V("second\0"), 0600, &err), &err);
	check_content(V("second\0"));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_fine(file_write(path, V(""), 0600, &err), &err);
	check_content(V(""));
	assert_int_equal(files_in_folder(), 1);
}

/* Whoever has the old file open keeps the old content: it is replaced, not written over. */
static void
test_does_not_touch_the_old_file(void **state)
{
	char text[8] = { 0 };
	struct error err;
	FILE *old;

	(void)state;
	assert_fine(file_write(path, V("old"), 0600, &err), &err);
	old = fopen(path, "r");
	assert_non_null(old);
	assert_fine(file_write(path, V("new"), 0600, &err), &err);
	assert_int_equal(fread(text, 1, sizeof(text), old), 3);
	(void)fclose(old);
	assert_string_equal(text, "old");
}

static void
test_a_failure_leaves_nothing_behind(void **state)
{
	char target[80];
	struct error err;

	(void)state;
	/* A folder that is not empty can't be renamed over. */
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(target, sizeof(target), "%s/inside", path);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_false(file_write(path, V("x"), 0600, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(rmdir(target) | rmdir(path), 0);
	assert_false(file_write("/nowhere/at/all", V("x"), 0600, &err));
}

/* The folder that was opened is the one, whatever has its name since. */
static void
test_writes_in_an_open_folder(void **state)
{
	char aside[48];
	struct error err;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(aside, sizeof(aside), "%s_aside", folder);
	assert_int_equal(rename(folder, aside) | mkdir(folder, 0700), 0);
	assert_fine(file_write_at(fd, "file", V("x"), 0600, &err), &err);
	assert_int_equal(files_in_folder(), 0);
	assert_int_equal(rmdir(folder) | rename(aside, folder), 0);
	check_content(V("x"));
	assert_int_equal(files_in_folder(), 1);
	(void)close(fd);
}

static void
test_reads_no_more_than_asked(void **state)
{
	static const size_t lens[] = { 1, 4095, 4096, 4097, 10000 };
	static char text[10000];
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lens); i++) {
		AUTO(buf_free) struct buf content = { 0 };

		buf_add(&content, V("in front, "));
		assert_fine(file_write(path, (view){ text, lens[i] }, 0600, &err), &err);
		assert_fine(file_read(path, lens[i], &content, &err), &err);
		assert_int_equal(content.len, lens[i] + 10);
		assert_false(file_read(path, lens[i] - 1, &content, &err));
		assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

static void
test_what_is_no_file(void **state)
{
	AUTO(buf_free) struct buf content = { 0 };
	struct error err;

	(void)state;
	assert_false(file_read(path, 10, &content, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(file_read(folder, 10, &content, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_false(file_read("/dev/zero", 100000, &content, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_replaces_whole),
		FRESH(test_does_not_touch_the_old_file),
		FRESH(test_a_failure_leaves_nothing_behind),
		FRESH(test_writes_in_an_open_folder),
		FRESH(test_reads_no_more_than_asked),
		FRESH(test_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
