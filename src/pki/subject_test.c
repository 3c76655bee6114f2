#include "pki/subject.h"

#include "base/testing.h"
#include "crypto/openssl.h"

#include <stdlib.h>

#define ARENA (1 << 20)

/* What the text is to OpenSSL, as RFC 2253 without reversing, types by number. */
static view
by_openssl(view name, struct arena *arena)
{
	const unsigned char *at = octets(name);
	X509_NAME *parsed = d2i_X509_NAME(NULL, &at, (long)name.len);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	view copy;

	assert_non_null(parsed);
	assert_true(at == octets(name) + name.len);
	assert_true(
	    X509_NAME_print_ex(bio, parsed, 0,
		(XN_FLAG_RFC2253 & ~(unsigned long)XN_FLAG_DN_REV & ~ASN1_STRFLGS_ESC_MSB)) >= 0);
	len = BIO_get_mem_data(bio, &text);
	assert_true(arena_copy(arena, (view){ text, (size_t)len }, &copy));
	BIO_free(bio);
	X509_NAME_free(parsed);
	return copy;
}

static void
test_texts(void **state)
{
	/* The text; what OpenSSL sees; what is shown. */
	static const struct {
		const char *text, *seen, *shown;
	} cases[] = {
		{ "", "", "" },
		{ "CN=example.com, O=Contoso, C=US", "CN=example.com,O=Contoso,C=US",
		    "CN=example.com, O=Contoso, C=US" },
		{ "C=US, S=WA, L=Redmond, CN=x", "C=US,ST=WA,L=Redmond,CN=x",
		    "C=US, S=WA, L=Redmond, CN=x" },
		{ "c=US;st=WA;cn=x", "C=US,ST=WA,CN=x", "C=US, S=WA, CN=x" },
		{ "CN = spaced out ,O= b ", "CN=spaced out,O=b", "CN=spaced out, O=b" },
		{ "CN=a\\,b\\+c", "CN=a\\,b\\+c", "CN=\"a,b+c\"" },
		{ "CN=\"a, b + \"\"c\"\"\"", "CN=a\\, b \\+ \\\"c\\\"", "CN=\"a, b + \"\"c\"\"\"" },
		{ "CN=\" kept \"", "CN=\\ kept\\ ", "CN=\" kept \"" },
		{ "CN=\\ kept\\ ", "CN=\\ kept\\ ", "CN=\" kept \"" },
		{ "CN=Lu\\C4\\8Di\\C4\\87", "CN=Lu\xc4\x8di\xc4\x87", "CN=Lu\xc4\x8di\xc4\x87" },
		{ "CN=M\xc3\xbcller", "CN=M\xc3\xbcller", "CN=M\xc3\xbcller" },
		{ "CN=a+OU=b,O=c", "CN=a+OU=b,O=c", "CN=a + OU=b, O=c" },
		{ "OU=b+CN=a", "CN=a+OU=b", "CN=a + OU=b" },
		{ "E=a@b.test, emailAddress=c@d.test",
		    "emailAddress=a@b.test,emailAddress=c@d.test", "E=a@b.test, E=c@d.test" },
		{ "2.5.4.3=x", "CN=x", "CN=x" },
		{ "OID.2.5.4.3=x", "CN=x", "CN=x" },
		{ "1.3.6.1.4.1.99999.1=x", "1.3.6.1.4.1.99999.1=#0C0178",
		    "OID.1.3.6.1.4.1.99999.1=x" },
		{ "DC=com,DC=contoso", "DC=com,DC=contoso", "DC=com, DC=contoso" },
		{ "CN=#0c0141", "CN=A", "CN=A" },
		{ "CN=a=b", "CN=a=b", "CN=\"a=b\"" },
		{ "CN=a\\\\b", "CN=a\\\\b", "CN=\"a\\5Cb\"" },
		{ "CN=*.contoso.com", "CN=*.contoso.com", "CN=*.contoso.com" },
		{ "CN=\\#1", "CN=\\#1", "CN=\"#1\"" },
	};
	struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		view name, again, shown;

		assert_fine(subject_parse(view_of(cases[i].text), &arena, &name, &err), &err);
		assert_text(by_openssl(name, &arena), view_of(cases[i].seen));
		assert_fine(subject_text(name, &arena, &shown, &err), &err);
		assert_text(shown, view_of(cases[i].shown));
		assert_fine(subject_parse(shown, &arena, &again, &err), &err);
		assert_true(view_eq(name, again));
	}
	arena_free(&arena);
}

