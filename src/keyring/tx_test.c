#include "keyring/testing.h"
#include "keyring/tx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct place place;
static struct arena arena;
static struct store_reader *reader;

static int
setup(void **state)
{
	struct error err;

	(void)state;
	place_make(&place, false);
	arena_init(&arena, (size_t)8 << 20);
	assert_true(store_reader_new(place.store, &reader, &err));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_reader_free(reader);
	arena_free(&arena);
	place_remove(&place);
	return 0;
}

static struct tx
begin(void)
{
	struct error err;

	assert_true(store_begin(reader, &err));
	return (struct tx){ .reader = reader, .keyring = place.keyring, .arena = &arena };
}

static struct vault_key *
key(void)
{
	return keyring_system(place.keyring);
}

/* The document's text is ${want}; NULL: there is none. */
static void
check(bool take, struct tx *tx, view path, const char *want)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct error err = { 0 };

	if (!(take ? tx_take : tx_get)(tx, key(), path, &plain, &err))
		fail_msg("%s", err.message);
	assert_int_equal(plain == NULL, want == NULL);
	if (want != NULL)
		assert_true(view_eq(plain_view(plain), view_of(want)));
}

static void
put(struct tx *tx, view path, view text)
{
	AUTO(buf_free) struct buf document = { 0 };
	struct error err = { 0 };

	buf_add(&document, text);
	if (!tx_put(tx, key(), path, &document, &err))
		fail_msg("%s", err.message);
}

static void
commit(struct tx *tx)
{
	struct error err = { 0 };

	store_end(reader);
	if (!tx_commit(tx, place.store, V(""), &err))
		fail_msg("%s", err.message);
}

static void
conflicts(struct tx *tx)
{
	struct error err = { 0 };

	store_end(reader);
	assert_false(tx_commit(tx, place.store, V(""), &err));
	assert_int_equal(err.code, ERR_STORE_CONFLICT);
}

/* What another transaction does in between. */
static void
meanwhile(view path, const char *text)
{
	struct tx other = { .keyring = place.keyring, .arena = &arena };
	struct error err = { 0 };

	if (text != NULL)
		put(&other, path, view_of(text));
	else
		assert_true(tx_delete(&other, path, &err));
	assert_true(tx_commit(&other, place.store, V(""), &err));
}

static void
test_puts_and_gets(void **state)
{
	char path[] = "a/1";
	struct tx tx = begin();
	struct error err;

	(void)state;
	check(false, &tx, V("a/1"), NULL);
	put(&tx, view_of(path), V("one"));
	put(&tx, V("a/2"), V(""));
	memset(path, 'x', 3); /* the transaction has its own copy */
	check(false, &tx, V("a/1"), NULL);
	commit(&tx);

	tx = begin();
	check(false, &tx, V("a/1"), "one");
	check(false, &tx, V("a/2"), "");
	assert_int_equal(tx.count, 0);
	assert_true(tx_delete(&tx, V("a/1"), &err));
	commit(&tx);
	tx = begin();
	check(true, &tx, V("a/1"), NULL);
	store_end(reader);
}

