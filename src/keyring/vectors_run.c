/*
 * Runs vectors through the keyring: `keyring_vectors FILE`.  What a line says is at the top of
 * tests/vectors/edges.py, which makes some of them; tests/vectors/nist.py makes others.  Keys
 * without a private part are used as the token's are: their public half is here.
 *
 * Prints what is not as the line says, and how many were run; fails when there was any, or none.
 */
#include "base/testing.h"

#include "base/file.h"
#include "keyring/material_testing.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)256 << 20)
#define WORDS_MAX 12
#define REFUSED "The parameter is incorrect.\r\n"
#define LENGTH "Invalid length of '"

struct word {
	view name, value;
};

/* A line, taken apart. */
struct line {
	struct word words[WORDS_MAX];
	size_t count;
};

struct run {
	struct bench *bench;
	struct material material;
	struct arena_mark key; /* behind the key; what a line takes is given back */
	size_t keys, vectors, wrong;
};

static const struct {
	const char *name;
	enum key_use use;
} uses[] = {
	{ "encrypt", KEY_ENCRYPT },
	{ "decrypt", KEY_DECRYPT },
	{ "sign", KEY_SIGN },
	{ "verify", KEY_VERIFY },
};

static void
line_parse(view text, struct line *out)
{
	*out = (struct line){ .count = 0 };
	while (text.len > 0) {
		view word = view_cut(&text, ' ');

		assert_true(out->count < WORDS_MAX);
		out->words[out->count].name = view_cut(&word, '=');
		out->words[out->count++].value = word;
	}
}

static bool
line_find(const struct line *line, const char *name, view *out)
{
	for (size_t i = 0; i < line->count; i++) {
		if (view_eq(line->words[i].name, view_of(name))) {
			*out = line->words[i].value;
			return true;
		}
	}
	*out = V("");
	return false;
}

static view
unhex(struct run *run, view text)
{
	uint8_t *bytes = arena_alloc(&run->bench->arena, text.len / 2 + 1);

	assert_non_null(bytes);
	assert_true(hex_decode(text, bytes));
	return (view){ (const char *)bytes, text.len / 2 };
}

static view
octets_of(struct run *run, const struct line *line, const char *name)
{
	view text;

	(void)line_find(line, name, &text);
	return unhex(run, text);
}

static struct key_numbers
numbers_of(struct run *run, const struct line *line)
{
	struct key_numbers out = { 0 };
	const struct {
		const char *name;
		view *to;
	} rows[] = { { "n", &out.n }, { "e", &out.e }, { "d", &out.d }, { "p", &out.p },
		{ "q", &out.q }, { "dp", &out.dp }, { "dq", &out.dq }, { "qi", &out.qi },
		{ "x", &out.x }, { "y", &out.y }, { "k", &out.k } };

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		*rows[i].to = octets_of(run, line, rows[i].name);
	return out;
}

static struct key_spec
spec_of(const struct line *line, view kind)
{
	struct key_spec spec = { .kind = KEY_OCT };
	view curve;

	if (view_eq(kind, V("RSA")))
		spec.kind = KEY_RSA;
	else if (view_eq(kind, V("EC")))
		spec.kind = KEY_EC;
	(void)line_find(line, "crv", &curve);
	spec.curve = key_curve_find(curve);
	spec.bits = key_field_bits(spec.curve);
	return spec;
}

/* As material_use finds the key of a token, but without one. */
static void
take_public(struct run *run, struct key_spec spec, struct key_numbers numbers)
{
	view id;

	spec.hsm = true;
	if (spec.kind == KEY_RSA)
		spec.bits = (unsigned)numbers.n.len * 8;
	assert_true(arena_print(&run->bench->arena, &id, "%032zx", run->keys));
	run->material = (struct material){ .spec = spec, .id = id, .public = numbers };
}

static void
take_key(struct run *run, const struct line *line, view kind)
{
	struct bench *bench = run->bench;
	struct key_spec spec = spec_of(line, kind);
	struct key_numbers numbers;

	arena_wipe(&bench->arena);
	run->keys++;
	numbers = numbers_of(run, line);
	if (numbers.d.len > 0 || spec.kind == KEY_OCT)
		run->material = bench_take(bench, spec, &numbers);
	else
		take_public(run, spec, numbers);
	run->key = arena_mark(&bench->arena);
}

static enum key_use
use_of(view name)
{
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		if (view_eq(name, view_of(uses[i].name)))
			return uses[i].use;
	}
	fail_msg("unknown use: %.*s", VIEW_ARG(name));
	return KEY_VERIFY;
}

static bool
failed_as_wanted(const struct error *err, view want)
{
	if (err->code != ERR_BAD_PARAMETER)
		return false;
	if (view_eq(want, V("refused")))
		return view_eq(view_of(err->message), V(REFUSED));
	return view_eq(want, V("length")) && view_starts(view_of(err->message), V(LENGTH));
}

static bool
as_wanted(struct run *run, const struct line *line, enum key_use use, view alg, view want)
{
	const struct key_message in = {
		.value = octets_of(run, line, "value"),
		.signature = octets_of(run, line, "signature"),
		.iv = octets_of(run, line, "iv"),
		.aad = octets_of(run, line, "aad"),
		.tag = octets_of(run, line, "tag"),
	};
	struct key_result out;
	char name[40];

	(void)snprintf(name, sizeof(name), "%.*s", VIEW_ARG(alg));
	if (!bench_use(run->bench, &run->material, name, use, &in, &out))
		return failed_as_wanted(&run->bench->err, want);
	if (view_eq(want, V("refused")) || view_eq(want, V("length")))
		return false;
	if (use == KEY_VERIFY)
		return view_eq(want, out.verified ? V("true") : V("false"));
	return view_eq(out.value, unhex(run, want));
}

static void
run_line(struct run *run, view text, size_t number)
{
	struct line line;
	view kind = V(""), use = kind, alg = kind, want = kind;

	line_parse(text, &line);
	if (line_find(&line, "key", &kind)) {
		take_key(run, &line, kind);
		return;
	}
	assert_true(line_find(&line, "do", &use) && line_find(&line, "alg", &alg) &&
	    line_find(&line, "want", &want));
	run->vectors++;
	if (!as_wanted(run, &line, use_of(use), alg, want)) {
		run->wrong++;
		print_error("line %zu: not so: %.*s\n", number, VIEW_ARG(text));
	}
	arena_rewind(&run->bench->arena, run->key);
}

static const char *file;

static void
test_vectors(void **state)
{
	struct run run = { .bench = *state };
	AUTO(buf_free) struct buf text = { 0 };
	view rest;

	assert_fine(file_read(file, FILE_MAX, &text, &run.bench->err), &run.bench->err);
	rest = buf_view(&text);
	for (size_t number = 1; rest.len > 0; number++) {
		view line = view_cut(&rest, '\n');

		if (line.len > 0)
			run_line(&run, line, number);
	}
	(void)printf("vectors: %zu with %zu keys, %zu wrong\n", run.vectors, run.keys, run.wrong);
	assert_true(run.vectors > 0);
	assert_int_equal(run.wrong, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vectors, bench_setup, bench_teardown),
	};

	if (argc != 2) {
		(void)fprintf(stderr, "usage: keyring_vectors FILE\n");
		return 2;
	}
	file = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
