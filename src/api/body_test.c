#include "api/body.h"
#include "base/buf.h"
#include "base/testing.h"

struct item {
	struct body_text name;
	struct body_number size;
};

struct body {
	struct body_text value, kind;
	struct body_tags tags;
	struct {
		struct body_flag enabled;
		struct body_number exp;
	} attributes;
	struct body_list items;
	struct body_texts texts;
};

static const struct field item_fields[] = {
	{ .name = "name",
	    .kind = FIELD_TEXT,
	    .required = true,
	    .offset = offsetof(struct item, name) },
	{ .name = "size", .kind = FIELD_NUMBER, .offset = offsetof(struct item, size) },
	{ 0 },
};

static const struct field attribute_fields[] = {
	{ .name = "enabled",
	    .kind = FIELD_FLAG,
	    .offset =
		offsetof(struct body, attributes.enabled) - offsetof(struct body, attributes) },
	{ .name = "exp",
	    .kind = FIELD_NUMBER,
	    .offset = offsetof(struct body, attributes.exp) - offsetof(struct body, attributes) },
	{ 0 },
};

static const struct field fields[] = {
	{ .name = "value",
	    .kind = FIELD_TEXT,
	    .max = 10,
	    .required = true,
	    .offset = offsetof(struct body, value) },
	{ .name = "contentType", .kind = FIELD_TEXT, .offset = offsetof(struct body, kind) },
	{ .name = "tags", .kind = FIELD_TAGS, .max = 3, .offset = offsetof(struct body, tags) },
	{ .name = "attributes",
	    .kind = FIELD_OBJECT,
	    .fields = attribute_fields,
	    .offset = offsetof(struct body, attributes) },
	{ .name = "items",
	    .kind = FIELD_LIST,
	    .max = 2,
	    .fields = item_fields,
	    .size = sizeof(struct item),
	    .offset = offsetof(struct body, items) },
	{ .name = "texts", .kind = FIELD_TEXTS, .max = 2, .offset = offsetof(struct body, texts) },
	{ 0 },
};

static struct arena arena;
static struct body body;
static struct error err;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)4 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static bool
reads(view text)
{
	body = (struct body){ 0 };
	err = (struct error){ 0 };
	return body_read(text, fields, &body, &arena, &err);
}

static void
test_reads_everything(void **state)
{
	const struct item *items;

	(void)state;
	assert_fine(reads(V("{\"value\":\"v\\u0000\\u00e4\",\"contentType\":\"\","
			    "\"tags\":{\"b\":\"1\",\"a\":\"\"},"
			    "\"attributes\":{\"enabled\":false,\"exp\":-9223372036854775808},"
			    "\"items\":[{\"name\":\"x\"},{\"name\":\"y\",\"size\":7}],"
			    "\"texts\":[\"a\\u0000b\",\"\"]} \n")),
	    &err);
	assert_true(body.value.given && body.kind.given && body.tags.given);
	assert_text(body.value.text, V("v\0\xc3\xa4"));
	assert_text(body.kind.text, V(""));
	assert_int_equal(body.tags.count, 2);
	assert_text(body.tags.tags[0].name, V("b"));
	assert_text(body.tags.tags[0].value, V("1"));
	assert_text(body.tags.tags[1].name, V("a"));
	assert_true(body.attributes.enabled.given && !body.attributes.enabled.value);
	assert_true(body.attributes.exp.given && body.attributes.exp.value == INT64_MIN);
	assert_int_equal(body.items.count, 2);
	items = body.items.items;
	assert_text(items[0].name.text, V("x"));
	assert_false(items[0].size.given);
	assert_int_equal(items[1].size.value, 7);
	assert_int_equal(body.texts.count, 2);
	assert_text(body.texts.texts[0], V("a\0b"));
	assert_text(body.texts.texts[1], V(""));
}

