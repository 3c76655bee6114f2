/* One thread, a real server, and clients that wait or leave. */
#include "answer_queue.h"

#include "base/testing.h"
#include "http/test_site.h"

#include <sys/socket.h>
#include <unistd.h>

#define QUEUED_MAX 20

/* The path of a request is its name, the letter that it begins with its vault's; L's are long. */
static struct {
	struct test_site *site;
	struct slow_queue *queue;
	_Atomic(struct http_exchange *) queued[QUEUED_MAX];
	atomic_uint count;
	atomic_uint begun;   /* works and drops */
	atomic_uint through; /* so many works may come to their end */
	struct buf story;    /* the thread's: what was worked on, and what was dropped */
} bench;

static void
note(const char *what, const struct http_exchange *exchange)
{
	buf_add(&bench.story, view_of(what));
	buf_add(&bench.story, view_from(exchange->request.path, 1));
	bench.begun++;
}

static void
work(struct http_exchange *exchange)
{
	note(" ", exchange);
	while (bench.through < bench.begun)
		(void)usleep(1000);
}

static void
drop(struct http_exchange *exchange)
{
	note(" -", exchange);
}

static void
done(struct http_exchange *exchange)
{
	exchange->reply.status = 200;
	http_send(exchange);
}

static void
answer(void *ctx, struct http_exchange *exchange)
{
	static const struct slow_job job = { work, drop, done, false };
	static const struct slow_job brief = { work, drop, done, true };
	struct uuid vault = { "00000000-0000-4000-8000-000000000000" };
	struct test_site *site = ctx;
	struct error err;

	vault.text[0] = exchange->request.path.ptr[1];
	exchange->user = site;
	site->answered++;
	assert_true(slow_queue_add(bench.queue, &vault, exchange,
	    vault.text[0] == 'L' ? &job : &brief, &err));
	bench.queued[bench.count] = exchange;
	bench.count++;
}

static void
await(const atomic_uint *count, unsigned wanted)
{
	for (unsigned i = 0; *count < wanted && i < 30000; i++)
		(void)usleep(1000);
	assert_int_equal(*count, wanted);
}

static int
setup_patient(void **ctx, int64_t patience)
{
	const struct slow_rules rules = { .patience = patience, .bounds.each = QUEUED_MAX };
	struct error err;

	(void)test_site_make(ctx);
	memset(&bench, 0, sizeof(bench));
	bench.site = *ctx;
	bench.site->settings.answer = answer;
	bench.site->settings.loops = 1;
	assert_true(slow_queue_new(1, &rules, &bench.queue, &err));
	test_site_start(bench.site);
	return 0;
}

static int
setup(void **ctx)
{
	return setup_patient(ctx, 0);
}

static int
setup_with_patience(void **ctx)
{
	return setup_patient(ctx, INT64_MAX);
}

static int
teardown(void **ctx)
{
	int result;

	bench.through = QUEUED_MAX; /* also when the test has failed */
	result = test_site_end(ctx);
	slow_queue_free(bench.queue);
	buf_free(&bench.story);
	return result;
}

/* Ask, and see it queued. */
static struct peer
ask(const char *name)
{
	struct peer peer = test_site_guest(bench.site);
	unsigned before = bench.count;
	char text[64];

	(void)snprintf(text, sizeof(text), "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", name);
	assert_true(peer_send(&peer, view_of(text)));
	await(&bench.count, before + 1);
	return peer;
}

static void
ask_all(const char *const *names, size_t count, struct peer *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = ask(names[i]);
		if (i == 0) /* holds the thread */
			await(&bench.begun, 1);
	}
}

/* All are let through, and answered. */
static void
finish(struct peer *peers, size_t count)
{
	bench.through = QUEUED_MAX;
	await(&bench.site->seen, (unsigned)count);
	for (size_t i = 0; i < count; i++)
		peer_done(&peers[i]);
}

