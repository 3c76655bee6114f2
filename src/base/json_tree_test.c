#include "base/freed.h"
#include "base/json_tree.h"
#include "base/testing.h"

#include <stdlib.h>

#define SECRET "a value that nobody must find"

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static size_t fails_at, taken; /* the allocation of that number fails; 0: none */

void *
__wrap_malloc(size_t size)
{
	taken++;
	return fails_at > 0 && taken == fails_at ? NULL : __real_malloc(size);
}

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

/*
 * Whichever allocation fails, reading ends there: jansson, told of it, would go on without the byte
 * it had no room for, past the end of its memory when that is the quote at a text's end.  So texts
 * of every length.
 */
static void
test_starves(void **state)
{
	char text[200];

	(void)state;
	for (int len = 0; len < 140; len++) {
		json_t *tree = NULL;
		struct error err;
		bool ok = false;

		(void)snprintf(text, sizeof(text), "{\"value\":\"" SECRET "%.*s\",\"b\":[1]}", len,
		    "0123456789012345678901234567890123456789012345678901234567890123456789"
		    "0123456789012345678901234567890123456789012345678901234567890123456789");
		for (fails_at = 1; !ok; fails_at++) {
			taken = 0;
			freed_watch(SECRET);
			ok = json_tree_read(view_of(text), 0, &tree, &err);
			assert_int_equal(taken, ok ? fails_at - 1 : fails_at);
			assert_int_equal(ok, tree != NULL);
			assert_true(ok || err.code == ERR_UNAVAILABLE);
			json_decref(tree);
			assert_false(freed_seen());
		}
		assert_true(fails_at > 8);
		fails_at = 0;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wipes),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_starves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
