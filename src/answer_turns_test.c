#include "answer_turns.h"

#include "base/buf.h"
#include "base/testing.h"

#define EACH 3
#define ALL 5

static const struct uuid vaults[] = {
	{ "aaaaaaaa-0000-4000-8000-000000000000" },
	{ "bbbbbbbb-0000-4000-8000-000000000000" },
	{ "cccccccc-0000-4000-8000-000000000000" },
};

/* What waits, by the letter of its vault and its number: A1, A2, B1. */
struct work {
	struct waiting waiting; /* first */
	char name[3];
};

struct bench {
	struct turns *turns;
	struct work works[16];
	size_t count;
};

static bool
add(struct bench *bench, const char *name, struct error *err)
{
	struct work *work = &bench->works[bench->count];

	assert_true(++bench->count <= COUNT_OF(bench->works));
	memcpy(work->name, name, sizeof(work->name));
	return turns_add(bench->turns, &vaults[name[0] - 'A'], &work->waiting, err);
}

/* Steps, one after the other: "A1" is added, "<" takes one. */
static void
run(struct bench *bench, const char *steps, struct buf *taken)
{
	struct error err = { 0 };

	for (const char *step = steps; *step != '\0'; step++) {
		const struct work *work;

		if (*step == ' ')
			continue;
		if (*step != '<') {
			const char name[3] = { step[0], step[1], '\0' };

			assert_fine(add(bench, name, &err), &err);
			step++;
			continue;
		}
		work = (const struct work *)(const void *)turns_take(bench->turns);
		buf_print(taken, "%s", work == NULL ? "--" : work->name);
	}
}

static void
test_order(void **state)
{
	static const struct {
		const char *steps, *taken;
	} rows[] = {
		{ "<", "--" },
		{ "A1 A2 A3 <<<<", "A1A2A3--" },
		{ "A1 A2 A3 B1 <<<<<", "A1B1A2A3--" },
		{ "A1 A2 A3 B1 B2 C1 <<<<<<<", "A1B1C1A2B2A3--" },
		{ "A1 A2 < B1 A3 <<< <", "A1A2B1A3--" },
		{ "A1 < A2 B1 < A3 << <", "A1A2B1A3--" },
		{ "A1 B1 < A2 A3 <<< <", "A1B1A2A3--" },
		{ "A1 <<B1 << A2 <<", "A1--B1--A2--" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct turns_bounds bounds = { .each = 8 };
		struct bench bench = { .turns = turns_new(&bounds) };
		AUTO(buf_free) struct buf taken = { 0 };

		assert_non_null(bench.turns);
		run(&bench, rows[i].steps, &taken);
		assert_text(buf_view(&taken), view_of(rows[i].taken));
		turns_free(bench.turns);
	}
}

static void
test_bounds(void **state)
{
	static const struct {
		const char *before, *more;
		enum error_code code;
	} rows[] = {
		{ "A1 A2", "A3", ERR_NONE },
		{ "A1 A2 A3", "A4", ERR_THROTTLED },
		{ "A1 A2 A3 <", "A4", ERR_NONE },
		{ "A1 A2 A3", "B1", ERR_NONE },
		{ "A1 A2 A3 B1 B2", "A4", ERR_THROTTLED },
		{ "A1 A2 A3 B1 B2", "B3", ERR_UNAVAILABLE },
		{ "A1 A2 A3 B1 B2 <", "B3", ERR_NONE },
		/* All is taken; one who has nothing there still gets a place. */
		{ "A1 A2 A3 B1 B2", "C1", ERR_NONE },
		{ "A1 A2 A3 B1 B2 C1", "C2", ERR_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct turns_bounds bounds = { .each = EACH, .all = ALL };
		struct bench bench = { .turns = turns_new(&bounds) };
		struct error err = { 0 };
		AUTO(buf_free) struct buf taken = { 0 };

		assert_non_null(bench.turns);
		run(&bench, rows[i].before, &taken);
		assert_int_equal(add(&bench, rows[i].more, &err), rows[i].code == ERR_NONE);
		assert_int_equal(err.code, rows[i].code);
		while (turns_take(bench.turns) != NULL)
			;
		turns_free(bench.turns);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
