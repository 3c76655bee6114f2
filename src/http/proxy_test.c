#include "http/proxy.h"

#include "base/testing.h"

#include <stdlib.h>

#define S "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xcb\x00\x71\x07\x0a\x00\x00\x01\x30\x39\x01\xbb"
#define IP6 "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"
#define V6 IP6 IP6 "\x30\x39\x01\xbb"

static const struct row {
	const char *name;
	view bytes;
	enum proxy_state state;
	view client; /* "local", or the address */
} rows[] = {
	{ "TCP4", V_INIT(S "\x21\x11\x00\x0c" V4), PROXY_WHOLE, V_INIT("203.0.113.7") },
	{ "TCP6", V_INIT(S "\x21\x21\x00\x24" V6), PROXY_WHOLE, V_INIT("2001:db8::9") },
	{ "values", V_INIT(S "\x21\x11\x00\x14" V4 "\x04\x00\x01x\x04\x00\x01y"), PROXY_WHOLE,
	    V_INIT("203.0.113.7") },
	{ "an empty value", V_INIT(S "\x21\x11\x00\x0f" V4 "\x04\x00\x00"), PROXY_WHOLE,
	    V_INIT("203.0.113.7") },
	{ "the client's bytes behind it", V_INIT(S "\x21\x11\x00\x0c" V4 "\x16\x03\x01"),
	    PROXY_WHOLE, V_INIT("203.0.113.7") },
	{ "LOCAL", V_INIT(S "\x20\x00\x00\x00"), PROXY_WHOLE, V_INIT("local") },
	{ "LOCAL with anything", V_INIT(S "\x20\x7f\x00\x02xy"), PROXY_WHOLE, V_INIT("local") },
	{ "mapped",
	    V_INIT(S "\x21\x21\x00\x24"
		     "\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\x00\x71\x07" IP6 "\x30\x39\x01\xbb"),
	    PROXY_WHOLE, V_INIT("203.0.113.7") },
	{ "nothing yet", V_INIT(""), PROXY_PART, V_INIT("") },
	{ "version 1", V_INIT("PROXY TCP4 203.0.113.7 10.0.0.1 1 2\r\n"), PROXY_REFUSED,
	    V_INIT("") },
	{ "TLS", V_INIT("\x16\x03\x01"), PROXY_REFUSED, V_INIT("") },
	{ "one wrong byte", V_INIT("\r\n\r\n\0\r\nQUIR"), PROXY_REFUSED, V_INIT("") },
	{ "version 1 in the frame of 2", V_INIT(S "\x11"), PROXY_REFUSED, V_INIT("") },
	{ "version 3", V_INIT(S "\x31"), PROXY_REFUSED, V_INIT("") },
	{ "a command nobody knows", V_INIT(S "\x22"), PROXY_REFUSED, V_INIT("") },
	{ "no family", V_INIT(S "\x21\x00\x00\x00"), PROXY_REFUSED, V_INIT("") },
	{ "UDP", V_INIT(S "\x21\x12\x00\x0c" V4), PROXY_REFUSED, V_INIT("") },
	{ "Unix", V_INIT(S "\x21\x31\x00\x0c" V4), PROXY_REFUSED, V_INIT("") },
	{ "short addresses", V_INIT(S "\x21\x11\x00\x0b" V4), PROXY_REFUSED, V_INIT("") },
	{ "IPv4 called IPv6", V_INIT(S "\x21\x21\x00\x0c" V4), PROXY_REFUSED, V_INIT("") },
	{ "half a value", V_INIT(S "\x21\x11\x00\x0e" V4 "\x04\x00"), PROXY_REFUSED, V_INIT("") },
	{ "a value beyond the end", V_INIT(S "\x21\x11\x00\x10" V4 "\x04\x00\x02x"), PROXY_REFUSED,
	    V_INIT("") },
	{ "too long", V_INIT(S "\x21\x11\x10\x01"), PROXY_REFUSED, V_INIT("") },
	{ "as long as may be, so far", V_INIT(S "\x21\x11\x10\x00"), PROXY_PART, V_INIT("") },
};

/* Up to its very end: ASan sees overreads. */
static enum proxy_state
parse(view bytes, struct proxy_header *out)
{
	char *copy = malloc(bytes.len + 1);
	enum proxy_state state;

	assert_non_null(copy);
	memcpy(copy + 1, bytes.ptr, bytes.len);
	state = proxy_parse((view){ copy + 1, bytes.len }, out);
	free(copy);
	return state;
}

static void
test_parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proxy_header header = { .len = 77 };
		char text[ADDRESS_TEXT];

		if (parse(rows[i].bytes, &header) != rows[i].state)
			fail_msg("%s", rows[i].name);
		if (rows[i].state != PROXY_WHOLE)
			assert_int_equal(header.len, 77);
		else if (view_eq(rows[i].client, V("local")))
			assert_true(header.local);
		else
			assert_text(address_print(&header.client, text), rows[i].client);
	}
}

static void
test_waits_for_the_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proxy_header header, cut;

		if (parse(rows[i].bytes, &header) != PROXY_WHOLE)
			continue;
		assert_true(header.len <= rows[i].bytes.len);
		for (size_t len = 0; len < header.len; len++)
			assert_int_equal(parse((view){ rows[i].bytes.ptr, len }, &cut), PROXY_PART);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses),
		cmocka_unit_test(test_waits_for_the_rest),
	};

	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
