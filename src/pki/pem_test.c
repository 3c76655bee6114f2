/* Blocks in whatever they are wrapped in. */
#include "pki/pem.h"

#include "base/testing.h"

#include <stdlib.h>

#define CERT(body) "-----BEGIN CERTIFICATE-----" body "-----END CERTIFICATE-----"

/* Each block as "LABEL=bytes ", then "!" when the next is broken, or has no base64. */
static const struct {
	view text;
	const char *found;
} rows[] = {
	{ V_INIT(""), "" },
	{ V_INIT("YWJj"), "" },
	{ V_INIT(CERT("\nYWJj\n") "\n"), "CERTIFICATE=abc " },
	{ V_INIT(CERT("\r\nYW\r\nJj\r\n")), "CERTIFICATE=abc " },
	{ V_INIT("\t" CERT(" YW Jj ")), "CERTIFICATE=abc " },
	{ V_INIT(CERT("")), "CERTIFICATE= " },
	{ V_INIT("Bag\n" CERT("\nYWJj\n") "\nmore\n-----BEGIN KEY-----\neHl6\n-----END KEY-----"),
	    "CERTIFICATE=abc KEY=xyz " },
	{ V_INIT(CERT("YWJj") CERT("eHl6")), "CERTIFICATE=abc CERTIFICATE=xyz " },
	/* These begin nothing. */
	{ V_INIT("x" CERT("\nYWJj\n")), "" },
	{ V_INIT("-----BEGIN"), "" },
	{ V_INIT("-----BEGIN CERTIFICATE"), "" },
	{ V_INIT("-----BEGIN -----YWJj-----END -----"), "" },
	{ V_INIT("-----BEGIN A\nB-----YWJj-----END A\nB-----"), "" },
	{ V_INIT("-----BEGIN see below\n" CERT("\nYWJj\n")), "CERTIFICATE=abc " },
	/* These do not end. */
	{ V_INIT("-----BEGIN CERTIFICATE-----"), "!" },
	{ V_INIT("-----BEGIN CERTIFICATE-----\nYWJj\n"), "!" },
	{ V_INIT("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE"), "!" },
	{ V_INIT("-----BEGIN CERTIFICATE-----\nYWJj\n-----END KEY-----"), "!" },
	{ V_INIT(CERT("\nYWJj\n") "\n-----BEGIN KEY-----"), "CERTIFICATE=abc !" },
	/* These hold no base64. */
	{ V_INIT(CERT("\nYWJ*\n")), "!" },
	{ V_INIT(CERT("\nYWJjY\n")), "!" },
	{ V_INIT(CERT("\nYW\0Jj\n")), "!" },
	{ V_INIT("-----BEGIN A-----\n" CERT("\nYWJj\n") "\n-----END A-----"), "!" },
};

static void
read_all(view text, struct buf *out)
{
	enum pem_found found;
	struct pem_block block;

	while ((found = pem_next(&text, &block)) == PEM_BLOCK) {
		char *bytes = malloc(pem_room(block.body));
		size_t len = 0;
		bool fine;

		assert_non_null(bytes);
		fine = pem_decode(block.body, bytes, &len);
		if (fine)
			buf_print(out, "%.*s=%.*s ", VIEW_ARG(block.label), (int)len, bytes);
		free(bytes);
		if (!fine)
			break;
	}
	if (found != PEM_NONE)
		buf_add_char(out, '!');
}

static void
test_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf found = { 0 };

		read_all(rows[i].text, &found);
		if (!view_eq(buf_view(&found), view_of(rows[i].found)))
			fail_msg("row %zu: %.*s", i, VIEW_ARG(buf_view(&found)));
	}
}

static void
test_reads_what_it_writes(void **state)
{
	char bytes[200], again[300];
	size_t len;

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		AUTO(buf_free) struct buf text = { 0 };
		struct pem_block block;
		view rest;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(i * 37 + size);
		pem_write(PEM_CRL, (view){ bytes, size }, &text);
		rest = buf_view(&text);
		assert_int_equal(pem_next(&rest, &block), PEM_BLOCK);
		assert_true(view_eq(block.label, PEM_CRL));
		assert_true(pem_room(block.body) <= sizeof(again));
		assert_true(pem_decode(block.body, again, &len));
		assert_true(view_eq((view){ again, len }, (view){ bytes, size }));
		assert_int_equal(pem_next(&rest, &block), PEM_NONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_what_it_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
