#include "graph/filter.h"

#define FILTER_MAX 4096

struct parser {
	view rest;
	const struct graph_member *members;
	struct arena *arena;
	struct graph_filter *out;
};

static void
skip_space(struct parser *parser)
{
	parser->rest = view_trim(parser->rest);
}

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
	    c == '_' || c == '.';
}

static bool
take_word(struct parser *parser, view *out)
{
	size_t len = 0;

	skip_space(parser);
	while (len < parser->rest.len && is_word(parser->rest.ptr[len]))
		len++;
	*out = (view){ parser->rest.ptr, len };
	parser->rest = view_from(parser->rest, len);
	return len > 0;
}

static bool
take_char(struct parser *parser, char c)
{
	skip_space(parser);
	if (parser->rest.len == 0 || parser->rest.ptr[0] != c)
		return false;
	parser->rest = view_from(parser->rest, 1);
	return true;
}

static bool
take_keyword(struct parser *parser, view keyword)
{
	struct parser before = *parser;
	view word;

	if (take_word(parser, &word) && view_ieq(word, keyword))
		return true;
	*parser = before;
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

/* 'It''s' */
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

/* A literal, true or false; one more of the term's values. */
static bool
take_value(struct parser *parser, struct graph_term *term)
{
	struct graph_filter *filter = parser->out;
	view value;

	skip_space(parser);
	if (filter->value_count == FILTER_VALUES_MAX)
		return false;
	if (!take_literal(parser, &value) &&
	    (!take_word(parser, &value) || term->member->kind != MEMBER_FLAG))
		return false;
	filter->values[filter->value_count++] = value;
	term->count++;
	return true;
}

static bool
take_values(struct parser *parser, struct graph_term *term)
{
	if (!take_char(parser, '('))
		return false;
	do {
		if (!take_value(parser, term))
			return false;
	} while (take_char(parser, ','));
	return take_char(parser, ')');
}

static bool
take_member(struct parser *parser, struct graph_term *term)
{
	view name;

	if (!take_word(parser, &name))
		return false;
	term->member = graph_member_find(parser->members, name);
	return term->member != NULL && term->member->filter;
}

/* startswith(NAME,'X') */
static bool
take_starts(struct parser *parser, struct graph_term *term)
{
	term->starts = true;
	return take_char(parser, '(') && take_member(parser, term) && take_char(parser, ',') &&
	    take_value(parser, term) && take_char(parser, ')');
}

/* NAME/any(c:c eq 'X') */
static bool
take_any(struct parser *parser, struct graph_term *term)
{
	view variable, again;

	return take_keyword(parser, V("any")) && take_char(parser, '(') &&
	    take_word(parser, &variable) && take_char(parser, ':') && take_word(parser, &again) &&
	    view_eq(variable, again) && take_keyword(parser, V("eq")) && take_value(parser, term) &&
	    take_char(parser, ')');
}

static bool
take_term(struct parser *parser)
{
	struct graph_filter *filter = parser->out;
	struct graph_term *term = &filter->terms[filter->term_count];

	if (filter->term_count == FILTER_TERMS_MAX)
		return false;
	*term = (struct graph_term){ .first = filter->value_count };
	filter->term_count++;
	if (take_keyword(parser, V("startswith")))
		return take_starts(parser, term);
	if (!take_member(parser, term))
		return false;
	if (take_char(parser, '/'))
		return take_any(parser, term);
	if (take_keyword(parser, V("eq")))
		return take_value(parser, term);
	return take_keyword(parser, V("in")) && take_values(parser, term);
}

static bool
take_all(struct parser *parser)
{
	do {
		do {
			if (!take_term(parser))
				return false;
		} while (take_keyword(parser, V("and")));
		parser->out->terms[parser->out->term_count - 1].ends = true;
	} while (take_keyword(parser, V("or")));
	skip_space(parser);
	return parser->rest.len == 0;
}

bool
graph_filter_parse(view text, const struct graph_member *members, struct arena *arena,
    struct graph_filter *out, struct error *err)
{
	struct parser parser = { view_trim(text), members, arena, out };

	out->term_count = 0;
	out->value_count = 0;
	if (text.len > FILTER_MAX)
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "The filter is too long.");
	return parser.rest.len == 0 || take_all(&parser) ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"Invalid filter clause: only NAME eq 'X', NAME in ('X', ...), "
		"startswith(NAME,'X') and NAME/any(c:c eq 'X') on some properties, joined by "
		"and and or, are supported.");
}

static bool
fits(const struct graph_filter *filter, const struct graph_term *term, view value)
{
	for (size_t i = 0; i < term->count; i++) {
		view wanted = filter->values[term->first + i];

		if (term->starts ? view_istarts(value, wanted) : view_ieq(value, wanted))
			return true;
	}
	return false;
}

static bool
term_match(const struct graph_filter *filter, const struct graph_term *term, const void *object)
{
	view value;

	for (size_t i = 0; graph_member_value(term->member, object, i, &value); i++) {
		if (fits(filter, term, value))
			return true;
	}
	return false;
}

bool
graph_filter_match(const struct graph_filter *filter, const void *object)
{
	bool all = true;

	for (size_t i = 0; i < filter->term_count; i++) {
		const struct graph_term *term = &filter->terms[i];

		all = all && term_match(filter, term, object);
		if (!term->ends)
			continue;
		if (all)
			return true;
		all = true;
	}
	return filter->term_count == 0;
}

size_t
graph_filter_keys(const struct graph_filter *filter,
    const struct graph_term *keys[FILTER_TERMS_MAX])
{
	const struct graph_term *key = NULL;
	size_t count = 0;

	for (size_t i = 0; i < filter->term_count; i++) {
		const struct graph_term *term = &filter->terms[i];

		if (key == NULL && term->member->key && !term->starts)
			key = term;
		if (!term->ends)
			continue;
		if (key == NULL)
			return 0;
		keys[count++] = key;
		key = NULL;
	}
	return count;
}
