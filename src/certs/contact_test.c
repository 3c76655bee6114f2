#include "base/testing.h"
#include "certs/contact.h"

#include <stdlib.h>

#define TEXT(literal)                                  \
	{                                              \
		.given = true, .text = V_INIT(literal) \
	}

static const struct contacts sample = {
	.count = 2,
	.list = { { .email = TEXT("a@example.com"), .name = TEXT("A") },
	    { .email = TEXT("b@example.com"), .phone = TEXT("") } },
};

static void
test_comes_back(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct contacts contacts;

	(void)state;
	contacts_pack(&sample, &packed);
	assert_true(contacts_unpack(buf_view(&packed), &contacts));
	assert_int_equal(contacts.count, 2);
	assert_text(contacts.list[0].name.text, V("A"));
	assert_false(contacts.list[1].name.given);
	assert_true(contacts.list[1].phone.given);
	for (size_t len = 0; len < packed.len; len++) {
		char *room = malloc(len + 1), *copy = room + 1;

		if (len > 0)
			memcpy(copy, packed.ptr, len);
		assert_false(contacts_unpack((view){ copy, len }, &contacts));
		free(room);
	}
	buf_add_char(&packed, '\0');
	assert_false(contacts_unpack(buf_view(&packed), &contacts));
}

static void
test_rules(void **state)
{
	static const struct {
		struct contact contact;
		bool fine;
	} rows[] = {
		{ { .email = TEXT("a@example.com"), .name = TEXT("Jos\xc3\xa9") }, true },
		{ { .email = TEXT("a@example.com\r\nBcc: b@c") }, false },
		{ { .email = TEXT("nobody") }, false },
		{ { .email = TEXT("a@b"), .name = TEXT("a\nb") }, false },
		{ { .email = TEXT("a@b"), .phone = TEXT("1\0") }, false },
	};
	struct contacts contacts;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct contacts_body body = { { true, &rows[i].contact, 1 } };

		assert_int_equal(contacts_fill(&body, &contacts, &err), rows[i].fine);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
