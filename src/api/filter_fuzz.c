/*
 * Filters as strangers send them: what is accepted keeps its bounds, is of the allowed forms, and
 * can be asked.
 */
#include "api/filter.h"

#include "base/fuzzing.h"

static void
try_filter(view text, unsigned allowed, struct arena *arena)
{
	struct filter filter;
	size_t values = 0;

	if (!filter_parse(text, allowed, arena, &filter))
		return;
	check(filter.count <= FILTER_TERMS_MAX && filter.value_count <= FILTER_VALUES_MAX);
	for (size_t i = 0; i < filter.count; i++) {
		const struct filter_term *term = &filter.terms[i];

		check((term->form & allowed) != 0);
		check(term->first == values && (term->count == 0) == (term->form == FILTER_CALL));
		check(term->name.len > 0 && term->name.ptr >= text.ptr &&
		    term->name.ptr + term->name.len <= text.ptr + text.len);
		check((allowed & FILTER_OR) != 0 || term->ends == (i + 1 == filter.count));
		values += term->count;
		(void)filter_fits(&filter, term, V("a"));
		(void)filter_fits(&filter, term, text);
	}
	check(values == filter.value_count);
	check(filter.count == 0 || filter.terms[filter.count - 1].ends);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned allowed[] = { ~0U, FILTER_EQ | FILTER_IN | FILTER_ANY | FILTER_OR,
		FILTER_EQ | FILTER_NE | FILTER_HAS | FILTER_STARTS, FILTER_CALL | FILTER_ASK };

	for (size_t i = 0; i < COUNT_OF(allowed); i++) {
		AUTO(arena_free) struct arena arena = { 0 };

		arena_init(&arena, (size_t)256 * 1024);
		try_filter((view){ (const char *)data, len }, allowed[i], &arena);
	}
	return 0;
}
