#include "base/base64.h"
#include "base/testing.h"
#include "mail/message.h"

static const struct mail sample = {
	.from = V_INIT("vault@example.com"),
	.to = V_INIT("a@example.org"),
	.subject = V_INIT("Certificate web expires"),
	.text = V_INIT("It does.\n"),
	.id = V_INIT("0123-ab"),
	.time = 1780272000,
};

static void
test_whole(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct error err;

	(void)state;
	assert_fine(mail_write(&sample, &out, &err), &err);
	assert_text(buf_view(&out),
	    V("From: <vault@example.com>\r\nTo: <a@example.org>\r\n"
	      "Date: Mon, 01 Jun 2026 00:00:00 +0000\r\n"
	      "Message-ID: <0123-ab@example.com>\r\nSubject: Certificate web expires\r\n"
	      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	      "Content-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: base64\r\n\r\nSXQgZG9lcy4K\r\n"));
}

/* Whatever comes out has lines of at most 78 characters, all ASCII, ended by CR LF. */
static void
check_lines(view text)
{
	while (text.len > 0) {
		view line = view_cut(&text, '\n');

		assert_true(line.len > 0 && line.ptr[line.len - 1] == '\r' && line.len <= 79);
		for (size_t i = 0; i + 1 < line.len; i++)
			assert_true(line.ptr[i] >= ' ' && line.ptr[i] <= '~');
	}
}

static void
test_subjects(void **state)
{
	static const struct {
		view subject;
		const char *field; /* NULL: refused */
	} rows[] = {
		{ V_INIT(""), "Subject: \r\n" },
		{ V_INIT("caf\xc3\xa9"), "Subject: =?utf-8?B?Y2Fmw6k=?=\r\n" },
		{ V_INIT("=?utf-8?B?YQ==?="), "Subject: =?utf-8?B?PT91dGYtOD9CP1lRPT0/PQ==?=\r\n" },
		{ V_INIT("a\r\nBcc: b@c"), NULL },
		{ V_INIT("a\nb"), NULL },
		{ V_INIT("a\0b"), NULL },
		{ V_INIT("\xff"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf out = { 0 };
		struct mail mail = sample;
		struct error err;

		mail.subject = rows[i].subject;
		assert_int_equal(mail_write(&mail, &out, &err), rows[i].field != NULL);
		if (rows[i].field == NULL)
			continue;
		buf_add_char(&out, '\0');
		if (strstr(out.ptr, rows[i].field) == NULL)
			fail_msg("%zu: %s", i, out.ptr);
	}
}

/* Encoded words hold whole characters; together they are the subject again. */
static void
test_long_subject(void **state)
{
	AUTO(buf_free) struct buf out = { 0 }, subject = { 0 }, got = { 0 };
	struct mail mail = sample;
	struct error err;
	view rest;

	(void)state;
	for (int i = 0; i < 160; i++)
		buf_add(&subject, V("\xe2\x82\xac"));
	mail.subject = buf_view(&subject);
	assert_fine(mail_write(&mail, &out, &err), &err);
	check_lines(buf_view(&out));
	rest = buf_view(&out);
	while (rest.len > 0) {
		view line = view_trim(view_cut(&rest, '\n'));
		char bytes[128];
		size_t len, at = 0;

		while (at < line.len && !view_starts(view_from(line, at), V("=?utf-8?B?")))
			at++;
		if (at == line.len)
			continue;
		line = view_from(line, at + 10);
		assert_true(base64_decode(BASE64, view_cut(&line, '?'), bytes, &len));
		assert_int_equal(len % 3, 0);
		buf_add(&got, (view){ bytes, len });
	}
	assert_text(buf_view(&got), buf_view(&subject));
}

static void
test_long_text(void **state)
{
	static const char *const texts[] = { "\r\n.\r\nMAIL FROM:<x@y>\r\n", "" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		AUTO(buf_free) struct buf out = { 0 }, text = { 0 };
		struct mail mail = sample;
		struct error err;

		for (int times = 0; times < 100; times++)
			buf_add(&text, view_of(texts[i]));
		mail.text = buf_view(&text);
		assert_fine(mail_write(&mail, &out, &err), &err);
		buf_add_char(&out, '\0');
		assert_null(strstr(out.ptr, "\r\n.\r\n"));
		assert_null(strstr(out.ptr, "MAIL FROM"));
	}
}

static void
test_what_is_refused(void **state)
{
	static const char huge[MAIL_TEXT_MAX + 1];
	struct mail rows[5];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = sample;
	rows[0].to = V("a@b>\r\nBcc: <c@d");
	rows[1].from = V("nobody");
	rows[2].id = V("a>\r\nBcc: <c@d");
	rows[3].text = (view){ huge, sizeof(huge) };
	rows[4].text = V("\xc3");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf out = { 0 };
		struct error err;

		assert_false(mail_write(&rows[i], &out, &err));
		assert_int_equal(err.code, ERR_BAD_REQUEST);
		assert_int_equal(out.len, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_long_subject),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
