#include "base/testing.h"
#include "vault/attributes.h"
#include "vault/testing.h"

static struct arena arena;
static struct error err;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

#define GIVEN(number)                            \
	{                                        \
		.given = true, .value = (number) \
	}

static void
test_applies_what_was_sent(void **state)
{
	static const struct attributes before = { .enabled = true,
		.has_nbf = true,
		.nbf = 100,
		.created = 1,
		.updated = 2 };
	struct attributes after = before;
	struct attributes_body body = { .exp = GIVEN(100) };

	(void)state;
	assert_fine(attributes_apply(&(struct attributes_body){ 0 }, &after, &err), &err);
	assert_memory_equal(&before, &after, sizeof(after));
	assert_fine(attributes_apply(&body, &after, &err), &err);
	assert_true(after.enabled && after.has_nbf && after.has_exp);
	assert_int_equal(after.nbf, 100);
	assert_int_equal(after.exp, 100);
	body = (struct attributes_body){ .enabled = GIVEN(false), .nbf = GIVEN(0) };
	assert_fine(attributes_apply(&body, &after, &err), &err);
	assert_false(after.enabled);
	assert_true(after.has_nbf && after.nbf == 0 && after.exp == 100);
	assert_true(after.created == 1 && after.updated == 2);
}

static void
test_refuses_impossible_times(void **state)
{
	static const struct {
		struct attributes_body body;
		bool fine;
	} rows[] = {
		{ { .nbf = GIVEN(-1) }, false },
		{ { .exp = GIVEN(-1) }, false },
		{ { .exp = GIVEN(INT64_MIN) }, false },
		{ { .nbf = GIVEN(2), .exp = GIVEN(1) }, false },
		{ { .nbf = GIVEN(2), .exp = GIVEN(2) }, true },
		{ { .exp = GIVEN(32503680000) }, true },
		{ { .exp = GIVEN(INT64_MAX) }, true },
		/* against what was there: it has exp 1000 */
		{ { .nbf = GIVEN(1001) }, false },
		{ { .nbf = GIVEN(1000) }, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static const struct attributes before = { .has_exp = true, .exp = 1000 };
		struct attributes after = before;

		if (attributes_apply(&rows[i].body, &after, &err) != rows[i].fine)
			fail_msg("row %zu", i);
		if (!rows[i].fine) {
			assert_int_equal(err.code, ERR_BAD_PARAMETER);
			assert_memory_equal(&before, &after, sizeof(after));
		}
	}
}

static void
check_tags(const struct body_tags *tags, const char *written)
{
	struct http_reply out = { 0 };
	struct request r = { .out = &out, .arena = &arena };
	view packed;

	assert_fine(tags_pack(&world_type, tags, &arena, &packed, &err), &err);
	(void)reply_json(&r);
	write_tags(&r, packed);
	assert_text(buf_view(&out.body), view_of(written));
	buf_free(&out.body);
}

static void
test_tags_come_back(void **state)
{
	static const struct body_tag tags[] = { { V_INIT("b"), V_INIT("1") },
		{ V_INIT("a\"\n"), V_INIT("\xc3\xa4\0") } };

	(void)state;
	check_tags(&(struct body_tags){ .given = true, .tags = tags, .count = 2 },
	    "\"tags\":{\"b\":\"1\",\"a\\\"\\n\":\"\xc3\xa4\\u0000\"}");
	check_tags(&(struct body_tags){ .given = true, .tags = tags, .count = 0 }, "");
}

static void
test_tags_have_bounds(void **state)
{
	static const struct {
		struct body_tag tag;
		bool fine;
	} rows[] = {
		{ { V_INIT("12345678"), V_INIT("1234567890123456") }, true },
		{ { V_INIT("123456789"), V_INIT("") }, false },
		{ { V_INIT(""), V_INIT("12345678901234567") }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct body_tags tags = { .given = true, .tags = &rows[i].tag, .count = 1 };
		view packed;

		assert_int_equal(tags_pack(&world_type, &tags, &arena, &packed, &err),
		    rows[i].fine);
		if (!rows[i].fine)
			assert_string_equal(err.message, "Property  has invalid value\r\n");
	}
}

/* Packed tags that were cut or lie about their number write no more than there is. */
static void
test_broken_tags(void **state)
{
	static const struct body_tag tag = { V_INIT("name"), V_INIT("value") };
	const struct body_tags tags = { .given = true, .tags = &tag, .count = 1 };
	struct http_reply out = { 0 };
	struct request r = { .out = &out, .arena = &arena };
	view packed;

	(void)state;
	assert_fine(tags_pack(&world_type, &tags, &arena, &packed, &err), &err);
	for (size_t len = 0; len < packed.len; len++) {
		(void)reply_json(&r);
		write_tags(&r, (view){ packed.ptr, len });
		assert_true(out.body.len < 40);
	}
	(void)reply_json(&r);
	write_tags(&r, V("\xff\xff\xff\xff"));
	assert_true(out.body.len < 40);
	buf_free(&out.body);
}

static void
check_written(view version, const struct attributes *attributes, const char *written)
{
	const struct vault vault = { .retention_days = 90 };
	struct http_reply out = { 0 };
	struct request r = { .out = &out,
		.arena = &arena,
		.vault = &vault,
		.version = api_version_find(version) };

	(void)reply_json(&r);
	write_attributes(&r, attributes);
	assert_text(buf_view(&out.body), view_of(written));
	buf_free(&out.body);
}

static void
test_written_by_version(void **state)
{
	static const struct attributes all = { .enabled = true,
		.has_nbf = true,
		.has_exp = true,
		.nbf = 1,
		.exp = 32503680000,
		.created = 3,
		.updated = 4 };
	static const struct attributes few = { .created = 3, .updated = 3 };

	(void)state;
	check_written(V("7.4"), &all,
	    "\"attributes\":{\"enabled\":true,\"nbf\":1,\"exp\":32503680000,\"created\":3,"
	    "\"updated\":4,\"recoveryLevel\":\"Recoverable+Purgeable\",\"recoverableDays\":90}");
	check_written(V("7.1"), &few,
	    "\"attributes\":{\"enabled\":false,\"created\":3,\"updated\":3,"
	    "\"recoveryLevel\":\"Recoverable+Purgeable\",\"recoverableDays\":90}");
	check_written(V("7.0"), &few,
	    "\"attributes\":{\"enabled\":false,\"created\":3,\"updated\":3,"
	    "\"recoveryLevel\":\"Recoverable+Purgeable\"}");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_applies_what_was_sent),
		cmocka_unit_test(test_refuses_impossible_times),
		FRESH(test_tags_come_back),
		FRESH(test_tags_have_bounds),
		FRESH(test_broken_tags),
		FRESH(test_written_by_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
