#include "keyring/provider.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY_1 "0123456789abcdef000102030405060708090a0b0c0d0e0f101112131415161718191a"
#define LINE_1 "0123456789abcdef 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define LINE_2 "fedcba9876543210 1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100\n"
#define LINE_3 "0000000000000001 1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100\n"

static char folder[32], path[64], temp[72];

static int
make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/provider_test_XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/root.key", folder);
	(void)snprintf(temp, sizeof(temp), "%s.new", path);
	return 0;
}

static int
remove_emptied(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(temp);
	return rmdir(folder);
}

static void
write_file(const char *to, view text, mode_t mode)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.ptr, text.len), (ssize_t)text.len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static size_t
read_file(char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	assert_true(fd >= 0);
	len = read(fd, out, size);
	assert_true(len >= 0);
	assert_int_equal(close(fd), 0);
	return (size_t)len;
}

static struct root_provider
open_it(bool create)
{
	struct root_provider provider = { NULL, NULL };
	struct error err = { 0 };

	if (!root_provider_file(path, create, &provider, &err))
		fail_msg("%s", err.message);
	return provider;
}

static void
refused(bool create, const char *why)
{
	struct root_provider provider = { NULL, NULL };
	struct error err = { 0 };

	assert_false(root_provider_file(path, create, &provider, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_null(provider.ops);
	if (strstr(err.message, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void
wrap(struct root_provider *provider, struct buf *out)
{
	struct error err;

	assert_true(provider->ops->wrap(provider->self, V("a vault's key"), V("k/1"), out, &err));
	assert_true(buf_ok(out));
}

static bool
unwraps(struct root_provider *provider, view wrapped, view aad)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct error err = { 0 };

	if (!provider->ops->unwrap(provider->self, wrapped, aad, &plain, &err)) {
		assert_int_equal(err.code, ERR_CORRUPT);
		return false;
	}
	assert_true(view_eq(plain_view(plain), V("a vault's key")));
	return true;
}

static void
test_makes_a_file(void **state)
{
	AUTO(buf_free) struct buf wrapped = { 0 };
	struct root_provider provider;
	struct stat st;
	mode_t mask;

	(void)state;
	refused(false, "No such file");
	mask = umask(0777);
	provider = open_it(true);
	(void)umask(mask);
	wrap(&provider, &wrapped);
	assert_true(unwraps(&provider, buf_view(&wrapped), V("k/1")));
	provider.ops->close(provider.self);

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_size, (off_t)strlen(LINE_1));
	assert_int_equal(access(temp, F_OK), -1);

	provider = open_it(true); /* and does not make it anew */
	assert_true(unwraps(&provider, buf_view(&wrapped), V("k/1")));
	assert_false(unwraps(&provider, buf_view(&wrapped), V("k/2")));
	provider.ops->close(provider.self);
}

static void
test_refuses_loose_modes(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = {
		{ 0600, true },
		{ 0400, true },
		{ 0640, false },
		{ 0604, false },
		{ 0620, false },
		{ 0601, false },
		{ 0644, false },
		{ 0700, false },
		{ 01600, false },
		{ 04600, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		write_file(path, V(LINE_1), cases[i].mode);
		if (cases[i].good) {
			struct root_provider provider = open_it(false);

			provider.ops->close(provider.self);
		} else {
			refused(true, "chmod 0600");
		}
	}
}

static void
test_refuses_what_is_not_ours(void **state)
{
	char other[80];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	write_file(other, V(LINE_1), 0600);
	assert_int_equal(symlink(other, path), 0);
	refused(true, "can't be opened");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);

	assert_int_equal(mkfifo(path, 0600), 0);
	refused(true, "not a regular file");
	assert_int_equal(unlink(path), 0);

	if (geteuid() != 0)
		return;
	write_file(path, V(LINE_1), 0600);
	assert_int_equal(chown(path, 65534, 65534), 0);
	refused(true, "chown");
}

static void
test_refuses_malformed_files(void **state)
{
	static const view cases[] = {
		V_INIT(""),
		V_INIT("\n"),
		V_INIT(KEY_1),
		V_INIT(LINE_1 "\n"),
		V_INIT("\n" LINE_1),
		V_INIT(LINE_1 LINE_1), /* the same id twice */
		V_INIT(LINE_1 LINE_2 LINE_3),
		V_INIT(LINE_1 LINE_2 LINE_3 "and more"),
		V_INIT("0123456789abcdef 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
		       "1d1e1f"),
		V_INIT("0123456789abcdef-000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
		       "1d1e1f\n"),
		V_INIT("0123456789abcdef 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
		       "1d1e1g\n"),
		V_INIT("0123456789abcdeg 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
		       "1d1e1f\n"),
		V_INIT("0123456789abcdef 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
		       "1d1e1f\0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		write_file(path, cases[i], 0600);
		refused(true, "malformed");
	}
}

static void
test_rotates_and_retires(void **state)
{
	AUTO(buf_free) struct buf old = { 0 };
	AUTO(buf_free) struct buf fresh = { 0 };
	struct root_provider provider = open_it(true);
	char before[512], after[512];
	struct error err;
	size_t len;

	(void)state;
	wrap(&provider, &old);
	assert_true(provider.ops->retire(provider.self, &err)); /* nothing to do */
	len = read_file(before, sizeof(before));
	assert_int_equal(len, strlen(LINE_1));
	write_file(temp, V("left by a crash"), 0600);
	assert_true(provider.ops->rotate(provider.self, &err));
	assert_false(provider.ops->rotate(provider.self, &err)); /* one at a time */
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(read_file(after, sizeof(after)), 2 * len);
	assert_memory_equal(after + len, before, len);
	wrap(&provider, &fresh);
	assert_memory_not_equal(old.ptr, fresh.ptr, 16);
	provider.ops->close(provider.self);

	provider = open_it(false); /* both are in the file */
	assert_true(unwraps(&provider, buf_view(&old), V("k/1")));
	assert_true(unwraps(&provider, buf_view(&fresh), V("k/1")));
	assert_true(provider.ops->retire(provider.self, &err));
	assert_false(unwraps(&provider, buf_view(&old), V("k/1")));
	assert_true(unwraps(&provider, buf_view(&fresh), V("k/1")));
	provider.ops->close(provider.self);
	assert_int_equal(read_file(before, sizeof(before)), len);
	assert_memory_equal(before, after, len);
	assert_int_equal(access(temp, F_OK), -1);
}

/* What could not be written is not gone on with: a crash would lose the key. */
static void
test_a_failed_rotation_changes_nothing(void **state)
{
	AUTO(buf_free) struct buf wrapped = { 0 };
	struct root_provider provider = open_it(true);
	struct error err;

	(void)state;
	assert_int_equal(mkdir(temp, 0700), 0); /* in the way, even of root */
	assert_false(provider.ops->rotate(provider.self, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_int_equal(rmdir(temp), 0);
	wrap(&provider, &wrapped);
	provider.ops->close(provider.self);
	provider = open_it(false);
	assert_true(unwraps(&provider, buf_view(&wrapped), V("k/1")));
	assert_true(provider.ops->rotate(provider.self, &err));
	provider.ops->close(provider.self);
}

static void
test_refuses_changed_wrappings(void **state)
{
	AUTO(buf_free) struct buf wrapped = { 0 };
	struct root_provider provider = open_it(true);
	view whole;

	(void)state;
	wrap(&provider, &wrapped);
	whole = buf_view(&wrapped);
	for (size_t i = 0; i < wrapped.len; i++) {
		wrapped.ptr[i] ^= 1;
		assert_false(unwraps(&provider, whole, V("k/1")));
		wrapped.ptr[i] ^= 1;
		assert_false(unwraps(&provider, (view){ whole.ptr, i }, V("k/1")));
	}
	assert_true(unwraps(&provider, whole, V("k/1")));
	provider.ops->close(provider.self);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_emptied)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_makes_a_file),
		IN_A_FOLDER(test_refuses_loose_modes),
		IN_A_FOLDER(test_refuses_what_is_not_ours),
		IN_A_FOLDER(test_refuses_malformed_files),
		IN_A_FOLDER(test_rotates_and_retires),
		IN_A_FOLDER(test_a_failed_rotation_changes_nothing),
		IN_A_FOLDER(test_refuses_changed_wrappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
