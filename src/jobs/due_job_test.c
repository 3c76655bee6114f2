#include "base/clock.h"
#include "base/log.h"
#include "base/testing.h"
#include "certs/certificate.h"
#include "certs/outbox.h"
#include "certs/outside.h"
#include "jobs/due_job.h"
#include "keyring/work.h"
#include "vault/deleted.h"
#include "vault/testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	world_vault(&w, "open", "local", 90, false);
	world_vault(&w, "kept", "local", 7, true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_drop(&w);
	return 0;
}

static void
run_job(void)
{
	static const atomic_bool stopping = false;

	assert_fine(due_job(&w.services, &stopping, &w.err), &w.err);
}

static void
delete_one(const char *vault, const char *name)
{
	assert_fine(world_set(&w, vault, name, "x"), &w.err);
	assert_fine(world_run(&w, vault, name, object_delete), &w.err);
}

/* The audit lines that came with the commits; the caller's arena holds them. */
static size_t
journal(struct journal_line **lines)
{
	size_t count;

	arena_wipe(&w.arena);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_journal_read(w.reader, 0, 1000, &w.arena, lines, &count, &w.err), &w.err);
	store_end(w.reader);
	return count;
}

static void
test_purges_what_is_due_and_tells(void **state)
{
	struct journal_line *lines;
	view line;

	(void)state;
	delete_one("kept", "Sooner");
	delete_one("open", "Later");
	run_job();
	assert_int_equal(world_count(&w, "due/"), 2);
	assert_int_equal(journal(&lines), 0);
	clock_set_offset(7 * DAY + 1);
	run_job();
	assert_int_equal(world_count(&w, "due/"), 1);
	assert_false(world_has(&w, "kept", "Sooner", OBJECT_DELETED));
	assert_true(world_has(&w, "open", "Later", OBJECT_DELETED));
	assert_int_equal(journal(&lines), 1);
	assert_true(arena_copy(&w.arena, lines[0].line, &line));
	assert_non_null(strstr(line.ptr, "\"SecretPurge\""));
	assert_non_null(strstr(line.ptr, "/vaults/kept/secrets/Sooner\""));
	clock_set_offset(90 * DAY + 1);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(journal(&lines), 2);
}

static bool
delete_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct vault vault;
	bool found;

	(void)journal;
	return vault_take(tx, view_of(ctx), &vault, &found, err) && found &&
	    vault_delete(tx, &vault, V("resource"), err);
}

