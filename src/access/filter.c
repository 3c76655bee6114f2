#include "access/filter.h"

static view
skip_space(view text)
{
	while (text.len > 0 && text.ptr[0] == ' ')
		text = view_from(text, 1);
	return text;
}

static bool
take(view *text, view token)
{
	view rest = skip_space(*text);

	if (!view_istarts(rest, token))
		return false;
	*text = view_from(rest, token.len);
	return true;
}

/* 'It''s': a quote is written twice. */
static bool
take_quoted(view *text, struct arena *arena, view *out)
{
	view rest = skip_space(*text);
	char *copy = arena_alloc(arena, rest.len + 1);
	size_t len = 0;

	if (copy == NULL || rest.len == 0 || rest.ptr[0] != '\'')
		return false;
	for (size_t i = 1; i < rest.len; i++) {
		if (rest.ptr[i] == '\'') {
			if (i + 1 == rest.len || rest.ptr[i + 1] != '\'') {
				*out = (view){ copy, len };
				*text = view_from(rest, i + 1);
				return true;
			}
			i++;
		}
		copy[len++] = rest.ptr[i];
	}
	return false;
}

static bool
take_rest(view *text, struct filter_term *term, struct arena *arena)
{
	switch (term->form) {
	case TERM_CALL: return take(text, V("(")) && take(text, V(")"));
	case TERM_ASK:
		return take(text, V("(")) && take_quoted(text, arena, &term->value) &&
		    take(text, V(")"));
	case TERM_EQUALS: return take(text, V("eq ")) && take_quoted(text, arena, &term->value);
	}
	return false;
}

static bool
take_term(view *text, struct filter_term *terms, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		view rest = *text;

		if (terms[i].given || !take(&rest, view_of(terms[i].name)) ||
		    !take_rest(&rest, &terms[i], arena))
			continue;
		terms[i].given = true;
		*text = rest;
		return true;
	}
	return false;
}

bool
filter_terms_parse(view text, struct filter_term *terms, size_t count, struct arena *arena)
{
	do {
		if (!take_term(&text, terms, count, arena))
			return false;
	} while (take(&text, V("and ")));
	return skip_space(text).len == 0;
}

bool
filter_read(struct request *r, struct filter_term *terms, size_t count, struct error *err)
{
	view text;

	if (!request_query(r, "$filter", &text) || skip_space(text).len == 0)
		return true;
	return filter_terms_parse(text, terms, count, r->arena) ||
	    error_set(err, ERR_BAD_REQUEST, "The filter '%.*s' is not supported.", VIEW_ARG(text));
}
