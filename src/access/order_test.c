#include "access/filter.h"
#include "access/order.h"
#include "access/scope.h"
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>

#define ITEMS 500

static char keys[ITEMS][8];
static bool there[ITEMS];

static view
key_of(size_t i)
{
	return (view){ keys[i], 6 };
}

/* What stands in the order is what was put there, in order. */
static void
check(const struct order *order)
{
	const struct order_node *node = order_seek(order, V("h"), V(""));

	for (size_t i = 0; i < ITEMS; i++) {
		if (!there[i])
			continue;
		assert_non_null(node);
		assert_text(order_key(node), key_of(i));
		assert_ptr_equal(order_value(node), keys[i]);
		assert_ptr_equal(order_seek(order, V("h"), key_of(i)), node);
		node = order_next(node);
	}
	if (node != NULL)
		assert_text(order_head(node), V("i"));
}

static void
test_order(void **state)
{
	struct order *order = order_new();
	unsigned random = 1;

	(void)state;
	assert_non_null(order);
	assert_null(order_seek(order, V(""), V("")));
	assert_true(order_put(order, V("i"), V("a"), NULL));
	assert_true(order_put(order, V("g"), V("zz"), NULL));
	for (size_t i = 0; i < ITEMS; i++)
		(void)snprintf(keys[i], sizeof(keys[i]), "%06zu", i);
	for (unsigned step = 0; step < 5000; step++) {
		size_t i = (random = random * 1103515245 + 12345) / 65536 % ITEMS;

		if (there[i])
			order_remove(order, V("h"), key_of(i));
		else
			assert_true(order_put(order, V("h"), key_of(i), keys[i]));
		there[i] = !there[i];
		if (step % 250 == 0)
			check(order);
	}
	order_remove(order, V("h"), V("absent"));
	check(order);
	order_free(order);
}

static void
test_folded(void **state)
{
	static const struct {
		view scope, folded;
		size_t levels;
		bool whole;
	} rows[] = {
		{ V_INIT("/"), V_INIT(""), 1, true },
		{ V_INIT(""), V_INIT(""), 1, true },
		{ V_INIT("/A"), V_INIT("/a"), 2, true },
		{ V_INIT("/A/b/"), V_INIT("/a/b"), 3, true },
		{ V_INIT("/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2"),
		    V_INIT("/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2"), 33,
		    true },
		{ V_INIT("/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3"),
		    V_INIT("/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2"), 33,
		    false },
	};
	char longest[SCOPE_MAX + 2];
	struct scope_path path;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		scope_fold(rows[i].scope, &path);
		assert_text(scope_folded(&path), rows[i].folded);
		assert_int_equal(path.count, rows[i].levels);
		assert_int_equal(path.whole, rows[i].whole);
	}
	memset(longest, 'A', sizeof(longest));
	longest[0] = longest[2] = '/';
	scope_fold((view){ longest, SCOPE_MAX }, &path);
	assert_true(path.whole && path.count == 3);
	scope_fold((view){ longest, SCOPE_MAX + 1 }, &path);
	assert_true(!path.whole && path.count == 2);
	assert_text(scope_subscription(V("/Subscriptions/x/y")), V("x"));
	assert_text(scope_subscription(V("/subscriptions")), V(""));
}

static void
test_filters(void **state)
{
	static const struct {
		const char *text;
		bool fine;
		const char *value;
	} rows[] = {
		{ "a()", true, "" },
		{ " A( ) ", true, "" },
		{ "b eq 'x'", true, "x" },
		{ "b eq 'it''s' and a()", true, "it's" },
		{ "a() AND b eq ''", true, "" },
		{ "a", false, "" },
		{ "a() and", false, "" },
		{ "a() and a()", false, "" },
		{ "a() b eq 'x'", false, "" },
		{ "b eq x", false, "" },
		{ "b eq 'x", false, "" },
		{ "b ne 'x'", false, "" },
		{ "c()", false, "" },
		{ "c('x", false, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct list_term terms[] = { { .name = "a", .form = FILTER_CALL },
			{ .name = "b", .form = FILTER_EQ }, { .name = "c", .form = FILTER_ASK } };
		AUTO(arena_free) struct arena arena = { 0 };

		arena_init(&arena, 10000);
		if (list_filter_parse(view_of(rows[i].text), terms, 3, &arena) != rows[i].fine)
			fail_msg("%s", rows[i].text);
		if (rows[i].fine)
			assert_text(terms[1].value, view_of(rows[i].value));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
