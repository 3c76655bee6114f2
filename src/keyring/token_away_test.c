/*
 * The token's sessions: tokens that are away, come back, refuse us, and many threads at once.
 */
#include "keyring/token_testing.h"
#include "base/testing.h"
#include "crypto/random.h"
#include "keyring/software.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 12

static const struct key_spec p256 = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256, .hsm = true };
static const struct key_spec oct = { .kind = KEY_OCT, .bits = 256, .hsm = true };

/* Longer than the token is left alone after a try to open it. */
static void
wait_a_while(void)
{
	assert_int_equal(usleep(1100 * 1000), 0);
}

static void
assert_away(struct hsm *hsm, bool ok)
{
	assert_false(ok);
	assert_int_equal(hsm->err.code, ERR_UNAVAILABLE);
	assert_string_equal(hsm->err.message, "The HSM token is not available at the moment.");
}

static void
assert_all_away(struct hsm *hsm, const struct hsm_key *key)
{
	struct hsm_key other = { .spec = p256, .id = hsm_id(hsm) };

	assert_away(hsm, hsm_signs(hsm, key));
	assert_away(hsm, token_destroy(hsm->token, key->id, &hsm->err));
	assert_away(hsm,
	    token_generate(hsm->token, &p256, other.id, &hsm->arena, &other.public, &other.wrapped,
		&hsm->err));
	assert_away(hsm, token_restore(hsm->token, &p256, key->id, key->wrapped, &hsm->err));
}

static void
test_away_and_back(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, p256);

	for (int i = 0; i < 3; i++) {
		assert_true(hsm_signs(hsm, &key));
		hsm_move(hsm, true);
		assert_all_away(hsm, &key);
		wait_a_while();
		assert_all_away(hsm, &key);
		hsm_move(hsm, false);
		wait_a_while();
		assert_true(hsm_signs(hsm, &key));
		key = hsm_make(hsm, p256);
	}
}

/* Each kind of call finds it out by itself. */
static void
test_found_out(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, oct), fresh;
	struct key_message in = { .value = V("0123456789abcdef"), .iv = V("0123456789abcdef") };
	struct key_result out;

	for (int i = 0; i < 5; i++) {
		fresh = (struct hsm_key){ .spec = oct, .id = hsm_id(hsm) };
		assert_true(hsm->token->ready);
		hsm_move(hsm, true);
		switch (i) {
		case 0:
			assert_away(hsm, hsm_use(hsm, &key, "A256CBC", KEY_ENCRYPT, &in, &out));
			break;
		case 1:
			assert_away(hsm, hsm_use(hsm, &key, "A256CBC", KEY_DECRYPT, &in, &out));
			break;
		case 2:
			assert_away(hsm,
			    token_restore(hsm->token, &oct, fresh.id, key.wrapped, &hsm->err));
			break;
		case 3: assert_away(hsm, token_destroy(hsm->token, key.id, &hsm->err)); break;
		default:
			assert_away(hsm,
			    token_generate(hsm->token, &oct, fresh.id, &hsm->arena, &fresh.public,
				&fresh.wrapped, &hsm->err));
		}
		assert_false(hsm->token->ready);
		hsm_move(hsm, false);
		wait_a_while();
		assert_fine(hsm_use(hsm, &key, "A256CBC", KEY_ENCRYPT, &in, &out), &hsm->err);
	}
}

/* At most one try in a second. */
static void
test_tries(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key key = hsm_make(hsm, p256);
	int64_t tried;

	hsm_move(hsm, true);
	assert_away(hsm, hsm_signs(hsm, &key)); /* finds out */
	wait_a_while();
	assert_away(hsm, hsm_signs(hsm, &key)); /* tries */
	tried = hsm->token->tried;
	assert_away(hsm, hsm_signs(hsm, &key));
	hsm_move(hsm, false);
	assert_away(hsm, hsm_signs(hsm, &key)); /* not again yet */
	assert_true(hsm->token->tried == tried);
	wait_a_while();
	assert_true(hsm_signs(hsm, &key));
}

/* Opening: one token at a time, because the library is one. */

static int
close_token(void **state)
{
	struct hsm *hsm = *state;

	token_close(hsm->token);
	hsm->token = NULL;
	return 0;
}

static int
open_token(void **state)
{
	struct hsm *hsm = *state;

	token_close(hsm->token);
	hsm->token = NULL;
	return token_open(&hsm->settings, &hsm->token, &hsm->err) ? 0 : -1;
}

