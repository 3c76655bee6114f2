#include "audit/checkpoint.h"
#include "audit/fixture.h"
#include "audit/line.h"
#include "audit/segment.h"
#include "audit/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LINES 4 /* of the small log: three records and a checkpoint */

/* A record as a line is made of it, and as line_parse takes it apart again. */
static void
test_line_format(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct audit_head at = { 0 };
	struct line line;
	struct error err;

	(void)state;
	assert_true(line_add(&out, V("{\"a\":1}"), 0, &at, &err));
	/* SHA-256 of `{"a":1,"seq":1`, and of that text's hash followed by `{"b":2,...`. */
	assert_true(view_eq(buf_view(&out),
	    V("{\"a\":1,\"seq\":1,\"chain\":"
	      "\"gWBiMH7dECP3dgF6Pxfx2erkeeojvgntle93_h2xwJY\"}\n")));
	buf_reset(&out);
	assert_true(line_add(&out, V("{\"b\":2}"), 7, &at, &err));
	assert_true(view_eq(buf_view(&out),
	    V("{\"b\":2,\"journal\":7,\"seq\":2,\"chain\":"
	      "\"fH4SdnF0wjmquKHDzA8oRBCoBfzR4_BNkqcKTxEuYXE\"}\n")));
	out.len--;
	assert_true(line_parse(buf_view(&out), &line));
	assert_true(view_eq(line.record, V("{\"b\":2")));
	assert_int_equal(line.journal, 7);
	assert_int_equal(line.seq, 2);
	assert_true(view_eq(line.chain, view_of(at.chain)));
}

static void
test_records(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "{\"a\":1}", true },
		{ "{\"a\":\"}\"}", true },
		{ "{\"a\":{\"journal\":1}}", true },
		{ "{\"journal\":1}", true }, /* the first member has no comma before it */
		{ "{\"a\":1,\"journal\":\"1\"}", true },
		{ "", false },
		{ "{", false },
		{ "}", false },
		{ "{}", false },
		{ "[\"a\"]", false },
		{ "{\"a\":1", false },
		{ "{\"a\":\n1}", false },
		{ "{\"a\":1}\n", false },
		{ " {\"a\":1}", false },
		{ "{\"a\":1,\"journal\":1}", false },
		{ "{\"time\":\"2026-01-31T23:59:59.1234567Z\",\"category\":\"AuditCheckpoint\","
		  "\"checkpoint\":{\"seq\":1}}",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (line_record_valid(view_of(cases[i].text)) != cases[i].valid)
			fail_msg("%s", cases[i].text);
	}
}

static void
test_record_length(void **state)
{
	AUTO(buf_free) struct buf record = { 0 };

	(void)state;
	buf_add(&record, V("{\"a\":\""));
	while (record.len < AUDIT_RECORD_MAX - 2)
		buf_add_char(&record, 'x');
	buf_add(&record, V("\"}"));
	assert_true(line_record_valid(buf_view(&record)));
	buf_add_char(&record, '}');
	assert_false(line_record_valid(buf_view(&record)));
}

static void
test_foreign_lines(void **state)
{
#define CHAIN43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
	static const char *const cases[] = {
		"",
		"{",
		"{\"a\":1}",
		"\"seq\":1,\"chain\":\"" CHAIN43 "\"}",
		"{\"seq\":1,\"chain\":\"" CHAIN43 "\"}",
		"{\"a\":1,\"seq\":,\"chain\":\"" CHAIN43 "\"}",
		"{\"a\":1,\"seq\":01,\"chain\":\"" CHAIN43 "\"}",
		"{\"a\":1,\"seq\":-1,\"chain\":\"" CHAIN43 "\"}",
		"{\"a\":1,\"seq\":18446744073709551616,\"chain\":\"" CHAIN43 "\"}",
		"{\"a\":1,\"seq\":1,\"chain\":\"" CHAIN43 "x\"}",
		"{\"a\":1,\"seq\":1,\"chain\":\"" CHAIN43 "\" }",
		"{\"a\":1,\"seq\":1,\"chain\":\"" CHAIN43 "\"}x",
	};
	struct line line;

	(void)state;
	assert_true(
	    line_parse(V("{\"a\":1,\"seq\":18446744073709551615,\"chain\":\"" CHAIN43 "\"}"),
		&line));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (line_parse(view_of(cases[i]), &line))
			fail_msg("%s", cases[i]);
	}
}

