/*
 * Refresh tokens under a clock that moves.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "identity/testing.h"
#include "signin/refresh.h"
#include "signin/refresh_store.h"

#define START ((int64_t)1700000000)
#define DAY ((int64_t)86400)

static struct uuid user;
static struct refresh_use used;

static int
setup(void **state)
{
	(void)town_setup(state);
	random_uuid(&user);
	return 0;
}

static view
begin_at(int64_t now)
{
	AUTO(buf_free) struct buf token = { 0 };
	struct refresh_name name = { .tenant = town.tenant, .user = user };
	struct refresh_facts facts = { .client = user, .sessions = 7, .resource = V("https://v") };
	view copy;

	random_ordered(name.family);
	town_begin();
	REQUIRE(refresh_begin(&town.tx, &name, &facts, now, &token, &town.err));
	town_commit();
	town_begin();
	assert_true(arena_copy(&town.arena, buf_view(&token), &copy));
	return copy;
}

static enum refresh_verdict
use_at(view token, int64_t now)
{
	enum refresh_verdict verdict;

	town_begin();
	REQUIRE(refresh_use(&town.tx, &town.tenant, token, now, &used, &verdict, &town.err));
	town_commit();
	town_begin();
	return verdict;
}

/* The next one, which must be given. */
static view
next_at(view token, int64_t now)
{
	assert_int_equal(use_at(token, now), REFRESH_FINE);
	return used.next;
}

static uint64_t
families(void)
{
	uint64_t count;
	view prefix;

	REQUIRE(refresh_prefix(&town.arena, &town.tenant, NULL, &prefix, &town.err));
	REQUIRE(store_count(town.reader, prefix, &count, &town.err));
	return count;
}

static void
test_rotation(void **state)
{
	view token = begin_at(START);

	(void)state;
	for (int i = 1; i < 30; i++) {
		view next = next_at(token, START + i * DAY);

		assert_false(view_eq(next, token));
		assert_int_equal(used.facts.created, START);
		assert_int_equal(used.facts.sessions, 7);
		assert_true(view_eq(used.facts.resource, V("https://v")));
		assert_string_equal(used.facts.client.text, user.text);
		assert_string_equal(used.name.user.text, user.text);
		token = next;
	}
	assert_int_equal(families(), 1);
}

/* Processes that share a file come with what they read: all get to the same place. */
static void
test_grace(void **state)
{
	view first = begin_at(START), second = next_at(first, START + 10);
	view third = next_at(second, START + 20), again = next_at(first, START + 30);

	(void)state;
	assert_true(view_eq(again, third));
	assert_true(view_eq(next_at(second, START + 30), third));
	assert_true(view_eq(next_at(second, START + 79), third));
	/* The first one's minute is over. */
	assert_int_equal(use_at(first, START + 70), REFRESH_REUSED);
	assert_int_equal(use_at(third, START + 71), REFRESH_REVOKED);
	assert_int_equal(use_at(first, START + 71), REFRESH_REVOKED);
}

static void
test_reuse(void **state)
{
	view first = begin_at(START), other = begin_at(START);
	view second = next_at(first, START + 10);

	(void)state;
	assert_int_equal(use_at(first, START + 70), REFRESH_REUSED);
	assert_int_equal(use_at(second, START + 70), REFRESH_REVOKED);
	/* The person's other families go on. */
	(void)next_at(other, START + 71);
}

/* More within a minute than are remembered: nobody is taken for a thief. */
static void
test_hurry(void **state)
{
	view first = begin_at(START), token = first;

	(void)state;
	for (int i = 0; i < 3 * REFRESH_BEFORE_MAX; i++)
		token = next_at(token, START + i / 2);
	assert_true(view_eq(next_at(first, START + 24), token));
	assert_false(view_eq(next_at(token, START + 100), token));
}

static void
test_expiry(void **state)
{
	view token = begin_at(START);

	(void)state;
	token = next_at(token, START + REFRESH_IDLE - 1);
	assert_int_equal(use_at(token, START + 2 * REFRESH_IDLE - 1), REFRESH_EXPIRED);
	token = begin_at(START);
	for (int64_t at = START; at < START + REFRESH_LIFE; at += 10 * DAY)
		token = next_at(token, at);
	token = next_at(token, START + REFRESH_LIFE - 1);
	assert_int_equal(use_at(token, START + REFRESH_LIFE), REFRESH_EXPIRED);
}

