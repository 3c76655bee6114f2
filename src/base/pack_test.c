#include "base/pack.h"
#include "base/testing.h"

#include <stdlib.h>

static void
fill(struct buf *out)
{
	pack_u8(out, 0xfe);
	pack_u32(out, 0x01020304);
	pack_i64(out, -2);
	pack_bytes(out, V("name"));
	pack_bytes(out, V(""));
	pack_i64(out, INT64_MIN);
	pack_i64(out, INT64_MAX);
}

/* Was all of it there, and was it what fill() wrote? */
static bool
read_back(view bytes)
{
	struct unpack in = unpack_of(bytes);
	bool same = unpack_u8(&in) == 0xfe;

	same = unpack_u32(&in) == 0x01020304 && same;
	same = unpack_i64(&in) == -2 && same;
	same = view_eq(unpack_bytes(&in), V("name")) && same;
	same = unpack_bytes(&in).len == 0 && same;
	same = unpack_i64(&in) == INT64_MIN && same;
	same = unpack_i64(&in) == INT64_MAX && same;
	if (unpack_end(&in))
		assert_true(same);
	return unpack_end(&in);
}

static void
test_comes_back(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };

	(void)state;
	fill(&out);
	assert_true(read_back(buf_view(&out)));
	assert_memory_equal(out.ptr, "\xfe\1\2\3\4\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\4name",
	    21);
	buf_add_char(&out, 'x');
	assert_false(read_back(buf_view(&out)));
}

/* Each cut lies in memory of its own length, so that ASan sees what is read beyond it. */
static void
test_cut_anywhere(void **state)
{
	AUTO(buf_free) struct buf out = { 0 };

	(void)state;
	fill(&out);
	for (size_t len = 0; len < out.len; len++) {
		char *copy = malloc(len);

		if (len > 0)
			memcpy(copy, out.ptr, len);
		assert_false(read_back((view){ copy, len }));
		free(copy);
	}
}

static void
test_lengths_that_lie(void **state)
{
	static const view texts[] = { V_INIT("\0\0\0\1"), V_INIT("\xff\xff\xff\xff"),
		V_INIT("\xff\xff\xff\xff more"), V_INIT("\x80\0\0\0x"), V_INIT("\0\0\0\5four") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct unpack in = unpack_of(texts[i]);

		assert_int_equal(unpack_bytes(&in).len, 0);
		assert_false(unpack_end(&in));
	}
}

static void
test_a_failure_stays(void **state)
{
	struct unpack in = unpack_of(V("\1\2\3"));

	(void)state;
	assert_int_equal(unpack_u32(&in), 0);
	assert_int_equal(unpack_u8(&in), 0);
	assert_int_equal(unpack_i64(&in), 0);
	assert_int_equal(unpack_bytes(&in).len, 0);
	assert_non_null(unpack_bytes(&in).ptr);
	assert_false(unpack_end(&in));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_a_failure_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
