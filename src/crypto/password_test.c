#include "crypto/password.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool
fits(view password, view hash)
{
	struct error err = { 0 };
	bool out;

	if (!password_matches(password, hash, &out, &err))
		fail_msg("%s", err.message);
	return out;
}

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
		if (fits(view_of(cases[i].password), view_of(cases[i].hash)) != cases[i].fits)
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
	assert_true(fits(V("Grün & grau 1"), buf_view(&first)));
	assert_true(fits(V("Grün & grau 1"), buf_view(&second)));
	assert_false(fits(V("Grün & grau"), buf_view(&first)));
	assert_false(fits(V(""), buf_view(&first)));
	/* Bytes count, also behind a NUL. */
	assert_false(fits(V("Grün & grau 1\0"), buf_view(&first)));
}

static void
test_hash_too_long(void **state)
{
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(fits(V("a"), (view){ text, sizeof(text) }));
}

/* Four terabytes: nobody's password is wrong for want of them. */
static void
test_without_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	(void)state;
	skip(); /* it would end the process */
#else
	static const view hash = V_INIT("$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ"
					"$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
	struct error err = { 0 };
	bool out = true;

	(void)state;
	assert_false(password_matches(V("password"), hash, &out, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_false(out);
#endif
}

/* The shortest of some: what others do on the machine only adds. */
static int64_t
shortest(view password, const char *hash)
{
	int64_t best = INT64_MAX;
	struct error err;

	for (int i = 0; i < 5; i++) {
		int64_t start = clock_mono(), took;

		if (hash != NULL)
			assert_false(fits(password, view_of(hash)));
		else
			assert_true(password_waste(password, &err));
		took = clock_mono() - start;
		best = took < best ? took : best;
	}
	return best;
}

/* Who does not exist takes as long as who does. */
static void
test_waste_takes_as_long(void **state)
{
	AUTO(buf_free) struct buf hash = { 0 };
	int64_t check, waste;
	struct error err;

	(void)state;
	assert_true(password_hash(V("Secret 1"), &hash, &err));
	buf_add_char(&hash, '\0');
	assert_true(buf_ok(&hash));
	check = shortest(V("Secret 2"), hash.ptr);
	waste = shortest(V("Secret 2"), NULL);
	assert_true(waste > check / 2 && waste < check * 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_hash_too_long),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_waste_takes_as_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
