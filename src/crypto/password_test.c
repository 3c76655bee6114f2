#include "crypto/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The reference implementation's own vectors of Argon2id, version 19. */
static void
test_known(void **state)
{
	static const struct {
		const char *password, *hash;
		bool fits;
	} cases[] = {
		{ "password",
		    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ"
		    "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		    true },
		{ "password",
		    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"
		    "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		    true },
		{ "password",
		    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ"
		    "$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
		    true },
		{ "differentpassword",
		    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ"
		    "$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
		    true },
		{ "Password",
		    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"
		    "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		    false },
		{ "password", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		    false },
		{ "password", "", false },
		{ "", "$argon2id$v=19$m=256", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (password_matches(view_of(cases[i].password), view_of(cases[i].hash)) !=
		    cases[i].fits)
			fail_msg("%zu: %s", i, cases[i].hash);
	}
}

static void
test_ours(void **state)
{
	AUTO(buf_free) struct buf first = { 0 }, second = { 0 };
	static const view start = V_INIT("$argon2id$v=19$m=19456,t=2,p=1$");
	struct error err;

	(void)state;
	assert_true(password_hash(V("Grün & grau 1"), &first, &err));
	assert_true(password_hash(V("Grün & grau 1"), &second, &err));
	assert_true(view_starts(buf_view(&first), start));
	/* Each has a salt of its own. */
	assert_false(view_eq(buf_view(&first), buf_view(&second)));
	assert_true(password_matches(V("Grün & grau 1"), buf_view(&first)));
	assert_true(password_matches(V("Grün & grau 1"), buf_view(&second)));
	assert_false(password_matches(V("Grün & grau"), buf_view(&first)));
	assert_false(password_matches(V(""), buf_view(&first)));
	/* Bytes count, also behind a NUL. */
	assert_false(password_matches(V("Grün & grau 1\0"), buf_view(&first)));
}

static void
test_hash_too_long(void **state)
{
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(password_matches(V("a"), (view){ text, sizeof(text) }));
}

static double
seconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Who does not exist takes as long as who does, within what a busy machine allows. */
static void
test_waste_takes_as_long(void **state)
{
	AUTO(buf_free) struct buf hash = { 0 };
	double start, check, waste;
	struct error err;

	(void)state;
	assert_true(password_hash(V("Secret 1"), &hash, &err));
	start = seconds();
	for (int i = 0; i < 3; i++)
		assert_false(password_matches(V("Secret 2"), buf_view(&hash)));
	check = seconds() - start;
	start = seconds();
	for (int i = 0; i < 3; i++)
		password_waste(V("Secret 2"));
	waste = seconds() - start;
	assert_true(waste > check / 3 && waste < check * 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_hash_too_long),
		cmocka_unit_test(test_waste_takes_as_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
