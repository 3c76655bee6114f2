#include "acme/acme.h"
#include "base/testing.h"

#include <stdlib.h>

static const struct acme_state sample = {
	.stage = ACME_PROVED,
	.next = 3,
	.waits = 7,
	.kind = ACME_DNS_01,
	.nonce = "n",
	.account = "https://a/1",
	.name = "example.com",
	.token = "t",
};

static void
test_comes_back(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct acme_state got = { 0 };

	(void)state;
	acme_pack(&sample, &packed);
	assert_true(acme_unpack(buf_view(&packed), &got));
	assert_memory_equal(&got, &sample, sizeof(got));
	for (size_t len = 0; len < packed.len; len++) {
		char *room = malloc(len + 1), *copy = room + 1;

		if (len > 0)
			memcpy(copy, packed.ptr, len);
		assert_false(acme_unpack((view){ copy, len }, &got));
		free(room);
	}
	buf_add_char(&packed, '\0');
	assert_false(acme_unpack(buf_view(&packed), &got));
}

static void
test_what_is_too_long_is_refused(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct acme_state long_one = sample, got;

	(void)state;
	memset(long_one.account, 'a', sizeof(long_one.account) - 1);
	acme_pack(&long_one, &packed);
	assert_true(acme_unpack(buf_view(&packed), &got));
	/* One byte more in the account, said in its length. */
	for (size_t i = 0; i + 4 < packed.len; i++) {
		if (memcmp(packed.ptr + i,
			"\0\0\x01\xff"
			"a",
			5) == 0) {
			AUTO(buf_free) struct buf longer = { 0 };

			buf_add(&longer, (view){ packed.ptr, i });
			buf_add(&longer,
			    V("\0\0\x02\0"
			      "a"));
			buf_add(&longer, view_from(buf_view(&packed), i + 4));
			assert_false(acme_unpack(buf_view(&longer), &got));
			return;
		}
	}
	fail();
}

static void
test_every_stage_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= ACME_FAILED; i++)
		assert_true(strlen(acme_stage_name(i)) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_what_is_too_long_is_refused),
		cmocka_unit_test(test_every_stage_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
