/*
 * Which local account may have which identity.
 */
#ifndef CLI_AGENT_ACCOUNT_H
#define CLI_AGENT_ACCOUNT_H

#include "cli/agent_settings.h"

struct account {
	uid_t uid;
	view name; /* empty: the number has none */
	const gid_t *groups;
	size_t group_count;
};

/*
 * account_find(uid, arena, out, err):
 * Look the user up in the system's accounts, with all its groups; a number without an account has
 * neither name nor groups.  Blocks.
 */
MUST_USE bool account_find(uid_t uid, struct arena *arena, struct account *out, struct error *err);

/* What the local client calls the identity it wants. */
enum identity_key {
	IDENTITY_DEFAULT,
	IDENTITY_CLIENT_ID,
	IDENTITY_OBJECT_ID,
	IDENTITY_RESOURCE_ID
};

/*
 * identity_choose(settings, account, key, value, out, err):
 * By ${key}: the one of that name (ids compare in any case), ERR_NOT_FOUND when there is none,
 * ERR_FORBIDDEN when it is not for ${account}.  By default: the first that is; ERR_FORBIDDEN when
 * none is.
 */
MUST_USE bool identity_choose(const struct agent_settings *settings, const struct account *account,
    enum identity_key key, view value, const struct agent_identity **out, struct error *err);

#endif