/* A log as lines in memory, to be tampered with, and what it takes to verify it. */
struct small_log {
	char text[4096];
	size_t len;
	view line[LINES]; /* with their newlines */
	struct public_key *key;
	struct audit_head head;
};

static void
small_log_fill(struct small_log *log, view text)
{
	assert_in_range(text.len, 1, sizeof(log->text) - 1);
	memcpy(log->text, text.ptr, text.len);
	log->len = text.len;
	text.ptr = log->text;
	for (size_t i = 0; i < LINES; i++) {
		log->line[i] = view_cut(&text, '\n');
		assert_true(log->line[i].len > 0);
		log->line[i].len++;
	}
	assert_int_equal(text.len, 0);
}

static int
small_log_make(void **state)
{
	static struct small_log log;
	AUTO(buf_free) struct buf text = { 0 };
	AUTO(arena_free) struct arena arena;
	struct fixture f;
	struct error err;
	view key;

	arena_init(&arena, 65536);
	fixture_make(&f);
	fixture_open(&f);
	assert_true(fixture_append(&f, "r", 1));
	assert_true(fixture_commit(&f, "c", 2));
	assert_true(fixture_append(&f, "r", 3));
	audit_close(f.audit);
	f.audit = NULL;
	fixture_log(&f, &text);
	small_log_fill(&log, buf_view(&text));
	assert_true(audit_stored_head(f.store, f.keyring, &arena, &key, &log.head, &err));
	assert_true(public_key_from_spki(key, &log.key, &err));
	fixture_close(&f);
	fixture_drop(&f);
	*state = &log;
	return 0;
}

static int
small_log_drop(void **state)
{
	struct small_log *log = *state;

	public_key_free(log->key);
	return 0;
}

/* As audit_verify does it with a file of that content. */
static bool
verify_text(const struct small_log *log, view text, const struct audit_head *head,
    struct audit_report *report)
{
	struct verifier verifier = { .key = log->key, .head = head };
	struct error err = { 0 };
	bool ok = verifier_segment(&verifier, 1, &err);

	while (ok && text.len > 0) {
		size_t at;

		if (!view_find(text, '\n', &at))
			return false;
		ok = verifier_line(&verifier, view_cut(&text, '\n'), &err);
	}
	ok = ok && verifier_end(&verifier, &err);
	if (!ok)
		assert_int_equal(err.code, ERR_CORRUPT);
	*report = verifier.report;
	return ok;
}

static void
test_untouched(void **state)
{
	const struct small_log *log = *state;
	struct audit_report report;

	assert_true(verify_text(log, (view){ log->text, log->len }, &log->head, &report));
	assert_int_equal(report.lines, LINES);
	assert_int_equal(report.checkpoints, 1);
	assert_int_equal(report.segments, 1);
	assert_int_equal(log->head.seq, LINES);
}

/* Not only the head finds them: each flip is found without one. */
static void
test_every_flipped_byte(void **state)
{
	static const unsigned char masks[] = { 0x01, 0x20, 0x80, 0xff };
	struct small_log log = *(struct small_log *)*state;
	struct audit_report report;

	for (size_t i = 0; i < log.len; i++) {
		for (size_t m = 0; m < COUNT_OF(masks); m++) {
			log.text[i] = (char)(log.text[i] ^ masks[m]);
			if (verify_text(&log, (view){ log.text, log.len }, NULL, &report))
				fail_msg("byte %zu changed by %02x", i, masks[m]);
			log.text[i] = (char)(log.text[i] ^ masks[m]);
		}
	}
}

