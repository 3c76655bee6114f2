/*
 * `$filter` of the lists: "NAME eq 'VALUE'", "NAME ne 'VALUE'", "substringof('VALUE', NAME)",
 * "startswith(NAME, 'VALUE')", joined by "and".  Strict: what is not understood is refused, because
 * a filter that was ignored would show too much.
 */
#ifndef ARM_FILTER_H
#define ARM_FILTER_H

#include "arm/resource.h"

#define FILTER_TERMS_MAX 16

enum filter_name {
	FILTER_TYPE,
	FILTER_NAME,
	FILTER_LOCATION,
	FILTER_GROUP,
	FILTER_TAG_NAME,
	FILTER_TAG_VALUE,
	FILTER_KIND,
	FILTER_NAMES,
};

struct filter {
	struct filter_term {
		enum filter_name name;
		enum { FILTER_EQ, FILTER_NE, FILTER_HAS, FILTER_STARTS } test;
		view value;
	} terms[FILTER_TERMS_MAX];
	size_t count;
};

/*
 * filter_parse(text, tags_only, arena, out, err):
 * ${text}: decoded; empty lets everything through.  ${tags_only}: groups know only tags.
 * ERR_FILTER_INVALID.
 */
MUST_USE bool filter_parse(view text, bool tags_only, struct arena *arena, struct filter *out,
    struct error *err);

/* filter_matches(filter, resource): All terms hold; a tag's name and value are of the same tag. */
bool filter_matches(const struct filter *filter, const struct resource *resource);

/* filter_only(filter, name): The value that ${name} must have; empty when it may have any. */
view filter_only(const struct filter *filter, enum filter_name name);

#endif
