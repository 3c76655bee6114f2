/*
 * Scopes: the paths of resources.  What holds at one holds at everything below it; they compare in
 * any case.
 */
#ifndef ACCESS_SCOPE_H
#define ACCESS_SCOPE_H

#include "base/view.h"

#define SCOPE_MAX 512       /* bytes of a scope that something can be granted or denied at */
#define SCOPE_LEVELS_MAX 32 /* segments of one */

/* A scope made ready for look-ups. */
struct scope_path {
	char text[SCOPE_MAX]; /* lower case, without a '/' at the end; the root is empty */
	size_t levels[SCOPE_LEVELS_MAX + 1]; /* how long the root, …, the scope itself are */
	size_t count;
	bool whole; /* false: it is too long or too deep; the levels are those above that fit */
};

void scope_fold(view scope, struct scope_path *out);

view scope_level(const struct scope_path *path, size_t level);
view scope_folded(const struct scope_path *path); /* the deepest level */

/* scope_subscription(scope): The id in "/subscriptions/ID…"; empty when it is in none. */
view scope_subscription(view scope);

/* scope_contains(outer, inner): ${inner} is ${outer} or below it; in any case; "/" holds all. */
bool scope_contains(view outer, view inner);

/* scope_same(a, b): In any case, with or without a '/' at the end. */
bool scope_same(view a, view b);

#endif