/* Each case is the lines that are there, by number, in order; 9 is one that was never written. */
static void
test_lines_moved(void **state)
{
	static const struct {
		const char *what, *lines;
		bool only_with_head; /* a log cut at a line's end is a good log, but for the head */
	} cases[] = {
		{ "the first deleted", "234", false },
		{ "one in the middle deleted", "134", false },
		{ "two deleted", "14", false },
		{ "two swapped", "1324", false },
		{ "the first two swapped", "2134", false },
		{ "one doubled", "11234", false },
		{ "the last doubled", "12344", false },
		{ "one inserted", "19234", false },
		{ "one appended", "12349", false },
		{ "all twice", "12341234", false },
		{ "the last cut off", "123", true },
		{ "all but one cut off", "1", true },
		{ "nothing left", "", true },
	};
	const struct small_log *log = *state;
	struct audit_report report;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(buf_free) struct buf text = { 0 };

		for (const char *at = cases[i].lines; *at != '\0'; at++)
			buf_add(&text,
			    *at == '9' ? V("{\"a\":1,\"seq\":2,\"chain\":\"" CHAIN43 "\"}\n")
				       : log->line[*at - '1']);
		if (verify_text(log, buf_view(&text), &log->head, &report) ||
		    verify_text(log, buf_view(&text), NULL, &report) != cases[i].only_with_head)
			fail_msg("%s", cases[i].what);
	}
}

/* Who can't sign can still count and hash; checkpoints are what stops that. */
static void
test_chain_made_anew(void **state)
{
	static const char *const forged[] = { "{\"id\":\"x1\"}", "{\"id\":\"c2\"}",
		"{\"id\":\"r3\"}" };
	const struct small_log *log = *state;
	AUTO(buf_free) struct buf text = { 0 };
	struct audit_head at = { 0 };
	struct audit_report report;
	struct error err;
	struct line line;

	for (size_t i = 0; i < COUNT_OF(forged); i++)
		assert_true(line_add(&text, view_of(forged[i]), 0, &at, &err));
	assert_true(line_parse((view){ log->line[3].ptr, log->line[3].len - 1 }, &line));
	AUTO(buf_free) struct buf checkpoint = { 0 };
	buf_add(&checkpoint, line.record);
	buf_add_char(&checkpoint, '}');
	assert_true(verify_text(log, buf_view(&text), NULL, &report));
	assert_false(verify_text(log, buf_view(&text), &log->head, &report));
	assert_true(line_add(&text, buf_view(&checkpoint), 0, &at, &err));
	assert_false(verify_text(log, buf_view(&text), NULL, &report));
	assert_false(verify_text(log, buf_view(&text), &log->head, &report));
}

static void
test_checkpoint_layout(void **state)
{
	const struct small_log *log = *state;
	struct audit_head before;
	struct line line, third;
	struct error err;

	assert_true(line_parse((view){ log->line[2].ptr, log->line[2].len - 1 }, &third));
	assert_true(line_parse((view){ log->line[3].ptr, log->line[3].len - 1 }, &line));
	line_position(&third, &before);
	assert_true(checkpoint_check(line.record, &before, log->key, &err));
	for (size_t len = 0; len < line.record.len; len++)
		assert_false(
		    checkpoint_check((view){ line.record.ptr, len }, &before, log->key, &err));
	before.seq++;
	assert_false(checkpoint_check(line.record, &before, log->key, &err));
}

/* Who leaves out all checkpoints can count and hash; but a full segment ends with one. */
static void
test_segment_without_checkpoint(void **state)
{
	const struct small_log *log = *state;
	struct verifier verifier = { .key = log->key };
	struct error err;

	assert_true(verifier_segment(&verifier, 1, &err));
	for (size_t i = 0; i < LINES; i++) {
		bool last = i + 1 == LINES;

		assert_true(verifier_line(&verifier,
		    (view){ log->line[i].ptr, log->line[i].len - 1 }, &err));
		assert_int_equal(verifier_segment(&verifier, i + 2, &err), last);
	}
}

/* Whole files: each case does something to the third of five segments. */
enum tampering {
	NOTHING,
	DROP_FIRST,
	DROP_MIDDLE,
	DROP_LAST,
	DROP_ALL,
	SWAP,
	TEAR,
	CUT_LINE,
	EMPTY
};

static void
path_of(const struct fixture *f, uint64_t first, char out[PATH_LEN + 64])
{
	(void)snprintf(out, PATH_LEN + 64, "%s/%s", f->log, segment_name(first).text);
}

static void
swap_files(const char *a, const char *b)
{
	char aside[PATH_LEN + 80];

	(void)snprintf(aside, sizeof(aside), "%s.aside", a);
	assert_int_equal(rename(a, aside), 0);
	assert_int_equal(rename(b, a), 0);
	assert_int_equal(rename(aside, b), 0);
}