static void
test_refuses(void **state)
{
	static const view cases[] = {
		V_INIT("x"),
		V_INIT("CN="),
		V_INIT("CN=a,"),
		V_INIT("CN=a,,O=b"),
		V_INIT("CN=a+"),
		V_INIT(",CN=a"),
		V_INIT("=a"),
		V_INIT("XX=a"),
		V_INIT("2.5.4.=a"),
		V_INIT("9.5.4=a"),
		V_INIT("2.99999999999999999999999=a"),
		V_INIT("CN=a\0b"),
		V_INIT("CN=a\\00b"),
		V_INIT("CN=a\nb"),
		V_INIT("CN=a\\0Ab"),
		V_INIT("CN=\"a\rb\""),
		V_INIT("CN=a\x7f"),
		V_INIT("CN=a\xc2\x85"),
		V_INIT("CN=a\xff"),
		V_INIT("CN=a\\FF"),
		V_INIT("CN=\"a"),
		V_INIT("CN=\"a\" b"),
		V_INIT("CN=a\"b"),
		V_INIT("CN=a\\"),
		V_INIT("CN=a\\x"),
		V_INIT("CN=a\\4"),
		V_INIT("CN=#"),
		V_INIT("CN=#0c"),
		V_INIT("CN=#0c05"),
		V_INIT("CN=#0c014100"),
		V_INIT("CN=#020101"),
		V_INIT("CN=#0c0100"),
		V_INIT("CN=#zz"),
		V_INIT("C=USA"),
		V_INIT("C=U"),
		V_INIT("C=\xc3\x9c\x55"),
		V_INIT("E=\xc3\xbc@b.test"),
		V_INIT("CN=0123456789012345678901234567890123456789012345678901234567890123x"),
		V_INIT("CN=a<b"),
	};
	struct arena arena;
	struct error err;
	view name;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (subject_parse(cases[i], &arena, &name, &err))
			fail_msg("%.*s was accepted", VIEW_ARG(cases[i]));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
	}
	arena_free(&arena);
}

static void
test_bounds(void **state)
{
	char text[SUBJECT_TEXT_MAX + 2], wide[2 * SUBJECT_TEXT_MAX];
	size_t len = 0;
	struct arena arena;
	struct error err;
	view name;

	(void)state;
	arena_init(&arena, ARENA);
	memset(text, 'x', sizeof(text));
	memcpy(text, "SN=", 3);
	assert_true(subject_parse((view){ text, SUBJECT_TEXT_MAX }, &arena, &name, &err));
	assert_false(subject_parse((view){ text, SUBJECT_TEXT_MAX + 1 }, &arena, &name, &err));
	/* Characters count, not bytes. */
	memcpy(wide, "SN=", 3);
	for (len = 3; len < 3 + 2 * (SUBJECT_TEXT_MAX - 3); len += 2)
		memcpy(wide + len, "\xc3\xbc", 2);
	assert_true(subject_parse((view){ wide, len }, &arena, &name, &err));
	/* 33 attributes. */
	for (size_t i = 0; i < 33; i++)
		memcpy(text + 5 * i, "CN=a,", 5);
	assert_true(subject_parse((view){ text, 5 * 32 - 1 }, &arena, &name, &err));
	assert_false(subject_parse((view){ text, 5 * 33 - 1 }, &arena, &name, &err));
	for (size_t i = 0; i < 32; i++)
		text[5 * i + 4] = '+';
	assert_true(subject_parse((view){ text, 5 * 32 - 1 }, &arena, &name, &err));
	assert_false(subject_parse((view){ text, 5 * 33 - 1 }, &arena, &name, &err));
	arena_free(&arena);
}

/* Names of certificates are whatever somebody wrote into them. */
static void
test_shows_what_is_no_text(void **state)
{
	static const struct {
		view name;
		const char *shown; /* NULL: malformed */
	} cases[] = {
		{ V_INIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x00"),
		    "CN=\"\\00\"" },
		{ V_INIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\xff"), "CN=\\FF" },
		{ V_INIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x14\x01\xfc"),
		    "CN=\xc3\xbc" },
		{ V_INIT("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\x01\x0d"),
		    "CN=\xc4\x8d" },
		{ V_INIT("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x1c\x04\x00\x01\xf6\x00"),
		    "CN=\xf0\x9f\x98\x80" },
		{ V_INIT("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00"), "CN=\"\"" },
		{ V_INIT("\x30\x00"), "" },
		{ V_INIT("\x30"), NULL },
		{ V_INIT("\x30\x00\x00"), NULL },
		{ V_INIT("\x31\x00"), NULL },
		{ V_INIT("\x30\x02\x31\x01"), NULL },
		{ V_INIT("\x30\x80\x00\x00"), NULL },
		{ V_INIT("\x30\x84\xff\xff\xff\xff"), NULL },
		{ V_INIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x84\x83\x0c\x01\x00"), NULL },
	};
	struct arena arena;
	struct error err;
	view shown;

	(void)state;
	arena_init(&arena, ARENA);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool good = subject_text(cases[i].name, &arena, &shown, &err);

		assert_int_equal(good, cases[i].shown != NULL);
		if (good)
			assert_text(shown, view_of(cases[i].shown));
	}
	arena_free(&arena);
}

static void
test_a_giant_name_is_cut(void **state)
{
	AUTO(buf_free) struct buf name = { 0 };
	char *value = malloc(100000);
	struct arena arena;
	struct error err;
	view shown;

	(void)state;
	assert_non_null(value);
	for (size_t i = 0; i + 1 < 100000; i += 2)
		memcpy(value + i, "\xc3\xbc", 2);
	buf_add(&name,
	    V("\x30\x83\x01\x86\xb4\x31\x83\x01\x86\xaf\x30\x83\x01\x86\xaa\x06\x03\x55"
	      "\x04\x03\x0c\x83\x01\x86\xa0"));
	buf_add(&name, (view){ value, 100000 });
	arena_init(&arena, ARENA);
	assert_fine(subject_text(buf_view(&name), &arena, &shown, &err), &err);
	assert_true(shown.len <= SUBJECT_SHOWN_MAX && shown.len > SUBJECT_SHOWN_MAX - 4);
	arena_free(&arena);
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_shows_what_is_no_text),
		cmocka_unit_test(test_a_giant_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
