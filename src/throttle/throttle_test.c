#include "throttle/throttle.h"

#include "base/testing.h"

#include <pthread.h>
#include <stdatomic.h>

#define SECOND ((int64_t)1000000000)
#define WINDOW (10 * SECOND)
#define THREADS 16
#define ROUNDS 5
#define CROWD_LIMIT 1000000 /* of software use at 25000 percent */
#define TRIES (CROWD_LIMIT / THREADS * 5 / 4)
#define MUCH 5000000 /* more than any limit here */

static const struct key_spec rsa_2048 = { .kind = KEY_RSA, .bits = 2048 };
static const struct key_spec rsa_3072 = { .kind = KEY_RSA, .bits = 3072 };
static const struct key_spec rsa_4096 = { .kind = KEY_RSA, .bits = 4096 };
static const struct key_spec rsa_between = { .kind = KEY_RSA, .bits = 2056 };
static const struct key_spec ec_521 = { .kind = KEY_EC, .curve = KEY_P521, .bits = 521 };
static const struct key_spec oct_256 = { .kind = KEY_OCT, .bits = 256 };

static struct error err;

static void
release(struct throttle **throttle)
{
	throttle_release(*throttle);
}

/* How many get through until the first refusal. */
static unsigned
count(struct throttle *throttle, enum throttle_class class, const struct key_spec *spec,
    int64_t now)
{
	unsigned passed = 0;

	while (passed < MUCH && throttle_charge_at(throttle, class, spec, now, &err))
		passed++;
	return passed;
}

/* Reference of the data plane, section 17; and what becomes of it in percent. */
static void
test_limits(void **state)
{
	static const struct {
		unsigned percent;
		enum throttle_class class;
		const struct key_spec *spec;
		unsigned passed;
	} rows[] = {
		{ 100, THROTTLE_SET, NULL, 300 },
		{ 100, THROTTLE_OTHER, NULL, 4000 },
		{ 100, THROTTLE_AUTHORITY, NULL, 200 },
		{ 100, THROTTLE_HSM_CREATE, &rsa_2048, 10 },
		{ 100, THROTTLE_HSM_CREATE, &rsa_4096, 10 },
		{ 100, THROTTLE_HSM_CREATE, &ec_521, 10 },
		{ 100, THROTTLE_SOFT_CREATE, &rsa_3072, 20 },
		{ 100, THROTTLE_SOFT_CREATE, &rsa_4096, 20 },
		{ 100, THROTTLE_HSM_USE, &rsa_2048, 2000 },
		{ 100, THROTTLE_HSM_USE, &rsa_between, 500 },
		{ 100, THROTTLE_HSM_USE, &rsa_3072, 500 },
		{ 100, THROTTLE_HSM_USE, &rsa_4096, 250 },
		{ 100, THROTTLE_HSM_USE, &ec_521, 2000 },
		{ 100, THROTTLE_HSM_USE, &oct_256, 2000 },
		{ 100, THROTTLE_SOFT_USE, &rsa_2048, 4000 },
		{ 100, THROTTLE_SOFT_USE, &rsa_3072, 1000 },
		{ 100, THROTTLE_SOFT_USE, &rsa_4096, 500 },
		{ 100, THROTTLE_SOFT_USE, &ec_521, 4000 },
		{ 1, THROTTLE_SET, NULL, 3 },
		{ 99, THROTTLE_SET, NULL, 297 },
		{ 250, THROTTLE_SET, NULL, 750 },
		{ 100000, THROTTLE_OTHER, NULL, 4000000 },
		{ 4000000000, THROTTLE_HSM_CREATE, NULL, 10000 },
		/* However small the share, one at a time is possible. */
		{ 1, THROTTLE_HSM_CREATE, &rsa_2048, 1 },
		{ 9, THROTTLE_HSM_CREATE, &rsa_2048, 1 },
		{ 1, THROTTLE_HSM_USE, &rsa_4096, 2 },
		{ 1, THROTTLE_SOFT_USE, &rsa_4096, 5 },
		{ 0, THROTTLE_SET, NULL, MUCH },
		{ 100, THROTTLE_NONE, NULL, MUCH },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(release) struct throttle *throttle = throttle_new(rows[i].percent);

		assert_non_null(throttle);
		if (count(throttle, rows[i].class, rows[i].spec, 7 * WINDOW) != rows[i].passed)
			fail_msg("row %zu", i);
	}
	assert_true(throttle_charge(NULL, THROTTLE_HSM_CREATE, NULL, &err));
}

static void
test_says_why(void **state)
{
	AUTO(release) struct throttle *throttle = throttle_new(1);

	(void)state;
	assert_true(throttle_charge_at(throttle, THROTTLE_HSM_CREATE, NULL, 0, &err));
	assert_false(throttle_charge_at(throttle, THROTTLE_HSM_CREATE, NULL, 0, &err));
	assert_int_equal(err.code, ERR_THROTTLED);
	assert_int_equal(error_table[err.code].status, 429);
	assert_string_equal(error_table[err.code].name, "Throttled");
	assert_null(error_table[err.code].inner);
	assert_string_equal(err.message,
	    "Request was not processed because too many requests were received. Reason: "
	    "VaultRequestTypeLimitReached");
}