static void
test_null_and_absent_are_the_same(void **state)
{
	static const view texts[] = {
		V_INIT("{\"value\":\"v\"}"),
		V_INIT("{\"value\":\"v\",\"contentType\":null,\"tags\":null,\"attributes\":null,"
		       "\"items\":null}"),
		V_INIT("{\"value\":\"v\",\"attributes\":{\"enabled\":null,\"exp\":null}}"),
		V_INIT("{\"unknown\":[{\"a\":1.5}],\"value\":\"v\",\"other\":null}"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_fine(reads(texts[i]), &err);
		assert_text(body.value.text, V("v"));
		assert_false(body.kind.given || body.tags.given || body.items.given);
		assert_false(body.attributes.enabled.given || body.attributes.exp.given);
	}
}

static void
test_given_but_empty(void **state)
{
	(void)state;
	assert_fine(reads(V("{\"value\":\"\",\"tags\":{},\"attributes\":{},\"items\":[]}")), &err);
	assert_true(body.value.given && body.tags.given && body.items.given);
	assert_int_equal(body.tags.count + body.items.count, 0);
	assert_fine(reads(V("{\"value\":\"\",\"tags\":{\"a\":null,\"b\":\"1\"}}")), &err);
	assert_int_equal(body.tags.count, 1);
	assert_text(body.tags.tags[0].name, V("b"));
}

#define BAD_JSON "The request body is not a valid JSON object."
#define BAD(name) "Property " name " has invalid value\r\n"
#define MISSING(name) "The request body must contain the property \"" name "\"."

static void
test_refuses(void **state)
{
	static const struct {
		view text;
		const char *message;
	} rows[] = {
		{ V_INIT(""), MISSING("value") },
		{ V_INIT("{}"), MISSING("value") },
		{ V_INIT("{\"value\":null}"), MISSING("value") },
		{ V_INIT("{\"Value\":\"v\"}"), MISSING("value") },
		/* wrong types */
		{ V_INIT("{\"value\":1}"), BAD("value") },
		{ V_INIT("{\"value\":true}"), BAD("value") },
		{ V_INIT("{\"value\":{}}"), BAD("value") },
		{ V_INIT("{\"value\":[]}"), BAD("value") },
		{ V_INIT("{\"value\":\"v\",\"tags\":[]}"), BAD("tags") },
		{ V_INIT("{\"value\":\"v\",\"tags\":\"a\"}"), BAD("tags") },
		{ V_INIT("{\"value\":\"v\",\"tags\":{\"a\":1}}"), BAD("tags") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":[]}"), BAD("attributes") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":true}"), BAD("attributes") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"enabled\":\"true\"}}"),
		    BAD("enabled") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"enabled\":1}}"), BAD("enabled") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"exp\":\"1\"}}"), BAD("exp") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"exp\":1.0}}"), BAD("exp") },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"exp\":1e3}}"), BAD("exp") },
		{ V_INIT("{\"value\":\"v\",\"items\":{}}"), BAD("items") },
		{ V_INIT("{\"value\":\"v\",\"items\":[1]}"), BAD("items") },
		{ V_INIT("{\"value\":\"v\",\"items\":[null]}"), BAD("items") },
		{ V_INIT("{\"value\":\"v\",\"items\":[{}]}"), MISSING("name") },
		{ V_INIT("{\"value\":\"v\",\"texts\":\"a\"}"), BAD("texts") },
		{ V_INIT("{\"value\":\"v\",\"texts\":{}}"), BAD("texts") },
		{ V_INIT("{\"value\":\"v\",\"texts\":[1]}"), BAD("texts") },
		{ V_INIT("{\"value\":\"v\",\"texts\":[null]}"), BAD("texts") },
		{ V_INIT("{\"value\":\"v\",\"texts\":[\"a\",\"b\",\"c\"]}"), BAD("texts") },
		/* bounds */
		{ V_INIT("{\"value\":\"12345678901\"}"), BAD("value") },
		{ V_INIT("{\"value\":\"12345\xc3\xa4\xc3\xa4\xc3\xa4\"}"), BAD("value") },
		{ V_INIT(
		      "{\"value\":\"v\",\"tags\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}}"),
		    BAD("tags") },
		{ V_INIT("{\"value\":\"v\",\"items\":[{\"name\":\"\"},{\"name\":\"\"},"
			 "{\"name\":\"\"}]}"),
		    BAD("items") },
		/* what is no JSON object */
		{ V_INIT("null"), BAD_JSON },
		{ V_INIT("[]"), BAD_JSON },
		{ V_INIT("\"value\""), BAD_JSON },
		{ V_INIT("1"), BAD_JSON },
		{ V_INIT(" "), BAD_JSON },
		{ V_INIT("{"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\""), BAD_JSON },
		{ V_INIT("{\"value\":\"v\",}"), BAD_JSON },
		{ V_INIT("{'value':'v'}"), BAD_JSON },
		{ V_INIT("\xef\xbb\xbf{\"value\":\"v\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\"}x"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\"}{}"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\"}\0"), BAD_JSON },
		{ V_INIT("{\"value\":\"a\0b\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"a\nb\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\",\"a\\u0000b\":1}"), BAD_JSON },
		/* duplicates, also of what is unknown */
		{ V_INIT("{\"value\":\"v\",\"value\":\"w\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\",\"x\":1,\"x\":1}"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\",\"tags\":{\"a\":\"1\",\"\\u0061\":\"2\"}}"), BAD_JSON },
		/* numbers that no integer holds */
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"exp\":9223372036854775808}}"),
		    BAD_JSON },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"exp\":1e999}}"), BAD_JSON },
		{ V_INIT("{\"value\":\"v\",\"attributes\":{\"exp\":NaN}}"), BAD_JSON },
		/* text that is not UTF-8 */
		{ V_INIT("{\"value\":\"\xff\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"\xc0\xaf\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"\xed\xa0\x80\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"\\ud800\"}"), BAD_JSON },
		{ V_INIT("{\"value\":\"\\udc00\\ud800\"}"), BAD_JSON },
		{ V_INIT("{\"\xff\":1,\"value\":\"v\"}"), BAD_JSON },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (reads(rows[i].text))
			fail_msg("accepted: %s", rows[i].text.ptr);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_string_equal(err.message, rows[i].message);
	}
}

