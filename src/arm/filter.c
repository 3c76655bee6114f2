#include "arm/filter.h"

#include "arm/location.h"

#include <stdio.h>

static const view names[FILTER_NAMES] = {
	[FILTER_TYPE] = V_INIT("resourceType"),
	[FILTER_NAME] = V_INIT("name"),
	[FILTER_LOCATION] = V_INIT("location"),
	[FILTER_GROUP] = V_INIT("resourceGroup"),
	[FILTER_TAG_NAME] = V_INIT("tagName"),
	[FILTER_TAG_VALUE] = V_INIT("tagValue"),
	[FILTER_KIND] = V_INIT("kind"),
};

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
is_tag(enum filter_name name)
{
	return name == FILTER_TAG_NAME || name == FILTER_TAG_VALUE;
}

/* Strict about names, too. */
static bool
read_term(struct resource_filter *filter, size_t i, bool tags_only, struct arena *arena)
{
	const struct filter_term *term = &filter->filter.terms[i];
	view *value = &filter->filter.values[term->first];
	enum filter_name *name = &filter->names[i];
	struct error ignored;

	if (term->word || !find_name(term->name, name) || (tags_only && !is_tag(*name)))
		return false;
	/* A location may be written as its title. */
	return *name != FILTER_LOCATION || location_normal(arena, *value, value, &ignored);
}

static bool
parse(view text, bool tags_only, struct arena *arena, struct resource_filter *out)
{
	bool fine = filter_parse(text, FILTER_EQ | FILTER_NE | FILTER_STARTS | FILTER_HAS, arena,
	    &out->filter);

	for (size_t i = 0; fine && i < out->filter.count; i++)
		fine = read_term(out, i, tags_only, arena);
	return fine;
}

bool
resource_filter_parse(view text, bool tags_only, struct arena *arena, struct resource_filter *out,
    struct error *err)
{
	return parse(text, tags_only, arena, out) ||
	    error_set(err, ERR_FILTER_INVALID, "Invalid $filter specified in the query string.");
}

static bool
holds(const struct resource_filter *filter, size_t i, view text)
{
	return filter_fits(&filter->filter, &filter->filter.terms[i], text);
}

static bool
tag_holds(const struct resource_filter *filter, const struct body_tag *tag)
{
	for (size_t i = 0; i < filter->filter.count; i++) {
		if (is_tag(filter->names[i]) &&
		    !holds(filter, i, filter->names[i] == FILTER_TAG_NAME ? tag->name : tag->value))
			return false;
	}
	return true;
}

static bool
tags_hold(const struct resource_filter *filter, const struct resource *resource)
{
	bool asked = false;

	for (size_t i = 0; i < filter->filter.count; i++)
		asked = asked || is_tag(filter->names[i]);
	for (size_t i = 0; asked && i < resource->tag_count; i++) {
		if (tag_holds(filter, &resource->tags[i]))
			return true;
	}
	return !asked;
}

static bool
type_holds(const struct resource_filter *filter, size_t i, const struct resource *resource)
{
	char text[256];
	int len;

	if (resource->type == NULL)
		return false;
	len = snprintf(text, sizeof(text), "%s/%s", resource->type->space, resource->type->name);
	return len > 0 && (size_t)len < sizeof(text) &&
	    holds(filter, i, (view){ text, (size_t)len });
}

static bool
term_holds(const struct resource_filter *filter, size_t i, const struct resource *resource)
{
	switch (filter->names[i]) {
	case FILTER_TYPE: return type_holds(filter, i, resource);
	case FILTER_NAME: return holds(filter, i, resource->name);
	case FILTER_LOCATION: return holds(filter, i, resource->location);
	case FILTER_GROUP: return holds(filter, i, id_group(resource->id));
	case FILTER_KIND: return holds(filter, i, resource->kind);
	case FILTER_TAG_NAME:
	case FILTER_TAG_VALUE: return true;
	case FILTER_NAMES: break;
	}
	return false;
}

bool
resource_filter_fits(const struct resource_filter *filter, const struct resource *resource)
{
	for (size_t i = 0; i < filter->filter.count; i++) {
		if (!term_holds(filter, i, resource))
			return false;
	}
	return tags_hold(filter, resource);
}

view
resource_filter_only(const struct resource_filter *filter, enum filter_name name)
{
	for (size_t i = 0; i < filter->filter.count; i++) {
		const struct filter_term *term = &filter->filter.terms[i];

		if (filter->names[i] == name && term->form == FILTER_EQ)
			return filter->filter.values[term->first];
	}
	return V("");
}