static void
test_nonsense(void **state)
{
	static const char *const nonsense[] = { "", "1.", "1...", "x", "0.a.b.c",
		"1.00000000-0000-0000-0000-000000000000.x.y" };
	view token = begin_at(START), copy;
	struct uuid another;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nonsense); i++)
		assert_int_equal(use_at(view_of(nonsense[i]), START), REFRESH_UNKNOWN);
	assert_int_equal(use_at((view){ token.ptr, token.len - 1 }, START), REFRESH_UNKNOWN);
	/* Another person, another family, another tenant. */
	assert_true(arena_copy(&town.arena, token, &copy));
	((char *)(uintptr_t)copy.ptr)[3] = token.ptr[3] == 'a' ? 'b' : 'a';
	assert_int_equal(use_at(copy, START), REFRESH_UNKNOWN);
	assert_true(arena_copy(&town.arena, token, &copy));
	((char *)(uintptr_t)copy.ptr)[UUID_LEN + 5] = token.ptr[UUID_LEN + 5] == 'a' ? 'b' : 'a';
	assert_int_equal(use_at(copy, START), REFRESH_UNKNOWN);
	random_uuid(&another);
	{
		enum refresh_verdict verdict;

		REQUIRE(refresh_use(&town.tx, &another, token, START, &used, &verdict, &town.err));
		assert_int_equal(verdict, REFRESH_UNKNOWN);
	}
	(void)next_at(token, START);
}

/* Neither a token nor what it follows from is in the document. */
static void
test_only_digests_are_kept(void **state)
{
	view token = begin_at(START), next = next_at(token, START + 1), secret, *keys;
	AUTO(plain_done) struct plain *document = NULL;
	char bytes[64];
	size_t count, len;
	view prefix;

	(void)state;
	REQUIRE(refresh_prefix(&town.arena, &town.tenant, &user, &prefix, &town.err));
	REQUIRE(store_keys(town.reader, prefix, V(""), 10, &town.arena, &keys, &count, &town.err));
	assert_int_equal(count, 1);
	REQUIRE(tx_get(&town.tx, keyring_system(town.keyring), keys[0], &document, &town.err));
	for (int i = 0; i < 2; i++) {
		secret = view_from(i == 0 ? token : next, token.len - REFRESH_SECRET_TEXT);
		assert_true(base64_decode(BASE64URL, secret, bytes, &len));
		for (size_t at = 0; at + len <= plain_view(document).len; at++)
			assert_memory_not_equal(plain_view(document).ptr + at, bytes, len);
	}
}

static void
test_families_of_one_are_bounded(void **state)
{
	view first = begin_at(START), last;
	int64_t then = clock_mono();

	(void)state;
	/* Names are in order from one millisecond to the next. */
	while (clock_mono() < then + 2000000)
		continue;
	for (int i = 1; i < REFRESH_FAMILIES_MAX; i++)
		(void)begin_at(START);
	assert_int_equal(use_at(first, START), REFRESH_FINE);
	first = used.next;
	last = begin_at(START);
	assert_int_equal(families(), REFRESH_FAMILIES_MAX);
	assert_int_equal(use_at(first, START), REFRESH_UNKNOWN);
	(void)next_at(last, START);
}

/* Revoked while its first token is on its way: the commit that loses the race is refused. */
static void
test_revoked_before_it_is_there(void **state)
{
	AUTO(buf_free) struct buf token = { 0 };
	struct refresh_name name = { .tenant = town.tenant, .user = user };
	struct refresh_facts facts = { .client = user, .resource = V("https://v") };
	struct tx slow;

	(void)state;
	random_ordered(name.family);
	town_begin();
	REQUIRE(refresh_begin(&town.tx, &name, &facts, START, &token, &town.err));
	slow = town.tx;
	town_begin();
	REQUIRE(refresh_revoke(&town.tx, &name, START, &town.err));
	town_commit();
	REFUSED(tx_commit(&slow, town.store, V(""), &town.err), ERR_STORE_CONFLICT, "");
	town_begin();
	REFUSED(refresh_begin(&town.tx, &name, &facts, START, &token, &town.err), ERR_STS_BAD_GRANT,
	    "AADSTS50173");
}

static void
test_sweep(void **state)
{
	view old, fresh;

	(void)state;
	for (int i = 0; i < 300; i++) {
		random_uuid(&user);
		old = begin_at(START);
	}
	fresh = begin_at(START + 10 * DAY);
	REQUIRE(refresh_sweep(town.directory, START + 10 * DAY, &town.err));
	town_begin();
	assert_int_equal(families(), 301);
	REQUIRE(refresh_sweep(town.directory, START + REFRESH_IDLE, &town.err));
	town_begin();
	assert_int_equal(families(), 1);
	assert_int_equal(use_at(old, START + 1), REFRESH_UNKNOWN);
	(void)next_at(fresh, START + 10 * DAY);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, town_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rotation),
		TEST(test_grace),
		TEST(test_reuse),
		TEST(test_hurry),
		TEST(test_expiry),
		TEST(test_nonsense),
		TEST(test_only_digests_are_kept),
		TEST(test_families_of_one_are_bounded),
		TEST(test_revoked_before_it_is_there),
		TEST(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
