#include "backup/stream.h"

#include "backup/testing.h"

#include <stdlib.h>
#include <string.h>

static view
letters(size_t len)
{
	static char bytes[3 * STREAM_PIECE];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + i % 23);
	return (view){ bytes, len };
}

static bool
reads(int fd, view key, view content, struct error *err)
{
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	AUTO(buf_free) struct buf got = { 0 };

	assert_int_equal(0, lseek(fd, 0, SEEK_SET));
	if (!stream_open_with(fd, key, &stream, err) ||
	    !stream_read(stream, content.len, &got, err) || !stream_end(stream, err))
		return false;
	assert_true(view_eq(buf_view(&got), content));
	assert_text(stream_id(stream), V("identifies a bkp"));
	return true;
}

static void
test_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, STREAM_PIECE - 1, STREAM_PIECE, STREAM_PIECE + 1,
		2 * STREAM_PIECE, 3 * STREAM_PIECE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		view content = letters(lengths[i]);
		int fd = sealed_file(content);
		struct error err;

		assert_fine(reads(fd, key_view(), content, &err), &err);
		/* Asked for less or more than there is. */
		assert_false(reads(fd, key_view(), letters(content.len + 1), &err));
		assert_int_equal(ERR_CORRUPT, err.code);
		if (content.len > 0)
			assert_false(reads(fd, key_view(), letters(content.len - 1), &err));
		(void)close(fd);
	}
}

static void
test_cut_anywhere(void **state)
{
	view content = letters(2 * STREAM_PIECE);
	int fd = sealed_file(content);
	off_t len = lseek(fd, 0, SEEK_END);
	struct error err;

	(void)state;
	for (off_t at = len - 1; at >= 0; at -= at > len - 100 || at < 1000 ? 1 : 9973) {
		assert_int_equal(0, ftruncate(fd, at));
		assert_false(reads(fd, key_view(), content, &err));
		assert_int_equal(ERR_CORRUPT, err.code);
	}
	(void)close(fd);
}

static void
test_changed_anywhere(void **state)
{
	view content = letters(100);
	int fd = sealed_file(content);
	off_t len = lseek(fd, 0, SEEK_END);
	struct error err;

	(void)state;
	for (off_t at = 0; at < len; at++) {
		char byte;

		assert_int_equal(1, pread(fd, &byte, 1, at));
		byte ^= 1;
		assert_int_equal(1, pwrite(fd, &byte, 1, at));
		assert_false(reads(fd, key_view(), content, &err));
		byte ^= 1;
		assert_int_equal(1, pwrite(fd, &byte, 1, at));
	}
	assert_true(reads(fd, key_view(), content, &err));
	assert_int_equal(1, pwrite(fd, "x", 1, len));
	assert_false(reads(fd, key_view(), content, &err));
	(void)close(fd);
}

static void
test_other_key(void **state)
{
	view content = letters(100);
	int fd = sealed_file(content);
	char other[STREAM_KEY_LEN];
	struct error err;

	(void)state;
	memcpy(other, stream_key, sizeof(other));
	other[31] ^= 1;
	assert_false(reads(fd, (view){ other, sizeof(other) }, content, &err));
	assert_int_equal(ERR_CORRUPT, err.code);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_changed_anywhere),
		cmocka_unit_test(test_other_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