static void
test_deep_nesting(void **state)
{
	static const char brackets[] = { '[', '{' };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(brackets); i++) {
		AUTO(buf_free) struct buf text = { 0 };

		buf_add(&text, V("{\"value\":\"v\",\"unknown\":"));
		for (int depth = 0; depth < 100000; depth++) {
			buf_add_char(&text, brackets[i]);
			if (brackets[i] == '{')
				buf_add(&text, V("\"a\":"));
		}
		assert_false(reads(buf_view(&text)));
		assert_string_equal(err.message, BAD_JSON);
	}
}

/* Members that nobody asked for cost time and the parser's memory only, not the request's. */
static void
test_many_unknown_members(void **state)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)state;
	buf_add(&text, V("{\"value\":\"v\""));
	for (int i = 0; i < 50000; i++)
		buf_print(&text, ",\"member%d\":%d", i, i);
	buf_add_char(&text, '}');
	assert_fine(reads(buf_view(&text)), &err);
	assert_true(arena.left > (size_t)4 * 1000 * 1000);
}

static void
test_a_spent_budget(void **state)
{
	struct arena poor;

	(void)state;
	arena_init(&poor, 16);
	assert_false(body_read(V("{\"value\":\"v\",\"contentType\":\"long enough to fail\"}"),
	    fields, &body, &poor, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	arena_free(&poor);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_reads_everything),
		FRESH(test_null_and_absent_are_the_same),
		FRESH(test_given_but_empty),
		FRESH(test_refuses),
		FRESH(test_deep_nesting),
		FRESH(test_many_unknown_members),
		FRESH(test_a_spent_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
