#include "base/testing.h"
#include "base/uuid.h"

static void
test_parses(void **state)
{
	static const struct {
		view text;
		bool fine;
	} rows[] = {
		{ V_INIT("00482a5a-887f-4fb3-b363-3b7fe8e74483"), true },
		{ V_INIT("00482A5A-887F-4FB3-B363-3B7FE8E74483"), true },
		{ V_INIT("00000000-0000-0000-0000-000000000000"), true },
		{ V_INIT(""), false },
		{ V_INIT("00482a5a-887f-4fb3-b363-3b7fe8e7448"), false },
		{ V_INIT("00482a5a-887f-4fb3-b363-3b7fe8e744831"), false },
		{ V_INIT("00482a5a0887f-4fb3-b363-3b7fe8e74483"), false },
		{ V_INIT("00482a5a-887f-4fb3-b363-3b7fe8e7448g"), false },
		{ V_INIT("00482a5-a887f-4fb3-b363-3b7fe8e74483"), false },
		{ V_INIT("{0482a5a-887f-4fb3-b363-3b7fe8e7448}"), false },
		{ V_INIT("00482a5a887f4fb3b3633b7fe8e74483"), false },
		{ V_INIT("00482a5a-887f-4fb3-b363-3b7fe8e744\0003"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct uuid uuid = { "before" };

		assert_int_equal(uuid_parse(rows[i].text, &uuid), rows[i].fine);
		if (!rows[i].fine)
			assert_string_equal(uuid.text, "before");
	}
}

static void
test_writes_lower_case(void **state)
{
	struct uuid uuid;

	(void)state;
	assert_true(uuid_parse(V("00482A5A-887F-4FB3-B363-3B7FE8E74483"), &uuid));
	assert_text(uuid_view(&uuid), V("00482a5a-887f-4fb3-b363-3b7fe8e74483"));
	assert_int_equal(uuid.text[UUID_LEN], 0);
}

static void
test_made_ones_are_of_version_4(void **state)
{
	static const uint8_t ones[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t zeros[16] = { 0 };
	struct uuid uuid;

	(void)state;
	uuid_from(ones, &uuid);
	assert_string_equal(uuid.text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	uuid_from(zeros, &uuid);
	assert_string_equal(uuid.text, "00000000-0000-4000-8000-000000000000");
}

static void
test_hex_comes_back(void **state)
{
	uint8_t bytes[256], back[256];
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	hex_encode((view){ (const char *)bytes, sizeof(bytes) }, text);
	assert_memory_equal(text + 0x7f * 2, "7f8081", 6);
	assert_true(hex_decode((view){ text, sizeof(text) }, back));
	assert_memory_equal(bytes, back, sizeof(bytes));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = ascii_upper(text[i]);
	assert_true(hex_decode((view){ text, sizeof(text) }, back));
	assert_memory_equal(bytes, back, sizeof(bytes));
}

static void
test_hex_is_strict(void **state)
{
	static const view texts[] = { V_INIT("0"), V_INIT("000"), V_INIT("0g"), V_INIT("g0"),
		V_INIT("0x"), V_INIT(" 0"), V_INIT("\0000"), V_INIT("@0"), V_INIT("`0"),
		V_INIT("/0"), V_INIT(":0"), V_INIT("G0") };
	uint8_t out[2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_false(hex_decode(texts[i], out));
	assert_true(hex_decode(V(""), out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses),
		cmocka_unit_test(test_writes_lower_case),
		cmocka_unit_test(test_made_ones_are_of_version_4),
		cmocka_unit_test(test_hex_comes_back),
		cmocka_unit_test(test_hex_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
