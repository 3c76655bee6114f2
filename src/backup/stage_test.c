/*
 * What is in a backup, against what should be: everything here is sealed as it should be, by
 * somebody who has the recipient's certificate.
 */
#include "backup/stage.h"

#include "backup/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_KEY_TEXT       \
	"0123456789abcdef " \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
#define SEGMENT "audit-00000000000000000001.log"

/* Records, by letters. */
static struct record
record_of(char letter)
{
	static char digest[SHA256_LEN];
	struct record record;

	memset(&record, 0, sizeof(record));
	switch (letter) {
	case 'B':
	case 'O': /* of another one */
		record.kind = RECORD_BEGIN;
		record.begin.id = letter == 'B' ? V("identifies a bkp") : V("identifies other");
		record.begin.version = V("1");
		record.begin.domain = V("localhost");
		record.begin.counters = (struct counters){ 9, 9, 9 };
		break;
	case 'D':
	case 'd':
		record.kind = RECORD_DOCUMENT;
		record.document.key = letter == 'D' ? V("a") : V("b");
		record.document.revision = 1;
		record.document.value.bytes = V("value");
		break;
	case 'L':
		record.kind = RECORD_LINE;
		record.line.number = 1;
		record.line.line = V("line");
		break;
	case 'R':
		record.kind = RECORD_FILE;
		record.file.name = V(RECORD_ROOT_KEY);
		record.file.length = sizeof(ROOT_KEY_TEXT) - 1;
		break;
	case 'r':
		record.kind = RECORD_BYTES;
		record.bytes = V(ROOT_KEY_TEXT);
		break;
	case 'S':
		record.kind = RECORD_FILE;
		record.file.name = V(SEGMENT);
		record.file.length = 5;
		break;
	case 's':
		record.kind = RECORD_BYTES;
		record.bytes = V("12345");
		break;
	case 'P': /* a path */
		record.kind = RECORD_FILE;
		record.file.name = V("../" SEGMENT);
		break;
	default: record.kind = RECORD_END; record.end.digest = (view){ digest, sizeof(digest) };
	}
	return record;
}

static void
refused(const char *letters, const char *why)
{
	AUTO(stage_done) struct stage stage = { .lock = -1 };
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	AUTO(buf_free) struct buf content = { 0 };
	const struct watch nobody = { 0 };
	char folder[] = "/tmp/stage-test-XXXXXX";
	struct error err;
	int fd;

	assert_non_null(mkdtemp(folder));
	for (const char *letter = letters; *letter != '\0'; letter++) {
		struct record record = record_of(*letter);

		record_add(&content, &record);
	}
	fd = sealed_file(buf_view(&content));
	assert_fine(stage_make(folder, &stage, &err), &err);
	assert_fine(stream_open_with(fd, key_view(), &stream, &err), &err);
	assert_false(stage_restore(&stage, stream, &nobody, &err));
	if (strstr(err.message, why) == NULL)
		fail_msg("%s: %s", letters, err.message);
	(void)close(fd);
	stage_done(&stage);
	assert_int_equal(0, rmdir(folder)); /* nothing stays, nothing got out of it */
}

static void
test_order(void **state)
{
	static const struct {
		const char *letters, *why;
	} cases[] = {
		{ "", "ends in the middle" },
		{ "B", "ends in the middle" },
		{ "BD", "ends in the middle" },
		{ "D", "not in their places" },
		{ "O", "not in their places" },
		{ "BB", "not in their places" },
		{ "BE", "not in their places" },
		{ "BDE", "not in their places" },
		{ "BDD", "not a store's documents" },
		{ "BdD", "not a store's documents" },
		{ "BLD", "not in their places" },
		{ "BLL", "not a journal's lines" },
		{ "BS", "not in their places" },
		{ "Br", "not in their places" },
		{ "BDRE", "not in their places" },
		{ "BDRD", "not in their places" },
		{ "BDRrr", "not in their places" },
		{ "BDRrL", "not in their places" },
		{ "BDRrR", "not in their places" },
		{ "BDRrSs", "ends in the middle" },
		{ "BDRrSE", "not in their places" },
		{ "BDRrSsSs", "not in their places" },
		{ "BDRrP", "does not know" },
		{ "BDRrSsE", "what its end says" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		refused(cases[i].letters, cases[i].why);
}

static void
test_records(void **state)
{
	static const char letters[] = "BDLRrSsE";
	static const char *const bad[] = { "", "\x07", "\x05" };
	struct record record;
	struct error err;

	(void)state;
	for (size_t i = 0; letters[i] != '\0'; i++) {
		AUTO(buf_free) struct buf once = { 0 }, twice = { 0 };

		record = record_of(letters[i]);
		record_add(&once, &record);
		assert_fine(record_parse(view_from(buf_view(&once), 4), &record, &err), &err);
		record_add(&twice, &record);
		assert_text(buf_view(&twice), buf_view(&once));
		/* Neither less nor more. */
		for (size_t len = 0; len + 4 < once.len; len++)
			assert_false(record_parse((view){ once.ptr + 4, len }, &record, &err));
		buf_add_char(&once, 'x');
		assert_false(record_parse(view_from(buf_view(&once), 4), &record, &err));
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(record_parse(view_of(bad[i]), &record, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
