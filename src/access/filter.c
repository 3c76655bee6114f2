#include "access/filter.h"

static bool
take(const struct filter *filter, const struct filter_term *term, struct list_term *terms,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (terms[i].given || terms[i].form != term->form ||
		    !view_ieq(term->name, view_of(terms[i].name)))
			continue;
		terms[i].given = true;
		if (term->count > 0)
			terms[i].value = filter->values[term->first];
		return !term->word;
	}
	return false;
}

bool
list_filter_parse(view text, struct list_term *terms, size_t count, struct arena *arena)
{
	struct filter filter;

	if (!filter_parse(text, FILTER_CALL | FILTER_ASK | FILTER_EQ, arena, &filter))
		return false;
	for (size_t i = 0; i < filter.count; i++) {
		if (!take(&filter, &filter.terms[i], terms, count))
			return false;
	}
	return true;
}

bool
list_filter_read(struct request *r, struct list_term *terms, size_t count, struct error *err)
{
	view text;

	return !request_query(r, "$filter", &text) ||
	    list_filter_parse(text, terms, count, r->arena) ||
	    error_set(err, ERR_BAD_REQUEST, "The $filter is not supported.");
}
