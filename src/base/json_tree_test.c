#include "base/freed.h"
#include "base/json_tree.h"
#include "base/testing.h"

#define SECRET "a value that nobody must find"

static void
test_reads(void **state)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	struct error err;

	(void)state;
	assert_fine(json_tree_read(V("{\"a\":\"b\"}"), 0, &tree, &err), &err);
	assert_text(json_tree_member(tree, "a"), V("b"));
}

static void
test_what_is_none(void **state)
{
	static const view bad[] = { V_INIT(""), V_INIT("{"), V_INIT("{}x"),
		V_INIT("{\"a\":1,\"a\":2}") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		json_t *tree = NULL;
		struct error err;

		assert_fine(json_tree_read(bad[i], JSON_REJECT_DUPLICATES, &tree, &err), &err);
		assert_null(tree);
	}
}

/* As a body with a secret's value is read: the first one as well, and one that is refused. */
static void
test_wipes(void **state)
{
	static const view texts[] = { V_INIT("{\"value\":\"" SECRET "\"}"),
		V_INIT("{\"value\":\"" SECRET "\",}"), V_INIT("{\"" SECRET "\":[]}") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		json_t *tree = NULL;
		struct error err;

		freed_watch(SECRET);
		assert_fine(json_tree_read(texts[i], 0, &tree, &err), &err);
		json_decref(tree);
		assert_false(freed_seen());
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wipes),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
