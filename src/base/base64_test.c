#include "base/base64.h"
#include "base/testing.h"

#include <stdlib.h>

/* A copy on the heap, so that ASan sees what is read or written beyond it. */
static bool
decodes(enum base64_kind kind, view text, struct buf *out)
{
	char *copy = malloc(text.len), *bytes = malloc(text.len / 4 * 3 + 2);
	size_t len = 0;
	bool fine;

	assert_non_null(bytes);
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	fine = base64_decode(kind, (view){ copy, text.len }, bytes, &len);
	if (fine)
		buf_add(out, (view){ bytes, len });
	free(copy);
	free(bytes);
	return fine;
}

/* RFC 4648, section 10, and bytes that tell the alphabets apart. */
static void
test_vectors(void **state)
{
	static const struct {
		view bytes, plain, url;
	} rows[] = {
		{ V_INIT(""), V_INIT(""), V_INIT("") },
		{ V_INIT("f"), V_INIT("Zg=="), V_INIT("Zg") },
		{ V_INIT("fo"), V_INIT("Zm8="), V_INIT("Zm8") },
		{ V_INIT("foo"), V_INIT("Zm9v"), V_INIT("Zm9v") },
		{ V_INIT("foob"), V_INIT("Zm9vYg=="), V_INIT("Zm9vYg") },
		{ V_INIT("fooba"), V_INIT("Zm9vYmE="), V_INIT("Zm9vYmE") },
		{ V_INIT("foobar"), V_INIT("Zm9vYmFy"), V_INIT("Zm9vYmFy") },
		{ V_INIT("\xfb\xff\xfe"), V_INIT("+//+"), V_INIT("-__-") },
		{ V_INIT("\0"), V_INIT("AA=="), V_INIT("AA") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf plain = { 0 }, url = { 0 }, back = { 0 };

		base64_encode(BASE64, rows[i].bytes, &plain);
		base64_encode(BASE64URL, rows[i].bytes, &url);
		assert_text(buf_view(&plain), rows[i].plain);
		assert_text(buf_view(&url), rows[i].url);
		assert_true(decodes(BASE64, rows[i].plain, &back));
		assert_text(buf_view(&back), rows[i].bytes);
		buf_reset(&back);
		assert_true(decodes(BASE64URL, rows[i].url, &back));
		assert_text(buf_view(&back), rows[i].bytes);
	}
}

static void
test_padding_is_optional(void **state)
{
	static const view texts[] = { V_INIT("Zg"), V_INIT("Zg=="), V_INIT("Zm8"), V_INIT("Zm8=") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		AUTO(buf_free) struct buf out = { 0 };

		assert_true(decodes(BASE64, texts[i], &out));
		assert_true(decodes(BASE64URL, texts[i], &out));
	}
}

static void
test_refuses(void **state)
{
	static const struct {
		enum base64_kind kind;
		view text;
	} rows[] = {
		{ BASE64, V_INIT("Z") },
		{ BASE64, V_INIT("Zm9vY") },
		{ BASE64, V_INIT("=") },
		{ BASE64, V_INIT("==") },
		{ BASE64, V_INIT("====") },
		{ BASE64, V_INIT("Z===") },
		{ BASE64, V_INIT("Zg=") },
		{ BASE64, V_INIT("Zg===") },
		{ BASE64, V_INIT("Zm9v=") },
		{ BASE64, V_INIT("Zm9v==") },
		{ BASE64, V_INIT("Zm9v====") },
		{ BASE64, V_INIT("Zg==Zg==") },
		{ BASE64, V_INIT("Z=g=") },
		{ BASE64, V_INIT("Zh==") }, /* bits that are left over */
		{ BASE64, V_INIT("Zm9=") },
		{ BASE64, V_INIT("AB==") },
		{ BASE64, V_INIT("AC==") },
		{ BASE64, V_INIT("AE==") },
		{ BASE64, V_INIT("AI==") },
		{ BASE64, V_INIT("AAB=") },
		{ BASE64, V_INIT("AAC=") },
		{ BASE64URL, V_INIT("Zh") },
		{ BASE64URL, V_INIT("Zm9") },
		{ BASE64, V_INIT("-__-") },
		{ BASE64URL, V_INIT("+//+") },
		{ BASE64, V_INIT("Zm9v\n") },
		{ BASE64, V_INIT(" Zm9v") },
		{ BASE64, V_INIT("Zm\0v") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf out = { 0 };

		if (decodes(rows[i].kind, rows[i].text, &out))
			fail_msg("accepted: %s", rows[i].text.ptr);
	}
}

static void
test_knows_exactly_its_alphabet(void **state)
{
	static const char *const marks[] = { [BASE64] = "+/", [BASE64URL] = "-_" };

	(void)state;
	for (int kind = BASE64; kind <= BASE64URL; kind++) {
		for (int c = 0; c < 256; c++) {
			AUTO(buf_free) struct buf out = { 0 };
			char text[4] = { 'A', (char)c, 'A', 'A' };
			bool ours = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    (c >= '0' && c <= '9') || (c != 0 && strchr(marks[kind], c) != NULL);

			assert_int_equal(decodes((enum base64_kind)kind, (view){ text, 4 }, &out),
			    ours);
		}
	}
}

static void
test_every_length_comes_back(void **state)
{
	char bytes[260];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 151 + 7);
	for (int kind = BASE64; kind <= BASE64URL; kind++) {
		for (size_t len = 0; len <= sizeof(bytes); len++) {
			AUTO(buf_free) struct buf text = { 0 }, back = { 0 };

			base64_encode((enum base64_kind)kind, (view){ bytes, len }, &text);
			assert_int_equal(text.len, base64_encoded_len((enum base64_kind)kind, len));
			assert_true(decodes((enum base64_kind)kind, buf_view(&text), &back));
			assert_text(buf_view(&back), ((view){ bytes, len }));
		}
	}
}

static void
test_decodes_in_place(void **state)
{
	char text[] = "Zm9vYmFy";
	size_t len;

	(void)state;
	assert_true(base64_decode(BASE64, view_of(text), text, &len));
	assert_text(((view){ text, len }), V("foobar"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_padding_is_optional),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_knows_exactly_its_alphabet),
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_decodes_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