static void
test_vaults_take_turns(void **ctx)
{
	static const char *const names[] = { "A1", "A2", "A3", "A4", "B1" };
	struct peer peers[COUNT_OF(names)];

	(void)ctx;
	ask_all(names, COUNT_OF(names), peers);
	finish(peers, COUNT_OF(names));
	assert_text(buf_view(&bench.story), V(" A1 A2 B1 A3 A4"));
}

/* Closed or reset: what had begun goes on, what waits is not done. */
static void
test_who_left_is_passed_over(void **ctx)
{
	static const char *const names[] = { "A1", "A2", "A3", "B1" };
	struct peer peers[COUNT_OF(names)];
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)ctx;
	ask_all(names, COUNT_OF(names), peers);
	assert_int_equal(setsockopt(peers[3].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		bool leaves = i != 2;

		if (leaves)
			peer_done(&peers[i]);
		for (unsigned n = 0; leaves && !http_left(bench.queued[i]) && n < 30000; n++)
			(void)usleep(1000);
		assert_int_equal(http_left(bench.queued[i]), leaves);
	}
	bench.through = QUEUED_MAX;
	await(&bench.site->seen, COUNT_OF(names));
	assert_text(buf_view(&bench.story), V(" A1 -A2 -B1 A3"));
	peer_done(&peers[2]);
}

static void
test_given_up(void **ctx)
{
	static const char *const names[] = { "A1", "B1" };
	struct peer peers[COUNT_OF(names)];

	(void)ctx;
	ask_all(names, COUNT_OF(names), peers);
	slow_queue_give_up(bench.queue);
	finish(peers, COUNT_OF(names));
	assert_text(buf_view(&bench.story), V(" A1 -B1"));
}

static void
test_told_at_once(void **ctx)
{
	static const char *const names[] = { "A1", "A2" };
	struct peer peers[COUNT_OF(names)];

	(void)ctx;
	ask_all(names, COUNT_OF(names), peers);
	bench.through = 1;
	await(&bench.site->seen, 1);
	assert_int_equal(bench.through, 1);
	finish(peers, COUNT_OF(names));
}

/*
 * The loop hears of them when nothing waits any more.  It takes what was asked later, so it would
 * have heard by then.
 */
static void
test_kept_for_the_next(void **ctx)
{
	static const char *const names[] = { "A1", "A2", "B1", "A3", "A4" };
	struct peer peers[COUNT_OF(names)];

	(void)ctx;
	ask_all(names, 3, peers);
	bench.through = 2;
	await(&bench.begun, 3);
	for (size_t i = 3; i < COUNT_OF(names); i++)
		peers[i] = ask(names[i]);
	assert_int_equal(bench.site->seen, 0);
	finish(peers, COUNT_OF(names));
}

static void
test_not_kept_for_a_long_one(void **ctx)
{
	static const char *const names[] = { "A1", "L1" };
	struct peer peers[COUNT_OF(names)];

	(void)ctx;
	ask_all(names, COUNT_OF(names), peers);
	bench.through = 1;
	await(&bench.site->seen, 1);
	finish(peers, COUNT_OF(names));
}

/* However patient: more than a thread keeps. */
static void
test_kept_up_to_a_bound(void **ctx)
{
	static const char *const names[] = { "A", "A", "A", "A", "A", "A", "A", "A", "A", "A", "A",
		"A", "A", "A", "A", "A", "A", "A" };
	struct peer peers[COUNT_OF(names)];

	(void)ctx;
	ask_all(names, COUNT_OF(names), peers);
	bench.through = COUNT_OF(names) - 1;
	await(&bench.site->seen, 16);
	finish(peers, COUNT_OF(names));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PATIENT(name) cmocka_unit_test_setup_teardown(name, setup_with_patience, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_vaults_take_turns),
		CASE(test_who_left_is_passed_over),
		CASE(test_given_up),
		CASE(test_told_at_once),
		PATIENT(test_kept_for_the_next),
		PATIENT(test_not_kept_for_a_long_one),
		PATIENT(test_kept_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