static void
test_not_opened(void **state)
{
	static const struct {
		const char *pin;
		mode_t mode;
		const char *module; /* NULL: the right one */
		const char *message;
	} rows[] = {
		{ "wrong pin\n", 0600, NULL, "The HSM token refuses the PIN." },
		{ "\n" HSM_PIN "\n", 0600, NULL,
		    "The token's PIN file does not begin with a line of 1 to 255 bytes." },
		{ "", 0600, NULL,
		    "The token's PIN file does not begin with a line of 1 to 255 bytes." },
		{ HSM_PIN, 0640, NULL,
		    "The token's PIN file has mode 0640, which lets others at it: chmod 0600 it." },
		{ HSM_PIN, 0604, NULL,
		    "The token's PIN file has mode 0604, which lets others at it: chmod 0600 it." },
		{ HSM_PIN, 0600, "/nowhere/libhsm.so",
		    "The HSM's library can't be loaded, or is not one of PKCS#11." },
		{ HSM_PIN, 0600, "libm.so.6",
		    "The HSM's library can't be loaded, or is not one of PKCS#11." },
	};
	struct hsm *hsm = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct token_settings settings = hsm->settings;
		char path[PATH_LEN];

		write_file(hsm->folder, "other", view_of(rows[i].pin), path);
		assert_int_equal(chmod(path, rows[i].mode), 0);
		settings.pin_file = path;
		if (rows[i].module != NULL)
			settings.module = rows[i].module;
		assert_false(token_open(&settings, &hsm->token, &hsm->err));
		assert_int_equal(hsm->err.code, ERR_BAD_REQUEST);
		assert_string_equal(hsm->err.message, rows[i].message);
		assert_null(hsm->token);
	}
}

static void
test_no_pin_file(void **state)
{
	struct hsm *hsm = *state;
	const char *const paths[] = { "/nowhere/pin", hsm->folder };

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct token_settings settings = hsm->settings;

		settings.pin_file = paths[i];
		assert_false(token_open(&settings, &hsm->token, &hsm->err));
		assert_int_equal(hsm->err.code, ERR_BAD_REQUEST);
	}
}

static void
test_other_label(void **state)
{
	static const char *const labels[] = { "strongroom", "strongroom test 2", "" };
	struct hsm *hsm = *state;

	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		struct token_settings settings = hsm->settings;
		struct hsm_key key = { .spec = oct, .id = hsm_id(hsm) };

		settings.label = labels[i];
		assert_fine(token_open(&settings, &hsm->token, &hsm->err), &hsm->err);
		assert_away(hsm,
		    token_generate(hsm->token, &oct, key.id, &hsm->arena, &key.public, &key.wrapped,
			&hsm->err));
		(void)close_token(state);
	}
}

/* Not there at the start is no error; and what is there later is used. */
static void
test_comes_later(void **state)
{
	struct hsm *hsm = *state;

	hsm_move(hsm, true);
	assert_fine(token_open(&hsm->settings, &hsm->token, &hsm->err), &hsm->err);
	hsm_move(hsm, false);
	wait_a_while();
	assert_int_equal(hsm_make(hsm, p256).public.x.len, 32);
}

/* A PIN that was refused is not tried over and over: the token would be locked. */
static void
test_refused_later(void **state)
{
	struct hsm *hsm = *state;
	struct token_settings settings = hsm->settings;
	struct hsm_key key = { .spec = oct, .id = hsm_id(hsm) };
	char path[PATH_LEN];
	int64_t tried;

	write_file(hsm->folder, "other", V("wrong pin"), path);
	assert_int_equal(chmod(path, 0600), 0);
	settings.pin_file = path;
	hsm_move(hsm, true);
	assert_fine(token_open(&settings, &hsm->token, &hsm->err), &hsm->err);
	hsm_move(hsm, false);
	tried = hsm->token->tried;
	for (int i = 0; i < 2; i++) {
		wait_a_while();
		assert_away(hsm, token_destroy(hsm->token, key.id, &hsm->err));
		assert_true(hsm->token->refused);
		assert_true(i == 0 ? hsm->token->tried != tried : hsm->token->tried == tried);
		tried = hsm->token->tried;
	}
}

/* A token opened again finds its keys. */
static void
test_opened_again(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key key;

	assert_fine(token_open(&hsm->settings, &hsm->token, &hsm->err), &hsm->err);
	key = hsm_make(hsm, p256);
	assert_true(atomic_load(&hsm->token->wraps));
	assert_int_equal(open_token(state), 0);
	assert_true(atomic_load(&hsm->token->wraps));
	assert_true(hsm_signs(hsm, &key));
	assert_fine(token_destroy(hsm->token, key.id, &hsm->err), &hsm->err);
	assert_fine(token_restore(hsm->token, &p256, key.id, key.wrapped, &hsm->err), &hsm->err);
	assert_true(hsm_signs(hsm, &key));
}

/* Threads */

struct worker {
	pthread_t thread;
	struct token *token;
	const struct hsm_key *signer;
	struct hsm_key own;
	unsigned fine, away, wrong;
	struct error err; /* of the last that was wrong */
};