static void
cut_file(const char *path, off_t by)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t end = lseek(fd, 0, SEEK_END);

	assert_int_equal(ftruncate(fd, by > end ? 0 : end - by), 0);
	(void)close(fd);
}

/* How long is the second line? */
static off_t
checkpoint_len(const char *path)
{
	char text[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	view rest = { text, (size_t)read(fd, text, sizeof(text)) };

	(void)close(fd);
	(void)view_cut(&rest, '\n');
	return (off_t)rest.len;
}

/* The segments are of two lines each, a record and a checkpoint: 1, 3, 5, 7, 9. */
static void
tamper(const struct fixture *f, enum tampering what)
{
	char first[PATH_LEN + 64], third[PATH_LEN + 64], fourth[PATH_LEN + 64], last[PATH_LEN + 64];

	path_of(f, 1, first);
	path_of(f, 5, third);
	path_of(f, 7, fourth);
	path_of(f, 9, last);
	switch (what) {
	case NOTHING: break;
	case DROP_FIRST: assert_int_equal(unlink(first), 0); break;
	case DROP_MIDDLE: assert_int_equal(unlink(third), 0); break;
	case DROP_LAST: assert_int_equal(unlink(last), 0); break;
	case DROP_ALL:
		tamper(f, DROP_LAST);
		for (uint64_t at = 1; at < 9; at += 2) {
			path_of(f, at, third);
			assert_int_equal(unlink(third), 0);
		}
		break;
	case SWAP: swap_files(third, fourth); break;
	case TEAR: cut_file(third, 1); break;
	case CUT_LINE: cut_file(third, checkpoint_len(third)); break;
	case EMPTY: cut_file(third, 1 << 20); break;
	}
}

static void
test_segments(void **state)
{
	static const struct {
		enum tampering what;
		const char *says; /* NULL: all is well */
		bool rest;
	} cases[] = {
		{ NOTHING, NULL, false },
		{ NOTHING, NULL, true },
		{ DROP_FIRST,
		    "audit-00000000000000000003.log: a segment that begins with 3 where 1", false },
		{ DROP_FIRST, NULL, true },
		{ DROP_MIDDLE,
		    "audit-00000000000000000007.log: a segment that begins with 7 where 5", true },
		{ DROP_LAST, "the log ends with line 8, but the store remembers 10", true },
		{ DROP_ALL, "there is no segment", true },
		{ DROP_MIDDLE,
		    "audit-00000000000000000007.log: a segment that begins with 7 where 5", false },
		{ DROP_LAST, "the log ends with line 8, but the store remembers 10", false },
		{ SWAP, "audit-00000000000000000005.log line 1: number 7 where 5", false },
		{ TEAR, "audit-00000000000000000005.log line 2: a line without an end", false },
		{ CUT_LINE, "audit-00000000000000000007.log: a segment that begins with 7 where 6",
		    false },
		{ EMPTY, "audit-00000000000000000007.log: a segment that begins with 7 where 5",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit_report report;
		struct error err = { 0 };
		struct fixture f;

		fixture_make(&f);
		f.settings.segment_bytes = 1;
		fixture_open(&f);
		for (unsigned n = 1; n <= 5; n++)
			assert_true(fixture_append(&f, "r", n));
		fixture_close(&f);
		tamper(&f, cases[i].what);
		f.rest = cases[i].rest;
		if (fixture_verify(&f, &report, &err) != (cases[i].says == NULL))
			fail_msg("case %zu", i);
		if (cases[i].says != NULL &&
		    !view_starts(view_of(err.message), view_of(cases[i].says)))
			fail_msg("case %zu: %s", i, err.message);
		fixture_close(&f);
		fixture_drop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_format),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_record_length),
		cmocka_unit_test(test_foreign_lines),
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_every_flipped_byte),
		cmocka_unit_test(test_lines_moved),
		cmocka_unit_test(test_chain_made_anew),
		cmocka_unit_test(test_checkpoint_layout),
		cmocka_unit_test(test_segment_without_checkpoint),
		cmocka_unit_test(test_segments),
	};

	return cmocka_run_group_tests(tests, small_log_make, small_log_drop);
}