/* One budget for keys of all sizes; what does not fit takes nothing of it. */
static void
test_keys_share_a_budget(void **state)
{
	AUTO(release) struct throttle *throttle = throttle_new(1); /* 20 units */

	(void)state;
	assert_true(throttle_charge_at(throttle, THROTTLE_HSM_USE, &rsa_4096, 0, &err));
	assert_true(throttle_charge_at(throttle, THROTTLE_HSM_USE, &rsa_4096, 0, &err));
	assert_false(throttle_charge_at(throttle, THROTTLE_HSM_USE, &rsa_4096, 0, &err));
	assert_true(throttle_charge_at(throttle, THROTTLE_HSM_USE, &rsa_2048, 0, &err));
	assert_false(throttle_charge_at(throttle, THROTTLE_HSM_USE, &rsa_3072, 0, &err));
	assert_int_equal(count(throttle, THROTTLE_HSM_USE, &ec_521, 0), 3);
}

static void
test_classes_are_apart(void **state)
{
	AUTO(release) struct throttle *throttle = throttle_new(100);

	(void)state;
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 0), 300);
	assert_int_equal(count(throttle, THROTTLE_HSM_USE, NULL, 0), 2000);
	assert_int_equal(count(throttle, THROTTLE_SOFT_USE, NULL, 0), 4000);
	assert_int_equal(count(throttle, THROTTLE_HSM_CREATE, NULL, 0), 10);
	assert_int_equal(count(throttle, THROTTLE_SOFT_CREATE, NULL, 0), 20);
	assert_int_equal(count(throttle, THROTTLE_OTHER, NULL, 0), 4000);
}

static void
test_windows(void **state)
{
	AUTO(release) struct throttle *throttle = throttle_new(1);

	(void)state;
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 5 * WINDOW), 3);
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 6 * WINDOW - 1), 0);
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 6 * WINDOW), 3);
	/* Who read the clock before the window changed pays from the new one. */
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 6 * WINDOW - 1), 0);
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 6 * WINDOW), 0);
	/* Nothing is saved up. */
	assert_int_equal(count(throttle, THROTTLE_SET, NULL, 1000 * WINDOW), 3);
}

static void
test_waits(void **state)
{
	static const struct {
		int64_t now;
		unsigned seconds;
	} rows[] = {
		{ 0, 10 },
		{ 1, 10 },
		{ SECOND, 9 },
		{ WINDOW - SECOND, 1 },
		{ WINDOW - SECOND - 1, 2 },
		{ WINDOW - 1, 1 },
		{ WINDOW, 10 },
		{ 123 * WINDOW + 4 * SECOND, 6 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(throttle_wait_at(rows[i].now), rows[i].seconds);
	assert_in_range(throttle_wait(), 1, 10);
}

struct crowd {
	struct throttle *throttle;
	pthread_barrier_t barrier;
	atomic_uint passed[ROUNDS];
};

/*
 * All through the same windows: whoever comes to one first opens it.  No few of them could use it
 * up, so that they have to meet.
 */
static void *
push(void *ctx)
{
	struct crowd *crowd = ctx;
	struct error mine;

	for (int64_t round = 0; round < ROUNDS; round++) {
		(void)pthread_barrier_wait(&crowd->barrier);
		for (int i = 0; i < TRIES; i++) {
			if (throttle_charge_at(crowd->throttle, THROTTLE_SOFT_USE, &ec_521,
				round * WINDOW + i, &mine))
				(void)atomic_fetch_add(&crowd->passed[round], 1);
		}
	}
	return NULL;
}

static void
test_is_exact_with_many_threads(void **state)
{
	struct crowd crowd = { .throttle = throttle_new(25000) };
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(crowd.throttle);
	assert_int_equal(pthread_barrier_init(&crowd.barrier, NULL, THREADS), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, push, &crowd), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < ROUNDS; i++)
		assert_int_equal(atomic_load(&crowd.passed[i]), CROWD_LIMIT);
	(void)pthread_barrier_destroy(&crowd.barrier);
	throttle_release(crowd.throttle);
}

static void
test_is_held(void **state)
{
	struct throttle *throttle = throttle_new(1), *second = throttle_hold(throttle);

	(void)state;
	assert_ptr_equal(throttle, second);
	throttle_release(throttle);
	assert_int_equal(count(second, THROTTLE_SET, NULL, 0), 3);
	throttle_release(second);
	assert_null(throttle_hold(NULL));
	throttle_release(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_says_why),
		cmocka_unit_test(test_keys_share_a_budget),
		cmocka_unit_test(test_classes_are_apart),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_is_exact_with_many_threads),
		cmocka_unit_test(test_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