/* Protected or not: its time is over, and everything in it goes. */
static void
test_purges_a_vault(void **state)
{
	static char kept[] = "kept";
	struct journal_line *lines;
	view line;

	(void)state;
	delete_one("kept", "gone-on-time");
	assert_fine(world_set(&w, "kept", "rest", "x"), &w.err);
	assert_fine(world_set(&w, "open", "other", "x"), &w.err);
	clock_set_offset(10);
	assert_fine(work_run(w.place.store, w.place.keyring, delete_body, kept, &w.err), &w.err);
	clock_set_offset(7 * DAY + 5);
	run_job();
	assert_int_equal(journal(&lines), 1);
	assert_int_equal(world_count(&w, "dvault/"), 1);
	clock_set_offset(7 * DAY + 15);
	run_job();
	assert_int_equal(world_count(&w, "dvault"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(world_count(&w, "v/"), 2);
	assert_int_equal(journal(&lines), 2);
	assert_true(arena_copy(&w.arena, lines[1].line, &line));
	assert_non_null(strstr(line.ptr, "\"VaultPurge\""));
	assert_non_null(strstr(line.ptr, "/VAULTS/KEPT\""));
}

static void
test_more_than_a_page(void **state)
{
	struct journal_line *lines;
	char name[16];

	(void)state;
	for (int i = 0; i < 250; i++) {
		(void)snprintf(name, sizeof(name), "name-%d", i);
		delete_one("open", name);
	}
	clock_set_offset(90 * DAY + 10);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(journal(&lines), 250);
}

/* What a purge of many versions leaves over is taken away, run by run; only the purge is told. */
static void
test_many_versions(void **state)
{
	struct journal_line *lines;

	(void)state;
	for (int i = 0; i < 2500; i++)
		assert_fine(world_set(&w, "open", "name", "x"), &w.err);
	assert_fine(world_run(&w, "open", "name", object_delete), &w.err);
	clock_set_offset(90 * DAY + 10);
	for (int i = 0; i < 4; i++)
		run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 0);
	assert_int_equal(journal(&lines), 1);
}

/* One that can't be done is left, and the others are done. */
static void
test_a_broken_one_holds_nothing_up(void **state)
{
	const struct change change = { .kind = CHANGE_PUT,
		.key = V("due/0000000000000000/1/x"),
		.value = { V("not sealed") } };

	(void)state;
	log_set_level(LOG_ERROR + 1);
	assert_fine(store_commit_wait(w.place.store, &change, 1, V(""), &w.err), &w.err);
	delete_one("open", "name");
	clock_set_offset(90 * DAY + 10);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	assert_int_equal(world_count(&w, "due/"), 1);
	log_set_level(LOG_INFO);
}

/* A key that names no time must not keep the purges behind it from ever being done. */
static void
test_an_impossible_key_holds_nothing_up(void **state)
{
	const struct change change = { .kind = CHANGE_PUT,
		.key = V("due/-"),
		.value = { V("not sealed") } };

	(void)state;
	log_set_level(LOG_ERROR + 1);
	assert_fine(store_commit_wait(w.place.store, &change, 1, V(""), &w.err), &w.err);
	delete_one("open", "name");
	clock_set_offset(90 * DAY + 10);
	run_job();
	assert_int_equal(world_count(&w, "v/"), 0);
	log_set_level(LOG_INFO);
}

/*
 * What waits for others: e-mail, to a server that hangs up on everybody, at once or after a while.
 * Called once too often, it has the job stop.
 */
#define CALLS_MAX 10
static struct {
	int listener;
	pthread_t thread;
	char url[32];
	atomic_uint calls;
	atomic_int pause; /* milliseconds */
	atomic_bool over, stopping;
} post;
static struct smtp smtp;
static struct outside outside;
static struct lanes lanes;

static void
pause_for(int milliseconds)
{
	(void)poll(NULL, 0, milliseconds);
}

static void *
hang_up(void *ctx)
{
	struct pollfd ready = { .fd = post.listener, .events = POLLIN };

	while (!atomic_load(&post.over)) {
		int connection;

		if (poll(&ready, 1, 20) != 1)
			continue;
		connection = accept(post.listener, NULL, NULL);
		if (atomic_fetch_add(&post.calls, 1) + 1 == CALLS_MAX)
			atomic_store(&post.stopping, true);
		pause_for(atomic_load(&post.pause));
		(void)close(connection);
	}
	return ctx;
}

static void
post_open(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	post.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(post.listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(post.listener, 16), 0);
	assert_int_equal(getsockname(post.listener, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(post.url, sizeof(post.url), "smtp://127.0.0.1:%u",
	    (unsigned)ntohs(address.sin_port));
	atomic_store(&post.calls, 0);
	atomic_store(&post.pause, 0);
	atomic_store(&post.over, false);
	atomic_store(&post.stopping, false);
	assert_int_equal(pthread_create(&post.thread, NULL, hang_up, NULL), 0);
}

static int
setup_away(void **state)
{
	(void)state;
	world_make_lasting(&w);
	world_vault(&w, "open", "local", 90, false);
	post_open();
	smtp = (struct smtp){ .url = post.url, .from = "vault@example.com" };
	outside = (struct outside){ .smtp = &smtp };
	w.services.outside = &outside;
	lanes_init(&lanes);
	log_set_level(LOG_ERROR + 1);
	return 0;
}

static int
teardown_away(void **state)
{
	log_set_level(LOG_INFO);
	atomic_store(&post.over, true);
	(void)pthread_join(post.thread, NULL);
	(void)close(post.listener);
	lanes_done(&lanes);
	return teardown(state);
}

static bool
letter_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct outbox_letter letter = { V("a@example.org"), V("It ends"), V("soon") };
	struct vault vault;
	bool found;

	(void)ctx;
	(void)journal;
	return vault_take(tx, V("open"), &vault, &found, err) && found &&
	    outbox_add(&w.services, tx, &vault, &letter, clock_now(), err);
}

static void
write_letters(unsigned count)
{
	while (count-- > 0)
		assert_fine(work_run(w.place.store, w.place.keyring, letter_body, NULL, &w.err),
		    &w.err);
}

static void
run_away(void)
{
	assert_fine(due_away_job(&w.services, &lanes, &post.stopping, &w.err), &w.err);
}

/* No file of this process may grow any more; and again it may. */
static void
fill_disk(bool full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Run it so often, or until so many have called; how many did. */
static unsigned
call_on_full_disk(int times)
{
	fill_disk(true);
	for (int i = 0; i < times; i++)
		run_away();
	fill_disk(false);
	return atomic_load(&post.calls);
}

/*
 * It is not known to be sent while that can't be written, and must not be sent again before it can;
 * nor, when the server is slow, without end in one run of the job.
 */
static void
test_nothing_is_sent_again_and_again(void **state)
{
	static const int pauses[] = { 0, 2300 }; /* the second is longer than a turn */

	(void)state;
	write_letters(3);
	for (size_t i = 0; i < COUNT_OF(pauses); i++) {
		const int64_t begun = clock_mono();

		atomic_store(&post.calls, 0);
		atomic_store(&post.pause, pauses[i]);
		assert_int_equal(call_on_full_disk(5), 1);
		assert_true(lanes_held(&lanes, lanes_number(V("")), begun));
		assert_int_equal(world_count(&w, "away/"), 3);
		pause_for(1100);
		assert_int_equal(call_on_full_disk(5), 1);
		assert_true(store_try(w.place.store));
		lanes_done(&lanes);
		lanes_init(&lanes);
	}
	/* It can be written again: the others are not held, and none is lost. */
	atomic_store(&post.calls, 0);
	run_away();
	assert_int_equal(atomic_load(&post.calls), 3);
	assert_int_equal(world_count(&w, "away/"), 3);
	assert_int_equal(lanes.slow_count, 1); /* the server took longer than a turn */
	atomic_store(&post.calls, 0);
	run_away(); /* they are due later now */
	assert_int_equal(atomic_load(&post.calls), 0);
}

/* Who has failed before, and works now, is held no longer for that when he fails again. */
static void
test_who_works_begins_anew(void **state)
{
	const int64_t second = 1000000000, now = clock_mono();
	const uint64_t mail = lanes_number(V(""));

	(void)state;
	write_letters(1);
	for (int64_t ago = 100; ago > 50; ago -= 10)
		lanes_failed(&lanes, mail, 1, now - ago * second);
	run_away();
	assert_int_equal(atomic_load(&post.calls), 1);
	lanes_failed(&lanes, mail, 1, now);
	assert_true(lanes_held(&lanes, mail, now + second - 1));
	assert_false(lanes_held(&lanes, mail, now + second));
}

static void
break_document(const char *key)
{
	const struct change change = { .kind = CHANGE_PUT,
		.key = view_of(key),
		.value = { V("not sealed") } };

	assert_fine(store_commit_wait(w.place.store, &change, 1, V(""), &w.err), &w.err);
}

/* What waits for others; the caller's arena holds the paths. */
static size_t
waiting(struct arena *arena, view **paths)
{
	size_t count;

	arena_init(arena, (size_t)1 << 20);
	assert_fine(store_begin(w.reader, &w.err), &w.err);
	assert_fine(store_keys(w.reader, V("away/"), V(""), 1000, arena, paths, &count, &w.err),
	    &w.err);
	store_end(w.reader);
	return count;
}

/* The first letter can't be read, nor can what comes before it; they stop nobody of their lane. */
static void
test_broken_ones_stop_no_others(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view *paths;
	char key[STORE_KEY_MAX];

	(void)state;
	write_letters(3);
	assert_int_equal(waiting(&arena, &paths), 3);
	break_document("away/0000000000000000/9/x");
	(void)snprintf(key, sizeof(key), "%.*s", VIEW_ARG(paths[0]));
	break_document(key);
	for (int i = 0; i < 5; i++)
		run_away();
	assert_int_equal(atomic_load(&post.calls), 2);
	assert_int_equal(world_count(&w, "away/"), 4);
}

/* A failure beside what waits for its turn: the turn comes, and the run ends. */
static void
test_turns_beside_a_failure(void **state)
{
	const uint64_t mail = lanes_number(V(""));

	(void)state;
	write_letters(1);
	break_document("away/0000000000000000/9/x");
	assert_int_equal(lanes_enter(&lanes, mail, clock_mono()), LANE_ENTERED);
	lanes_leave(&lanes, mail, true);
	run_away();
	assert_int_equal(atomic_load(&post.calls), 0);
	run_away();
	assert_int_equal(atomic_load(&post.calls), 1);
}

/* Another has taken its place over among those whose lane is remembered: it is read again. */
static bool
is_displaced(const view *paths, size_t count, size_t which)
{
	uint64_t place = (lanes_number(paths[which]) >> 1) % LANES_PLACED;

	for (size_t i = 0; i < count; i++) {
		if (i != which && (lanes_number(paths[i]) >> 1) % LANES_PLACED == place)
			return true;
	}
	return false;
}

/*
 * Those that wait in a lane where somebody is are read once, and not each time they are passed:
 * so it goes unnoticed that they can't be read any more.
 */
static void
test_who_waits_is_read_once(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	const uint64_t mail = lanes_number(V(""));
	const int64_t begun = clock_mono();
	char key[STORE_KEY_MAX];
	view *paths;
	size_t count;

	(void)state;
	write_letters(250);
	count = waiting(&arena, &paths);
	assert_int_equal(count, 250);
	assert_int_equal(lanes_enter(&lanes, mail, clock_mono()), LANE_ENTERED);
	run_away();
	for (size_t i = 0; i < count; i++) {
		if (!is_displaced(paths, count, i))
			assert_int_equal(lanes_placed(&lanes, lanes_number(paths[i])), mail);
		(void)snprintf(key, sizeof(key), "%.*s", VIEW_ARG(paths[i]));
		break_document(key);
	}
	for (int i = 0; i < 5; i++)
		run_away();
	for (size_t i = 0; i < count; i++) {
		if (!is_displaced(paths, count, i))
			assert_false(lanes_held(&lanes, lanes_number(paths[i]), begun));
	}
	lanes_leave(&lanes, mail, false);
	run_away();
	for (size_t i = 0; i < count; i++)
		assert_true(lanes_held(&lanes, lanes_number(paths[i]), begun));
	assert_int_equal(atomic_load(&post.calls), 0);
}

/* A certificate whose issuance by an outside issuer is due, and was cancelled. */
static bool
step_begin(struct request *r, void *ctx, struct error *err)
{
	const struct certificate certificate = { .cer = V("x"), .thumbprint = V("x") };
	AUTO(buf_free) struct buf content = { 0 };
	AUTO(object_done) struct object object = { 0 };
	struct version version = { .attributes = { .enabled = true, .created = clock_now() } };
	struct certificate_state state = { .has_pending = true };
	struct pending *pending = &state.pending;

	(void)ctx;
	certificate_pack(&certificate, &content);
	cert_policy_default(&state.policy);
	state.policy.issuer = pending->issuer = V("mine");
	pending->request_id = pending->version = V("0123456789abcdef0123456789abcdef");
	pending->cancel = true;
	return arena_copy(r->arena, buf_view(&content), &version.content) &&
	    object_add_version(r, &certificate_type, r->params[0], &object, &version, err) &&
	    pending_schedule(r, &object, pending, clock_now(), err) &&
	    certificate_state_write(r, &object, &state, err);
}

static bool
step_delete(struct request *r, void *ctx, struct error *err)
{
	(void)ctx;
	return object_delete(r, &certificate_type, err);
}

static bool
step_recover(struct request *r, void *ctx, struct error *err)
{
	(void)ctx;
	return object_recover(r, &certificate_type, err);
}

/*
 * While a certificate is deleted nobody can say which issuer it waits for.  Recovered, it waits for
 * that one, and not any longer for whoever is in the lane that it stood in meanwhile.
 */
static void
test_what_is_deleted_has_no_lane_yet(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	const uint64_t mail = lanes_number(V(""));
	view *paths;

	(void)state;
	assert_fine(world_do(&w, "open", "web", step_begin, NULL), &w.err);
	assert_fine(world_do(&w, "open", "web", step_delete, NULL), &w.err);
	assert_int_equal(lanes_enter(&lanes, mail, clock_mono()), LANE_ENTERED);
	run_away();
	assert_int_equal(waiting(&arena, &paths), 1);
	assert_int_equal(lanes_placed(&lanes, lanes_number(paths[0])), 0);
	assert_fine(world_do(&w, "open", "web", step_recover, NULL), &w.err);
	run_away();
	assert_int_not_equal(lanes_placed(&lanes, lanes_number(paths[0])), 0);
	assert_int_equal(world_count(&w, "away/"), 0);
	lanes_leave(&lanes, mail, false);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define AWAY(test) cmocka_unit_test_setup_teardown(test, setup_away, teardown_away)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_purges_what_is_due_and_tells),
		FRESH(test_purges_a_vault),
		FRESH(test_more_than_a_page),
		FRESH(test_many_versions),
		FRESH(test_a_broken_one_holds_nothing_up),
		FRESH(test_an_impossible_key_holds_nothing_up),
		AWAY(test_nothing_is_sent_again_and_again),
		AWAY(test_who_works_begins_anew),
		AWAY(test_broken_ones_stop_no_others),
		AWAY(test_turns_beside_a_failure),
		AWAY(test_who_waits_is_read_once),
		AWAY(test_what_is_deleted_has_no_lane_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
