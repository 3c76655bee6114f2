#include "access/permissions.h"

/* Linear: on a mismatch only the last '*' is widened, which is enough. */
bool
action_matches(view pattern, view action)
{
	size_t p = 0, a = 0, star = SIZE_MAX, resume = 0;

	while (a < action.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = a;
		} else if (p < pattern.len &&
		    ascii_lower(pattern.ptr[p]) == ascii_lower(action.ptr[a])) {
			p++;
			a++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			a = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

static bool
patterns_match(const char *const *patterns, view action)
{
	for (; patterns != NULL && *patterns != NULL; patterns++) {
		if (action_matches(view_of(*patterns), action))
			return true;
	}
	return false;
}

bool
permissions_hold(const struct permissions *permissions, view action, bool data)
{
	if (data)
		return patterns_match(permissions->data_actions, action) &&
		    !patterns_match(permissions->not_data_actions, action);
	return patterns_match(permissions->actions, action) &&
	    !patterns_match(permissions->not_actions, action);
}

void
permissions_pack(struct buf *out, const struct permissions *permissions)
{
	texts_pack(out, permissions->actions);
	texts_pack(out, permissions->not_actions);
	texts_pack(out, permissions->data_actions);
	texts_pack(out, permissions->not_data_actions);
}

bool
permissions_unpack(struct unpack *in, struct arena *arena, struct permissions *out)
{
	return texts_unpack(in, arena, &out->actions) &&
	    texts_unpack(in, arena, &out->not_actions) &&
	    texts_unpack(in, arena, &out->data_actions) &&
	    texts_unpack(in, arena, &out->not_data_actions);
}

bool
permissions_copy(const struct permissions *from, struct arena *arena, struct permissions *out)
{
	return texts_copy(from->actions, arena, &out->actions) &&
	    texts_copy(from->not_actions, arena, &out->not_actions) &&
	    texts_copy(from->data_actions, arena, &out->data_actions) &&
	    texts_copy(from->not_data_actions, arena, &out->not_data_actions);
}
