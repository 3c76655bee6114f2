#include "cli/agent_cache.h"

#include "base/testing.h"

#include <stdio.h>

/* One that asks, and what it was told. */
struct asker {
	struct agent_waiter waiter;
	unsigned told;
	char text[32];
	enum error_code code;
};

static void
on_told(struct agent_waiter *waiter, const struct agent_token *token, const struct error *err)
{
	struct asker *asker = (struct asker *)waiter;

	asker->told++;
	asker->code = token == NULL ? err->code : ERR_NONE;
	if (token != NULL)
		(void)snprintf(asker->text, sizeof(asker->text), "%.*s",
		    VIEW_ARG(plain_view(token->text)));
}

static enum agent_cache_turn
ask(struct agent_cache *cache, const char *id, int64_t now, struct asker *asker)
{
	*asker = (struct asker){ .waiter = { .done = on_told } };
	return agent_cache_ask(cache, view_of(id), V("r"), now, &asker->waiter);
}

static void
put(struct agent_cache *cache, const char *id, int64_t now, const char *text, int64_t expires)
{
	struct agent_token token = { plain_copy(view_of(text)), now, expires };

	assert_non_null(token.text);
	agent_cache_put(cache, view_of(id), V("r"), now, &token, NULL);
}

static void
fail_with(struct agent_cache *cache, const char *id, int64_t now, enum error_code code)
{
	struct error err = { .code = code, .message = "why" };

	agent_cache_put(cache, view_of(id), V("r"), now, NULL, &err);
}

static void
cache_done(struct agent_cache **cache)
{
	agent_cache_free(*cache);
}

static void
test_keeps(void **state)
{
	AUTO(cache_done) struct agent_cache *cache = agent_cache_new();
	struct asker one, two;

	(void)state;
	assert_int_equal(ask(cache, "a", 1000, &one), CACHE_FETCH);
	put(cache, "a", 1000, "first", 4600);
	assert_string_equal(one.text, "first");
	assert_int_equal(ask(cache, "A", 4299, &two), CACHE_TOLD);
	assert_string_equal(two.text, "first");
	/* Other keys are others' tokens. */
	assert_int_equal(ask(cache, "b", 1000, &two), CACHE_FETCH);
	fail_with(cache, "b", 1000, ERR_NOT_FOUND);
	assert_int_equal(two.code, ERR_NOT_FOUND);
	assert_int_equal(agent_cache_ask(cache, V("a"), V("R"), 1000, &two.waiter), CACHE_FETCH);
	agent_cache_put(cache, V("a"), V("R"), 1000, NULL, &(struct error){ ERR_INTERNAL, "" });
	/* Five minutes before its end it is fetched anew. */
	assert_int_equal(ask(cache, "a", 4300, &two), CACHE_FETCH);
	put(cache, "a", 4300, "second", 7900);
	assert_string_equal(two.text, "second");
}

static void
test_asks_once(void **state)
{
	AUTO(cache_done) struct agent_cache *cache = agent_cache_new();
	struct asker askers[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(cache, "a", 1000, &askers[i]),
		    i == 0 ? CACHE_FETCH : CACHE_WAITS);
	put(cache, "a", 1001, "text", 4600);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(askers[i].told, 1);
		assert_string_equal(askers[i].text, "text");
	}
}

/* While the authority is away, what is still valid is given out; when it says no, nothing is. */
static void
test_outlives_the_authority(void **state)
{
	AUTO(cache_done) struct agent_cache *cache = agent_cache_new();
	struct asker one, two;

	(void)state;
	assert_int_equal(ask(cache, "a", 1000, &one), CACHE_FETCH);
	put(cache, "a", 1000, "old", 4600);
	assert_int_equal(ask(cache, "a", 4400, &one), CACHE_FETCH);
	assert_int_equal(ask(cache, "a", 4400, &two), CACHE_WAITS);
	fail_with(cache, "a", 4401, ERR_UNAVAILABLE);
	assert_string_equal(one.text, "old");
	assert_string_equal(two.text, "old");
	assert_int_equal(ask(cache, "a", 4580, &one), CACHE_FETCH);
	fail_with(cache, "a", 4581, ERR_UNAVAILABLE);
	assert_int_equal(one.code, ERR_UNAVAILABLE);
	assert_int_equal(ask(cache, "a", 4581, &one), CACHE_FETCH);
	put(cache, "a", 4581, "new", 8000);
	assert_int_equal(ask(cache, "a", 7800, &one), CACHE_FETCH);
	fail_with(cache, "a", 7800, ERR_NOT_FOUND);
	assert_int_equal(one.code, ERR_NOT_FOUND);
	assert_string_equal(one.text, "");
}

static void
test_is_bounded(void **state)
{
	AUTO(cache_done) struct agent_cache *cache = agent_cache_new();
	struct asker asker, waiting[AGENT_CACHE_MAX];
	char id[16];

	(void)state;
	for (int i = 0; i < AGENT_CACHE_MAX * 3; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(ask(cache, id, 1000, &asker), CACHE_FETCH);
		put(cache, id, 1000, "text", 4600);
		/* What is asked for again and again stays. */
		assert_int_equal(ask(cache, "0", 1000, &asker), CACHE_TOLD);
		assert_string_equal(asker.text, "text");
	}
	assert_int_equal(ask(cache, "1", 1000, &asker), CACHE_FETCH);
	fail_with(cache, "1", 1000, ERR_UNAVAILABLE);
	/* What is waited for is not forgotten. */
	for (int i = 0; i < AGENT_CACHE_MAX; i++) {
		(void)snprintf(id, sizeof(id), "w%d", i);
		assert_int_equal(ask(cache, id, 1000, &waiting[i]), CACHE_FETCH);
	}
	assert_int_equal(ask(cache, "more", 1000, &asker), CACHE_TOLD);
	assert_int_equal(asker.code, ERR_UNAVAILABLE);
	for (int i = 0; i < AGENT_CACHE_MAX; i++) {
		(void)snprintf(id, sizeof(id), "w%d", i);
		put(cache, id, 1000, id, 4600);
		assert_string_equal(waiting[i].text, id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps),
		cmocka_unit_test(test_asks_once),
		cmocka_unit_test(test_outlives_the_authority),
		cmocka_unit_test(test_is_bounded),
	};

	return cmocka_run_group_tests_name("agent cache", tests, NULL, NULL);
}
