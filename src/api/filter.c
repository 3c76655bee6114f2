#include "api/filter.h"

struct parser {
	view rest;
	struct arena *arena;
	struct filter *out;
};

static bool
is_word(char c)
{
	return ascii_alphanumeric(c) || c == '_' || c == '.';
}

static bool
take_word(struct parser *parser, view *out)
{
	view rest = view_trim(parser->rest);
	size_t len = 0;

	while (len < rest.len && is_word(rest.ptr[len]))
		len++;
	*out = (view){ rest.ptr, len };
	parser->rest = view_from(rest, len);
	return len > 0;
}

static bool
take_char(struct parser *parser, char c)
{
	view rest = view_trim(parser->rest);

	if (rest.len == 0 || rest.ptr[0] != c)
		return false;
	parser->rest = view_from(rest, 1);
	return true;
}

static bool
take_keyword(struct parser *parser, view keyword)
{
	view before = parser->rest, word;

	if (take_word(parser, &word) && view_ieq(word, keyword))
		return true;
	parser->rest = before;
	return false;
}

/* Where the literal's closing quote stands: two in a row are one of its text. */
static bool
find_quote(view text, size_t *at)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\'')
			continue;
		if (i + 1 == text.len || text.ptr[i + 1] != '\'') {
			*at = i;
			return true;
		}
		i++;
	}
	return false;
}

static bool
take_literal(struct parser *parser, view *out)
{
	size_t end, len = 0;
	char *chars;

	if (!take_char(parser, '\'') || !find_quote(parser->rest, &end))
		return false;
	chars = arena_alloc(parser->arena, end + 1);
	if (chars == NULL)
		return false;
	for (size_t i = 0; i < end; i++) {
		chars[len++] = parser->rest.ptr[i];
		i += parser->rest.ptr[i] == '\'';
	}
	parser->rest = view_from(parser->rest, end + 1);
	*out = (view){ chars, len };
	return true;
}

/* One more of the term's values. */
static bool
take_value(struct parser *parser, struct filter_term *term)
{
	struct filter *filter = parser->out;
	view value;

	if (filter->value_count == FILTER_VALUES_MAX)
		return false;
	if (!take_literal(parser, &value)) {
		term->word = true;
		if (!take_word(parser, &value) ||
		    (!view_ieq(value, V("true")) && !view_ieq(value, V("false"))))
			return false;
	}
	filter->values[filter->value_count++] = value;
	term->count++;
	return true;
}

static bool
take_values(struct parser *parser, struct filter_term *term)
{
	if (!take_char(parser, '('))
		return false;
	do {
		if (!take_value(parser, term))
			return false;
	} while (take_char(parser, ','));
	return take_char(parser, ')');
}

/* Behind the name and "(" */
static bool
take_call(struct parser *parser, struct filter_term *term)
{
	if (view_ieq(term->name, V("startswith"))) {
		term->form = FILTER_STARTS;
		return take_word(parser, &term->name) && take_char(parser, ',') &&
		    take_value(parser, term) && take_char(parser, ')');
	}
	if (view_ieq(term->name, V("substringof"))) {
		term->form = FILTER_HAS;
		return take_value(parser, term) && take_char(parser, ',') &&
		    take_word(parser, &term->name) && take_char(parser, ')');
	}
	term->form = FILTER_CALL;
	if (take_char(parser, ')'))
		return true;
	term->form = FILTER_ASK;
	return take_value(parser, term) && take_char(parser, ')');
}

/* Behind the name and "/" */
static bool
take_any(struct parser *parser, struct filter_term *term)
{
	view variable, again;

	term->form = FILTER_ANY;
	return take_keyword(parser, V("any")) && take_char(parser, '(') &&
	    take_word(parser, &variable) && take_char(parser, ':') && take_word(parser, &again) &&
	    view_eq(variable, again) && take_keyword(parser, V("eq")) && take_value(parser, term) &&
	    take_char(parser, ')');
}

static bool
take_comparison(struct parser *parser, struct filter_term *term)
{
	term->form = FILTER_EQ;
	if (take_keyword(parser, V("eq")))
		return take_value(parser, term);
	term->form = FILTER_NE;
	if (take_keyword(parser, V("ne")))
		return take_value(parser, term);
	term->form = FILTER_IN;
	return take_keyword(parser, V("in")) && take_values(parser, term);
}

static bool
take_term(struct parser *parser, unsigned allowed)
{
	struct filter *filter = parser->out;
	struct filter_term *term = &filter->terms[filter->count];
	bool fine;

	if (filter->count == FILTER_TERMS_MAX)
		return false;
	*term = (struct filter_term){ .first = filter->value_count };
	filter->count++;
	if (!take_word(parser, &term->name))
		return false;
	if (take_char(parser, '('))
		fine = take_call(parser, term);
	else if (take_char(parser, '/'))
		fine = take_any(parser, term);
	else
		fine = take_comparison(parser, term);
	return fine && (term->form & allowed) != 0;
}

static bool
take_all(struct parser *parser, unsigned allowed)
{
	do {
		do {
			if (!take_term(parser, allowed))
				return false;
		} while (take_keyword(parser, V("and")));
		parser->out->terms[parser->out->count - 1].ends = true;
	} while ((allowed & FILTER_OR) != 0 && take_keyword(parser, V("or")));
	return view_trim(parser->rest).len == 0;
}

bool
filter_parse(view text, unsigned allowed, struct arena *arena, struct filter *out)
{
	struct parser parser = { text, arena, out };

	out->count = 0;
	out->value_count = 0;
	return text.len <= FILTER_MAX && (view_trim(text).len == 0 || take_all(&parser, allowed));
}

static bool
contains(view text, view part)
{
	for (size_t i = 0; i + part.len <= text.len; i++) {
		if (view_istarts(view_from(text, i), part))
			return true;
	}
	return false;
}

bool
filter_fits(const struct filter *filter, const struct filter_term *term, view value)
{
	bool fits = false;

	for (size_t i = 0; i < term->count && !fits; i++) {
		view wanted = filter->values[term->first + i];

		if (term->form == FILTER_HAS)
			fits = contains(value, wanted);
		else if (term->form == FILTER_STARTS)
			fits = view_istarts(value, wanted);
		else
			fits = view_ieq(value, wanted);
	}
	return fits != (term->form == FILTER_NE);
}
