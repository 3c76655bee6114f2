#include "arm/filter.h"

#include "arm/location.h"

#include <stdio.h>

#define FILTER_MAX 4096 /* bytes */

static const view names[FILTER_NAMES] = {
	[FILTER_TYPE] = V_INIT("resourceType"),
	[FILTER_NAME] = V_INIT("name"),
	[FILTER_LOCATION] = V_INIT("location"),
	[FILTER_GROUP] = V_INIT("resourceGroup"),
	[FILTER_TAG_NAME] = V_INIT("tagName"),
	[FILTER_TAG_VALUE] = V_INIT("tagValue"),
	[FILTER_KIND] = V_INIT("kind"),
};

struct cursor {
	view rest;
	struct arena *arena;
};

static void
skip_spaces(struct cursor *in)
{
	while (in->rest.len > 0 && in->rest.ptr[0] == ' ')
		in->rest = view_from(in->rest, 1);
}

static bool
is_word(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || c == '/';
}

static view
read_word(struct cursor *in)
{
	size_t len = 0;
	view word;

	skip_spaces(in);
	while (len < in->rest.len && is_word(in->rest.ptr[len]))
		len++;
	word = (view){ in->rest.ptr, len };
	in->rest = view_from(in->rest, len);
	return word;
}

static bool
read_char(struct cursor *in, char c)
{
	skip_spaces(in);
	if (in->rest.len == 0 || in->rest.ptr[0] != c)
		return false;
	in->rest = view_from(in->rest, 1);
	return true;
}

/* 'text', where '' is a quote. */
static bool
read_text(struct cursor *in, view *out)
{
	char *copy;
	size_t len = 0;

	if (!read_char(in, '\''))
		return false;
	copy = arena_alloc(in->arena, in->rest.len + 1);
	for (size_t i = 0; copy != NULL && i < in->rest.len; i++) {
		if (in->rest.ptr[i] == '\'') {
			if (i + 1 == in->rest.len || in->rest.ptr[i + 1] != '\'') {
				in->rest = view_from(in->rest, i + 1);
				*out = (view){ copy, len };
				return true;
			}
			i++;
		}
		copy[len++] = in->rest.ptr[i];
	}
	return false;
}

static bool
find_name(view word, enum filter_name *out)
{
	for (size_t i = 0; i < FILTER_NAMES; i++) {
		if (view_ieq(word, names[i])) {
			*out = (enum filter_name)i;
			return true;
		}
	}
	return false;
}

static bool
read_term(struct cursor *in, struct filter_term *term)
{
	view word = read_word(in), test;

	if (view_ieq(word, V("substringof"))) {
		term->test = FILTER_HAS;
		return read_char(in, '(') && read_text(in, &term->value) && read_char(in, ',') &&
		    find_name(read_word(in), &term->name) && read_char(in, ')');
	}
	if (view_ieq(word, V("startswith"))) {
		term->test = FILTER_STARTS;
		return read_char(in, '(') && find_name(read_word(in), &term->name) &&
		    read_char(in, ',') && read_text(in, &term->value) && read_char(in, ')');
	}
	test = read_word(in);
	term->test = view_ieq(test, V("ne")) ? FILTER_NE : FILTER_EQ;
	return (term->test == FILTER_NE || view_ieq(test, V("eq"))) &&
	    find_name(word, &term->name) && read_text(in, &term->value);
}

static bool
is_tag(enum filter_name name)
{
	return name == FILTER_TAG_NAME || name == FILTER_TAG_VALUE;
}

/* A location may be written as its title. */
static bool
normalise(struct cursor *in, struct filter_term *term)
{
	struct error ignored;

	return term->name != FILTER_LOCATION ||
	    location_normal(in->arena, term->value, &term->value, &ignored);
}

static bool
parse(struct cursor *in, bool tags_only, struct filter *out)
{
	do {
		struct filter_term *term = &out->terms[out->count];

		if (out->count == FILTER_TERMS_MAX || !read_term(in, term) ||
		    !normalise(in, term) || (tags_only && !is_tag(term->name)))
			return false;
		out->count++;
		skip_spaces(in);
	} while (in->rest.len > 0 && view_ieq(read_word(in), V("and")));
	return in->rest.len == 0;
}

bool
filter_parse(view text, bool tags_only, struct arena *arena, struct filter *out, struct error *err)
{
	struct cursor in = { text, arena };

	*out = (struct filter){ 0 };
	if (text.len == 0)
		return true;
	if (text.len <= FILTER_MAX && parse(&in, tags_only, out))
		return true;
	return error_set(err, ERR_FILTER_INVALID,
	    "Invalid $filter '%.*s' specified in the query string.",
	    VIEW_ARG(((view){ text.ptr, text.len > FILTER_MAX ? 0 : text.len })));
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

static bool
holds(const struct filter_term *term, view text)
{
	switch (term->test) {
	case FILTER_EQ: return view_ieq(text, term->value);
	case FILTER_NE: return !view_ieq(text, term->value);
	case FILTER_HAS: return contains(text, term->value);
	case FILTER_STARTS: return view_istarts(text, term->value);
	}
	return false;
}

static bool
tag_holds(const struct filter *filter, const struct body_tag *tag)
{
	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_term *term = &filter->terms[i];

		if (is_tag(term->name) &&
		    !holds(term, term->name == FILTER_TAG_NAME ? tag->name : tag->value))
			return false;
	}
	return true;
}

static bool
tags_hold(const struct filter *filter, const struct resource *resource)
{
	bool asked = false;

	for (size_t i = 0; i < filter->count; i++)
		asked = asked || is_tag(filter->terms[i].name);
	for (size_t i = 0; asked && i < resource->tag_count; i++) {
		if (tag_holds(filter, &resource->tags[i]))
			return true;
	}
	return !asked;
}

static bool
type_holds(const struct filter_term *term, const struct resource *resource)
{
	char text[256];
	int len;

	if (resource->type == NULL)
		return false;
	len = snprintf(text, sizeof(text), "%s/%s", resource->type->space, resource->type->name);
	return len > 0 && (size_t)len < sizeof(text) && holds(term, (view){ text, (size_t)len });
}

static bool
term_holds(const struct filter_term *term, const struct resource *resource)
{
	switch (term->name) {
	case FILTER_TYPE: return type_holds(term, resource);
	case FILTER_NAME: return holds(term, resource->name);
	case FILTER_LOCATION: return holds(term, resource->location);
	case FILTER_GROUP: return holds(term, id_group(resource->id));
	case FILTER_KIND: return holds(term, resource->kind);
	case FILTER_TAG_NAME:
	case FILTER_TAG_VALUE: return true;
	case FILTER_NAMES: break;
	}
	return false;
}

bool
filter_matches(const struct filter *filter, const struct resource *resource)
{
	for (size_t i = 0; i < filter->count; i++) {
		if (!term_holds(&filter->terms[i], resource))
			return false;
	}
	return tags_hold(filter, resource);
}

view
filter_only(const struct filter *filter, enum filter_name name)
{
	for (size_t i = 0; i < filter->count; i++) {
		if (filter->terms[i].name == name && filter->terms[i].test == FILTER_EQ)
			return filter->terms[i].value;
	}
	return V("");
}