static void
test_taking_expects(void **state)
{
	/* What there is at first, what another transaction makes of it, and if that matters. */
	static const struct {
		const char *first;
		bool take;
		const char *then;
		bool changed, conflict;
	} cases[] = {
		{ "one", true, "two", true, true },
		{ "one", true, NULL, true, true },
		{ "one", true, "one", true, true }, /* written again: another revision */
		{ NULL, true, "two", true, true },
		{ NULL, true, NULL, true, false },
		{ "one", true, NULL, false, false },
		{ NULL, true, NULL, false, false },
		{ "one", false, "two", true, false },
		{ "one", false, NULL, true, false },
		{ NULL, false, "two", true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tx tx;

		meanwhile(V("a/1"), cases[i].first);
		tx = begin();
		check(cases[i].take, &tx, V("a/1"), cases[i].first);
		put(&tx, V("a/2"), V("depends on it"));
		if (cases[i].changed)
			meanwhile(V("a/1"), cases[i].then);
		if (cases[i].conflict)
			conflicts(&tx);
		else
			commit(&tx);
	}
}

static void
test_taking_twice_is_one_expectation(void **state)
{
	struct tx tx;

	(void)state;
	meanwhile(V("a/1"), "one");
	tx = begin();
	check(true, &tx, V("a/1"), "one");
	check(true, &tx, V("a/1"), "one");
	check(true, &tx, V("a/2"), NULL);
	check(true, &tx, V("a/2"), NULL);
	assert_int_equal(tx.count, 2);
	put(&tx, V("a/1"), V("two"));
	commit(&tx);
}

static void
test_runs_again_after_a_conflict(void **state)
{
	struct tx tx;

	(void)state;
	meanwhile(V("a/1"), "one");
	tx = begin();
	check(true, &tx, V("a/1"), "one");
	put(&tx, V("a/1"), V("mine"));
	meanwhile(V("a/1"), "two");
	conflicts(&tx);

	tx_reset(&tx);
	arena_wipe(&arena);
	(void)begin();
	check(true, &tx, V("a/1"), "two");
	put(&tx, V("a/1"), V("mine"));
	commit(&tx);
	tx = begin();
	check(false, &tx, V("a/1"), "mine");
	store_end(reader);
}

static void
test_documents_stay_in_their_place(void **state)
{
	struct document document;
	struct change change = { .kind = CHANGE_PUT, .key = V_INIT("a/2") };
	struct plain *plain = NULL;
	struct error err;
	struct tx tx;

	(void)state;
	meanwhile(V("a/1"), "one");
	tx = begin();
	assert_true(store_get(reader, V("a/1"), &arena, &document, &err));
	change.value = document.value; /* a row is copied over another */
	assert_true(tx_change(&tx, change, &err));
	commit(&tx);
	tx = begin();
	assert_false(tx_get(&tx, key(), V("a/2"), &plain, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_false(tx_take(&tx, key(), V("a/2"), &plain, &err));
	assert_null(plain);
	assert_int_equal(tx.count, 0);
	store_end(reader);
}

static void
test_grows(void **state)
{
	enum { MANY = 1000 };
	struct tx tx = begin();
	struct store_reader *again = NULL;
	struct error err;
	uint64_t count;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "many/%d", i);
		put(&tx, view_of(path), view_of(path));
	}
	commit(&tx);
	assert_true(store_reader_new(place.store, &again, &err) && store_begin(again, &err));
	assert_true(store_count(again, V("many/"), &count, &err));
	assert_int_equal(count, MANY);
	store_end(again);
	store_reader_free(again);
}

static void
test_has_bounds(void **state)
{
	static char long_path[STORE_KEY_MAX + 1];
	const view paths[] = { V_INIT(""), { long_path, sizeof(long_path) } };
	AUTO(arena_free) struct arena small;
	struct tx tx = begin(), poor = tx;
	struct buf document = { 0 }, failed = { .failed = true };
	struct plain *plain = NULL;
	struct error err;

	(void)state;
	memset(long_path, 'x', sizeof(long_path));
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		assert_false(tx_get(&tx, key(), paths[i], &plain, &err));
		assert_false(tx_take(&tx, key(), paths[i], &plain, &err));
		assert_false(tx_put(&tx, key(), paths[i], &document, &err));
		assert_false(tx_delete(&tx, paths[i], &err));
		assert_int_equal(err.code, ERR_INTERNAL);
	}
	assert_false(tx_put(&tx, key(), V("a"), &failed, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_int_equal(tx.count, 0);

	arena_init(&small, 8);
	poor.arena = &small;
	assert_false(tx_take(&poor, key(), V("a"), &plain, &err));
	assert_false(tx_put(&poor, key(), V("a"), &document, &err));
	assert_false(tx_delete(&poor, V("a"), &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	store_end(reader);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_puts_and_gets),
		FRESH(test_taking_expects),
		FRESH(test_taking_twice_is_one_expectation),
		FRESH(test_runs_again_after_a_conflict),
		FRESH(test_documents_stay_in_their_place),
		FRESH(test_grows),
		FRESH(test_has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
