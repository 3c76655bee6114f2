/*
 * Escaping: nothing that a stranger wrote becomes markup.
 */
#include "base/html.h"
#include "base/testing.h"

static const struct {
	const char *text, *html;
} cases[] = {
	{ "", "" },
	{ "Ada Lovelace", "Ada Lovelace" },
	{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "\" onfocus=\"x", "&quot; onfocus=&quot;x" },
	{ "' autofocus onfocus='x", "&#39; autofocus onfocus=&#39;x" },
	{ "&lt;", "&amp;lt;" },
	{ "a\tb\nc\x7f", "a?b?c?" },
	{ "\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac" },
	{ "\xc3<", "?&lt;" },
	{ "\xc0\xbc\xff", "???" },
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(buf_free) struct buf out = { 0 };

		html_text(&out, view_of(cases[i].text));
		assert_text(buf_view(&out), view_of(cases[i].html));
	}
	{
		AUTO(buf_free) struct buf out = { 0 };

		html_text(&out, (view){ "a\0b", 3 });
		assert_text(buf_view(&out), V("a?b"));
	}
}

static void
test_print(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };

	(void)state;
	html_print(&out, "<p>100% of %s and %s</p>", V("<a>"), V("%s"));
	assert_text(buf_view(&out), V("<p>100% of &lt;a&gt; and %s</p>"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
