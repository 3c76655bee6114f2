#include "base/json.h"
#include "base/testing.h"

#include <stdlib.h>

static void
test_escapes(void **state)
{
	static const struct {
		view text, written;
	} rows[] = {
		{ V_INIT(""), V_INIT("\"\"") },
		{ V_INIT("plain"), V_INIT("\"plain\"") },
		{ V_INIT("\"\\/"), V_INIT("\"\\\"\\\\/\"") },
		{ V_INIT("\b\t\n\f\r"), V_INIT("\"\\b\\t\\n\\f\\r\"") },
		{ V_INIT("\0\x01\x1f\x7f"), V_INIT("\"\\u0000\\u0001\\u001f\\u007f\"") },
		{ V_INIT("\x0b"), V_INIT("\"\\u000b\"") },
		{ V_INIT("\xc3\xa4\xf0\x9f\x94\x91"), V_INIT("\"\xc3\xa4\xf0\x9f\x94\x91\"") },
		{ V_INIT("a\nb\nc"), V_INIT("\"a\\nb\\nc\"") },
		{ V_INIT("\n"), V_INIT("\"\\n\"") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf out = { 0 };
		struct json json = json_to(&out);

		json_text(&json, NULL, rows[i].text);
		assert_text(buf_view(&out), rows[i].written);
	}
}

static void
test_nests_with_commas(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct json json = json_to(&out);

	(void)state;
	json_open(&json, '{');
	json_open_in(&json, "empty", '[');
	json_close(&json, ']');
	json_open_in(&json, "list", '[');
	json_open(&json, '{');
	json_close(&json, '}');
	json_open(&json, '{');
	json_text_named(&json, V("a\"b"), V("c\n"));
	json_text_named(&json, V("d"), V(""));
	json_close(&json, '}');
	json_number(&json, NULL, 1);
	json_close(&json, ']');
	json_text_open(&json, "pieces");
	json_text_part(&json, V("x\""));
	json_text_part(&json, V(""));
	json_text_part(&json, V("y"));
	json_text_close(&json);
	json_raw(&json, "raw", V("[1]"));
	json_flag(&json, "yes", true);
	json_flag(&json, "no", false);
	json_null_value(&json, "none");
	json_close(&json, '}');
	assert_text(buf_view(&out),
	    V("{\"empty\":[],\"list\":[{},{\"a\\\"b\":\"c\\n\",\"d\":\"\"},1],"
	      "\"pieces\":\"x\\\"y\",\"raw\":[1],\"yes\":true,\"no\":false,\"none\":null}"));
}

static void
test_numbers(void **state)
{
	static const struct {
		int64_t value;
		view written;
	} rows[] = {
		{ 0, V_INIT("0") },
		{ -1, V_INIT("-1") },
		{ INT64_MAX, V_INIT("9223372036854775807") },
		{ INT64_MIN, V_INIT("-9223372036854775808") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf out = { 0 };
		struct json json = json_to(&out);

		json_number(&json, NULL, rows[i].value);
		assert_text(buf_view(&out), rows[i].written);
	}
}

static void
test_utf8(void **state)
{
	static const struct {
		view text;
		bool valid;
	} rows[] = {
		{ V_INIT(""), true },
		{ V_INIT("\0 ~\x7f"), true },
		{ V_INIT("\xc2\x80"), true },         /* the first of two bytes */
		{ V_INIT("\xdf\xbf"), true },         /* the last */
		{ V_INIT("\xe0\xa0\x80"), true },     /* of three */
		{ V_INIT("\xed\x9f\xbf"), true },     /* before the surrogates */
		{ V_INIT("\xee\x80\x80"), true },     /* behind them */
		{ V_INIT("\xef\xbf\xbf"), true },     /* U+FFFF */
		{ V_INIT("\xf0\x90\x80\x80"), true }, /* of four */
		{ V_INIT("\xf4\x8f\xbf\xbf"), true }, /* U+10FFFF */
		{ V_INIT("\x80"), false },            /* a lone continuation */
		{ V_INIT("\xbf"), false },
		{ V_INIT("a\x80"), false },
		{ V_INIT("\xc0\x80"), false }, /* overlong NUL */
		{ V_INIT("\xc0\xaf"), false }, /* overlong '/' */
		{ V_INIT("\xc1\xbf"), false },
		{ V_INIT("\xe0\x80\xaf"), false },
		{ V_INIT("\xe0\x9f\xbf"), false },
		{ V_INIT("\xf0\x80\x80\xaf"), false },
		{ V_INIT("\xf0\x8f\xbf\xbf"), false },
		{ V_INIT("\xed\xa0\x80"), false }, /* surrogates */
		{ V_INIT("\xed\xbf\xbf"), false },
		{ V_INIT("\xed\xa0\xbd\xed\xb4\x91"), false },
		{ V_INIT("\xf4\x90\x80\x80"), false }, /* above U+10FFFF */
		{ V_INIT("\xf5\x80\x80\x80"), false },
		{ V_INIT("\xf8\x88\x80\x80\x80"), false }, /* five and six bytes */
		{ V_INIT("\xfc\x84\x80\x80\x80\x80"), false },
		{ V_INIT("\xfe"), false },
		{ V_INIT("\xff"), false },
		{ V_INIT("\xc2"), false }, /* cut off */
		{ V_INIT("\xe2\x82"), false },
		{ V_INIT("\xf0\x9f\x94"), false },
		{ V_INIT("\xc2z"), false }, /* interrupted */
		{ V_INIT("\xe2z\x82"), false },
		{ V_INIT("\xe2\x82z"), false },
		{ V_INIT("\xf0\x9f\x94z"), false },
		{ V_INIT("\xc2\xc2\x80"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (utf8_valid(rows[i].text) != rows[i].valid)
			fail_msg("row %zu", i);
	}
}

/* What a cut leaves of a text is invalid exactly within a character. */
static void
test_utf8_cut_anywhere(void **state)
{
	static const view text = V_INIT("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91z");
	static const bool whole[] = { true, true, false, true, false, false, true, false, false,
		false, true, true };

	(void)state;
	assert_int_equal(COUNT_OF(whole), text.len + 1);
	for (size_t len = 0; len <= text.len; len++) {
		char *copy = len == 0 ? NULL : malloc(len);

		if (len > 0)
			memcpy(copy, text.ptr, len);
		assert_int_equal(utf8_valid((view){ copy, len }), whole[len]);
		if (len > 0)
			free(copy);
	}
}

/* Every byte at every place of a text that is a few words long. */
static void
test_escapes_anywhere(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool escaped = c < 0x20 || c == '"' || c == '\\' || c == 0x7f;

		for (size_t len = 1; len <= 26; len += 5) {
			for (size_t at = 0; at < len; at++) {
				AUTO(buf_free) struct buf out = { 0 };
				struct json json = json_to(&out);
				char text[26], wanted[64];
				size_t tail = len - at - 1, escape;

				memset(text, 'x', len);
				text[at] = (char)c;
				json_text_part(&json, (view){ text, len });
				escape = out.len - at - tail;
				memset(wanted, 'x', sizeof(wanted));
				assert_memory_equal(out.ptr, wanted, at);
				assert_memory_equal(out.ptr + at + escape, wanted, tail);
				assert_int_equal(out.ptr[at], escaped ? '\\' : (char)c);
				assert_true(escaped ? escape == 2 || escape == 6 : escape == 1);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_escapes_anywhere),
		cmocka_unit_test(test_nests_with_commas),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
