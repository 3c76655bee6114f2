#include "graph/filter.h"

static bool
find_member(const struct graph_member *members, const struct filter_term *term,
    const struct graph_member **out)
{
	const struct graph_member *member = graph_member_find(members, term->name);

	*out = member;
	return member != NULL && member->filter && (!term->word || member->kind == MEMBER_FLAG);
}

bool
graph_filter_parse(view text, const struct graph_member *members, struct arena *arena,
    struct graph_filter *out, struct error *err)
{
	bool fine = filter_parse(text,
	    FILTER_EQ | FILTER_IN | FILTER_ANY | FILTER_STARTS | FILTER_OR, arena, &out->filter);

	for (size_t i = 0; fine && i < out->filter.count; i++)
		fine = find_member(members, &out->filter.terms[i], &out->members[i]);
	return fine ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"Invalid filter clause: only NAME eq 'X', NAME in ('X', ...), "
		"startswith(NAME,'X') and NAME/any(c:c eq 'X') on some properties, joined by "
		"and and or, are supported.");
}

static bool
term_match(const struct graph_filter *filter, size_t i, const void *object)
{
	view value;

	for (size_t j = 0; graph_member_value(filter->members[i], object, j, &value); j++) {
		if (filter_fits(&filter->filter, &filter->filter.terms[i], value))
			return true;
	}
	return false;
}

bool
graph_filter_match(const struct graph_filter *filter, const void *object)
{
	bool all = true;

	for (size_t i = 0; i < filter->filter.count; i++) {
		all = all && term_match(filter, i, object);
		if (!filter->filter.terms[i].ends)
			continue;
		if (all)
			return true;
		all = true;
	}
	return filter->filter.count == 0;
}

size_t
graph_filter_keys(const struct graph_filter *filter, size_t keys[FILTER_TERMS_MAX])
{
	size_t count = 0;
	bool found = false;

	for (size_t i = 0; i < filter->filter.count; i++) {
		const struct filter_term *term = &filter->filter.terms[i];

		if (!found && filter->members[i]->key && term->form != FILTER_STARTS) {
			keys[count++] = i;
			found = true;
		}
		if (term->ends && !found)
			return 0;
		found = found && !term->ends;
	}
	return count;
}
