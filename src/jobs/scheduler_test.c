#include "base/clock.h"
#include "base/testing.h"
#include "jobs/scheduler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define MILLISECOND INT64_C(1000000)

static atomic_int often, seldom, failing;
static atomic_bool hold, held;

static void
rest(int64_t milliseconds)
{
	const struct timespec ts = { .tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * MILLISECOND };

	(void)nanosleep(&ts, NULL);
}

/* Wait for a number to be reached; what does not come in a minute does not come. */
static bool
reaches(atomic_int *number, int wanted)
{
	for (int i = 0; i < 6000 && atomic_load(number) < wanted; i++)
		rest(10);
	return atomic_load(number) >= wanted;
}

static bool
run_often(void *ctx, struct error *err)
{
	(void)err;
	atomic_fetch_add((atomic_int *)ctx, 1);
	atomic_fetch_add(&often, 1);
	return true;
}

static bool
run_seldom(void *ctx, struct error *err)
{
	(void)ctx;
	(void)err;
	atomic_fetch_add(&seldom, 1);
	return true;
}

static bool
run_failing(void *ctx, struct error *err)
{
	(void)ctx;
	atomic_fetch_add(&failing, 1);
	return error_set(err, ERR_INTERNAL, "as it should");
}

static bool
run_held(void *ctx, struct error *err)
{
	(void)ctx;
	(void)err;
	atomic_store(&held, true);
	while (atomic_load(&hold))
		rest(5);
	return true;
}

static int
setup(void **state)
{
	(void)state;
	atomic_store(&often, 0);
	atomic_store(&seldom, 0);
	atomic_store(&failing, 0);
	atomic_store(&hold, true);
	atomic_store(&held, false);
	return 0;
}

static void
test_runs_at_once_and_again(void **state)
{
	static const struct job jobs[] = {
		{ "seldom", 86400, run_seldom },
		{ "failing", 1, run_failing },
		{ "often", 1, run_often },
	};
	struct scheduler *scheduler = NULL;
	atomic_int ctx = 0;
	int64_t start = clock_mono();
	struct error err;

	(void)state;
	assert_fine(scheduler_start(jobs, COUNT_OF(jobs), &ctx, 0, &scheduler, &err), &err);
	assert_true(reaches(&often, 3));
	assert_true(reaches(&failing, 2));
	scheduler_stop(scheduler);
	assert_int_equal(atomic_load(&seldom), 1);
	assert_int_equal(atomic_load(&ctx), atomic_load(&often));
	/* At once, and not before each second is over. */
	assert_true(atomic_load(&often) <= 1 + (clock_mono() - start) / (1000 * MILLISECOND));
}

static void
test_stops_while_it_sleeps(void **state)
{
	static const struct job jobs[] = { { "seldom", 86400, run_seldom } };
	struct scheduler *scheduler = NULL;
	struct error err;

	(void)state;
	assert_fine(scheduler_start(jobs, COUNT_OF(jobs), NULL, 0, &scheduler, &err), &err);
	assert_true(reaches(&seldom, 1));
	scheduler_stop(scheduler); /* or it would be tomorrow */
	assert_int_equal(atomic_load(&seldom), 1);
	scheduler_stop(NULL);
}

static void *
let_go(void *ctx)
{
	/* Long enough for the other thread to be in scheduler_stop, on a busy machine too. */
	rest(2000);
	atomic_store(&hold, false);
	return ctx;
}

/* The job that runs is waited for; those behind it don't begin any more. */
static void
test_stops_after_the_job_that_runs(void **state)
{
	static const struct job jobs[] = { { "held", 1, run_held }, { "next", 1, run_seldom } };
	struct scheduler *scheduler = NULL;
	struct error err;
	pthread_t thread;

	(void)state;
	assert_fine(scheduler_start(jobs, COUNT_OF(jobs), NULL, 0, &scheduler, &err), &err);
	for (int i = 0; i < 6000 && !atomic_load(&held); i++)
		rest(10);
	assert_true(atomic_load(&held));
	assert_int_equal(pthread_create(&thread, NULL, let_go, NULL), 0);
	scheduler_stop(scheduler);
	assert_false(atomic_load(&hold));
	assert_int_equal(atomic_load(&seldom), 0);
	(void)pthread_join(thread, NULL);
}

static void
test_without_jobs(void **state)
{
	struct scheduler *scheduler = NULL;
	struct error err;

	(void)state;
	assert_fine(scheduler_start(NULL, 0, NULL, 0, &scheduler, &err), &err);
	scheduler_stop(scheduler);
}

#define FRESH(test) cmocka_unit_test_setup(test, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_runs_at_once_and_again),
		FRESH(test_stops_while_it_sleeps),
		FRESH(test_stops_after_the_job_that_runs),
		FRESH(test_without_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
