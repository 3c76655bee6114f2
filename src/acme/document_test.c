#include "acme/document.h"
#include "base/testing.h"

static struct arena arena;

static int
make_arena(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	return 0;
}

static int
drop_arena(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* clang-format off */

static void
test_directories(void **state)
{
#define REST ",\"newAccount\":\"https://a/n\",\"newOrder\":\"https://a/o\""
	static const struct { view text; bool fine; } rows[] = {
		{ V_INIT("{\"newNonce\":\"https://a/n\"" REST "}"), true },
		{ V_INIT("{\"newNonce\":\"https://a/n\"" REST ",\"meta\":{\"x\":[1]},\"more\":null}"), true },
		{ V_INIT("{\"newNonce\":\"http://a/n\"" REST "}"), false },
		{ V_INIT("{\"newNonce\":\"https://\"" REST "}"), false },
		{ V_INIT("{\"newNonce\":\"https://a/\\u0000\"" REST "}"), false },
		{ V_INIT("{\"newNonce\":\"https://a/ b\"" REST "}"), false },
		{ V_INIT("{\"newNonce\":\"https://a/\xc3\xa4\"" REST "}"), false },
		{ V_INIT("{\"newNonce\":7" REST "}"), false },
		{ V_INIT("{\"newNonce\":null" REST "}"), false },
		{ V_INIT("{}"), false },
		{ V_INIT("[]"), false },
		{ V_INIT(""), false },
		{ V_INIT("{\"newNonce\":\"https://a/n\"" REST), false },
		{ V_INIT("<html>"), false },
		{ V_INIT("\xff"), false },
	};
	struct acme_directory directory;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (acme_read_directory(rows[i].text, &directory, &arena, &err) != rows[i].fine)
			fail_msg("%.*s", VIEW_ARG(rows[i].text));
		if (!rows[i].fine)
			assert_int_equal(err.code, ERR_UNAVAILABLE);
	}
}

static void
test_orders(void **state)
{
#define ORDER(status, urls, more) V_INIT("{\"status\":\"" status "\",\"finalize\":\"https://a/f\"," \
	    "\"authorizations\":[" urls "]" more "}")
	static const struct { view text; bool fine; } rows[] = {
		{ ORDER("pending", "\"https://a/1\",\"https://a/2\"", ""), true },
		{ ORDER("valid", "", ",\"certificate\":\"https://a/c\""), true },
		{ ORDER("valid", "", ",\"certificate\":\"ftp://a/c\""), false },
		{ ORDER("pending", "\"http://a/1\"", ""), false },
		{ ORDER("pending", "7", ""), false },
		{ ORDER("invalid", "", ",\"error\":{\"type\":\"t\",\"detail\":\"d\",\"status\":400}"), true },
		{ ORDER("invalid", "", ",\"error\":\"x\""), false },
		{ V_INIT("{\"status\":\"pending\",\"authorizations\":[]}"), false },
	};
	struct acme_order order;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (acme_read_order(rows[i].text, &order, &arena, &err) != rows[i].fine)
			fail_msg("%.*s", VIEW_ARG(rows[i].text));
	}
}

static void
test_authorizations(void **state)
{
#define NAMED(name, challenges) V_INIT("{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"" \
	    name "\"},\"challenges\":[" challenges "]}")
#define CHALLENGE(token) "{\"type\":\"http-01\",\"url\":\"https://a/1\",\"token\":\"" token "\"}"
	static const struct { view text; bool fine; } rows[] = {
		{ NAMED("a.example", CHALLENGE("abc-_1")), true },
		{ NAMED("a.example", ""), true },
		{ NAMED("a.example", "{\"type\":\"other\"}"), true },
		{ NAMED("a.example", CHALLENGE("../../etc/passwd")), false },
		{ NAMED("a.example", CHALLENGE("")), false },
		{ NAMED("a.example", CHALLENGE("a\\r\\nb")), false },
		{ NAMED("", ""), false },
		{ NAMED("-rf", ""), false },
		{ NAMED("a b", ""), false },
		{ NAMED("a\\n", ""), false },
		{ V_INIT("{\"status\":\"valid\",\"challenges\":[]}"), false },
	};
	struct acme_authorization authorization;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool fine = acme_read_authorization(rows[i].text, &authorization, &arena, &err);

		if (fine != rows[i].fine)
			fail_msg("%.*s", VIEW_ARG(rows[i].text));
	}
}

static void
test_problems(void **state)
{
#define URN "urn:ietf:params:acme:error:"
	static const struct { view text; const char *message; } rows[] = {
		{ V_INIT("{\"type\":\"" URN "badNonce\",\"detail\":\"no\"}"), "badNonce: no" },
		{ V_INIT("{\"type\":\"other\"}"), "other" },
		{ V_INIT("{\"detail\":\"a\\r\\nb\\u0000c\"}"), "no reason given: a  b c" },
		{ V_INIT("{}"), "no reason given" },
		{ V_INIT("not found"), "no reason given" },
	};
	struct acme_problem problem;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_true(acme_read_problem(rows[i].text, &problem, &arena, &err));
		assert_false(acme_problem_set(&problem, ERR_BAD_REQUEST, &err));
		assert_string_equal(err.message, rows[i].message);
		assert_int_equal(acme_problem_is(&problem, V("badNonce")), i == 0);
	}
}

/* clang-format on */

static void
test_long_problems_are_cut(void **state)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct acme_problem problem;
	struct error err;

	(void)state;
	buf_add(&text, V("{\"detail\":\"x"));
	for (int i = 0; i < 1000; i++)
		buf_add(&text, V("\xc3\xa4"));
	buf_add(&text, V("\"}"));
	assert_true(acme_read_problem(buf_view(&text), &problem, &arena, &err));
	assert_false(acme_problem_set(&problem, ERR_BAD_REQUEST, &err));
	assert_true(strlen(err.message) < 450 && view_ends(view_of(err.message), V("\xc3\xa4...")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_directories, make_arena, drop_arena),
		cmocka_unit_test_setup_teardown(test_orders, make_arena, drop_arena),
		cmocka_unit_test_setup_teardown(test_authorizations, make_arena, drop_arena),
		cmocka_unit_test_setup_teardown(test_problems, make_arena, drop_arena),
		cmocka_unit_test_setup_teardown(test_long_problems_are_cut, make_arena, drop_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
