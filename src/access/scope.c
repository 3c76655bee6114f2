#include "access/scope.h"

static view
without_slash(view scope)
{
	if (scope.len > 0 && scope.ptr[scope.len - 1] == '/')
		scope.len--;
	return scope;
}

void
scope_fold(view scope, struct scope_path *out)
{
	scope = without_slash(scope);
	out->levels[0] = 0;
	out->count = 1;
	out->whole = true;
	for (size_t i = 0; i < scope.len; i++) {
		bool last = i + 1 == scope.len;

		if (i >= SCOPE_MAX || out->count > SCOPE_LEVELS_MAX) {
			out->whole = false;
			return;
		}
		out->text[i] = ascii_lower(scope.ptr[i]);
		if (last || scope.ptr[i + 1] == '/')
			out->levels[out->count++] = i + 1;
	}
}

view
scope_level(const struct scope_path *path, size_t level)
{
	return (view){ path->text, path->levels[level] };
}

view
scope_folded(const struct scope_path *path)
{
	return scope_level(path, path->count - 1);
}

view
scope_subscription(view scope)
{
	static const view word = V_INIT("/subscriptions/");
	view rest;

	if (!view_istarts(scope, word))
		return V("");
	rest = view_from(scope, word.len);
	return view_cut(&rest, '/');
}

bool
scope_contains(view outer, view inner)
{
	outer = without_slash(outer);
	if (!view_istarts(inner, outer))
		return false;
	return inner.len == outer.len || inner.ptr[outer.len] == '/';
}

bool
scope_same(view a, view b)
{
	return view_ieq(without_slash(a), without_slash(b));
}