static bool
wrap_and_back(struct worker *worker, struct arena *arena, struct error *err)
{
	const struct key_algorithm *algorithm = key_algorithm_find(V("A256GCM"));
	struct key_message in = { .value = V("the same again") }, back;
	struct key_result out;

	if (!token_use(worker->token, &oct, worker->own.id, algorithm, KEY_ENCRYPT, &in, arena,
		&out, err))
		return false;
	back = (struct key_message){ .value = out.value, .iv = out.iv, .tag = out.tag };
	if (!token_use(worker->token, &oct, worker->own.id, algorithm, KEY_DECRYPT, &back, arena,
		&out, err))
		return false;
	worker->wrong += !view_eq(in.value, out.value);
	return true;
}

static bool
sign_and_verify(struct worker *worker, struct arena *arena, struct error *err)
{
	const struct key_algorithm *algorithm = key_algorithm_find(V("ES256"));
	AUTO(software_done) struct software_key *public = NULL;
	struct key_message in = { .value = V("0123456789abcdef0123456789abcdef") };
	struct key_result out;

	if (!token_use(worker->token, &p256, worker->signer->id, algorithm, KEY_SIGN, &in, arena,
		&out, err))
		return false;
	in.signature = out.value;
	worker->wrong += !software_public(&p256, &worker->signer->public, &public, err) ||
	    !software_use(public, algorithm, KEY_VERIFY, &in, arena, &out, err) || !out.verified;
	return true;
}

static bool
make_and_destroy(struct worker *worker, struct arena *arena, struct error *err)
{
	struct key_numbers public;
	char id[HEX16_LEN + 1];
	view wrapped;

	random_version(id);
	return token_generate(worker->token, &p256, view_of(id), arena, &public, &wrapped, err) &&
	    token_destroy(worker->token, view_of(id), err);
}

static bool
work_once(struct worker *worker, struct arena *arena, struct error *err)
{
	return token_restore(worker->token, &oct, worker->own.id, worker->own.wrapped, err) &&
	    wrap_and_back(worker, arena, err) && sign_and_verify(worker, arena, err) &&
	    make_and_destroy(worker, arena, err) &&
	    token_destroy(worker->token, worker->own.id, err);
}

static void *
work(void *ctx)
{
	struct worker *worker = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		struct arena arena;
		struct error err;

		arena_init(&arena, (size_t)1 << 20);
		if (work_once(worker, &arena, &err))
			worker->fine++;
		else if (err.code == ERR_UNAVAILABLE)
			worker->away++;
		else {
			worker->wrong++;
			worker->err = err;
		}
		arena_free(&arena);
		(void)usleep(worker->away > 0 ? 50 * 1000 : 0);
	}
	return NULL;
}

static void
start_workers(struct hsm *hsm, struct worker workers[THREADS], const struct hsm_key *signer)
{
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .token = hsm->token, .signer = signer };
		workers[i].own = hsm_make(hsm, oct);
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
}

static void
join_workers(struct worker workers[THREADS])
{
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		assert_fine(workers[i].wrong == 0, &workers[i].err);
		assert_int_equal(workers[i].fine + workers[i].away, ROUNDS);
	}
}

static void
test_threads(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key signer = hsm_make(hsm, p256);
	struct worker workers[THREADS];

	start_workers(hsm, workers, &signer);
	join_workers(workers);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(workers[i].fine, ROUNDS);
	assert_int_equal(hsm->token->used, 0);
	assert_true(hsm->token->open <= hsm->settings.sessions);
}

/* It may go whenever it likes: nobody is told anything wrong, and nothing is left in use. */
static void
test_threads_away(void **state)
{
	struct hsm *hsm = *state;
	struct hsm_key signer = hsm_make(hsm, p256);
	struct worker workers[THREADS];
	unsigned away = 0;

	start_workers(hsm, workers, &signer);
	hsm_move(hsm, true);
	wait_a_while();
	hsm_move(hsm, false);
	join_workers(workers);
	for (int i = 0; i < THREADS; i++)
		away += workers[i].away;
	assert_true(away > 0);
	assert_int_equal(hsm->token->used, 0);
	wait_a_while();
	assert_true(hsm_signs(hsm, &signer));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_away_and_back),
		cmocka_unit_test(test_found_out),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_threads_away),
		cmocka_unit_test_setup_teardown(test_not_opened, close_token, open_token),
		cmocka_unit_test_setup_teardown(test_no_pin_file, close_token, open_token),
		cmocka_unit_test_setup_teardown(test_other_label, close_token, open_token),
		cmocka_unit_test_setup_teardown(test_comes_later, close_token, open_token),
		cmocka_unit_test_setup_teardown(test_refused_later, close_token, open_token),
		cmocka_unit_test_setup_teardown(test_opened_again, close_token, open_token),
	};

	return cmocka_run_group_tests(tests, hsm_setup, hsm_teardown);
}
