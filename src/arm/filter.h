/*
 * `$filter` of the lists of resources: what is compared (eq, ne, startswith, substringof) with a
 * resource's parts, all of it joined by "and".
 */
#ifndef ARM_FILTER_H
#define ARM_FILTER_H

#include "api/filter.h"
#include "arm/resource.h"

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

struct resource_filter {
	struct filter filter;
	enum filter_name names[FILTER_TERMS_MAX]; /* what each term is about */
};

/*
 * resource_filter_parse(text, tags_only, arena, out, err):
 * ${text}: decoded; empty lets everything through.  ${tags_only}: groups know only tags.
 * ERR_FILTER_INVALID.
 */
MUST_USE bool resource_filter_parse(view text, bool tags_only, struct arena *arena,
    struct resource_filter *out, struct error *err);

/* resource_filter_fits: All terms hold; a tag's name and value are of the same tag. */
bool resource_filter_fits(const struct resource_filter *filter, const struct resource *resource);

/* resource_filter_only: The value that ${name} must have; empty when it may have any. */
view resource_filter_only(const struct resource_filter *filter, enum filter_name name);

#endif
