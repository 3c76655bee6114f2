/*
 * Redirect URIs: the ways in which one is made to look like another.
 */
#include "base/testing.h"
#include "signin/redirect_match.h"

static const struct {
	const char *registered, *asked;
	bool fits;
} cases[] = {
	{ "https://app.example.org/back", "https://app.example.org/back", true },
	{ "https://app.example.org/back?x=1", "https://app.example.org/back?x=1", true },
	{ "https://app.example.org:8443/back", "https://app.example.org:8443/back", true },
	{ "http://localhost/back", "http://localhost/back", true },
	{ "http://localhost/back", "http://localhost:1/back", true },
	{ "http://localhost:5000/back", "http://localhost:65535/back", true },
	{ "http://localhost:5000/back", "http://LOCALHOST/back", true },
	{ "http://127.0.0.1", "http://127.0.0.1:9", true },
	{ "http://[::1]/a", "http://[::1]:9/a", true },
	/* Only the port is free, and only there. */
	{ "http://localhost/back", "http://localhost:1/back2", false },
	{ "http://localhost/back", "http://localhost:1/back?x=1", false },
	{ "http://localhost/back", "http://localhost:1/", false },
	{ "http://localhost/back", "http://127.0.0.1/back", false },
	{ "http://localhost/back", "http://[::1]/back", false },
	{ "http://localhost/back", "https://localhost:1/back", false },
	{ "https://app.example.org/back", "https://app.example.org:444/back", false },
	{ "https://localhost/back", "https://localhost:444/back", false },
	{ "https://app.example.org/back", "https://APP.example.org/back", false },
	{ "https://app.example.org/back", "https://app.example.org/back/", false },
	{ "https://app.example.org/back", "https://app.example.org/back?x", false },
	{ "https://app.example.org/back", "https://app.example.org/backdoor", false },
	{ "https://app.example.org", "https://app.example.org.evil.org", false },
	{ "https://app.example.org", "https://app.example.org@evil.org", false },
	{ "http://localhost/back", "http://localhost@evil.org/back", false },
	{ "http://localhost/back", "http://localhost:80@evil.org/back", false },
	{ "http://localhost/back", "http://evil.org/back", false },
	{ "http://localhost/back", "http://localhost.evil.org/back", false },
	{ "http://localhost/back", "http://localhost:/back", false },
	{ "http://localhost/back", "http://localhost:0/back", false },
	{ "http://localhost/back", "http://localhost:65536/back", false },
	{ "http://localhost/back", "http://localhost:+1/back", false },
	{ "http://localhost/back", "http://localhost:1:2/back", false },
	{ "http://[::1]/back", "http://[::1]x/back", false },
	{ "http://[::1]/back", "http://[::1/back", false },
	/* Not even when somebody registered it. */
	{ "http://evil.org/", "http://evil.org/", false },
	{ "javascript:alert(1)", "javascript:alert(1)", false },
	{ "data:text/html,x", "data:text/html,x", false },
	{ "urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob", false },
	{ "//evil.org", "//evil.org", false },
	{ "/back", "/back", false },
	{ "", "", false },
	{ "https://", "https://", false },
	{ "https:///back", "https:///back", false },
	{ "https://a/b#c", "https://a/b#c", false },
	{ "https://a/b c", "https://a/b c", false },
	{ "https://a\\@b/", "https://a\\@b/", false },
	{ "https://a/x\r\nLocation: y", "https://a/x\r\nLocation: y", false },
	{ "https://a/../b", "https://a/../b", false },
	{ "https://a/x/%2e%2E/b", "https://a/x/%2e%2E/b", false },
	{ "https://a/./b", "https://a/./b", false },
	{ "https://a/..", "https://a/..", false },
	{ "https://a/\xc3\xa9", "https://a/\xc3\xa9", false },
	{ "https://a/;script-src", "https://a/;script-src", false },
	{ "https://u:p@a/", "https://u:p@a/", false },
	{ "https://a_b/", "https://a_b/", false },
};

static void
test_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (redirect_fits(view_of(cases[i].registered), view_of(cases[i].asked)) !=
		    cases[i].fits)
			fail_msg("%s %s", cases[i].registered, cases[i].asked);
	}
}

static const struct {
	const char *asked;
	bool fits;
} tools[] = {
	{ "http://localhost", true },
	{ "http://localhost/", true },
	{ "http://localhost:8400/", true },
	{ "http://localhost:8400/any/path", true },
	{ "https://localhost:8400", false },
	{ "http://127.0.0.1:8400", false },
	{ "http://localhost:8400/?code=x", false },
	{ "http://localhost:8400/#x", false },
	{ "http://localhost:8400/../x", false },
	{ "http://localhost.evil.org", false },
	{ "http://localhost:80@evil.org", false },
	{ "https://evil.org", false },
};

static void
test_tools(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tools); i++) {
		if (redirect_fits_native(view_of(tools[i].asked)) != tools[i].fits)
			fail_msg("%s", tools[i].asked);
	}
}

static const struct {
	const char *url, *origin;
} origins[] = {
	{ "https://app.example.org/back?x", "https://app.example.org" },
	{ "https://app.example.org:8443/back", "https://app.example.org:8443" },
	{ "http://localhost:9", "http://localhost:9" },
	{ "http://[::1]:9/x", "http:" },
	{ "javascript:x", "" },
};

static void
test_origin(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(origins); i++) {
		AUTO(buf_free) struct buf out = { 0 };

		redirect_origin(view_of(origins[i].url), &out);
		assert_text(buf_view(&out), view_of(origins[i].origin));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_tools),
		cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
