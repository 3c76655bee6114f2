/*
 * What is allowed or denied: patterns of actions on the control plane and on the data plane, less
 * those excepted.  Roles and deny assignments are made of them, and read by the one rule.
 */
#ifndef ACCESS_PERMISSIONS_H
#define ACCESS_PERMISSIONS_H

#include "access/texts.h"

/* Lists of patterns in which '*' stands for any text; NULL-terminated; NULL: none. */
struct permissions {
	const char *const *actions, *const *not_actions;
	const char *const *data_actions, *const *not_data_actions;
};

/* permissions_hold(permissions, action, data): Is ${action} among them, and not excepted? */
bool permissions_hold(const struct permissions *permissions, view action, bool data);

void permissions_pack(struct buf *out, const struct permissions *permissions);

/* As texts_unpack and texts_copy. */
MUST_USE bool permissions_unpack(struct unpack *in, struct arena *arena, struct permissions *out);
MUST_USE bool permissions_copy(const struct permissions *from, struct arena *arena,
    struct permissions *out);

/* action_matches(pattern, action): In any case; '*' stands for any text, '/' too. */
bool action_matches(view pattern, view action);

#endif
